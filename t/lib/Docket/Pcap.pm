package Docket::Pcap;

# Reads classic captures in plain Perl, so that what libpcap made of them is
# judged by something else.
#
# A packet is a hash: ts (nanoseconds), caplen, len, data.

use strict;
use warnings;

use Digest::MD5 'md5';
use Exporter 'import';
use Test::More;

use Docket::Util;

our @EXPORT = qw(read_pcap pcap_header write_pcap tcpdump in_range is_sorted
                 is_packets);


# FILE, or \BYTES
sub bytes_of {
    my ($from) = @_;
    my $bytes = ref $from ? $$from : slurp($from);

    defined $bytes or die "$from: $!";
    length $bytes >= 24 or die "no capture: " . length($bytes) . " bytes";

    return $bytes;
}


# The file header: order (V, N: as pack knows them), nano, snaplen, linktype.
sub pcap_header {
    my $bytes = bytes_of(@_);
    my $magic = unpack 'V', $bytes;
    my ($order, $nano) = $magic == 0xa1b2c3d4 ? ('V', 0)
                       : $magic == 0xa1b23c4d ? ('V', 1)
                       : $magic == 0xd4c3b2a1 ? ('N', 0)
                       : $magic == 0x4d3cb2a1 ? ('N', 1)
                       : die sprintf 'no capture: magic %08x', $magic;
    my ($snaplen, $linktype) = unpack "x16 ${order}2", $bytes;

    return { order => $order, nano => $nano, snaplen => $snaplen,
             linktype => $linktype };
}


# read_pcap(FILE) or read_pcap(\BYTES): a list of the packets, by reference.
# Dies of what is no whole capture.
sub read_pcap {
    my $bytes = bytes_of(@_);
    my $header = pcap_header(\$bytes);
    my $record = "$header->{order}4";
    my $unit = $header->{nano} ? 1 : 1000;
    my $size = length $bytes;
    my ($pos, @packets) = (24);

    while ($pos < $size) {
        $size >= $pos + 16 or die "cut in the record header at $pos";

        my ($s, $f, $caplen, $len) = unpack $record, substr $bytes, $pos, 16;

        $size >= $pos + 16 + $caplen or die "cut in the record at $pos";

        push @packets, {
            ts     => $s * 1_000_000_000 + $f * $unit,
            caplen => $caplen,
            len    => $len,
            data   => substr($bytes, $pos + 16, $caplen),
        };
        $pos += 16 + $caplen;
    }

    return \@packets;
}


# write_pcap(FILE, PACKETS, order => 'N', nano => 1, snaplen =>, linktype =>)
sub write_pcap {
    my ($file, $packets, %o) = @_;
    my $order = $o{order} // 'V';

    spew($file,
         pack($order eq 'V' ? 'VvvVVVV' : 'NnnNNNN',
              $o{nano} ? 0xa1b23c4d : 0xa1b2c3d4, 2, 4, 0, 0,
              $o{snaplen} // 65536, $o{linktype} // 1),
         map {
             my $frac = $_->{ts} % 1_000_000_000;
             pack("${order}4", int($_->{ts} / 1_000_000_000),
                  $o{nano} ? $frac : int($frac / 1000),
                  length $_->{data}, $_->{len}) . $_->{data}
         } @$packets);
}


# What tcpdump finds with FILTER in the FILES, in order of time.
sub tcpdump {
    my ($filter, @files) = @_;
    my @found;

    # it names its file there
    open my $err, '>&', \*STDERR or die $!;
    open STDERR, '>', '/dev/null' or die $!;

    for my $file (@files) {
        # as root it would give up its rights, and then not read the file
        open my $p, '-|:raw', 'tcpdump', ($> == 0 ? ('-Z', 'root') : ()),
             '--nano', '-r', $file, '-w', '-', $filter
            or die "tcpdump: $!";

        my $bytes = do { local $/; <$p> };
        if (!close $p) {
            open STDERR, '>&', $err;
            die "tcpdump -r $file '$filter' failed";
        }
        push @found, @{ read_pcap(\$bytes) };
    }

    open STDERR, '>&', $err or die $!;

    return [ sort { $a->{ts} <=> $b->{ts} } @found ];
}


# The packets with AFTER <= ts < BEFORE, both in seconds.
sub in_range {
    my ($packets, $after, $before) = @_;

    return [ grep { $_->{ts} >= $after * 1_000_000_000
                    && $_->{ts} < $before * 1_000_000_000 } @$packets ];
}


sub is_sorted {
    my ($packets, $name) = @_;
    my ($last, $n) = (0, 0);

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    for (@$packets) {
        if ($_->{ts} < $last) {
            fail($name // 'in order of time');
            diag("packet $n at $_->{ts} follows one at $last");
            return 0;
        }
        $last = $_->{ts};
        $n++;
    }

    return pass($name // 'in order of time');
}


# GOT has exactly the packets of EXPECTED, each as often as there, and is in
# order of time.  A capture of replayed traffic has its own times: time => 0.
sub is_packets {
    my ($got, $expected, $name, %o) = @_;
    my $key = ($o{time} // 1) ? sub { "$_[0]{ts} $_[0]{len} $_[0]{data}" }
                              : sub { "$_[0]{len} $_[0]{data}" };
    my (%balance, @missing, @more);

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    $balance{md5($key->($_))}++ for @$expected;
    $balance{md5($key->($_))}-- for @$got;
    @missing = grep { $balance{md5($key->($_))} > 0 } @$expected;
    @more = grep { $balance{md5($key->($_))} < 0 } @$got;

    if (@missing || @more) {
        fail($name);
        diag(sprintf '%d packets instead of %d: %d missing, %d too many',
             scalar @$got, scalar @$expected, scalar @missing, scalar @more);
        diag(sprintf '%s: ts %s, %d bytes, %s', $_->[0], $_->[1]{ts},
             $_->[1]{len}, unpack 'H68', $_->[1]{data})
            for map({ ['missing', $_] } @missing[0 .. min($#missing, 2)]),
                map({ ['too many', $_] } @more[0 .. min($#more, 2)]);
        return 0;
    }

    return is_sorted($got, $name);
}

sub min { $_[0] < $_[1] ? $_[0] : $_[1] }


1;

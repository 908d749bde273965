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

our @EXPORT = qw(read_pcap write_pcap tcpdump in_range is_sorted is_packets);


# read_pcap(FILE) or read_pcap(\BYTES): the packets; in a list context
# preceded by a hash of the header: order, nano, snaplen, linktype.
# Dies of what is no whole capture.
sub read_pcap {
    my ($from) = @_;
    my $name = ref $from ? 'capture' : $from;
    my $bytes = ref $from ? $$from : slurp($from);

    defined $bytes or die "$name: $!";
    length $bytes >= 24 or die "$name: no file header";

    my $magic = unpack 'V', $bytes;
    my ($order, $nano) = $magic == 0xa1b2c3d4 ? ('V', 0)
                       : $magic == 0xa1b23c4d ? ('V', 1)
                       : $magic == 0xd4c3b2a1 ? ('N', 0)
                       : $magic == 0x4d3cb2a1 ? ('N', 1)
                       : die sprintf "%s: magic %08x", $name, $magic;

    my %header = (order => $order, nano => $nano);
    @header{qw(snaplen linktype)} = unpack "x16 ${order}2", $bytes;

    my @packets;
    my $pos = 24;

    while ($pos < length $bytes) {
        length $bytes >= $pos + 16 or die "$name: cut in a record's header";

        my ($s, $f, $caplen, $len) = unpack "x$pos ${order}4", $bytes;

        length $bytes >= $pos + 16 + $caplen or die "$name: cut in a record";

        push @packets, {
            ts     => $s * 1_000_000_000 + ($nano ? $f : $f * 1000),
            caplen => $caplen,
            len    => $len,
            data   => substr($bytes, $pos + 16, $caplen),
        };
        $pos += 16 + $caplen;
    }

    return wantarray ? (\%header, @packets) : \@packets;
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

    for my $file (@files) {
        # as root it would give up its rights, and then not read the file
        open my $p, '-|:raw', 'tcpdump', ($> == 0 ? ('-Z', 'root') : ()),
             '--nano', '-r', $file, '-w', '-', $filter
            or die "tcpdump: $!";

        my $bytes = do { local $/; <$p> };
        close $p or die "tcpdump $filter $file: $?";
        push @found, @{ read_pcap(\$bytes) };
    }

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
    my $last = 0;
    my $n = 0;

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

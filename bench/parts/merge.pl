# The merge alone, files in the page cache to a file, against mergecap and
# against a plain copy of the same bytes in pieces of 1 MB.

use strict;
use warnings;

use Docket::Bench;
use Docket::Util;


# wall and processor time of ours and of both rivals, for one output
sub merge_to {
    my ($what, $out, $where, $ours, $theirs, $copy) = @_;
    my %cmd = (
        ours => [tool('docket-merge'), '-o', $out],
        mergecap => ['mergecap', '-F', 'pcap', '-w', $out],
        copy => ['/bin/sh', '-c', 'exec > "$0"; for i; do dd if="$i" bs=1M '
                                  . 'status=none; done', $out],
    );
    my @in = @$ours;
    my %got = rounds(scaled(7, 3, 1), map {
        my $cmd = $_;
        $cmd => sub {
            drop($out) if $where ne 'null';
            return timed([@{ $cmd{$cmd} }, @in]);
        }
    } keys %cmd);
    my ($merged, $copied) = ($theirs, $copy);

    drop($out) if $where ne 'null';

    for my $time (qw(wall cpu)) {
        my %t = map { my $c = $_; $c => [map { $_->{$time} } @{ $got{$c} }] }
                    keys %got;
        my %m = map { $_ => median(@{ $t{$_} }) } keys %t;
        my $judged = $time eq 'wall' && $where ne 'null';
        my $name = "$what to $where, " . ($time eq 'wall' ? 'time'
                                                          : 'processor');

        figure(name => "$name, mergecap", unit => 's', ours => $m{ours},
               rival => $m{mergecap}, by => 'rival/ours',
               target => $judged ? $merged : undef,
               spread => spread(@{ $t{ours} }),
               command => 'mergecap -F pcap -w OUT IN...');
        figure(name => "$name, copy", unit => 's', ours => $m{ours},
               rival => $m{copy}, target => $judged ? $copied : undef,
               spread => spread(@{ $t{copy} }),
               command => 'for each IN: dd if=IN bs=1M >> OUT');
    }
}


return sub {
    my $dir = test_dir('caps');
    my $size = scaled(250_000_000, 50_000_000, 200_000);

    for my $kind (['mixed sizes', 0, '>= 2.5', '<= 1.3'],
                  ['64-byte frames', 64, '>= 3', undef])
    {
        my ($what, $length, $mergecap, $copy) = @$kind;
        my @in = map { "$dir/in$_.pcap" } 0 .. 3;

        run_ok(tool('mkcaps'), '-b', $size, '-l', $length, $dir);
        page_cache(@in);

        merge_to($what, "$dir/out.pcap", 'disk', \@in, $mergecap, $copy);
        merge_to($what, "$ENV{DOCKET_MEMORY}/out.pcap", 'memory', \@in,
                 $mergecap, $copy);
        merge_to($what, '/dev/null', 'null', \@in);

        drop(@in);
    }
};

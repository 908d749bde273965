# Memory at its peak, bytes written for a result, instructions of the merge.

use strict;
use warnings;

use Docket::Bench;
use Docket::Client;
use Docket::Fleet;
use Docket::Nginx;
use Docket::Util;


# Instructions that valgrind counts for a merge of N packets.
sub instructions {
    my ($dir, $bytes) = @_;
    my $work = work();

    run_ok(tool('mkcaps'), '-b', $bytes, $dir);
    run_ok('valgrind', '--tool=callgrind', "--log-file=$work/log",
           "--callgrind-out-file=$work/callgrind", tool('docket-merge'),
           '-o', '/dev/null', map { "$dir/in$_.pcap" } 0 .. 3);

    my ($n) = slurp("$work/log") =~ /Collected : (\d+)/;
    my $packets = 0;

    for my $i (0 .. 3) {
        my $p = slurp("$dir/in$i.pcap");
        for (my $at = 24; $at < length $p; $packets++) {
            $at += 16 + unpack 'V', substr $p, $at + 8, 4;
        }
    }

    return ($n, $packets);
}


sub large_job {
    my ($dir, $size) = @_;
    my @in = map { "$dir/in$_.pcap" } 0 .. 3;

    run_ok(tool('mkcaps'), '-b', $size, $dir);
    page_cache(@in);

    my $fleet = Docket::Fleet->start(n => 4, pcaps => \@in);
    my $ng = Docket::Nginx->start(sensors => $fleet);
    my $client = Docket::Client->new($ng);
    my $helper = $ng->helper;
    my (@written, @disk, $result);

    for (1 .. scaled(5, 3, 1)) {
        my $before = io_of($helper);
        my $job = $client->job;
        my $after = io_of($helper);

        $result = $job->{status}{capture}{bytes};
        push @written, $after->{wchar} - $before->{wchar};
        push @disk, $after->{write_bytes} - $before->{write_bytes};
        $client->remove($job->{id});
    }

    # what it sends to sensors and logs is in the first as well

    figure(name => 'bytes handed to write()', unit => 'MB',
           ours => median(@written) / 1e6, rival => $result / 1e6,
           target => '<= 1.05', spread => spread(map { $_ / 1e6 } @written),
           command => 'the size of the result');
    figure(name => 'bytes for the disk', unit => 'MB',
           ours => median(@disk) / 1e6, rival => $result / 1e6,
           target => '<= 1.05', spread => spread(map { $_ / 1e6 } @disk),
           command => 'the size of the result');
    figure(name => sprintf('helper at its peak, result of %.0f MB',
                           $result / 1e6),
           unit => 'MB', ours => memory_of($helper), target => '<= 64');
    figure(name => 'a worker at its peak', unit => 'MB',
           ours => Docket::Bench::max(map { memory_of($_) } $ng->workers));

    $ng->stop('TERM');
    $fleet->stop;
    drop(@in);
}


sub many_sensors {
    my ($dir, $n) = @_;

    run_ok(tool('mkcaps'), '-n', 16, '-b', 100_000, $dir);

    my $fleet = Docket::Fleet->start(n => $n,
        pcaps => [map { "$dir/in$_.pcap" } 0 .. 15]);
    my $ng = Docket::Nginx->start(sensors => $fleet, spool => 'zone=64m');
    my $client = Docket::Client->new($ng);
    my $helper = $ng->helper;

    $client->job for 1 .. 3;

    figure(name => "helper at its peak, $n sensors", unit => 'MB',
           ours => memory_of($helper), target => '<= 160');
    figure(name => "a worker at its peak, $n sensors", unit => 'MB',
           ours => Docket::Bench::max(map { memory_of($_) } $ng->workers));

    $ng->stop('TERM');
    $fleet->stop;
}


return sub {
    my $dir = test_dir('caps');

    large_job($dir, scaled(250_000_000, 50_000_000, 200_000));
    many_sensors($dir, scaled(1_000, 200, 5));

    # the start of a process is in both of them

    my ($n1, $p1) = instructions($dir, scaled(250_000, 250_000, 20_000));
    my ($n2, $p2) = instructions($dir, scaled(2_250_000, 1_250_000, 60_000));

    figure(name => 'instructions of the merge for a packet', unit => '',
           ours => ($n2 - $n1) / ($p2 - $p1));
};

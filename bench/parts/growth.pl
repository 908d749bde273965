# What grows with what: sensors of a question, jobs in the spool, size of a
# result.  "slope" is the exponent over the last two decades: 0 is flat, 1 is
# linear.

use strict;
use warnings;

use Docket::Bench;
use Docket::Client;
use Docket::Fleet;
use Docket::Nginx;
use Docket::Spool;
use Docket::Util;
use Docket::Wrk;


# A figure for each point, then one for the slope.
sub series {
    my ($name, $what, $unit, $points, %o) = @_;

    figure(name => "$name, $_->[0] $what", unit => $unit, ours => $_->[1],
           target => $o{each} && $_ == $points->[-1] ? $o{each} : undef)
        for @$points;

    my @points = map { [$_->[0], $o{rate} ? 1 / $_->[1] : $_->[1]] } @$points;

    figure(name => "$name: slope", unit => '', ours => slope(@points),
           target => $o{slope}) if @points > 1;
}


sub sensors {
    my ($dir) = @_;
    my @n = @{ scaled([1, 4, 16, 64, 256, 1000], [1, 4, 16, 64], [1, 4]) };

    run_ok(tool('mkcaps'), '-n', 16, '-b', 30_000, $dir);

    my $fleet = Docket::Fleet->start(n => $n[-1],
        pcaps => [map { "$dir/in$_.pcap" } 0 .. 15]);
    my (@cold, @warm, @memory);

    for my $n (@n) {
        my $ng = Docket::Nginx->start(sensors => $fleet->use($n),
                                      spool => 'zone=64m');
        my $client = Docket::Client->new($ng);
        my $helper = $ng->helper;

        push @cold, [$n, 1000 * $client->job->{wall}];
        push @warm, [$n, 1000 * median(map { $client->job->{wall} }
                                           1 .. scaled(9, 5, 1))];
        push @memory, [$n, memory_of($helper)];
        $ng->stop('TERM');
    }

    $fleet->stop;

    series('first question', 'sensors', 'ms', \@cold, slope => '<= 1.1');
    series('question', 'sensors', 'ms', \@warm, slope => '<= 1.1');
    series('helper at its peak', 'sensors', 'MB', \@memory, slope => '<= 1.1');
}


sub jobs {
    my ($dir) = @_;
    my @n = @{ scaled([10, 100, 1_000, 10_000, 100_000],
                      [10, 100, 1_000, 10_000], [10, 30]) };
    my $fleet = Docket::Fleet->start(n => 1, pcaps => ["$dir/in0.pcap"]);
    my $ng = Docket::Nginx->new(sensors => $fleet, http => 'access_log off;');
    my $spool = Docket::Spool->new($ng);
    my (%got, $client);

    my $took = sub {
        my ($path) = @_;
        return 1000 * median(map {
            my $began = now();
            $client->request('GET', "/api$path");
            now() - $began;
        } 1 .. scaled(21, 11, 3));
    };

    for my $n (@n) {
        my $start = $spool->grow($n);
        my @ids = $spool->ids;

        $client = Docket::Client->new($ng);

        # of all ages

        my @some = map { $ids[int($_ * $#ids / 99)] } 0 .. 99;

        push @{ $got{start} }, [$n, 1000 * $start->{read}];
        push @{ $got{status} }, [$n, median(map {
            wrk($ng->url, paths => [map { "/api/status/$_" } @some])
        } 1 .. scaled(5, 3, 1))];
        push @{ $got{ids} }, [$n, $took->('/ids')];
        push @{ $got{jobs} }, [$n, $took->('/jobs')];
        push @{ $got{page} }, [$n, $took->('/jobs?page=' . int($n / 100 + 1))];
        push @{ $got{memory} }, [$n, memory_of($ng->helper)];
    }

    my @clean;

    for my $n (reverse @n) {
        $ng->configure(http => 'access_log off;');
        $spool->grow($n);
        $ng->stop('TERM');

        my $start = $spool->restart(
            http => 'access_log off; docket_expire_time 1s;');
        my $began = now();

        $spool->logged($start->{log}, qr/$n jobs were removed by cleaning/);
        unshift @clean, [$n, 1000 * (now() - $began)];
        $spool->forget;
        $ng->stop('TERM');
    }

    $fleet->stop;

    series('/status/ID', 'jobs', '1/s', $got{status}, rate => 1,
           slope => '<= 0.1');
    series('/ids', 'jobs', 'ms', $got{ids}, slope => '<= 1.1');
    series('/jobs, first page', 'jobs', 'ms', $got{jobs}, each => '<= 20',
           slope => '<= 1.1');
    series('/jobs, last page', 'jobs', 'ms', $got{page}, each => '<= 20',
           slope => '<= 1.1');
    series('reading the spool at start', 'jobs', 'ms', $got{start},
           slope => '<= 1.1');
    series('cleaning all', 'jobs', 'ms', \@clean, slope => '<= 1.1');
    series('helper at its peak', 'jobs', 'MB', $got{memory},
           slope => '<= 1.1');
}


sub results {
    my ($dir) = @_;
    my @mb = @{ scaled([1, 10, 100, 1_000, 8_000], [1, 10, 100], [1, 2]) };
    my (@time, @memory, @written);

    for my $mb (@mb) {

        # the captures, the result, and as much again if all of it is spilled

        if (free_mb($dir) < 3.2 * $mb) {
            figure(name => "result of $mb MB: no room on the disk", unit => '');
            next;
        }

        my @in = map { "$dir/in$_.pcap" } 0 .. 3;

        run_ok(tool('mkcaps'), '-b', $mb * 250_000, $dir);
        page_cache(@in);

        my $fleet = Docket::Fleet->start(n => 4, pcaps => \@in);
        my $ng = Docket::Nginx->start(sensors => $fleet);
        my $client = Docket::Client->new($ng);
        my $helper = $ng->helper;
        my ($jobs, $bytes) = (0, 0);
        my $before = io_of($helper);
        my @wall;

        for (1 .. ($mb <= 100 ? scaled(7, 3, 1) : $mb <= 1_000 ? 3 : 1)) {
            my $job = $client->job;
            push @wall, $job->{wall};
            $bytes += $job->{status}{capture}{bytes};
            $client->remove($job->{id});
        }

        push @time, [$mb, 1000 * median(@wall)];
        push @memory, [$mb, memory_of($helper)];
        push @written, [$mb, (io_of($helper)->{wchar} - $before->{wchar})
                             / $bytes];
        $ng->stop('TERM');
        $fleet->stop;
        drop(@in);
    }

    series('result', 'MB', 'ms', \@time, slope => '<= 1.1');
    series('helper at its peak, result', 'MB', 'MB', \@memory, each => '<= 64',
           slope => '<= 0.1');
    series('written for a result', 'MB', 'x', \@written, each => '<= 1.05');
}


return sub {
    my $dir = test_dir('caps');

    sensors($dir);
    jobs($dir);
    results($dir);
};

# A whole job, from the question until it is Completed, of large captures from
# fast sensors; against one curl that fetches the same bodies to files.

use strict;
use warnings;

use Docket::Bench;
use Docket::Client;
use Docket::Fleet;
use Docket::Nginx;
use Docket::Util;


return sub {
    my $dir = test_dir('caps');
    my $size = scaled(250_000_000, 50_000_000, 200_000);
    my @in = map { "$dir/in$_.pcap" } 0 .. 3;

    run_ok(tool('mkcaps'), '-b', $size, $dir);
    page_cache(@in);

    my $fleet = Docket::Fleet->start(n => 4, pcaps => \@in);

    for my $where (['disk', test_dir('job')],
                   ['memory', "$ENV{DOCKET_MEMORY}/job"])
    {
        my ($name, $at) = @$where;

        mkdir $at;
        chmod 0755, $at;

        my $ng = Docket::Nginx->start(sensors => $fleet, dir => $at);
        my $client = Docket::Client->new($ng);
        my $helper = $ng->helper;
        my @files = map { "$at/body$_" } 1 .. 4;
        my @curl = ($fleet->curl, '--parallel',
                    map { ($fleet->url($_, '/query'), '-o', $files[$_ - 1]) }
                        1 .. 4);

        # cold connections first

        $client->remove($client->job->{id});

        my %got = rounds(scaled(7, 5, 1),
            curl => sub {
                my $t = timed(\@curl);
                drop(@files);
                return $t;
            },
            ours => sub {
                my $cpu = cpu_of($helper);
                my $job = $client->job;
                $job->{cpu} = cpu_of($helper) - $cpu;
                $client->remove($job->{id});
                return $job;
            });

        my %m = map { my $w = $_; $w => median(map { $_->{wall} }
                                                   @{ $got{$w} }) } keys %got;
        my %c = map { my $w = $_; $w => median(map { $_->{cpu} }
                                                   @{ $got{$w} }) } keys %got;
        my $command = "curl --parallel --http1.1 --cert ... --data-binary "
                      . "'host 10.0.0.1' URL -o FILE (four times)";

        figure(name => "four sensors, spool on $name, time", unit => 's',
               ours => $m{ours}, rival => $m{curl}, target => '<= 1.2',
               spread => spread(map { $_->{wall} } @{ $got{ours} }),
               command => $command);
        figure(name => "... processor time of the helper", unit => 's',
               ours => $c{ours}, rival => $c{curl}, command => $command);
        figure(name => "... rate", unit => 'MB/s',
               ours => 4 * $size / $m{ours} / 1e6,
               rival => 4 * $size / $m{curl} / 1e6, command => $command);

        $ng->stop('TERM');
    }

    $fleet->stop;
    drop(@in);
};

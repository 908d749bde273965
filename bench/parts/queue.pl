# Many small questions at once to four sensors, each of which must never see
# two of them at a time; against what the sensors alone can do, asked by four
# curls one after the other.

use strict;
use warnings;

use Docket::Bench;
use Docket::Client;
use Docket::Fleet;
use Docket::Nginx;
use Docket::Util;


return sub {
    my $dir = test_dir('caps');
    my $jobs = scaled(200, 200, 10);

    run_ok(tool('mkcaps'), '-b', 30_000, $dir);

    my $fleet = Docket::Fleet->start(n => 4,
        pcaps => [map { "$dir/in$_.pcap" } 0 .. 3]);
    my $ng = Docket::Nginx->start(sensors => $fleet);
    my $client = Docket::Client->new($ng);
    my ($answers, $refused, $sensors) = (0, 0, 0);

    $ng->helper;
    $client->job;
    $fleet->answers;

    my %got = rounds(scaled(7, 5, 1),
        curl => sub {
            my @config = map {
                my $i = $_;
                my $file = "$dir/curl$i";
                spew($file, map { sprintf qq{url = "%s"\noutput = /dev/null\n},
                                          $fleet->url($i, '/query') }
                                1 .. $jobs);
                $file;
            } 1 .. 4;
            my $curl = join ' ', map { "'$_'" } $fleet->curl;
            my $t = shell(join(' ', map { "$curl -K $_ &" } @config) . ' wait');
            $fleet->answers;
            return $jobs / $t->{wall};
        },
        ours => sub {
            my $began = now();
            my @ids = map { $client->ask } 1 .. $jobs;
            my $all = $client->final(@ids);
            my $wall = $client->ended_at - $began;

            Docket::Client::check(values %$all);

            for ($fleet->answers) {
                $answers++;
                $refused++ if $_->[1] == 429;
            }

            return $jobs / $wall;
        });

    figure(name => "$jobs questions, four sensors", unit => '1/s',
           ours => median(@{ $got{ours} }), rival => median(@{ $got{curl} }),
           by => 'ours', target => '>= 400',
           spread => spread(@{ $got{ours} }),
           command => "four at once: curl --http1.1 --cert ... -K $jobs-urls");
    figure(name => 'questions that met another one at a sensor',
           unit => "of $answers", ours => $refused, target => '<= 0');

    $ng->stop('TERM');
    $fleet->stop;
};

# The API with wrk, 32 connections: a question that is known, /status/ID, /ids,
# with few and with many jobs; against nginx's own "return 200" in the same
# server, asked the same way.

use strict;
use warnings;

use Docket::Bench;
use Docket::Client;
use Docket::Fleet;
use Docket::Nginx;
use Docket::Spool;
use Docket::Util;
use Docket::Wrk;


return sub {
    my $dir = test_dir('caps');

    run_ok(tool('mkcaps'), '-n', 1, '-b', 30_000, $dir);

    my $fleet = Docket::Fleet->start(n => 1, pcaps => ["$dir/in0.pcap"]);
    my $ng = Docket::Nginx->new(sensors => $fleet, main => <<'END',
worker_rlimit_nofile 4096;
END
                                http => 'access_log off;', server => <<'END');
        location = /ok {
            return 200 '{}';
        }
END
    my $spool = Docket::Spool->new($ng);

    for my $n (@{ scaled([10, 10_000], [10, 10_000], [10]) }) {
        my $load = $spool->grow($n);
        my $question = $spool->question;
        my @post = (method => 'POST', body => $question,
                    type => 'application/x-www-form-urlencoded');
        my $id = $spool->last;

        my %ask = (
            'return 200' => sub { wrk($ng->url('/ok')) },
            'return 200 to POST' => sub { wrk($ng->url('/ok'), @post) },
            post => sub { wrk($ng->url('/api/'), @post) },
            status => sub { wrk($ng->url("/api/status/$id")) },
            ids => sub { wrk($ng->url('/api/ids')) },
        );
        my %got = rounds(scaled(7, 3, 1), %ask);
        my %m = map { $_ => median(@{ $got{$_} }) } keys %got;

        for (['post', 'duplicate POST /', 'return 200 to POST', '>= 0.6'],
             ['status', 'GET /status/ID', 'return 200', '>= 0.5'],
             ['ids', 'GET /ids', 'return 200'])
        {
            my ($what, $name, $rival, $target) = @$_;

            figure(name => "$name, $n jobs", unit => '1/s', ours => $m{$what},
                   rival => $m{$rival}, target => $target,
                   spread => spread(@{ $got{$what} }),
                   command => "wrk -t1 -c32 http://.../ok (location = /ok "
                              . "{ return 200 '{}'; }), the same method and "
                              . 'body');
        }
    }

    $ng->stop('TERM');
    $fleet->stop;
};

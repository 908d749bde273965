# The first packets on /pcap: how long after the last sensor has sent its
# first ones, and that no sensor has finished by then.  The rival is a curl
# that asks that sensor itself.

use strict;
use warnings;

use Time::HiRes 'time';

use Docket::Bench;
use Docket::Client;
use Docket::Nginx;
use Docket::Sensor;
use Docket::Steno;
use Docket::Util;


# Runs a command until its output has a packet in it, and returns when.
sub first_packet {
    my (@cmd) = @_;
    my ($got, $at) = ('');
    my $pid = open my $pipe, '-|:raw', @cmd or die "@cmd: $!";

    while (length $got < 24 + 16) {
        sysread $pipe, $got, 65536, length $got or die "@cmd: no packets\n";
        $at = time;
    }

    kill 'TERM', $pid;
    close $pipe;

    return $at;
}


return sub {
    my $n = 4;
    my $fake = Docket::Sensor->start(n => $n, mb => scaled(2, 2, 1),
                                     start => 1704067200);
    my $ng = Docket::Nginx->start(sensors => $fake);
    my $client = Docket::Client->new($ng);

    $ng->helper;
    $client->job;                       # connections, idle findings

    # all of them take seconds; the last one begins later

    $fake->set($_, rate => 400_000, delay => $_ == $n ? 0.3 : 0) for 1 .. $n;

    my (@unfinished, %got);

    %got = rounds(scaled(9, 7, 1),
        direct => sub {
            my $at = first_packet('curl', '-sN', '--http1.1',
                '--cert', $fake->cert('client_cert'),
                '--key', $fake->cert('client_key'),
                '--cacert', $fake->cert('ca_cert'),
                '--data-binary', 'after 2024-01-01T00:00:00Z',
                'https://127.0.0.1:' . $fake->port($n) . '/query');
            return 1000 * ($at - $fake->state($n)->{first_sent});
        },
        ours => sub {
            my $finished = sub {
                my $sum = 0;
                $sum += $fake->state($_)->{finished} for 1 .. $n;
                return $sum;
            };
            my $before = $finished->();
            my $at = first_packet('curl', '-sN',
                $ng->url('/api/pcap/' . Docket::Client::question()));
            my $state = $fake->state($n);

            push @unfinished, $finished->() == $before ? 1 : 0;

            # a client that left cancels nothing; the next question would wait

            my $jobs = $client->request('GET', '/api/jobs?state=Requesting');
            $ng->post("/api/cancel/$_")
                for $jobs->{content} =~ /"id":"(\w+)"/g;

            return 1000 * ($at - $state->{first_sent});
        });

    figure(name => 'first packet after the last sensor\'s first ones',
           unit => 'ms', ours => median(@{ $got{ours} }),
           rival => median(@{ $got{direct} }), by => 'ours',
           target => '<= 20', spread => spread(@{ $got{ours} }),
           command => 'curl -sN --http1.1 --cert ... URL of that sensor');
    figure(name => 'before any sensor has finished',
           unit => 'of ' . @unfinished, ours => scalar(grep { $_ } @unfinished),
           target => '>= ' . @unfinished);

    $ng->stop('TERM');
};

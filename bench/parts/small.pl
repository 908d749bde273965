# A small question until it is Completed, against what the slowest of the
# sensors takes for its own answer when curl asks it directly over a
# connection that is kept.

use strict;
use warnings;

use Docket::Bench;
use Docket::Client;
use Docket::Fleet;
use Docket::Nginx;
use Docket::Util;


# The slowest sensor's median of its answers, in ms.
sub direct {
    my ($fleet, $n) = @_;
    my $out = work() . '/curl';
    my @slow;

    for my $i (1 .. $n) {
        timed([$fleet->curl, '-w', '%{time_total}\\n',
                          map { ($fleet->url($i, '/query'), '-o', '/dev/null') }
                              1 .. 8],
                         out => $out);
        my ($first, @kept) = split ' ', slurp($out);
        push @slow, 1000 * median(@kept);
    }

    return Docket::Bench::max(@slow);
}


return sub {
    my $dir = test_dir('caps');
    my @sizes = scaled([1, 4, 16], [1, 4, 16], [2]);

    run_ok(tool('mkcaps'), '-n', 16, '-b', 30_000, $dir);

    my $fleet = Docket::Fleet->start(n => 16,
        pcaps => [map { "$dir/in$_.pcap" } 0 .. 15]);

    for my $n (@{ $sizes[0] }) {
        my $ng = Docket::Nginx->start(sensors => $fleet->use($n));
        my $client = Docket::Client->new($ng);

        $ng->helper;

        my $cold = 1000 * $client->job->{wall};
        my %got = rounds(scaled(9, 7, 1),
            direct => sub { direct($fleet, $n) },
            ours => sub { map { 1000 * $client->job->{wall} } 1 .. 5 });
        my $command = 'curl --http1.1 --cert ... URL (8 times, kept alive), '
                      . 'each sensor in turn';

        figure(name => "$n sensors, connections kept", unit => 'ms',
               ours => median(@{ $got{ours} }),
               rival => median(@{ $got{direct} }), by => 'ours-rival',
               target => $n <= 4 ? '<= 10' : '<= 20',
               spread => spread(@{ $got{ours} }), command => $command);
        figure(name => "$n sensors, the first question", unit => 'ms',
               ours => $cold);

        $ng->stop('TERM');
    }

    $fleet->stop;
};

# One sensor misbehaves beside two healthy ones: what is said of it, that the
# others' packets are kept, that the same helper lives on.

use lib 't/lib';
use Docket::Test;

use POSIX ();

my $fake = Docket::Sensor->start(n => 3);
my $ng = Docket::Nginx->start(
    sensors => $fake,
    http => <<END,
        docket_retries 0;
        docket_idle_time 0;
        docket_idle_sleep 100ms;
        docket_idle_timeout 500ms;
        docket_connect_timeout 1s;
        docket_stat_timeout 1s;
        docket_stall_timeout 1s;
        docket_query_timeout 3s;
END
);

my $helper = $ng->helper;
my $first = $fake->first;
my @packets = map { read_pcap($_) } $fake->pcaps;
my @healthy = sort { $a->{ts} <=> $b->{ts} } map { @$_ } @packets[1, 2];
my @all = sort { $a->{ts} <=> $b->{ts} } map { @$_ } @packets;
my $n = 0;

sub utc { POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_[0]) }

sub run {
    my (%behaviour) = @_;

    $fake->set(1, %behaviour);
    $n++;

    return $ng->final($ng->ask(host => "192.0.2.$n", after => utc($first - 60),
                               before => utc($first + 360)));
}

# a sensor that was down is tried again after a while only
sub recover {
    wait_until { run()->{requests}{s1}{state} eq 'Request Complete' } 20
        or diag('the sensor did not come back');
}

# fault, state of the sensor, reason
my @faults = (
    [ { listen => 'refuse' }, 'Failed', qr/connect|refused/i ],
    [ { listen => 'hang', stats => 'drop' }, 'Failed', qr/time/i ],
    [ { listen => 'drop', stats => 'drop' }, 'Failed', qr/./ ],
    [ { stats => 'hang' }, 'Failed', qr/time/i ],
    [ { query => 'hang' }, 'Failed', qr/stall|time|slow/i ],
    [ { query => 'garbage' }, 'Failed', qr/not a capture/ ],
    [ { query => 'none' }, 'Failed', qr/empty|header|no capture|cut/i ],
    [ { query => 'linktype' }, 'Failed', qr/link type/i ],
    [ { query => 'stall' }, 'Partial', qr/stall|time|slow/i ],
    [ { query => 'cut' }, 'Partial', qr/cut/i ],
    [ { query => 'drop' }, 'Partial', qr/./ ],
    [ { query => 'reset' }, '(?:Partial|Failed)', qr/./ ],
    [ { query => 'garbage-late' }, '(?:Partial|Failed)', qr/./ ],
    [ { query => 'long' }, '(?:Partial|Failed)', qr/snaplen|record/i ],
    [ { cert => 'expired_server', stats => 'drop' }, 'Failed', qr/expired/i ],
    [ { cert => 'other_server', stats => 'drop' }, 'Failed', qr/certificate/i ],
    [ { busy => 1 }, 'Failed', qr/busy/i ],
    map { [ { status => $_ }, 'Failed', qr/$_/ ] } 400, 401, 403, 404, 429, 500, 503
);

for my $fault (@faults) {
    my ($behaviour, $state, $why) = @$fault;
    my $name = join ' ', map { "$_ $behaviour->{$_}" } sort keys %$behaviour;
    my $s = run(%$behaviour);
    my $odd = $s->{requests}{s1};

    is($s->{state}, 'Completed', "$name: completed");
    ok($s->{partial}, '... but partial');
    like($odd->{state}, qr/^$state$/, "... the sensor is $state");
    like($odd->{error}, $why, "... says why: " . ($odd->{error} // ''));
    is($s->{requests}{$_}{state}, 'Request Complete', "... $_ is whole") for 's2', 's3';

    my $got = $ng->capture($s->{id});
    my %mine = map { $_->{data} => 1 } @{ $packets[0] };
    my @others = grep { !$mine{$_->{data}} } @$got;

    # garbage that follows may complete the record that was cut
    @others = grep { $_->{data} !~ /this is no/ } @others
        if ($behaviour->{query} // '') eq 'garbage-late';

    is_packets(\@others, \@healthy, '... and their packets are there');
    recover();
}

# other writings of the same capture are none

for my $query ('swapped', 'nano', 'swapped-nano') {
    my $s = run(query => $query);

    is($s->{state}, 'Completed', "$query: completed");
    ok(!$s->{partial}, '... whole');
    is_packets($ng->capture($s->{id}), \@all, '... with all packets');
}

is_deeply([ $ng->helpers ], [ $helper ], 'the helper is still the same');

$ng->finish(allow => [ qr/./ ]);
done_testing();

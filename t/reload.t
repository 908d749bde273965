# A job in the middle of a fetch: a reload does not start it again, a killed
# helper does, and in both cases the result is the right one.

use lib 't/lib';
use Docket::Test;


my $fake = Docket::Sensor->start(n => 2, mb => 1);
my $ng = Docket::Nginx->start(sensors => $fake, http => 'docket_idle_time 0;');

my $first = $fake->first;
my @all = sort { $a->{ts} <=> $b->{ts} }
          map { @{ read_pcap($_) } } $fake->pcaps;
my $n = 0;

sub ask_slowly {
    $fake->set(1, rate => 400_000);
    $n++;

    my $asked = $fake->queries(1);
    my $id = $ng->ask(host => "192.0.2.$n", after => utc($first - 60),
                      before => utc($first + 360));

    ok_until { $fake->queries(1) > $asked } 10, 'the fetch has begun';

    return $id;
}

my $helper = $ng->helper;
my $before = $fake->queries(1);
my $id = ask_slowly();

ok($ng->reload, 'a reload in the middle of it');

my $s = $ng->final($id);
is($s->{state}, 'Completed', 'it completes');
is($s->{run}, 1, '... in its first run');
is($fake->queries(1), $before + 1, '... and was asked for once');
is_packets($ng->capture($id), \@all, '... with all packets');

is($fake->state(1)->{max_active}, 1, 'the sensor saw one query at a time');

ok_until { my @h = $ng->helpers; @h == 1 && $h[0] != $helper } 10,
    'one helper lives';

$id = ask_slowly();
kill 'KILL', $ng->helper;

$s = $ng->final($id);
is($s->{state}, 'Completed', 'a job whose helper was killed completes');
is_packets($ng->capture($id), \@all, '... with all packets');
ok_until { $ng->helpers == 1 } 10, 'one helper lives';

$ng->finish(allow => [ qr/exited on signal 9|docket process \d+ has gone/ ]);
done_testing();

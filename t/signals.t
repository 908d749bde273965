# What the signals of nginx's master do to the docket process and to jobs:
# USR1, HUP with another configuration, QUIT and TERM, and a drain's end.

use lib 't/lib';
use Docket::Test;

use IO::Socket::INET;
use JSON::PP ();

my $fake = Docket::Sensor->start(n => 3, mb => 1);
my $http = 'docket_idle_time 0; docket_retries 0; ';
my $ng = Docket::Nginx->start(sensors => $fake, http => $http);

my $first = $fake->first;
my @all = map { read_pcap($_) } $fake->pcaps;
my $n = 0;

sub question {
    $n++;
    return (host => "192.0.2.$n", after => utc($first - 60),
            before => utc($first + 360), @_);
}

sub ask { $ng->ask(question(@_)) }

# the packets of these sensors
sub of {
    return [ sort { $a->{ts} <=> $b->{ts} } map { @{ $all[$_ - 1] } } @_ ];
}

# a job that is in the middle of its fetch, at the first sensor
sub ask_slowly {
    my ($rate, @fields) = @_;

    $fake->set(1, rate => $rate);

    my $asked = $fake->queries(1);
    my $id = ask(@fields);

    ok_until { $fake->queries(1) > $asked } 10, 'a fetch has begun';
    $fake->set(1);

    return $id;
}

sub conf_of {
    my (@sensors) = @_;
    my $conf = $fake->conf;

    $conf =~ s/^docket_sensor.*\n//mg;
    return join '', $conf, map { "docket_sensor $_;\n" } @sensors;
}

sub at { '127.0.0.1:' . $fake->port($_[0]) }


# USR1

$ng->helper;
$ng->final(ask());

my $log = $ng->error_log;
my $helper = ($ng->helpers)[0];

rename $log, "$log.1" or die "$log: $!";
kill 'USR1', $ng->master;

ok_until { grep { (readlink($_) // '') eq $log } glob "/proc/$helper/fd/*" } 10,
    'USR1: the helper has the new log open';
ok(!(grep { (readlink($_) // '') =~ /\Q$log.1\E/ } glob "/proc/$helper/fd/*"),
   '... and no longer the old one');

$fake->set(1, status => 500);
my $id = ask();
is($ng->final($id)->{partial}, JSON::PP::true(), '... a sensor fails');
like(slurp($log), qr/\[warn\] $helper#.*docket job $id, sensor "s1"/,
     '... which its next line says in the new file');
unlike(slurp("$log.1"), qr/$id/, '... and not in the old one');
$fake->set(0);


# HUP: sensors come, go, and change their names

$id = ask_slowly(800_000);
ok($ng->reload(sensors => conf_of('s1 ' . at(1), 's2 ' . at(2))),
   'HUP: a sensor goes');

my $s = $ng->final($id);
is(join(' ', @{ $s->{successes} }), 's1 s2 s3',
   '... the job in flight ends with all that it began with');
is_packets($ng->capture($id), of(1, 2, 3), '... and their packets');

$s = $ng->final(ask());
is(join(' ', @{ $s->{successes} }), 's1 s2',
   '... the next one asks the others');
is_packets($ng->capture($s->{id}), of(1, 2), '... for their packets');

ok($ng->reload(sensors => conf_of('s1 ' . at(1), 's2 ' . at(2),
                                  'east ' . at(3))),
   'HUP: it comes back under another name');
ok_until { join(' ', map { $_->{name} } @{ $ng->get('/api/sensors')->{json} })
           eq 's1 s2 east' } 10, '... under which it is listed';

is($ng->ask(question(host => "192.0.2.$n")), $s->{id},
   '... a question of before');
$n--;

$s = $ng->final($s->{id});
ok_until { ($s = $ng->status($s->{id}))->{run} == 2
           && $s->{state} eq 'Completed' } 15,
    '... runs again, since it lacks one';
is(join(' ', sort @{ $s->{successes} }), 'east s1 s2', '... and has it then');
is_packets($ng->capture($s->{id}), of(1, 2, 3), '... with its packets');

# a question for a sensor that has gone while it waited
my $held = ask_slowly(20_000);
my $gone = ask(sensor => 'east');

is($ng->final($gone)->{state}, 'Completed', 'a sensor by its name');
$ng->post("/api/cancel/$held");
$ng->final($held);

# many at once: live state of each is in the zone
ok($ng->reload(sensors => conf_of(map { "n$_ " . at(1 + $_ % 3) } 1 .. 60)),
   'HUP: sixty sensors');
ok_until { @{ $ng->get('/api/sensors')->{json} } == 60 } 10, '... are there';
is($ng->get('/api/stats/n60')->{json}{n60}{fresh}, JSON::PP::true(),
   '... and answer');

my $before = slurp($ng->conf_file);
ok(!$ng->reload(sensors => conf_of(map { "m$_ " . at(1 + $_ % 3) } 1 .. 200)),
   'HUP: more than the zone was made for');
ok($ng->log_lines(qr/\[emerg\].*"docket_spool" was made for fewer sensors/),
   '... is refused in clear words');
is($ng->get('/api/stats/n60')->{status}, 200, '... and all goes on as before');

ok($ng->reload(sensors => conf_of(map { "m$_ " . at(1 + $_ % 3) } 1 .. 200),
               spool => 'zone=17m'), '... but not with a zone of another size');
ok_until { @{ $ng->get('/api/sensors')->{json} } == 200 } 10,
    '... then they are';


# HUP: another certificate for one sensor

ok($ng->reload(sensors => conf_of(
       's1 ' . at(1), 's2 ' . at(2)
       . ' certificate=' . $fake->cert('other_client_cert')
       . ' certificate_key=' . $fake->cert('other_client_key'))),
   'HUP: a client certificate that its sensor refuses');
ok_until { my $r = $ng->get('/api/stats')->{json};
           ($r->{s2}{health} // '') eq 'down' && $r->{s1}{health} eq 'up' } 15,
    '... for that one alone';

ok($ng->reload(sensors => $fake), 'HUP: a good one again');
ok_until { ($ng->get('/api/stats')->{json}{s2}{health} // '') eq 'up' } 15,
    '... it answers';


# HUP: a zone of another size starts empty, and is filled from the spool

$id = ask_slowly(800_000);
my $asked = $fake->queries(1);
my $jobs = $ng->get('/api/stats')->{json}{docket}{jobs};

ok($ng->reload(spool => 'zone=20m'),
   'HUP: another zone in the middle of a job');

$s = $ng->final($id);
is("$s->{state} $s->{run}", 'Completed 1', '... which ends in its first run');
is($fake->queries(1), $asked, '... by the helper that began it');
is_packets($ng->capture($id), of(1, 2, 3), '... with all packets');
ok_until { my $d = $ng->get('/api/stats')->{json}{docket};
           $d->{helper} && $d->{jobs} >= $jobs } 10,
    '... the jobs are read from the spool';
ok_until { $ng->helpers == 1 } 10, '... one helper lives';


# HUP: the spool moves

my $old = $ng->spool;
$id = ask_slowly(800_000);

ok($ng->reload(spool_dir => $ng->dir . '/elsewhere'),
   'HUP: another spool in the middle of a job');
ok_until { !$ng->status($id) } 10, '... where the job is not known';
ok_until { -e "$old/$id/merged.pcap" } 15, '... but it ends in the old one';
is_packets(read_pcap("$old/$id/merged.pcap"), of(1, 2, 3),
           '... with all packets');
ok_until { $ng->helpers == 1 } 10, '... then its helper goes';

$s = $ng->final(ask());
is($s->{state}, 'Completed', '... and the new one works');
ok(-e $ng->spool . "/$s->{id}/merged.pcap", '... in its place');

ok($ng->reload(spool_dir => $old), 'HUP: back again');
ok_until { $ng->status($id) } 10, '... where the job is known';
$s = $ng->final($id);
is("$s->{state} $s->{run}", 'Completed 1', '... as it was');


# a drain is bounded, and what it did not do is done again

$ng->configure(http => "$http docket_shutdown_timeout 1s;"
                       . 'docket_max_active 1;');
ok($ng->reload, 'HUP: a short docket_shutdown_timeout');
ok_until { $ng->helpers == 1 } 10, '... one helper';

$helper = ($ng->helpers)[0];
$fake->set(1, query => 'hang', times => 1);
$id = ask();
ok_until { !$fake->state(1)->{left} } 10, 'a job that hangs';
my $queued = ask();

ok($ng->reload, '... at a reload');
ok_until { !is_running($helper) } 10, '... its helper does not wait for it';

for ($id, $queued) {
    $s = $ng->final($_);
    is($s->{state}, 'Completed', '... it is done by the next one');
    is_packets($ng->capture($_), of(1, 2, 3), '... with all packets');
}


# QUIT and TERM while jobs run and wait

for my $signal (qw(QUIT TERM)) {
    $fake->set(1, query => 'hang', times => 1);

    my @ids = map { ask() } 1 .. 2;

    ok_until { !$fake->state(1)->{left} } 10,
        "$signal while a job runs and one waits";

    my @procs = ($ng->helpers, $ng->managers, $ng->workers);
    ok($ng->stop($signal, 10), '... all is gone');
    ok(!(grep { is_running($_) } @procs), '... indeed');
    is(scalar(grep { -e $ng->spool . "/$_/query.json" } @ids), 2,
       '... the jobs are on disk');

    $ng->start;

    for (@ids) {
        $s = $ng->final($_);
        is($s->{state}, 'Completed', '... and done after the next start');
        is_packets($ng->capture($_), of(1, 2, 3), '... with all packets');
    }
}

# a question that comes to its end after the helper: the spool's next owner
# may have read it already

my $body = 'host=192.0.2.250';
my $late = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $ng->port) or die;

print $late "POST /api/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            . "Content-Type: application/x-www-form-urlencoded\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n";
like(scalar <$late>, qr/ 100 /, 'a question is on its way');
<$late>;

my $jobs_before = () = glob $ng->spool . '/*[0-9a-f]';
kill 'QUIT', $ng->master;
ok_until { !$ng->helpers } 10, '... QUIT: the helper has gone';
print $late $body;
like(scalar <$late>, qr/ 503 /, '... it is not taken');
is(scalar(() = glob $ng->spool . '/*[0-9a-f]'), $jobs_before,
   '... nor on disk');
close $late;

is($fake->state(1)->{max_active}, 1, 'no sensor was asked twice at a time');

$ng->finish(allow => [ qr/zone of "docket_spool" was made for/,
                       qr/no memory/ ]);
done_testing;

# kill -9 of each process at each stage of a job: no docket process outlives
# its nginx, the spool never has two owners, the job ends as it should.

use lib 't/lib';
use Docket::Test;

use Time::HiRes 'sleep';

my $fake = Docket::Sensor->start(n => 2, mb => 1);
my $http = 'docket_idle_time 0; docket_max_active 1;';
my $ng = Docket::Nginx->start(sensors => $fake, http => $http);
my @all = sort { $a->{ts} <=> $b->{ts} }
          map { @{ read_pcap($_) } } $fake->pcaps;
my $n = 0;

sub ask {
    $n++;
    return $ng->ask(host => "192.0.2.$n", after => utc($fake->first - 60),
                    before => utc($fake->first + 360));
}

sub completed {
    my ($id, $name) = @_;
    my $s = $ng->final($id);

    is($s && $s->{state}, 'Completed', $name)
        && is_packets($ng->capture($id), \@all, '... with all packets');
    is(join(' ', grep { /^\.(?:run|spill)|tmp$/ } files($id)), '',
       '... and nothing half-made is left');
}

sub files {
    my ($id) = @_;
    opendir my $d, $ng->spool . "/$id" or return;
    return readdir $d;
}

sub one_helper {
    my ($name) = @_;
    ok_until { my @h = $ng->helpers; my @o = $ng->owners;
               @h == 1 && @o == 1 && $h[0] == $o[0] } 15, $name;
}


# what each stage of a job needs, and how it is known to be reached

my %stage = (
    queued => sub {
        my $first = $fake->queries(1);

        $fake->set(1, query => 'hang', times => 1);
        my $hangs = ask();
        my $id = ask();

        return ($id, sub { $fake->queries(1) > $first }, $hangs);
    },

    requesting => sub {
        $fake->set(1, rate => 500_000);
        my $id = ask();

        return ($id, sub { grep { /^\.run\./ } files($id) });
    },

    # all is there but one sensor's end
    merging => sub {
        $fake->set(1, query => 'stall', after => 600_000, times => 1);
        my $id = ask();

        return ($id, sub { (-s $ng->spool . "/$id/.run.1" // 0) > 500_000 });
    },
);

my %victims = (
    helper  => sub { $ng->helpers },
    manager => sub { $ng->managers },
    workers => sub { $ng->workers },
    'helper and manager' => sub { ($ng->managers, $ng->helpers) },
);

for my $stage (qw(queued requesting merging)) {
    for my $victim (sort keys %victims) {

        # a helper that dies again and again is started later and later
        $ng->stop('TERM');
        $ng->start->helper;

        my ($id, $reached, @more) = $stage{$stage}->();

        ok_until { $reached->() } 15, "$victim, job $stage";

        my @pids = $victims{$victim}->();
        my $helper = ($ng->helpers)[0];

        kill 'KILL', @pids;
        ok_until { !grep { is_running($_) } @pids } 5, '... is killed';
        $fake->set(0);

        # one whose manager is killed leaves in a moment
        ok_until { !is_running($helper) } 5, '... the helper leaves'
            if $victim ne 'workers';

        one_helper('... one helper owns the spool');

        if ($victim eq 'workers') {
            is(($ng->helpers)[0], $helper, '... the same');
            next if $stage eq 'merging';        # nobody broke the stall off
        }

        for (@more) {
            $ng->post("/api/cancel/$_") if $victim eq 'workers';
            $ng->final($_);
        }

        completed($id, '... the job completes');
    }
}


# The master.  Its workers and manager live on, as those of any nginx.

for my $stage (qw(queued requesting merging)) {
    $ng->stop('TERM');
    $ng->start->helper;

    my ($id, $reached, @more) = $stage{$stage}->();

    ok_until { $reached->() } 15, "master, job $stage";

    my ($helper) = $ng->helpers;
    kill 'KILL', $ng->master;
    ok_until { !is_running($helper) } 5, '... is killed: its helper goes';
    is(join(' ', $ng->owners), '', '... the spool is free');
    $fake->set(0);

    # a round of the supervisor
    my ($manager) = $ng->managers;
    ok($manager, '... the manager lives');
    sleep 0.5;
    is(scalar(my @h = $ng->helpers), 0, '... but starts no other one');

    kill 'TERM', $ng->workers, $ng->managers;
    ok_until { !$ng->processes } 10, '... the rest is stopped';

    $ng->start;
    one_helper('... started again, one helper owns the spool');
    completed($_, '... the job completes') for @more, $id;
}


# The master, while a helper drains

$ng->stop('TERM');
$ng->start->helper;

my ($id, $reached) = $stage{requesting}->();
my ($drains) = $ng->helpers;

ok_until { $reached->() } 15, 'a job';
$fake->set(1, query => 'hang');
ok($ng->reload, '... at a reload');
ok_until { my @o = $ng->owners; $ng->helpers == 2 && @o == 1
           && $o[0] != $drains } 10, '... its helper drains';

my @both = $ng->helpers;
kill 'KILL', $ng->master;
ok_until { !grep { is_running($_) } @both } 5,
    '... the master is killed: both helpers go';
is(join(' ', $ng->owners), '', '... the spool is free');

$fake->set(0);
$ng->kill_all;
$ng->start;
one_helper('... started again, one helper owns the spool');
completed($id, '... the job completes');


# All at once, at any moment of a job

my %moments;

for my $i (1 .. 10) {
    $id = ask();
    sleep 0.02 * $i;

    my $state = ($ng->status($id) // {})->{state} // 'none';
    $moments{$state}++;

    $ng->kill_all;
    is(join(' ', $ng->owners), '', "all killed, kill $i");
    $ng->start;
    completed($id, '... the job completes');
}

note(join ', ', map { "$_: $moments{$_}" } sort keys %moments);

is($fake->state(1)->{max_active}, 1, 'no sensor was asked twice at a time');

$ng->finish(allow => [ qr/exited on signal 9|docket process \d+ has gone/ ]);
done_testing;

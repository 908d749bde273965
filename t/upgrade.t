# Two nginx that do not share a zone on one spool: a binary upgrade, the way
# back, and two that are started side by side.

use lib 't/lib';
use Docket::Test;

use JSON::PP ();

my $fake = Docket::Sensor->start(n => 2);
my $http = 'docket_idle_time 0; docket_settle 1s; docket_retries 0;';
my $ng = Docket::Nginx->start(
    sensors => $fake, http => $http, workers => 1,

    # else nginx gives the new binary no environment
    main => asan() ? 'env ASAN_OPTIONS; env UBSAN_OPTIONS;' : '');
my @all = sort { $a->{ts} <=> $b->{ts} }
          map { @{ read_pcap($_) } } $fake->pcaps;
my $n = 0;

sub question {
    return (host => "192.0.2.$_[0]", after => utc($fake->first - 60),
            before => utc($fake->first + 360));
}

sub ask { my $to = shift; $n++; return $to->ask(question($n)) }

sub completed {
    my ($where, $name, @ids) = @_;

    for my $id (@ids) {
        my $s = $where->final($id);
        is($s && $s->{state}, 'Completed', $name);
        is_packets($where->capture($id), \@all, '... with all packets');
    }
}

sub docket { $_[0]->get('/api/stats')->{json}{docket} }

sub old_master { (slurp($ng->dir . '/nginx.pid.oldbin') || 0) + 0 }

# all processes of one master, the docket process included
sub family {
    my ($master) = @_;
    my %p = $ng->processes;
    my @found = ($master);
    my $more = 1;

    while ($more) {
        my %known = map { $_ => 1 } @found;
        my @next = grep { !$known{$_} && $known{parent_of($_) // 0} } keys %p;
        $more = @next;
        push @found, @next;
    }

    return @found;
}

sub helper_of {
    my %all = map { $_ => 1 } $ng->helpers;
    my ($pid) = grep { $all{$_} } family($_[0]);
    return $pid;
}

# questions until the owner is in the middle of one that hangs
sub ask_hanging {
    my @ids;

    $fake->set(1, query => 'hang', times => 1);

    for (1 .. 30) {
        push @ids, ask($ng);
        last if wait_until { !$fake->state(1)->{left} } 0.3;
    }

    is($fake->state(1)->{left}, 0, 'a question hangs');
    return @ids;
}

# both generations take questions at this port: until each has taken some
sub ask_both {
    my (@ids, %by);

    for (1 .. 100) {
        my $d = docket($ng);
        $by{$d->{helper} ? 'owner' : $d->{waits} ? 'other' : 'none'}++;
        push @ids, ask($ng) if @ids < 12;
        last if $by{owner} && $by{other} && @ids == 12;
    }

    ok($by{owner}, 'the one that owns the spool takes questions, and says so');
    ok($by{other}, '... and so does the one that waits for it');

    return @ids;
}

sub upgrade {
    my $before = $ng->master;
    my $helper = $ng->helper;

    kill 'USR2', $before;
    ok_until { old_master() == $before && ($ng->master // $before) != $before
               && $ng->helpers == 2 } 15, 'USR2: a second master and helper';

    my $new = $ng->master;

    ok_until { my $pid = helper_of($new) // 'none';
               $ng->log_lines(qr/ $pid#.*is owned by another process/) } 10,
        '... which says that the spool is the other one\'s';
    is(join(' ', $ng->owners), $helper, '... one owns it');

    return ($before, $new);
}


# Upgrade

my $first = ask($ng);
my $deleted = ask($ng);
completed($ng, 'a job of before', $first, $deleted);

my ($old, $new) = upgrade();
my @ids = ask_both();

push @ids, ask_hanging();

kill 'WINCH', $old;
ok_until { my @o = $ng->owners; @o == 1 && $o[0] == (helper_of($new) // 0) } 15,
    'WINCH: the new one owns the spool';
ok_until { $ng->helpers == 1 } 5, '... the only helper';

push @ids, ask($ng);
completed($ng, 'a job of the time between', @ids);

is(docket($ng)->{helper}, JSON::PP::true(), 'it says that it owns it');


# The way back

is($ng->ask(question(1), refresh => JSON::PP::true()), $first, 'asked anew');
ok_until { my $s = $ng->status($first);
           $s->{run} == 2 && $s->{state} eq 'Completed' } 10, '... and done';
is($ng->request('DELETE', "/api/$deleted")->{status}, 204, 'one is deleted');

kill 'HUP', $old;
ok_until { helper_of($old) } 15, 'HUP: the old one has a helper again';
is(join(' ', $ng->owners), helper_of($new),
   '... the new one is still the owner');
@ids = ask_both();

push @ids, ask_hanging();

kill 'QUIT', $new;
ok_until { !is_running($new) && ($ng->master // 0) == $old } 15,
    'QUIT: the new one goes';
ok_until { my @o = $ng->owners; @o == 1 && $o[0] == (helper_of($old) // 0) } 15,
    '... the old one owns the spool';
ok_until { $ng->helpers == 1 } 5, '... the only helper';

completed($ng, 'a job of the time between', @ids, ask($ng));

is($ng->status($first)->{run}, 2, 'it knows what the other one did');
is($ng->get("/api/status/$deleted")->{status}, 404, '... and removed');


# Upgrade to its end

($old, $new) = upgrade();
kill 'QUIT', $old;
ok_until { !is_running($old) && $ng->helpers == 1 } 15, 'QUIT of the old one';
ok_until { my @o = $ng->owners; @o == 1 && $o[0] == helper_of($new) } 15,
    '... the new one owns the spool';
completed($ng, 'a job', ask($ng));


# Side by side

my $other = Docket::Nginx->start(sensors => $fake, http => $http,
                                 workers => 1, name => 'other',
                                 spool_dir => $ng->spool);

ok_until { docket($other)->{waits} } 10, 'a second nginx waits for the spool';
is(docket($other)->{helper}, JSON::PP::false(), '... and says so');
is(scalar($other->log_lines(qr/is owned by another process/)), 1,
   '... and in its log, once');
is($other->get('/api/stats/s1')->{json}{s1}{fresh}, JSON::PP::true(),
   '... it knows its sensors');

is($other->final($first)->{state}, 'Completed', 'it knows what is done');
is($other->post_json('/api/', { question(1) })->{status}, 200,
   '... and answers with it');
is_packets($other->capture($first), \@all, '... and serves it');

$fake->set(1, query => 'hang');
my $theirs = ask($ng);
is($other->post_json('/api/', { question($n) })->{status}, 200,
   'what the first one does');
$fake->set(0);
$ng->post("/api/cancel/$theirs");
is($other->final($theirs)->{state}, 'Cancelled', '... it sees the end of');

my $r = $other->post_json('/api/', { question(++$n) });
is($r->{status}, 202, 'a new question is taken');
my $ours = $r->{json}{id};
completed($ng, 'the first one works on', ask($ng));
is($other->status($ours)->{state}, 'Created', '... it waits');

my $master = $ng->master;
my $helper = ($ng->helpers)[0];
kill 'KILL', $master;
ok_until { !is_running($helper) } 5, 'the first one is killed';
ok_until { docket($other)->{helper} } 5, '... the second one owns the spool';
completed($other, '... and does what it took, and what is new', $ours,
          ask($other));

$ng->kill_all;
ok($ng->start->helper, 'the first one again');
ok_until { docket($ng)->{waits} } 10, '... waits';
$ours = ask($ng);

ok($other->stop('QUIT'), 'the second one stops');
completed($ng, '... the first one does what it took, and what is new',
          $ours, ask($ng));

my $killed = qr/exited on signal 9|docket process \d+ has gone/;
$other->finish;
$ng->finish(allow => [ $killed ]);
done_testing;

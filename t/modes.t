# Ways to run nginx: several questions at a sensor, docket_sync, four workers,
# in the foreground, without a master, without root.

use lib 't/lib';
use Docket::Test;

use JSON::PP ();
use File::Copy 'copy';
use POSIX ();

my $fake = Docket::Sensor->start(n => 2);
my $ng = Docket::Nginx->new(sensors => $fake);
my @all = sort { $a->{ts} <=> $b->{ts} }
          map { @{ read_pcap($_) } } $fake->pcaps;
my $n = 0;

sub question {
    $n++;
    return (host => "192.0.2.$n", after => utc($fake->first - 60),
            before => utc($fake->first + 360), @_);
}

sub completed {
    my ($name, @ids) = @_;

    for my $id (@ids) {
        my $s = $ng->final($id);
        is($s && $s->{state}, 'Completed', $name)
            && is_packets($ng->capture($id), \@all, '... with all packets');
    }
}

sub started {
    my ($name, %o) = @_;

    $ng->stop('TERM');
    $ng->configure(main => '', http => '', workers => 2, daemon => 'on', %o);
    $ng->start;
    ok($ng->helper, $name);
}

sub jobs { sort glob $ng->spool . '/*' }

sub sensors {
    my ($max) = @_;
    my $conf = $fake->conf;
    $conf =~ s/^(docket_sensor s1 [^;]*)/$1 max_queries=$max/m;
    return $conf;
}


# max_queries, across generations too

started('max_queries', sensors => sensors(2), http => 'docket_idle_time 0;');
$fake->set(1, query => 'hang', times => 2);

my @ids = map { $ng->ask(question()) } 1 .. 4;

ok_until { $fake->state(1)->{active} == 2 } 10, 'two questions at once';
ok($ng->reload, '... at a reload');
ok_until { my @o = $ng->owners; my @h = $ng->helpers;
           @h == 2 && @o == 1 } 10, '... two helpers';

push @ids, map { $ng->ask(question()) } 1 .. 2;

# a generation that knew nothing of the other one's would ask by now

ok_until { my $r = $ng->status($ids[5])->{requests}{s2};
           $r && $r->{state} =~ /Complete|Empty/ } 10, '... the new one works';
is($fake->state(1)->{active}, 2, '... two questions at once, not three');

$ng->post("/api/cancel/$_") for @ids[0, 1];
$ng->final($_) for @ids[0, 1];
completed('... the others come after them', @ids[2 .. 5]);
is($fake->state(1)->{max_active}, 2, '... two at once, never three');
ok_until { $ng->helpers == 1 } 10, '... one helper';

$fake->set(0);


# docket_sync

started('docket_sync on', sensors => $fake, http => 'docket_sync on;');
my $r = $ng->post_json('/api/', { question() });

is($r->{status}, 202, 'a question is taken');
ok(-s $ng->spool . "/$r->{json}{id}/query.json", '... and on disk');
completed('... the job completes', $r->{json}{id});
$ng->kill_all;
$ng->start;
completed('... it is there after all was killed', $r->{json}{id});


# Four workers: whichever takes a question or is asked about it

started('worker_processes 4', workers => 4);
is(scalar(my @w = $ng->workers), 4, 'four workers');

@ids = map { $ng->ask(question()) } 1 .. 12;
completed('a job', @ids);
is(scalar(grep { $ng->status($_)->{state} eq 'Completed' } (@ids) x 4), 48,
   'all of them know it');

started('worker_processes 1', workers => 1);
completed('a job', $ng->ask(question()));


# In the foreground

started('daemon off', daemon => 'off');
completed('a job', $ng->ask(question()));
ok($ng->stop('QUIT'), '... it stops');


# Without a master nothing is fetched, and that is said

$ng->configure(main => 'master_process off;', daemon => 'off', workers => 1);

my $pid = fork // die "fork: $!";

if ($pid == 0) {
    open STDERR, '>', $ng->dir . '/out';
    exec $ng->command or POSIX::_exit(127);
}

ok_until { $ng->get('/api/ids')->{success} } 10, 'master_process off';
ok($ng->log_lines(qr/\[warn\].*docket needs "master_process on"/),
   '... its log says what is missing');
is(scalar(my @h = $ng->helpers), 0, '... there is no helper');

my $before = join ' ', jobs();
my @question = question();
my $known = $ids[0];

for (['POST', '/api/', 'as JSON'], ['GET', '/api/uri/host/192.0.2.99'],
     ['GET', '/api/pcap/host/192.0.2.99'],
     ['POST', '/api/query', 'host 1.1.1.1'],
     ['GET', '/api/raw/host%20192.0.2.99'])
{
    my ($method, $path, $body) = @$_;

    $r = defined $body && $body eq 'as JSON'
         ? $ng->post_json($path, { @question })
         : $ng->request($method, $path, defined $body
                                        ? (content => $body) : ());
    is($r->{status}, 503, "$method $path: 503");
    like($r->{json}{detail}, qr/master_process/, '... for this reason');
}

is(join(' ', jobs()), $before, '... nothing was queued');
is($ng->status($known)->{state}, 'Completed', '... what is done is told');
is_packets($ng->capture($known), \@all, '... and served');
is($ng->get('/api/stats')->{json}{docket}{helper}, JSON::PP::false(),
   '... and that there is no helper');

kill 'QUIT', $pid;
waitpid $pid, 0;
is($?, 0, '... it stops');


# Without root: one user for all

SKIP: {
    skip 'needs root, to be somebody else', 8 if $> != 0;

    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];

    # the tree may be in a folder that only root enters
    my $module = $ng->dir . '/module.so';
    copy($ng->{module}, $module) or die "copy: $!";

    $ng->configure(main => '', daemon => 'on', workers => 2,
                   module => $module);
    system('chown', '-R', "$uid:$gid", $ng->dir) == 0 or die;
    chmod 0644, glob $fake->cert('*');

    my $start = fork // die "fork: $!";

    if ($start == 0) {
        $) = "$gid $gid";
        $( = $gid;
        POSIX::setuid($uid);
        open STDERR, '>', '/dev/null';
        exec $ng->command or POSIX::_exit(127);
    }

    waitpid $start, 0;
    is($?, 0, 'nginx of a user that is not root');
    ok($ng->helper, '... has its helper');
    is((stat '/proc/' . $ng->master)[4], $uid, '... indeed');

    my $id = $ng->ask(question());
    completed('... a job', $id);

    my $helper = ($ng->helpers)[0];
    kill 'KILL', $helper;
    ok_until { my @p = $ng->helpers; @p == 1 && $p[0] != $helper } 10,
        '... its helper is replaced';
    ok($ng->reload, '... it reloads');
    completed('... another job', $ng->ask(question()));
}

$ng->finish(allow => [ qr/exited on signal 9|docket process \d+ has gone/ ]);
done_testing;

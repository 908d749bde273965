# The day's clock is set while jobs run, wait and rest: no answer breaks, none
# is removed for it, none is taken for settled, no stop waits for it.

use lib 't/lib';
use Docket::Test;

use File::Path 'remove_tree';
use IO::Socket::INET;

my $fake = Docket::Sensor->start(n => 2, mb => 2);
my $fault = Docket::Fault->new;
my $ng = Docket::Nginx->start(sensors => $fake, fault => $fault, workers => 1,
    http => 'docket_idle_time 0; docket_expire_time 1h; docket_cleanup_period 1s;');

my $spool = $ng->spool;
my $helper = $ng->helper;
my $first = $fake->first;
my $expected = map { @{ read_pcap($_) } } $fake->pcaps;
my $n = 0;

sub question {
    $n++;
    return (host => "192.0.2.$n", after => utc($first - 60), before => utc($first + 360));
}

sub path { my %q = @_; "host/$q{host}/after/$q{after}/before/$q{before}" }

# whether the index has it: records of 64 bytes behind a header of the same size
sub indexed {
    my ($id) = @_;
    my @records = unpack '(a64)*', slurp("$spool/index");
    return grep { unpack('H32', $_) eq $id && !(unpack('x53 C', $_) & 1) } @records[1 .. $#records];
}

# until the cleaning has gone through all jobs: it misses one by then
sub cleaned {
    my $gone = $ng->ask(question());
    $ng->final($gone);
    wait_until { indexed($gone) } 10 or return;
    remove_tree("$spool/$gone");
    return wait_until { !indexed($gone) } 10;
}

# -- forward -----------------------------------------------------------------

my $old = $ng->ask(question());
is($ng->final($old)->{state}, 'Completed', 'a job');

# one that is sent while it is merged, one that waits for its sensor

$fake->set(0, rate => 700_000);

my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ng->port)
    or die "connect: $!";
my %question = question();
print $socket 'GET /api/pcap/' . path(%question)
              . " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
sysread $socket, my $answer, 4096;
like($answer, qr/^HTTP\/1.1 200/, 'one that is streamed');
my $waits = $ng->ask(question());

$fault->clock(2 * 3600);

1 while sysread $socket, $answer, 65536, length $answer;
like($answer, qr/\r\n0\r\n\r\n\z/, 'the clock is set forward: the answer ends well');
is($ng->final($waits)->{state}, 'Completed', '... and so does the one that waits');
$fake->set(0);

ok_until { $ng->log_lines(qr/the clock was set by 7(?:199|200|201) s/) } 10, '... it is said';
ok(cleaned(), '... and cleaned');
is($ng->get("/api/status/$old")->{status}, 200, '... which removes no job of an hour ago');

# -- back --------------------------------------------------------------------

%question = question();
my $ahead = $ng->ask(%question);
my $status = $ng->final($ahead);
ok($status->{settled}, 'a job that is settled by a clock that is ahead');

$fake->set(1, rate => 500_000);
my $running = $ng->ask(question());
ok_until { ($ng->status($running)->{requests}{s1}{received} // 0) > 0 } 10, 'and one that runs';

$fault->clock(0);

is($ng->final($running)->{state}, 'Completed', 'the clock is set back: that one is done');
$fake->set(0);

ok_until { $ng->log_lines(qr/the clock was set by -7(?:199|200|201) s/) } 10, '... it is said';
ok_until { !$ng->status($ahead)->{settled} } 10, '... the other is settled no more';
cmp_ok($ng->status($ahead)->{finished}, 'le', utc(time + 60), '... and not of the future');
is($ng->post_json('/api/', \%question)->{status}, 202, '... it is asked anew');
ok($ng->final($ahead)->{settled}, '... and settled');
is(scalar @{ $ng->capture($ahead) // [] }, $expected, '... and whole');
is($ng->helper, $helper, 'the helper lives');

# -- a stop, with a disk that takes its time -----------------------------------

$fault->clock(3600);
$fault->set(path => "$spool/index", title => 'docket process', ops => ['write'],
            sleep => 30_000);
$ng->post_json('/api/', { question() });
ok_until { $fault->fired } 10, 'the disk is slow';
ok($ng->stop('QUIT', 8), '... a stop does not wait for it');
$fault->off;

$ng->finish(allow => [ qr/docket/ ]);
undef $ng;

# -- a helper that stands still for longer than a sensor may -----------------------

$ng = Docket::Nginx->start(sensors => $fake, workers => 1, name => 'still',
    http => 'docket_idle_time 0; docket_retries 0; docket_stall_timeout 2s;');
$helper = $ng->helper;

$fake->set(0, rate => 400_000);
$running = $ng->ask(question());
ok_until { 2 == grep { $_->{received} } values %{ $ng->status($running)->{requests} } } 10,
    'one that runs';
kill 'STOP', $helper;
sleep 3;
kill 'CONT', $helper;
$status = $ng->final($running);
is($status->{state}, 'Completed', '... while its helper stands still');
ok(!$status->{partial}, '... which is no sensor\'s fault') or diag($status->{reason});
is(scalar @{ $ng->capture($running) // [] }, $expected, '... and takes no packet away');
is($ng->helper, $helper, '... nor the helper');

$ng->finish;
done_testing();

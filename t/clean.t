# Cleaning by age and for want of space: finished jobs go, an open download
# ends well, a job that runs stays; a low spool takes no question.

use lib 't/lib';
use Docket::Test;

use IO::Socket::INET;

my $fake = Docket::Sensor->start(n => 2, mb => 4);
my $first = $fake->first;
my $n = 0;

sub question {
    $n++;
    return (host => "192.0.2.$n", after => utc($first - 60),
            before => utc($first + 360));
}

sub folder { -e $_[0]->spool . "/$_[1]" }

# -- by age ------------------------------------------------------------------

my $ng = Docket::Nginx->start(sensors => $fake,
    http => 'docket_expire_time 3s; docket_cleanup_period 1s; docket_idle_time 0;'
            . ' docket_stall_timeout 30s;');

$ng->helper;

my $id = $ng->ask(question());
is($ng->final($id)->{state}, 'Completed', 'a job');
ok(folder($ng, $id), 'it has its folder');

my $size = length $ng->get("/results/$id/merged.pcap")->{content};
cmp_ok($size, '>', 4_000_000, 'and a large capture');

# a client that reads slowly

my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ng->port)
    or die "connect: $!";
print $socket "GET /results/$id/merged.pcap HTTP/1.0\r\n\r\n";
sysread $socket, my $got, 1000;

$fake->set(1, query => 'stall', after => 100_000);
my $running = $ng->ask(question());

ok_until { !folder($ng, $id) } 15, 'it goes when it is old';
ok_until { $ng->get("/api/status/$id")->{status} == 404 } 5, '... and nothing knows it';
ok(folder($ng, $running), 'a job that runs longer stays');

1 while sysread $socket, $got, 65536, length $got;
$got =~ s/^.*?\r\n\r\n//s;
is(length $got, $size, 'the open download has all of it');

$ng->post("/api/cancel/$running");
$ng->finish;
undef $ng;

# -- for want of space -------------------------------------------------------

$fake->set(0);
$ng = Docket::Nginx->start(sensors => $fake, name => 'space',
    http => 'docket_expire_space 900000g; docket_cleanup_period 1s;');
$ng->helper;

$id = $ng->ask(question());
ok_until { !folder($ng, $id) } 15, 'a finished job goes when space is wanted';
$ng->finish;
undef $ng;

# -- a removal that was broken off -------------------------------------------

$ng = Docket::Nginx->start(sensors => $fake, name => 'half');
$ng->helper;

$id = $ng->ask(question());
$ng->final($id);
$ng->stop('QUIT');
unlink $ng->spool . "/$id/query.json";
$ng->start;

ok_until { !folder($ng, $id) } 15, 'the rest of a folder without its record goes';
$ng->finish;
undef $ng;

# -- low ---------------------------------------------------------------------

$ng = Docket::Nginx->start(sensors => $fake, name => 'low',
    http => 'docket_free_bytes 900000g;');
$ng->helper;

ok_until { $ng->post_json('/api/', { question() })->{status} == 507 } 10,
    'a low spool refuses questions';
is($ng->get('/api/ids')->{status}, 200, '... and answers the rest');

$ng->finish;
done_testing();

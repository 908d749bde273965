# The docket process: one, and only as long as its nginx lives.

use lib 't/lib';
use Docket::Test;

use Time::HiRes 'time';

my $fake = Docket::Sensor->start(n => 1);
my $ng = Docket::Nginx->new(sensors => $fake);

# one helper, other than before
sub another {
    my ($pid) = @_;
    return wait_until {
        my @p = $ng->helpers;
        @p == 1 && $p[0] != $pid && $p[0];
    } 15;
}


my ($status, $out) = $ng->test_conf;

is($status, 0, 'nginx -t') or diag($out);
is_deeply([ glob $ng->spool . '/{*,.[!.]*}' ], [ ], '... leaves no file');
is_deeply({ $ng->processes }, { }, '... and no process');

$ng->start;

my $pid = $ng->helper;

ok($pid, 'the helper starts');
is(valgrind() ? $ng->title($pid) : title_of($pid), 'nginx: docket process', '... has its title');
is(parent_of($pid), ($ng->managers)[0], '... and its parent');

kill 'KILL', $pid;
my $second = another($pid);
ok($second, 'it is replaced when it is killed');

kill 'KILL', $ng->managers;
my $third = another($second);
ok($third, '... and when the manager is killed');
ok_until { my @m = $ng->managers; @m && parent_of($third) == $m[0] } 5,
         '... by the new manager';

ok($ng->reload, 'a reload');
my $fourth = another($third);
ok($fourth, '... gives way to another');

my $master = $ng->master;
my $began = time;
ok($ng->stop('TERM'), 'TERM');
cmp_ok(time - $began, '<', 2 * slower(), '... within its time');
ok(!is_running($_), "... $_ is gone") for $master, $fourth;

$ng->start;
ok($ng->helper, 'a new start');
$began = time;
ok($ng->stop('QUIT'), 'QUIT');
cmp_ok(time - $began, '<', 2 * slower(), '... within its time');

$ng->configure(daemon => 'off');
$ng->start;
ok($ng->helper, 'daemon off');

# the processes that were killed are alerts
$ng->finish(allow => [ qr/exited on signal 9/,
                       qr/docket process \d+ has gone/ ]);

done_testing;

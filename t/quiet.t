# What is as it should be is no complaint: reloads and stops, with jobs and
# clients under way, leave no line above "notice" in the log.

use lib 't/lib';
use Docket::Test;

use POSIX ();

use Docket::Soak::Http 'request';

my $fake = Docket::Sensor->start(n => 2, mb => 1);
my $ng = Docket::Nginx->start(sensors => $fake,
                              http => 'docket_idle_time 0;');

my $first = $fake->first;
my $n = 0;

# a job that takes some seconds, and one who watches it
sub ask_slowly {
    $fake->set(0, rate => 400_000);
    $n++;

    my $asked = $fake->queries;
    my $id = $ng->ask(host => "192.0.2.$n", after => utc($first),
                      before => utc($first + 360));
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        request($ng->port, 'GET', "/api/events/$id");
        POSIX::_exit(0);
    }

    ok_until { $fake->queries > $asked } 10, 'a job is under way';
    return ($id, $pid);
}

sub another_helper {
    my ($old) = @_;
    ok_until { my @h = $ng->helpers; @h == 1 && $h[0] != $old } 20,
        '... one helper is left';
}

my $helper = $ng->helper;

ok($ng->reload, 'a reload');
another_helper($helper);

$helper = $ng->helper;
my ($id, $pid) = ask_slowly();
ok($ng->reload, 'a reload while a job runs');
is($ng->final($id)->{state}, 'Completed', '... which completes');
another_helper($helper);
waitpid $pid, 0;

for my $signal ('QUIT', 'TERM') {
    ($id, $pid) = ask_slowly();
    ok($ng->stop($signal), "$signal while a job runs");
    waitpid $pid, 0;

    $fake->set(0);
    $ng->start;
    is($ng->final($id)->{state}, 'Completed', '... which completes afterwards');
}

ok($ng->stop('QUIT'), 'QUIT');

my @bad = $ng->log_lines(qr/\[(?:warn|error|crit|alert|emerg)\]/);
is(scalar @bad, 0, 'no line of the log is above "notice"') or diag(@bad);

$ng->finish;
done_testing();

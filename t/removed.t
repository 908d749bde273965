# A job that is removed while a worker reads its record: nothing knows it
# afterwards.

use lib 't/lib';
use Docket::Test;

use POSIX ();

my $fake = Docket::Sensor->start(n => 1);
my $fault = Docket::Fault->new;
my $ng = Docket::Nginx->start(sensors => $fake, workers => 2, fault => $fault);
my $first = $fake->first;
my $n = 0;

# The answer's status, of a request that is made beside the test.
sub beside {
    my ($method, $path) = @_;
    my $pid = open my $out, '-|' // die $!;

    if ($pid == 0) {
        print $ng->request($method, $path)->{status};
        close STDOUT;
        POSIX::_exit(0);
    }

    return $out;
}

# A job that is on disk alone.
sub job {
    my (%o) = @_;
    my $id = $ng->ask(host => '192.0.2.' . ++$n, after => utc($first),
                      before => utc($first + 60));
    is($ng->final($id)->{state}, 'Completed', 'a job');
    $ng->stop;
    $ng->configure(%o) if %o;
    return $id;
}

sub start {
    my $read = () = $ng->log_lines(qr/was read in/);
    $ng->start;
    ok_until { $ng->log_lines(qr/was read in/) > $read } 10, '... of a spool that was read';
}

sub slow {
    my ($title, $id, $op) = @_;
    $fault->set(path => $ng->spool . "/$id", title => $title, ops => [$op],
                sleep => 1500);
}

$ng->helper;

my $id = job();
start();
slow('worker process', $id, 'read');
my $reader = beside('GET', "/api/status/$id");
ok_until { $fault->count } 5, '... which a worker reads';
$fault->off;
is($ng->request('DELETE', "/api/$id")->{status}, 204, '... while another removes it');
is(scalar <$reader>, 200, '... is told of');
is($ng->get("/api/status/$id")->{status}, 404, '... and is gone');

$id = job();
start();
slow('worker process', $id, 'unlink');
my $remover = beside('DELETE', "/api/$id");
ok_until { $fault->count } 5, '... which a worker removes';
is($ng->get("/api/status/$id")->{status}, 200, '... is told of before');
is(scalar <$remover>, 204, '... until it is removed');
$fault->off;
is($ng->get("/api/status/$id")->{status}, 404, '... and gone');

$id = job(http => 'docket_expire_time 1s; docket_cleanup_period 1s;');
slow('docket process', $id, 'unlink');
start();
ok_until { $fault->count } 10, '... which the helper removes';
is($ng->get("/api/status/$id")->{status}, 200, '... is told of before');
ok_until { $fault->off; !-e $ng->spool . "/$id" } 5, '... until it is removed';
ok_until { $ng->get("/api/status/$id")->{status} == 404 } 5, '... and gone';

$ng->finish;
done_testing;

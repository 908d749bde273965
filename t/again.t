# A further run whose mark on the disk comes late, or not at all.

use lib 't/lib';
use Docket::Test;

use Errno 'EIO';
use HTTP::Tiny;
use POSIX ();

my $fake = Docket::Sensor->start(n => 2);
my $fault = Docket::Fault->new;
my $ng = Docket::Nginx->start(sensors => $fake, workers => 2, fault => $fault,
                              http => 'docket_idle_time 0;');

$ng->helper;

my $first = $fake->first;
my %range = (after => utc($first), before => utc($first + 360));

sub again { return $ng->post_json('/api/', { @_, refresh => JSON::PP::true }) }

# Beside the test: a handle that has the answer's status.
sub beside {
    my ($do) = @_;
    my $pid = open my $out, '-|' // die $!;

    if ($pid == 0) {
        print $do->()->{status};
        close STDOUT;
        POSIX::_exit(0);
    }

    return $out;
}


# A worker is slow to mark it.  The day's clock goes by meanwhile, and the
# docket process takes the worker for one that died: it finds nothing to run.

my $n = 0;

for my $how ('refresh', 'retry') {
    my %question = (host => '192.0.2.' . ++$n, %range);

    $fake->set(1, status => 403) if $how eq 'retry';

    my $id = $ng->ask(%question);
    is($ng->final($id)->{run}, 1, "$how: a job");

    $fake->set(1);
    $fault->set(path => $ng->spool . "/$id", title => 'worker process',
                ops => ['rename'], sleep => 3000);

    my $slow = beside(sub {
        $how eq 'retry' ? $ng->post("/api/retry/$id") : again(%question)
    });

    ok_until { $fault->count } 5, '... a worker is slow to mark a further run';
    is($ng->status($id)->{state}, 'Created', '... which is known');

    $fault->clock(20);
    ok_until { $ng->status($id)->{state} eq 'Completed' } 2,
        '... and taken for a dead one\'s';
    $fault->clock(0);

    is(scalar <$slow>, 202, '... the worker answers');
    $fault->off;

    ok_until { $ng->status($id)->{run} == 2 } 10, '... and it is run';
    is($ng->final($id)->{state}, 'Completed', '... to its end');
    ok(!-e $ng->spool . "/$id/again", '... and no mark is left');
}


# It can't be marked: what is known of the last run stays.

my %question = (host => '192.0.2.' . ++$n, %range);
my $id = $ng->ask(%question);
my $status = $ng->final($id);

sub listed { return grep { $_->{id} eq $id } @{ $ng->get('/api/jobs')->{json} } }

my ($entry) = listed();

$fault->set(path => $ng->spool . "/$id", title => 'worker process', all => 1,
            ops => ['rename'], errno => EIO);
is(again(%question)->{status}, 500, 'a mark that fails');
$fault->off;

is_deeply($ng->status($id), $status, '... the status is as it was');
is_deeply([ listed() ], [ $entry ], '... so is the list');
is($ng->post_json('/api/', \%question)->{json}{time}, $entry->{time},
   '... and what an asker hears');

$ng->finish(allow => [ qr/marking/ ]);
done_testing;

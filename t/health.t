# A sensor's health, apart from its work: busy is not down, one that is down is
# looked at ever less often and delays nobody, certificates of both ends are
# told, and what ends suspiciously is flagged.

use lib 't/lib';
use Docket::Test;


my $fake = Docket::Sensor->start(n => 2);
my %o = (
    sensors => $fake,
    http => <<END,
        docket_settle 1s;
        docket_retries 0;
        docket_idle_time 0;
        docket_idle_sleep 100ms;
        docket_idle_timeout 500ms;
        docket_stat_timeout 2s;
END
);
my $ng = Docket::Nginx->start(%o);

$ng->helper;

my $first = $fake->first;
my $n = 0;

sub ask {
    my (@sensors) = @_;
    $n++;
    return $ng->ask(host => "192.0.2.$n", after => utc($first),
                    before => utc($first + 360), sensor => \@sensors);
}

sub health {
    my ($s) = grep { $_->{name} eq 's1' } @{ $ng->get('/api/sensors')->{json} };
    return $s->{health};
}


# Busy

$fake->set(1, busy => 1);
my $s = $ng->final(ask('s1', 's2'));

like($s->{requests}{s1}{error}, qr/^busy/, 'a busy sensor fails as busy');
ok_until { health() eq 'busy' } 5, '... and is busy, not down';
$fake->set(1);
$s = $ng->final(ask('s1'));
is($s->{requests}{s1}{state}, 'Request Complete', '... then it is asked');
ok_until { health() eq 'up' } 5, '... and is up';

my $c = $ng->get('/api/stats/s1')->{json}{s1}{certificate};
like($c->{$_}, qr/^\d{4}-\d\d-\d\dT/, "certificate: $_")
    for 'client_not_after', 'server_not_after';
cmp_ok($c->{days_left}, '>', 3000, '... and days left');


# Down

my $from = () = $fake->requests(1);

$fake->set(1, stats => 'hang');

my $id = ask('s1');
my $other = ask('s2');

is($ng->final($other)->{state}, 'Completed', 'a question to another sensor ends');
unlike($ng->status($id)->{state}, qr/Completed|Failed/,
       '... while the one to a hanging sensor waits');
is($ng->final($id)->{state}, 'Failed', '... which fails');
ok_until { health() eq 'down' } 5, 'it is down';
$s = $ng->final(ask('s1', 's2'));
like($s->{requests}{s1}{error}, qr/^down, not tried again yet/,
     '... and the next one is told so');
is($s->{requests}{s2}{state}, 'Request Complete', '... beside the other');

# fails at once from here on, so that the looks' distances are their own
$fake->set(1, stats => 500);

ok_until { $fake->requests(1) - $from >= 4 } 30, 'it is looked at';

my @at = map { $_->{time} } ($fake->requests(1))[$from .. $from + 3];
cmp_ok($at[3] - $at[2], '>', 1.5 * ($at[2] - $at[1]) - 1, '... ever less often');

$fake->set(1);
ok_until { health() eq 'up' } 40, '... until it is up again';
is($ng->final(ask('s1'))->{state}, 'Completed', '... and answers');

$ng->finish;


# A question without an answer, on the connection of the look before it

$fake->set(1, query => 'hang');

$ng = Docket::Nginx->start(%o, name => 'silent', http => $o{http}
    . 'docket_query_timeout 700ms; docket_stall_timeout 60s;');
$ng->helper;

$s = $ng->final(ask('s1'));
like($s->{requests}{s1}{error}, qr/docket_query_timeout/,
     'a question that is not answered fails');
is(scalar $ng->log_lines(qr/sensor "s1" is down/), 0,
   '... and its sensor is not down');

$fake->set(1);
$ng->finish;


# The sensor's own limit of 15 minutes, of which a clean end says nothing; by a
# clock that is faster

my ($clock) = glob '/usr/lib/*/faketime/libfaketime.so.1';

SKIP: {
    skip 'no libfaketime, or no plain nginx', 3 if !$clock || asan() || valgrind();

    $o{http} = <<END;
        docket_settle 1s;
        docket_idle_time 0;
        docket_connect_timeout 900s;
        docket_stat_timeout 900s;
        docket_stall_timeout 2000s;
        docket_query_timeout 2000s;
END

    # two seconds are a quarter of an hour
    local $ENV{LD_PRELOAD} = $clock;
    local $ENV{FAKETIME} = '+0 x500';
    local $ENV{FAKETIME_DONT_RESET} = 1;

    $ng = Docket::Nginx->new(%o, name => 'fast');
    $ng->start;
    delete @ENV{'LD_PRELOAD', 'FAKETIME'};

    $ng->helper;
    $fake->set(1, delay => 2);

    $s = $ng->final(ask('s1', 's2'), 60);
    is($s->{requests}{s1}{state}, 'Request Complete', 'a very long answer');
    like($s->{requests}{s1}{warning}, qr/took \d{3,4} s.*may have cut it/,
         '... may have been cut');
    is($s->{requests}{s2}{warning}, '', '... a short one was not');

    $ng->kill_all;
}

done_testing();

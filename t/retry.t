# What is asked again: only sensors that are missing, and no packet comes twice.

use lib 't/lib';
use Docket::Test;


my $fake = Docket::Sensor->start(n => 3);
my $ng = Docket::Nginx->start(
    sensors => $fake,
    http => 'docket_settle 1s; docket_retries 2; docket_idle_time 0; '
            . 'docket_stall_timeout 1s;',
);

$ng->helper;

my $first = $fake->first;
my @all = sort { $a->{ts} <=> $b->{ts} } map { @{ read_pcap($_) } } $fake->pcaps;
my $n = 0;

sub ask {
    $n++;
    return $ng->final($ng->ask(host => "192.0.2.$n", after => utc($first),
                               before => utc($first + 360)));
}

sub asked { return [ map { scalar(() = $fake->queries($_)) } 1 .. 3 ] }


# POST /retry/ID

for ([ 'Failed', { status => 403 }, [ 1, 0, 0 ],
       'the sensors that are missing are asked' ],
     [ 'Partial', { query => 'cut' }, [ 1, 1, 1 ], 'the sensors are asked' ])
{
    my ($state, $how, $more, $words) = @$_;

    $fake->set(1, %$how);

    my $s = ask();
    is($s->{requests}{s1}{state}, $state, "a sensor is $state");

    my $before = asked();

    $fake->set(1);
    is($ng->post("/api/retry/$s->{id}")->{status}, 202, '... retry');
    wait_until { $ng->status($s->{id})->{run} == 2 };

    $s = $ng->final($s->{id});
    is($s->{state}, 'Completed', '... completes');
    ok(!$s->{partial}, '... whole');
    is((map { $_->{msg} } grep { $_->{state} eq 'Requesting' }
        @{ $s->{events} })[-1], $words, "... $words");

    my $after = asked();
    is_deeply([ map { $after->[$_] - $before->[$_] } 0 .. 2 ], $more,
              '... and no others');
    is_packets($ng->capture($s->{id}), \@all, '... each packet once');
}


# Attempts of one run

for my $bytes (10, 30, 1000, 4000) {
    for my $query ('drop', 'reset', 'cut', 'stall') {
        $fake->set(1, query => $query, after => $bytes, times => 1);

        my $s = ask();
        my $state = $s->{requests}{s1}{state};
        my $got = $ng->capture($s->{id});
        my %times;

        $times{$_->{ts}}++ for @$got;

        like($state, qr/^(?:Request Complete|Partial)$/,
             "$query after $bytes bytes: $state");
        is(scalar(grep { $_ > 1 } values %times), 0, '... no packet twice');
        is(scalar @$got, scalar @all, '... and all of them')
            if $state eq 'Request Complete';
    }
}

$ng->finish;


# A sensor that was configured after the run, whose result is not settled yet

my $conf = $fake->conf;

(my $two = $conf) =~ s/^[^\n]*docket_sensor\s+s3\s[^\n]*\n//m or die $conf;

$fake->set(0);
$ng = Docket::Nginx->start(sensors => $two, http => 'docket_settle 10h;',
                           name => 'unsettled');
$ng->helper;

my $s = ask();
is(keys %{ $s->{requests} }, 2, 'two sensors are asked');
is($ng->post("/api/retry/$s->{id}")->{status}, 200, '... retry asks nobody');

ok($ng->reload(sensors => $conf), 'there is a third one');

# a worker that is about to end may take the first
ok_until { $ng->post("/api/retry/$s->{id}")->{status} == 202 } 10, '... retry';
wait_until { $ng->status($s->{id})->{run} == 2 };
$s = $ng->final($s->{id});
is($s->{requests}{s3}{state}, 'Request Complete', '... asks it');
is_packets($ng->capture($s->{id}), \@all, '... and has its packets');

$ng->finish;
done_testing();

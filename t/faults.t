# Every fault of a sensor, beside two healthy ones: what is said of it and of
# the job, which packets are kept, what a client of the capture saw that was
# being sent meanwhile, how the events ended, and that the same helper lives
# on.  All at the same time, each with a sensor of its own.
#
# "make faults" prints the table.

use lib 't/lib';
use Docket::Test;

use POSIX ();
use Time::HiRes 'sleep';

use Docket::Soak::Http 'request';

# Name, behaviour, state of the sensor, what is said; and what a client of
# /pcap sees that asks it alone, where that follows not from the state.
# "Failed" keeps nothing of it, "Partial" something, the others all.
my @faults = (
    [ 'none', { }, 'Request Complete', qr/^$/ ],
    [ 'refuses', { listen => 'refuse' }, 'Failed', qr/connect/i ],
    [ 'accepts and hangs', { listen => 'hang' }, 'Failed', qr/in time/ ],
    [ 'hangs in the handshake', { listen => 'hang-tls' }, 'Failed', qr/in time/ ],
    [ 'closes at once', { listen => 'drop' }, 'Failed', qr/SSL_|connection/i ],
    [ 'its stats hang', { stats => 'hang' }, 'Failed', qr/docket_stat_timeout/ ],
    [ 'its stats are none', { stats => 'garbage' }, 'Failed', qr/no indexfile/ ],
    [ 'hangs before the answer', { query => 'hang' }, 'Failed', qr/no answer within/ ],
    [ 'hangs before the first byte', { query => 'hang-headers' }, 'Failed', qr/no answer within/ ],
    [ 'stalls in the middle', { query => 'stall' }, 'Partial', qr/stalled/ ],
    [ 'trickles', { rate => 100 }, 'Partial', qr/docket_query_timeout/ ],
    [ 'resets', { query => 'reset' }, 'Partial', qr/reset/i ],
    [ 'is cut off', { query => 'drop' }, 'Partial', qr/cut|closed|eof|outstanding/i ],
    [ 'ends inside a record', { query => 'cut' }, 'Partial', qr/cut/ ],
    [ 'sends no byte', { query => 'none' }, 'Failed', qr/empty|header|cut/ ],
    [ 'sends garbage', { query => 'garbage' }, 'Failed', qr/not a capture/ ],
    [ 'sends garbage at last', { query => 'garbage-late' }, 'Partial', qr/record|cut/ ],
    [ 'byte-swapped', { query => 'swapped' }, 'Request Complete', qr/^$/ ],
    [ 'nanoseconds', { query => 'nano' }, 'Request Complete', qr/^$/ ],
    [ 'both', { query => 'swapped-nano' }, 'Request Complete', qr/^$/ ],
    [ 'another link type', { query => 'linktype' }, 'Failed', qr/link type/, 'complete' ],
    [ 'a record above its snaplen', { query => 'long' }, 'Failed', qr/snaplen|record/ ],
    [ 'never ends', { query => 'endless', rate => 100_000 }, 'Partial', qr/docket_query_timeout/ ],
    [ 'out of order', { query => 'disorder' }, 'Request Complete', qr/^$/ ],
    (map { [ "status $_", { status => $_ }, 'Failed', qr/HTTP status $_/ ] }
         400, 401, 403, 404, 429, 500, 503),
    [ 'certificate of another name', { cert => 'named_server' }, 'Failed', qr/does not match|subject name/ ],
    [ 'expired certificate', { cert => 'expired_server' }, 'Failed', qr/expired/ ],
    [ 'foreign certificate', { cert => 'other_server' }, 'Failed', qr/self.signed|issuer/ ],
    [ "refuses the client's", { client => 'other_ca' }, 'Failed', qr/client's certificate|alert/ ],
    [ 'always busy', { busy => 1 }, 'Failed', qr/^busy/ ],
    [ 'holds less than was asked for', { oldest => 'late' }, 'Request Complete', qr/no packets from before/ ],
);

# the one with the fault has the capture of s1
my $dir = test_dir('captures');
my $first = int(time / 60) * 60 - 7200;

for my $i (1 .. 3) {
    system('/usr/bin/python3', Docket::Util::lib_dir() . '/traffic.py',
           "$dir/$i.pcap", '--sensor', $i, '--start', $first, '--span', 300,
           '--mb', $i == 1 ? 0 : 0.2) == 0 or die 'traffic.py failed';
}

my $healthy = @faults + 1;
my $fake = Docket::Sensor->start(
    n => @faults + 2, start => $first,
    pcaps => [ ("$dir/1.pcap") x @faults, "$dir/2.pcap", "$dir/3.pcap" ],
);
my $conf = $fake->conf;

# all ask the healthy ones
$conf =~ s/^(docket_sensor s$_ .*);/$1 max_queries=64;/m
    for $healthy, $healthy + 1;

my $ng = Docket::Nginx->start(
    sensors => $conf,
    http => <<END,
        docket_max_active 64;
        docket_buffer 1m;
        docket_settle 1s;
        docket_retries 0;
        docket_idle_time 0;
        docket_idle_sleep 100ms;
        docket_idle_timeout 1s;
        docket_connect_timeout 3s;
        docket_stat_timeout 3s;
        docket_stall_timeout 3s;
        docket_query_timeout 5s;
END
);

my $helper = $ng->helper;
my $mine = read_pcap("$dir/1.pcap");
my @others = sort { $a->{ts} <=> $b->{ts} }
             map { @{ read_pcap("$dir/$_.pcap") } } 2, 3;
my @names = ("s$healthy", 's' . ($healthy + 1));

my ($after, $before) = (utc($first), utc($first + 360));

for my $i (1 .. @faults) {
    my %how = %{ $faults[$i - 1][1] };
    $how{oldest} = ($first + 120) * 1_000_000_000 if $how{oldest};
    $fake->set($i, %how);
}


# A request in a process of its own; its answer is in a file at the end.
sub client {
    my ($name, @request) = @_;
    my $file = $ng->dir . "/client.$name";
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        my $r = request($ng->port, @request);
        spew("$file.body", $r->{body});
        spew($file, join ' ', $r->{status} // 0, $r->{ended});
        POSIX::_exit(0);
    }

    return { pid => $pid, file => $file };
}

# what it saw ("complete", "broken", or a status), and the body
sub saw {
    my ($c) = @_;

    waitpid $c->{pid}, 0;

    my ($status, $ended) = split ' ', slurp($c->{file}) // '0 died';
    return ($status == 200 ? $ended : $status, slurp("$c->{file}.body"));
}


# For each fault one job that all clients are of; then one of this sensor alone

for my $i (1 .. @faults) {
    my %f = (sensor => "s$i");
    @f{'name', 'how', 'state', 'said', 'alone_saw'} = @{ $faults[$i - 1] };
    my $f = $faults[$i - 1] = \%f;
    my %q = (host => "192.0.2.$i", after => $after, before => $before);
    my $arguments = join '&', map { "sensor=$_" } "s$i", @names;

    $f->{id} = $ng->ask(%q, sensor => [ "s$i", @names ]);
    $f->{pcap} = client("pcap.$i", 'GET', "/api/pcap/host/$q{host}/after/"
                        . "$after/before/$before?$arguments");
    $f->{query} = client("query.$i", 'POST', "/api/query?$arguments",
                         body => "host $q{host} and after $after and before "
                                 . $before);
    $f->{events} = client("events.$i", 'GET', "/api/events/$f->{id}");
}

my %spilled;

wait_until {
    for (glob "/proc/$helper/fd/*") {
        $spilled{$1} = 1 if (readlink // '') =~ m{/([0-9a-f]{32})/\.spill};
    }
    my $s = $ng->get('/api/status/' . join ',', map { $_->{id} } @faults);
    !grep { $_->{state} !~ /^(?:Completed|Failed)$/ } values %{ $s->{json} };
} 60 or diag('jobs do not end');

for my $i (1 .. @faults) {
    my $f = $faults[$i - 1];
    my $address = '198.51.100.' . $i;

    $f->{alone} = client("alone.$i", 'GET', "/api/pcap/host/$address/after/"
                         . "$after/before/$before?sensor=s$i");
}


# What became of them

my %of_mine = map { $_->{data} => 1 } @$mine;
my @table;

for my $f (@faults) {
    my $s = $ng->status($f->{id});
    my $odd = $s->{requests}{$f->{sensor}};
    my $said = $odd->{error} . $odd->{warning};
    my $covered = $f->{state} eq 'Request Complete';
    my $all = $ng->capture($f->{id});
    my @of_it = grep { $of_mine{$_->{data}} } @$all;
    my ($pcap, $pcap_body) = saw($f->{pcap});
    my ($query, $query_body) = saw($f->{query});
    my ($events, $events_body) = saw($f->{events});
    my ($alone) = saw($f->{alone});

    # garbage that follows may complete the record that was cut
    my @rest = grep { !$of_mine{$_->{data}} && $_->{data} !~ /this is no/ }
               @$all;

    my ($end) = $events_body =~ /^event: end\ndata: .*"state":"(\w+)"/m;
    $end = "$events, $end" if defined $end;
    $end //= "$events, no end";

    my $kept = @of_it;
    my $others = @rest;
    my $bad = '';
    my $check = sub {
        my ($good, $what) = @_;
        $bad .= "; $what" if !$good;
    };

    $check->($s->{state} eq 'Completed', "the job is $s->{state}");
    $check->(!$s->{partial} == $covered, 'partial is wrong');
    $check->($odd->{state} eq $f->{state}, "the sensor is $odd->{state}");
    $check->(scalar($said =~ $f->{said}), 'the reason is another one');
    $check->($covered || index($s->{reason}, $f->{sensor}) >= 0,
             "the job's reason does not name it");
    $check->($s->{requests}{$_}{state} eq 'Request Complete', "$_ is not whole")
        for @names;

    $check->($covered ? same(\@of_it, $mine)
             : $f->{state} eq 'Failed' ? $kept == 0
             : $kept > 0, 'of its packets there are others');
    $check->(same(\@rest, \@others), "the others' packets are not there");

    $check->($pcap eq ($covered ? 'complete' : 'broken'), '/pcap');
    $check->($query eq $pcap, '/query');
    $check->($pcap_body eq $query_body, '/pcap and /query differ');
    $check->(!$covered || $pcap_body eq
             slurp($ng->spool . "/$f->{id}/merged.pcap"), '/pcap is not whole');
    $check->($end eq 'complete, Completed', 'the events');
    $check->($alone eq ($f->{alone_saw} // ($covered ? 'complete'
                        : $f->{state} eq 'Failed' ? 502 : 'broken')),
             'alone');
    $check->(is_running($helper), 'the helper has gone');

    ok($bad eq '', "$f->{name}: $odd->{state}") or diag($bad, "\n", $said);

    push @table, [ $f->{name}, $odd->{state},
                   $s->{state} . ($s->{partial} ? ', partial' : ''),
                   "$kept/" . @$mine, "$others/" . @others,
                   $spilled{$f->{id}} ? 'yes' : 'no', $pcap, $query,
                   $events_body =~ /^event: end/m ? $s->{state} : 'cut',
                   $alone, is_running($helper) ? 'same' : 'gone',
                   $bad eq '' ? 'ok' : 'NOT OK', $said ];
}

# the same ones, each once, in the same order
sub same {
    my ($got, $want) = @_;
    return join(' ', map { $_->{ts} } @$got) eq join ' ', map { $_->{ts} } @$want;
}

is_deeply([ $ng->helpers ], [ $helper ], 'the helper is still the same');
cmp_ok(scalar keys %spilled, '>', 0, 'packets of the healthy ones were spilled');

if ($ENV{DOCKET_FAULTS}) {
    diag(sprintf '%-29s %-16s %-18s %-6s %-7s %-7s %-8s %-8s %-9s %-8s %-6s '
                 . '%-6s %s', @$_)
        for [ 'fault', 'sensor', 'job', 'kept', 'others', 'spilled', '/pcap',
              '/query', 'events', 'alone', 'helper', '', 'said' ], @table;
}

$ng->finish;
done_testing();

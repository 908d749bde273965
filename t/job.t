# The whole job on three real Stenographers: asked, fetched, merged, served;
# then what survives a killed helper, a reload and the death of all of nginx.

use lib 't/lib';
use Docket::Test;

use Cwd ();
use Time::HiRes 'sleep';

my $steno = Docket::Steno->start(n => 3, mb => 5);
my $first = $steno->first;

my ($after, $before) = (utc($first), utc($first + 300));


# what a message says of a directive: the line of its file
sub is_line {
    my ($ng, $said, $directive) = @_;
    my @lines = split /\n/, slurp($ng->conf_file);
    my ($line) = grep { index($lines[$_ - 1], $directive) >= 0 } 1 .. @lines;

    # the zone is the spool's
    ($line) = grep { $lines[$_ - 1] =~ /docket_spool/ } 1 .. @lines
        if $said =~ /docket_spool/;

    like($said, qr/ in \S+:$line$/m, "... and where: line $line");
}


# Configurations that are no good: one line each, that says where it is

my $locked = test_dir('keys') . '/locked.pem';

system('openssl', 'pkey', '-in', $steno->cert('client_key'), '-aes256',
       '-passout', 'pass:secret', '-out', $locked) == 0 or die 'openssl';

for ([ 'docket_sensor s1 127.0.0.1:1;', qr/duplicate sensor "s1"/ ],
     [ 'docket_sensor ../x 127.0.0.1:1;', qr/no safe file name/ ],
     [ 'docket_sensor docket 127.0.0.1:1;', qr/can't be named "docket"/ ],
     [ 'docket_sensor x 127.0.0.1;', qr/invalid address/ ],
     [ 'docket_sensor x 127.0.0.1:0;', qr/invalid port/ ],
     [ 'docket_sensor x 1.2.3.256:1;', qr/"1.2.3.256:1".*invalid host/ ],
     [ 'docket_sensor x *:1;', qr/"\*:1".*invalid host/ ],
     [ 'docket_sensor x "a b:1";', qr/"a b:1".*invalid host/ ],
     [ 'docket_queue_size 100000;', qr/zone .* too small/ ],
     [ 'docket_buffer 512k;', qr/must be at least 1m/ ],
     [ 'docket_merged_name a/b;', qr/"a\/b" is no safe file name/ ],
     [ 'docket_sensor x 127.0.0.1:1 certificate_key='
       . $steno->cert('ca_key') . ';', qr/certificate does not match key/ ],
     [ "docket_sensor x 127.0.0.1:1 certificate_key=$locked;",
       qr/key with a passphrase in "\Q$locked\E" of sensor "x" in/ ],
     [ 'docket_sensor x 127.0.0.1:1 trusted_certificate='
       . Cwd::abs_path($0) . ';',
       qr/bad CA certificate in/ ],
     [ 'docket_sensor x 127.0.0.1:1 certificate=nothing;',
       qr/nothing" failed/ ])
{
    my ($line, $error) = @$_;
    my $bad = Docket::Nginx->new(sensors => $steno, http => $line);
    my ($status, $out) = $bad->test_conf;
    my @said = grep { /emerg/ } split /\n/, $out;

    isnt($status, 0, "nginx -t: $line");
    like($out, $error, '... and why');
    is(@said, 1, '... in one line');
    is_line($bad, $said[0], $line);
}

for ([ '', qr/must name a folder/ ], [ '/', qr/no folder of its own/ ]) {
    my ($folder, $error) = @$_;
    my $bad = Docket::Nginx->new(sensors => $steno, spool => '',
                                 http => qq{docket_spool "$folder" zone=1;});
    my ($status, $out) = $bad->test_conf;

    isnt($status, 0, "nginx -t: the spool is \"$folder\"");
    like($out, $error, '... and why');
}

{
    my $bad = Docket::Nginx->new(sensors => <<'END');
docket_ssl_certificate nowhere.pem;
docket_sensor x 127.0.0.1:1;
END
    my ($status, $out) = $bad->test_conf;

    isnt($status, 0, 'nginx -t: a default that is not there');
    is_line($bad, $out, 'docket_ssl_certificate nowhere.pem;');
}

{
    my $bad = Docket::Nginx->new(sensors => 'docket_sensor x 127.0.0.1:1;');
    my ($status, $out) = $bad->test_conf;

    isnt($status, 0, 'nginx -t: no certificate');
    is_line($bad, $out, 'docket_sensor x 127.0.0.1:1;');
}

for my $directive ('docket_api', 'docket_results') {
    my $bad = Docket::Nginx->new(conf => <<END);
events { }
http {
    server {
        location /x { $directive; }
    }
}
END
    my ($status, $out) = $bad->test_conf;

    isnt($status, 0, "nginx -t: $directive without a spool");
    my ($at) = $out =~ /"$directive" requires "docket_spool" in \S+:(\d+)$/m;
    like((split /\n/, slurp($bad->conf_file))[($at // 1) - 1],
         qr/$directive;/, '... and where');
}


my $ng = Docket::Nginx->start(sensors => $steno);

ok($ng->helper, 'one docket process');

# URI questions, as [code, answer]
sub asked {
    my ($path) = @_;
    my $r = $ng->get("/api/uri/$path");
    return ($r->{status}, $r->{json});
}


# The job

my ($code, $job) = asked("net/10.0.0.0/8/after/$after/before/$before");

is($code, 202, 'a new question is queued');
is($job->{query}, "net 10.0.0.0/8 and after $after and before $before",
   'canonical text');

my $status = $ng->final($job->{id});

is($status->{state}, 'Completed', 'completed');
is_deeply($status->{successes}, [ $steno->names ], 'all sensors answered');
ok(!$status->{partial} && $status->{settled}, 'whole and settled');

my $r = $ng->get($job->{url});

is($r->{status}, 200, 'the capture is served');
is($r->{headers}{'content-type'}, 'application/vnd.tcpdump.pcap',
   '... with its type');

# the indexes know tagged frames too; to tcpdump "vlan" and "mpls" move all
# that follows them, so each is a question of its own
my $truth = [ sort { $a->{ts} <=> $b->{ts} }
              map { @{ tcpdump("$_ and net 10.0.0.0/8", $steno->pcaps) } }
              'ip', 'vlan and ip', 'mpls' ];
my $want = in_range($truth, $first, $first + 300);

is_packets($ng->capture($job->{id}), $want, 'packet for packet, in time order');

($code, my $again) = asked("net/10.1.2.3/8/before/$before/after/$after/");

is($code, 200, 'the same question again');
is($again->{id}, $job->{id}, '... is the same job');
ok($again->{duplicate}, '... and says so');

is_deeply($ng->get('/api/ids')->{json}, [ $job->{id} ], '/ids');
is_deeply($ng->get("/api/urls/$job->{id}")->{json},
          { $job->{id} => $job->{url} }, '/urls');

my $stats = $ng->get('/api/stats')->{json};

is($stats->{s2}{health}, 'up', '/stats: health');
cmp_ok($stats->{docket}{'Free space'}[0], '>', 0, '... and free space');

# one minute of five
(undef, $job) = asked("net/10.0.0.0/8/after/${\ utc($first + 60) }"
                      . "/before/${\ utc($first + 120) }");
$ng->final($job->{id});
is_packets($ng->capture($job->{id}),
           in_range($truth, $first + 60, $first + 120),
           'exactly the packets of the range');

# times of packets are counted in nanoseconds, which fill 64 bits in 2262
(undef, $job) = asked("port/6666/after/$after/before/2300-01-01");
$ng->final($job->{id});
is_packets($ng->capture($job->{id}),
           in_range(tcpdump('port 6666', $steno->pcaps), $first, 9e9),
           'a range that ends in 2300 has its packets');


# Streamed, and in Stenographer's own way

my $range = "after/$after/before/$before";

for ([ '/pcap', $ng->get("/api/pcap/port/6666/$range") ],
     [ 'partial=ok', $ng->get("/api/pcap/port/6666/$range?partial=ok") ],
     [ '/query', $ng->post('/api/query', content =>
                    "port 6666 and after $after and before $before") ])
{
    my ($what, $r) = @$_;
    is_packets(read_pcap(\$r->{content}),
               in_range(tcpdump('port 6666', $steno->pcaps),
                        $first, $first + 300), "$what: the same packets");
}


# Refusals

for ([ 'hots/1.2.3.4', 'hots' ], [ 'host/1.2.3', '1.2.3' ],
     [ 'port/80/after/5', 'after' ])
{
    my ($path, $fault) = @$_;
    my $r = $ng->get("/api/uri/$path");

    is($r->{status}, 400, "$path is refused");
    is($r->{headers}{'content-type'}, 'application/problem+json',
       '... by a problem document');
    like(join(' ', $r->{json}{field} // '', $r->{json}{detail}),
         qr/\Q$fault\E/, '... that says where');
}

is($ng->get('/api/status/' . '0' x 32)->{status}, 404, 'an unknown id');
is($ng->get('/api/nothing')->{status}, 404, 'an unknown endpoint');
is($ng->request('DELETE', '/api/ids')->{status}, 405, 'a method out of place');
is($ng->get("/results/$job->{id}/query.json")->{status}, 404,
   'the record is not served');


# The helper killed before it could begin

my $old = $ng->helper;

kill 'STOP', $old;

my @ids = map { (asked("host/10.$_.0.2/$range"))[1]{id} } 1 .. 3;

kill 'KILL', $old;
my $killed = $old;

ok_until { my $new = $ng->helper; $new && $new != $old } 10,
    'a killed helper is replaced';
is($ng->final($_)->{state}, 'Completed', '... and its job completes') for @ids;
is($ng->status($ids[0])->{capture}{packets}, 20, '... with its packets');


# A reload

$old = $ng->helper;
ok($ng->reload, 'a reload');
ok_until { my $new = $ng->helper; $new && $new != $old } 10,
    '... ends in one helper';
(undef, $job) = asked("host/10.1.0.3/$range");
is($ng->final($job->{id})->{capture}{packets}, 10, '... that works');


# All of nginx killed with a queue

$old = $ng->helper;
kill 'STOP', $old;
@ids = map { (asked("port/53/host/10.$_.0.2/$range"))[1]{id} } 1 .. 10;
$ng->kill_all;
is(scalar(() = $ng->processes), 0, 'all are killed');

$ng->start;
is($ng->final($_)->{state}, 'Completed', 'a queued job is done at the next start')
    for @ids;

# nginx says so of a child that was killed, if it has not been itself
$ng->finish(allow => [ qr/process (?:$killed|$old) exited on signal 9/,
                       qr/docket process $killed has gone/ ]);

done_testing;

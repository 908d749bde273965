# Jobs: status, lists, search, cancelling, retrying, removing; sensors.

use lib 't/lib';
use Docket::Test;
use Docket::Api;
use Docket::Metrics;

use POSIX ();
use Time::HiRes 'time';

# what is written beyond its place ends nginx here, and is not found later
$ENV{GLIBC_TUNABLES} = 'glibc.malloc.tcache_count=0';

my $fake = Docket::Sensor->start(n => 2);
my $ng = Docket::Nginx->start(sensors => $fake, workers => 2,
                              http => 'large_client_header_buffers 4 64k; '
                                      . 'docket_max_active 2; '
                                      . 'docket_stat_timeout 1s;');
my $api = Docket::Api->new($ng);

my ($t1, $t2) = (utc($fake->first), utc($fake->first + 300));
my $none = '0' x 32;
my @ids;

sub ask {
    my $r = $api->post_json('/', { after => $t1, before => $t2, @_ });
    return $r->{json}{id};
}

sub ids_of { map { $_->{id} } @{ $_[0]{json} } }


# before there is anything

$api->table(
    [ 'GET /status', 200 ],
    [ "GET /status/$none", 404 ],
    [ 'GET /status/x', 404 ],
    [ "GET /status/$none?wait=5s", 404, timeout => 2 ],
    [ "GET /ids/$none", 200 ],
    [ "GET /summary/$none", 404, detail => 'there is no such job' ],
    [ 'GET /summary', 404 ],
    [ 'POST /find', 200, type => 'application/json', body => '{}' ],
    [ "POST /cancel/$none", 404 ],
    [ "POST /cancel/x", 404 ],
    [ "POST /cancel", 404 ],
    [ "POST /retry/$none", 404 ],
    [ "DELETE /$none", 404 ],
);
is($api->get('/ids')->{content}, '[]', 'no ids');
is($api->get('/jobs')->{content}, '[]', 'no jobs');
is($api->get('/urls')->{content}, '{}', 'no urls');

# a job that runs as long as it is wanted

$fake->set(0, query => 'hang-headers');

my $live = ask(host => '10.9.9.9');

ok_until { ($ng->status($live) // {})->{state} eq 'Requesting' } 10, 'it runs';

$api->table([ "GET /summary/$live", 409 ]);

my $job = $ng->status($live);
my %requests = %{ $job->{requests} };

is_deeply([ sort keys %requests ], [ 's1', 's2' ], 'each sensor is told of');
like($requests{s1}{state}, qr/^(?:Waiting|Requesting)$/, '... and its state');
is($job->{progress}{slices}, 2, 'there is progress');
is($job->{run}, 1, 'the first run');
is($job->{finished}, undef, '... has not ended');

$api->table(
    [ "POST /retry/$live", 409 ],
    [ "DELETE /$live", 409 ],
    [ "GET /urls/$live", 200, $live => undef ],
);

my $began = time;
$api->get("/status/$live?wait=300ms");
cmp_ok(time - $began, '>=', 0.29, 'wait: until the time is up');

my $queued = do { ask(host => '10.9.9.8'); ask(host => '10.9.9.7') };

ok_until { ($ng->status($queued) // {})->{progress}{position} == 1 } 5,
         'a third one has its place in the queue';

# both are told at once

pipe my $out, my $in or die $!;
my $pid = fork // die $!;

if ($pid == 0) {
    my $s = $ng->get("/api/status/$live,$none?wait=20s")->{json};
    syswrite $in, "$s->{$live}{state}\n";
    POSIX::_exit(0);
}

close $in;
select undef, undef, undef, 0.3;

$api->table(
    [ "POST /cancel/$live/", 200, id => $live, cancelling => 1 ],
    [ "POST /cancel/$queued", 200, id => $queued ],
);
$began = time;
is(readline $out, "Cancelled\n", 'wait: until the job is final');
cmp_ok(time - $began, '<', 3, '... and no longer');
waitpid $pid, 0;

is($ng->final($queued)->{state}, 'Cancelled', 'a queued one too');
$api->table([ "POST /cancel/$live", 409, detail => qr/Cancelled/ ]);
is($api->get("/status/$live?wait=20s")->{json}{$live}{state}, 'Cancelled',
   'wait: for what is final already');
$api->table(
    [ "GET /status/$live?wait=5", 400, field => 'wait' ],
    [ "GET /status/$live?wait=", 400, field => 'wait' ],
    [ "GET /status/$live?wait=-1s", 400, field => 'wait' ],
);

# a cancelled job is asked again as a new run

$fake->set(0);
ok_until { $ng->post("/api/cancel/$_") for @{ $api->get('/ids')->{json} };
           !grep { $_->{state} !~ /^C.*ed$/ || $_->{state} eq 'Created' }
                 @{ $api->get('/jobs')->{json} } } 20, 'all are cancelled';

$api->table([ "POST /retry/$live", 202, id => $live, duplicate => qr/^0$/ ]);
is($ng->final($live)->{state}, 'Completed', 'retry runs it');

# lists

my @old = @{ $api->get('/ids')->{json} };

for my $port (1 .. 12) {
    push @ids, ask(port => $port);
    select undef, undef, undef, 0.002;
}

$ng->final($_) for @ids;

my @newest = reverse @ids;
my $list;

$list = $api->get('/ids')->{json};
is_deeply([ @$list[0 .. 11] ], \@newest, 'ids, the newest first');
is(@$list, @old + 12, '... all of them');

for my $sep (',', ';', '+', '%20', '%09', ', ') {
    my $path = join $sep =~ s/ /%20/r, $ids[0], $none, 'x', $ids[1], $ids[0];
    is_deeply($api->get("/ids/$path")->{json}, [ @ids[0, 1] ],
              "a list with '$sep'");
}

is_deeply([ sort keys %{ $api->get("/status/$none,$ids[3]")->{json} } ],
          [ $ids[3] ], 'status: unknown ones are left out');
my $dashes = $ids[3] =~ s/^(.{8})(.{4})(.{4})(.{4})/$1-$2-$3-$4-/r;
ok($api->get("/status/\U$dashes\E/")->{json}{$ids[3]}, '... dashes are taken');
is_deeply($api->get("/urls/$ids[0],$none")->{json},
          { $ids[0] => "/results/$ids[0]/merged.pcap" }, 'urls of some');
is(keys %{ $api->get('/urls')->{json} }, 13, 'urls of all that have one');
is(keys %{ $api->get('/status')->{json} }, @old + 12, 'status of all');
$api->table([ 'GET /ids/' . join(',', map { sprintf '%032x', $_ } 1 .. 1001),
              400, name => 'too many ids' ]);

my $first = $api->get('/jobs?limit=5');
is_deeply([ ids_of($first) ], [ @newest[0 .. 4] ], 'a page of jobs');
is_deeply([ ids_of($api->get('/jobs?limit=5&page=2')) ], [ @newest[5 .. 9] ],
          '... and the second one');

my ($next) = $first->{headers}{link} =~ /^<(.*)>; rel="next"$/;
is_deeply([ ids_of($api->get("/jobs$next")) ], [ @newest[5 .. 9] ],
          '... by the link');

like($api->get('/status?limit=1&text=a>%3C"b%20%26')->{headers}{link},
     qr/^<\?cursor=\w+&limit=1&text=a%3E%3C%22b%20%26>; rel="next"$/,
     '... which keeps what was asked, and its own form');

my $n = 0;
my @walk;

for ($next = '?limit=4'; $next && $n++ < 20; ) {
    my $r = $api->get("/jobs$next");
    push @walk, ids_of($r);
    ($next) = ($r->{headers}{link} // '') =~ /^<(.*)>; rel="next"$/;
}

is_deeply(\@walk, $list, 'the links lead through all jobs');

is(() = ids_of($api->get('/jobs?state=cancelled')), @old - 1, 'by state');
is_deeply([ ids_of($api->get('/jobs?text=PORT%2012%20')) ], [ $ids[11] ],
          'by text');
$api->table(
    [ 'GET /jobs?limit=0', 400, field => 'limit' ],
    [ 'GET /jobs?limit=1001', 400, field => 'limit', detail => qr/ 1 to 1000$/ ],
    [ 'GET /jobs?page=0', 400, field => 'page', detail => qr/ 1 to 1000000$/ ],
    [ 'GET /jobs?page=x', 400, field => 'page' ],
    [ 'GET /jobs?cursor=x', 400, field => 'cursor' ],
    [ 'GET /jobs?state=Happy', 400, field => 'state' ],
    [ 'GET /status?limit=x', 400, field => 'limit' ],
);

# search

sub find { ids_of($api->post_json('/find', $_[0])) }

is_deeply([ find({ port => 7 }) ], [ $ids[6] ], 'find: a term');
is_deeply([ find({ port => 7, state => 'Failed' }) ], [ ], '... and a state');
is_deeply([ find({ state => 'completed', text => 'port 7' }) ], [ $ids[6] ],
          '... a state and a text');
is_deeply([ find({ id => [ $ids[1], $none ] }) ], [ $ids[1] ], '... ids');
is_deeply([ sort(find({ id => [ $none, reverse @ids ] })) ], [ sort @ids ],
          '... ids in any order');
is_deeply([ find({ id => "$ids[1],$ids[2]", port => 3 }) ], [ $ids[2] ],
          '... and a term');
is_deeply([ find({ port => 7, before => $t1 }) ], [ ], '... another time');
is_deeply([ find({ port => 7, after => $t1 }) ], [ $ids[6] ], '... this time');
is(() = find({ }), @$list, 'find: nothing asked is everything');

my %form = (type => 'application/x-www-form-urlencoded');
my $r = $api->post('/find?limit=3', %form,
                   body => "after=$t1&state=Completed&text=port+");
is_deeply([ ids_of($r) ], [ @newest[0 .. 2] ], 'find: a form, a page');
like($r->{headers}{link}, qr/cursor=$newest[2]&limit=3/, '... with its link');

$api->table(
    [ 'POST /find', 400, type => 'application/json', body => '{"port":"x"}',
      field => 'port' ],
    [ 'POST /find', 400, type => 'application/json', body => '{"state":1}',
      field => 'state' ],
    [ 'POST /find', 400, type => 'application/json', field => 'text',
      body => '{"text":["port 7"]}', name => 'one text, and no list' ],
    [ 'POST /find', 400, type => 'application/json', body => '{"state":"x"}',
      field => 'state' ],
    [ 'POST /find', 400, type => 'application/json', body => '{' ],
    [ 'POST /find', 400, type => 'application/json',
      body => '{"x":' . '[' x 60000 . ']' x 5000 . '}' ],
    [ 'POST /find', 400, %form, body => 'colour=red' ],
    [ 'POST /find', 415, type => 'text/plain', body => 'port 80' ],
);

my %deep = map { $_->{status} => 1 }
           map { my $n = $_;
                 map { $ng->post('/api/find', content => $_,
                                 headers => { 'Content-Type' =>
                                              'application/json' }) }
                     '{"port":' . '[' x $n . 'null,1' . ']' x $n . '}',
                     '{"port":' x $n . '1' . '}' x $n } 64 .. 255;
is_deeply([ keys %deep ], [ 400 ], 'find: nested at any depth');

# explaining

$r = $api->get("/explain/port/7/after/$t1/before/$t2")->{json};
is($r->{id}, $ids[6], 'explain: the id');
is($r->{known}, 'Completed', '... and that it is known');
is($r->{id_valid_until}, undef, '... and valid for ever');
is_deeply($r->{sensors}, [ 's1', 's2' ], '... and who is asked');
like($r->{requests}{s1}{texts}[0], qr/^after \S+ and before \S+ and .*port 7/,
     '... and what');
is($r->{weight}, undef, '... with no weight');

$r = $api->post('/explain', body => 'host 1.2.3.4 and after 90m ago')->{json};
is($r->{known}, undef, 'explain: not known');
ok($r->{relative}, '... relative');
cmp_ok($r->{id_valid_until}, 'gt', utc(time), '... valid for some time');
cmp_ok($r->{id_valid_until}, 'le', utc(time + 61), '... but not long');
is($r->{requests}{s1}{slices}, 2, '... in slices');
$api->table(
    [ 'GET /explain/port/x', 400, field => 'port' ],
    [ 'GET /explain', 400 ],
    [ 'POST /explain', 400, body => 'port' ],
    [ 'POST /explain/port/80', 404, body => 'port 80' ],
    [ 'GET /explain/port/80?filter=(', 400, field => 'filter' ],
);
is(@{ $api->get('/ids')->{json} }, @$list, 'nothing was queued by that');

# removing

$api->table(
    [ "DELETE /$ids[0]", 204 ],
    [ "DELETE /$ids[0]", 404 ],
    [ "GET /status/$ids[0]", 404 ],
    [ "DELETE /\U$ids[1]\E/", 204 ],
);
ok(!-e $ng->spool . "/$ids[0]", 'the folder is gone');
is_deeply([ grep { $_ eq $ids[0] } @{ $api->get('/ids')->{json} } ], [ ],
          'it is in no list');
ok(!grep({ $_->{id} eq $ids[0] } @{ $api->get('/jobs')->{json} }),
   '... of any kind');
$api->table([ 'POST /clean', 202, cleaning => 1 ], [ 'POST /clean/', 202 ]);

spew($ng->spool . "/$ids[2]/foreign", 'x');
$api->table([ "DELETE /$ids[2]", 409 ]);

# sensors

$r = $api->get('/stats')->{json};
is($r->{$_}{health}, 'up', "$_ is up") for 's1', 's2';
is($r->{s1}{oldest_timestamp}, utc($fake->first), 'its oldest packet');
ok(exists $r->{s1}{indexfile_current_reads}, "Stenographer's own counters");
cmp_ok($r->{s1}{certificate}{days_left}, '>', 1, 'the certificates');
ok($r->{s1}{fresh}, 'asked for at once');
cmp_ok($r->{docket}{'Free space'}[0], '>', 0, 'free space');
is_deeply([ sort keys %{ $api->get('/stats/s2')->{json} } ],
          [ 'docket', 's2' ], 'stats of one');
is_deeply([ sort keys %{ $api->get('/stats/s2;s1,s1/')->{json} } ],
          [ 'docket', 's1', 's2' ], '... of a list');
$api->table([ 'GET /stats/s9', 404, detail => qr/s9/ ]);

$fake->set(1, stats => 500);
$fake->set(2, stats => 'hang');
$began = time;
$r = $api->get('/stats')->{json};
cmp_ok(time - $began, '<', 4, 'dead sensors hold nothing up');
is($r->{s1}{health}, 'down', '... one that fails is down');
ok($r->{$_}{error}, "... and $_ has its error") for 's1', 's2';
$fake->set(0);

$r = $api->get('/sensors')->{json};
is_deeply([ map { $_->{name} } @$r ], [ 's1', 's2' ], 'the sensors');

# metrics, read strictly

my ($metrics, @wrong) = read_metrics($api->get('/metrics')->{content});

is_deeply(\@wrong, [ ], 'metrics are in the format');

ok($metrics->{$_}{order}, "... $_") for qw(docket_jobs docket_queue_length
    docket_questions_total docket_duplicates_total docket_refused_total
    docket_jobs_total docket_packets_total docket_bytes_total docket_sensor_up
    docket_sensor_busy docket_sensor_active docket_sensor_waiting
    docket_sensor_queries_total docket_sensor_failures_total
    docket_sensor_received_bytes_total docket_sensor_certificate_expiry_seconds
    docket_spool_free_bytes docket_spool_free_nodes docket_wait_seconds
    docket_run_seconds docket_query_seconds docket_helper_up
    docket_build_info);

$api->documented;
$ng->finish;

# a job whose sensors are done, on a disk that takes its time

my $fault = Docket::Fault->new;
my $large = Docket::Sensor->start(n => 1, mb => 6, dir => test_dir('large'));

$ng = Docket::Nginx->start(sensors => $large, fault => $fault, name => 'slow');
$ng->helper;
$fault->set(path => $ng->spool, title => 'docket process', ops => ['write'],
            all => 1, sleep => 400);

my $merging = $ng->ask(after => utc($large->first - 60),
                       before => utc($large->first + 360));

ok_until { $ng->status($merging)->{state} eq 'Merging' } 20, 'one is merged';
is($ng->post("/api/cancel/$merging")->{status}, 200, '... and cancelled');
is($ng->final($merging)->{state}, 'Cancelled', '... and is, in the end');
$fault->off;

# one that waits, cancelled while it is written down who asked for it

$large->set(0, query => 'hang');
$ng->configure(http => 'docket_max_active 1;');
$ng->stop;
$ng->start;
$ng->helper;

sub ask_port {
    return $ng->ask(port => $_[0], after => utc($large->first),
                    before => utc($large->first + 300));
}

my ($hangs, $waits) = (ask_port(1), ask_port(2));

$fault->set(path => $ng->spool . "/$waits", title => 'docket process',
            ops => ['rename'], sleep => 2000);
ask_port(2);
ok_until { $fault->fired } 10, 'one that waits is written';
is($ng->post("/api/cancel/$waits")->{status}, 200, '... and cancelled');
is($ng->final($waits)->{state}, 'Cancelled', '... and is');
$ng->post("/api/cancel/$hangs");
$ng->final($hangs);
ok_until { !glob $ng->spool . "/$waits/*.tmp" } 10, '... when it is written';
$ng->stop;
$ng->start;
is($ng->final($waits)->{state}, 'Cancelled', '... and after a start');
is($ng->status($waits)->{run}, 0, '... was never run');

$ng->finish;
done_testing;

# What is refused although nothing is wrong with it.

use lib 't/lib';
use Docket::Test;
use Docket::Api;


my $fake = Docket::Sensor->start(n => 1);
my $locked;

# nobody could remove it otherwise
END { system 'chattr', '-i', $locked if defined $locked }

my $range = 'after/' . utc($fake->first) . '/before/' . utc($fake->first + 300);

# a full queue

$fake->set(0, query => 'hang');

my $ng = Docket::Nginx->start(sensors => $fake, workers => 2,
    http => 'docket_queue_size 3; docket_max_active 1;');
my $api = Docket::Api->new($ng);

$ng->helper;

my $id = $api->get("/uri/port/1/$range")->{json}{id};

ok_until { $ng->status($id)->{state} eq 'Requesting' } 10, 'one runs';
$api->table(map { [ "GET /uri/port/$_/$range", 202 ] } 2 .. 4);
$api->table(
    [ "GET /uri/port/5/$range", 503, 'header:Retry-After' => qr/^\d+$/,
      detail => qr/queue/ ],
    [ "GET /uri/port/4/$range", 200, name => '... but a known one is known' ],
    [ 'POST /query', 503, body => 'port 6' ],
    [ "GET /pcap/port/7/$range", 503 ],
);
ok($api->get('/metrics')->{content} =~ /^docket_refused_total 3$/m,
   '... and counted');
$api->documented;
$ng->finish;

# a spool that is low

$fake->set(0);
$ng = Docket::Nginx->start(sensors => $fake, workers => 1, name => 'low',
    http => 'docket_free_bytes 4000000000g;');
$api = Docket::Api->new($ng);
ok_until { $api->get('/stats')->{json}{docket}{low} } 10, 'too little space';
$api->table([ "GET /uri/port/1/$range", 507 ]);
is(() = glob($ng->spool . '/*/query.json'), 0, '... and nothing is written');
$api->documented;
$ng->finish;

# a spool that cannot be written

SKIP: {
    skip 'needs root', 3 if $> != 0;

    $ng = Docket::Nginx->start(sensors => $fake, workers => 1, name => 'ro');
    $api = Docket::Api->new($ng);
    $ng->helper;
    $id = $ng->ask(port => 80, after => utc($fake->first),
                   before => utc($fake->first + 300));
    $ng->final($id);
    rename $ng->spool, $ng->spool . '.away';
    $locked = $ng->spool . '.away';
    system 'chattr', '+i', $locked;
    skip 'no chattr here', 3 if $?;
    $api->table(
        [ "GET /uri/port/81/$range", 500, detail => qr/spool/ ],
        [ "GET /status/$id", 200, name => '... what is known is told' ],
    );
    system 'chattr', '-i', $locked;
    undef $locked;
    $api->documented;
    $ng->finish(allow => [ qr/docket/ ]);
}

# a record that is damaged

$ng = Docket::Nginx->start(sensors => $fake, workers => 1, name => 'bad');
$api = Docket::Api->new($ng);
$ng->helper;
$id = $api->get("/uri/port/80/$range")->{json}{id};
$ng->final($id);
$ng->stop;
spew($ng->spool . "/$id/query.json", '{"version":1,');
$ng->start;
$api->table(
    [ "GET /uri/port/80/$range", 500, detail => qr/DELETE/ ],
    [ "GET /status/$id", 500, detail => qr/damaged; DELETE/ ],
    [ "GET /status/$id?wait=10s", 500 ],
    [ "GET /summary/$id", 500 ],
    [ "GET /events/$id", 500 ],
    [ "GET /ids/$id", 500 ],
    [ "GET /urls/$id", 500 ],
    [ "GET /explain/port/80/$range", 500 ],
    [ "GET /pcap/port/80/$range", 500 ],
    [ "HEAD /uri/port/80/$range", 500 ],
    [ "HEAD /pcap/port/80/$range", 500 ],
    [ "POST /cancel/$id", 500 ],
    [ "POST /retry/$id", 500 ],
    [ 'GET /jobs', 200, name => '... it is no job of the lists' ],
    [ "DELETE /$id", 204 ],
    [ "GET /status/$id", 404 ],
    [ "GET /explain/port/80/$range", 200, known => undef ],
    [ "GET /uri/port/80/$range", 202, id => $id ],
);
$api->documented;
is(scalar($ng->log_lines(qr/reading the record of job "$id" failed/)), 13,
   '... one line of the log for each');
$ng->finish(allow => [ qr/\[crit\].*docket/ ]);

# no master, and so no helper

$ng = Docket::Nginx->new(sensors => $fake, name => 'single', workers => 1,
                         main => 'master_process off;');
my ($status) = $ng->run;
is($status, 0, 'master_process off');
$api = Docket::Api->new($ng);
ok_until { $ng->get('/api/jobs')->{status} == 200 } 10, '... serves';
$api->table(
    [ "GET /uri/port/80/$range", 503, detail => qr/master_process/ ],
    [ 'POST /clean', 503 ],
    [ 'GET /stats', 200 ],
    [ "GET /status/$id", 404 ],
);
$api->documented;

kill 'QUIT', $ng->master;
ok_until { !$ng->processes } 10, '... and ends';

done_testing;

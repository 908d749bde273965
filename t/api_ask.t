# Questions: their forms, their answers, and who is told what.

use lib 't/lib';
use Docket::Test;
use Docket::Api;

use Errno 'ENOENT';
use Fcntl ':flock';
use HTTP::Tiny;
use MIME::Base64;
use POSIX ();

my $fake = Docket::Sensor->start(n => 2);
my $htpasswd = test_dir('auth') . '/users';

spew($htpasswd, "ann:{PLAIN}secret\n");

my $fault = Docket::Fault->new;
my $ng = Docket::Nginx->start(sensors => $fake, workers => 2, fault => $fault,
    http => 'log_format docket "$request_method $status id=$docket_id '
            . 'query=$docket_query state=$docket_state '
            . 'duplicate=$docket_duplicate";',
    server => <<END);
access_log %DIR%/docket.log docket;

location /auth {
    auth_basic closed;
    auth_basic_user_file $htpasswd;
    docket_api;
}

location /ui {
    docket_api;
    docket_ui_url /page/;
    docket_results_url https://files.example/r/;
    docket_date_format "%d.%m.%Y";
}

location /heavy {
    docket_api;
    docket_weight total=5t hours=8 threshold=22m;
}

location /firm {
    docket_api;
    docket_weight total=5t hours=8 threshold=22m override=off;
}
END

my $api = Docket::Api->new($ng);

my ($t1, $t2) = (utc($fake->first), utc($fake->first + 300));
my $range = "after/$t1/before/$t2";
my $form = 'application/x-www-form-urlencoded';
my $json = 'application/json';
my $words = "port 80 and after $t1 and before $t2";

# one question in all its forms

my $r = $api->get("/uri/port/80/$range");
my $id = $r->{json}{id};

is($r->{status}, 202, 'a new question');
is($r->{json}{state}, 'Created', '... is queued');
is($r->{json}{query}, $words, '... has its canonical text');
is($r->{json}{url}, "/results/$id/merged.pcap", '... and its url');
like($r->{json}{time}, qr/^20\d\d-\d\d-\d\dT[\d:.]+Z$/, '... and its time');
like($r->{json}{Requested}, qr/^20\d{5}T\d\d:\d\d:\d\d$/, '... in both forms');
ok(!$r->{json}{duplicate}, '... is no duplicate');
like(slurp($ng->spool . "/$id/query.json") // '', qr/"address":"127\.0\.0\.1"/,
     '... and is on disk, with who asked');
is($r->{headers}{'cache-control'}, 'no-store', '... is not to be stored');

my @same = (id => $id, duplicate => qr/^1$/, 'header:Location' =>
            "/api/status/$id");

$api->table(
    [ "GET /uri/port/80/$range", 200, @same ],
    [ "GET /uri/before/$t2/Port/80/after/$t1/", 200, @same ],
    [ "GET /q/port/80/$range", 200, @same ],
    [ "GET /raw/" . ($words =~ s/ /%20/gr), 200, @same ],
    [ 'POST /', 200, @same, type => $form,
      body => "port=80&after=$t1&before=$t2" ],
    [ 'POST ', 200, @same, type => "$form; charset=utf-8",
      body => "after=$t1&before=$t2&port=80&host=" ],
    [ 'POST /', 200, @same, type => $json,
      body => qq({"port":80,"after":"$t1","before":"$t2"}) ],
    [ 'POST /', 200, @same, type => $json,
      body => qq({"query":"port 80","after":"$t1","before":"$t2"}) ],
    [ 'POST /raw', 200, @same, type => 'text/plain', body => $words ],
    [ 'POST /raw/', 200, @same, body => "$words\n" ],
    [ 'POST /raw', 200, @same, type => $form, name => 'a body that is no form',
      body => $words =~ s/and/&&/gr ],
    [ 'POST /raw', 200, @same, type => $form,
      body => 'query=' . ($words =~ s/ /+/gr) ],
    [ 'POST /raw', 200, @same, type => $json, body => qq({"query":"$words"}) ],
    [ 'POST /query', 200, @same, headers => { Accept => $json },
      body => $words ],
    [ 'POST /query/', 200, @same, headers => { Accept => "*/*, $json" },
      type => $form, body => $words ],
    [ 'POST /query', 200, headers => { Accept => "$json;q=0" },
      'header:Content-Type' => 'application/octet-stream', body => $words ],
    [ "HEAD /uri/port/80/$range", 200, 'header:Location' =>
      "/api/status/$id" ],
    [ "HEAD /uri/port/8080/$range", 404 ],
    [ "GET /status/" . ('0' x 32), 404 ],
);

is(() = glob($ng->spool . '/*/query.json'), 1, 'there is one job');

# options and headers are part of the question

$api->table(
    [ "GET /uri/port/80/$range?limit-packets=5", 202,
      query => "$words; limit-packets 5" ],
    [ "GET /uri/port/80/$range", 200, query => "$words; limit-packets 5",
      headers => { 'Steno-Limit-Packets' => 5 } ],
    [ "GET /uri/port/80/$range?limit-bytes=1000", 202,
      query => "$words; limit-bytes 1000" ],
    [ 'POST /raw', 200, body => $words, query => "$words; limit-bytes 1000",
      headers => { 'Steno-Limit-Bytes' => 1000 } ],
    [ "GET /uri/port/80/$range?sensor=s2", 202, query => "$words; sensors s2" ],
    [ "GET /uri/port/80/sensor/s2/$range", 200,
      query => "$words; sensors s2" ],
    [ "GET /uri/port/80/$range?filter=tcp%5B13%5D+%26+2+!%3D+0", 202,
      query => "$words; filter tcp[13] & 2 != 0" ],
);

# what is wrong, and where

$api->table(
    [ 'GET /uri/vlan/4096', 400, field => 'vlan', position => qr/^\d+$/ ],
    [ 'GET /uri/port/99999', 400, field => 'port', position => qr/^\d+$/ ],
    [ 'GET /uri/host/1.2.3', 400, field => 'host' ],
    [ 'GET /uri/colour/red', 400 ],
    [ "GET /uri/port/80/after/$t2/before/$t1", 400 ],
    [ "GET /uri/port/80/$range?filter=port+(", 400, field => 'filter' ],
    [ "GET /uri/port/80/$range?sensor=s9", 400, field => 'sensor',
      detail => qr/s1, s2/ ],
    [ "GET /uri/port/80/$range?limit-packets=few", 400,
      field => 'limit-packets' ],
    [ "GET /uri/port/80/$range", 400, field => 'limit-bytes',
      headers => { 'Steno-Limit-Bytes' => 'x' } ],
    [ 'GET /raw/port=80', 400, position => qr/^\d+$/ ],
    [ 'GET /raw', 400 ],
    [ 'POST /raw', 400, body => 'host 1.2.3.4 && bogus', position => 16 ],
    [ 'POST /raw/host%201.2.3.4', 404 ],
    [ 'POST /query', 400, body => '', name => 'an empty body' ],
    [ 'POST /', 400, type => $json, body => '{"port":' ],
    [ 'POST /', 400, type => $json, body => '[' x 5000 ],
    [ 'POST /', 400, type => $json, body => '{"port":{"a":1}}' ],
    [ 'POST /', 400, type => $form, body => '%' ],
    [ 'POST /', 400, type => $form, body => 'port=%zz' ],
    [ 'POST /', 415, type => 'text/xml', body => '<port/>' ],
    [ 'POST /', 415, type => 'application/jsonx', body => '{}' ],
    [ 'POST /raw', 415, type => 'image/png', body => 'port 80' ],
    [ 'POST /', 413, type => $json, body => '{' . ' ' x 65536 . '}' ],
    [ 'POST /', 400, type => $json, body => "\xff\xfe\x00" ],
    [ 'GET /uri/host/%ff%fe', 400, name => 'no UTF-8' ],
);

{
    my $sent = 0;
    my $res = $ng->post('/api/', headers => { 'Content-Type' => $json },
                        content => sub { $sent++ < 9 ? ' ' x 8192 : undef });
    is($res->{status}, 413, 'a body of unknown length that is too large');

    my @part = ('{"port":80,"after":', qq("$t1","before":"$t2"}));
    $res = $ng->post('/api/', headers => { 'Content-Type' => $json },
                     content => sub { shift @part });
    is($res->{json}{id}, $id, '... and one that is not');
}

# weight

my $heavy = Docket::Api->new($ng, '/heavy');
my $firm = Docket::Api->new($ng, '/firm');

$heavy->table(
    [ "GET /uri/proto/6/$range", 413, detail => qr/ 23068672 / ],
    [ 'POST /raw', 413, body => "tcp and after $t1 and before $t2" ],
    [ "GET /uri/proto/6/$range?ignore-weight=false", 413 ],
    [ "GET /uri/proto/6/$range?ignore-weight=true", 202 ],
    [ "GET /explain/proto/17/$range", 200, too_heavy => 1,
      weight => qr/^\d/, threshold => qr/^2[23]\d{6}$/ ],
);
$firm->table(
    [ "GET /uri/proto/17/$range?ignore-weight=true", 413 ],
);

# a good result answers; it can be asked anew

is($ng->final($id)->{state}, 'Completed', 'the job ends');

my $before = $ng->status($id);

$api->table(
    [ "GET /uri/port/80/$range", 200, @same, state => 'Completed' ],
    [ "GET /uri/port/80/$range?refresh=true", 202, id => $id,
      duplicate => qr/^0$/, state => 'Created' ],
);

is($ng->final($id)->{run}, 2, 'refresh runs it again');
is($ng->status($id)->{created}, $before->{created}, '... as the same job');

# somebody cleared the spool by hand

unlink $ng->spool . "/$id/merged.pcap";
$api->table([ "GET /uri/port/80/$range", 202, id => $id ]);
is($ng->final($id)->{run}, 3, 'a capture that is gone is fetched again');

system 'rm', '-r', $ng->spool . "/$id";
$api->table([ "GET /uri/port/80/$range", 202, id => $id ]);
is($ng->final($id)->{state}, 'Completed', '... and so is a folder');

# ... or goes whenever it is to be asked anew

$fault->set(path => $ng->spool . "/$id", title => 'worker process', all => 1,
            ops => ['create'], errno => ENOENT);
$api->table([ "GET /uri/port/80/$range?refresh=true", 503,
              detail => qr/removed/, 'header:Retry-After' => qr/^\d+$/ ]);
$fault->off;

# one who has seen all events need not come again

my ($end) = $api->get("/events/$id")->{content} =~ /^id: (\d+\.end)$/m;

$api->table([ "GET /events/$id", 204, headers => { 'Last-Event-ID' => $end } ]);

# one that failed may be asked again; one sensor's failure at most once a minute

$fake->set(0, query => 'reset', after => 0);
$r = $api->get("/uri/port/443/$range");
is($ng->final($r->{json}{id})->{state}, 'Failed', 'no sensor answers');
$fake->set(0);
$fake->set(2, query => 'reset', after => 100);
$api->table([ "GET /uri/port/443/$range", 202, id => $r->{json}{id} ]);

my $job = $ng->final($r->{json}{id});
is("$job->{state} $job->{partial}", 'Completed 1', 'one sensor answers');
$api->table([ "GET /uri/port/443/$range", 200, state => 'Completed' ]);
$fake->set(0);
$api->table([ "POST /retry/$job->{id}", 202, duplicate => qr/^0$/ ]);
$job = $ng->final($r->{json}{id});
is($job->{partial} + 0, 0, 'the other one is asked again');
is_deeply($job->{successes}, [ 's1', 's2' ], '... and both are in');
$api->table([ "POST /retry/$job->{id}", 200, duplicate => qr/^1$/ ]);

# who asked

my $basic = 'Basic ' . encode_base64('ann:secret', '');

is($ng->get("/auth/uri/port/80/$range")->{status}, 401, 'auth_basic');
is($ng->get("/auth/uri/port/80/$range",
            headers => { Authorization => $basic })->{status}, 200,
   '... is what lets one in');

ok_until {
    grep { $_->{user} eq 'ann' && $_->{address} eq '127.0.0.1'
           && $_->{count} == 1 } @{ $ng->status($id)->{askers} }
} 15, '... and the record says who';

cmp_ok($ng->status($id)->{asked}, '>=', 2, 'how often it was asked');

# ... of a folder that another process has, the record is left alone

my $other = $ng->get("/api/uri/port/81/$range")->{json}{id};

$ng->final($other);
open my $folder, '<', $ng->spool . "/$id" or die "$id: $!";
flock $folder, LOCK_EX or die "flock: $!";

my $inode = (stat $ng->spool . "/$id/query.json")[1];
my $count = $ng->status($id)->{asked};

$ng->get("/api/uri/port/$_/$range") for 80, 81;

ok_until { slurp($ng->spool . "/$other/query.json") =~ /"asked":\s*2\b/ } 15,
    'who asked is written down';
is((stat $ng->spool . "/$id/query.json")[1], $inode, '... but not into a folder that is locked');
close $folder;

$ng->get("/api/uri/port/80/$range");
ok_until { $ng->status($id)->{asked} > $count } 15, '... until it is not any more';

# pages

my $ui = Docket::Api->new($ng, '/ui');
my $html = { Accept => 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

$ui->table(
    [ "GET /uri/port/80/$range", 303, headers => $html,
      'header:Location' => "/page/#/status/$id", 'header:Vary' => 'Accept' ],
    [ "GET /q/port/80/$range", 303, headers => $html,
      'header:Location' => "/page/#/status/$id" ],
    [ "GET /uri/port/80/$range", 200, id => $id, 'header:Vary' => 'Accept',
      url => "https://files.example/r/$id/merged.pcap",
      Requested => qr/^\d\d\.\d\d\.20\d\d$/ ],
    [ 'GET /uri/port/x?filter=udp', 303, headers => $html,
      'header:Location' => '/page/#/ask/port/x?filter=udp' ],
    [ 'GET /uri/port/x', 400, name => 'a program is told itself' ],
    [ "GET /raw/" . ($words =~ s/ /%20/gr), 200, headers => $html ],
    (map { [ "GET /uri/port/80/$range", 200, id => $id,
             headers => { Accept => $_ }, name => "no page: $_" ] }
     'text/html;q=0', 'text/html ; level=1; Q=0.000, */*', '*/*',
     'application/json, text/html; q=0.0', 'text/html-like, x/text/html'),
    (map { [ "GET /uri/port/80/$range", 303, headers => { Accept => $_ },
             name => "the page: $_" ] }
     'text/html;q=0.001', '*/*;q=0 ,Text/HTML', "a/b;q=0,\ttext/html\t;q=1"),
);
$api->table([ "GET /uri/port/80/$range", 200, headers => $html,
              'header:Vary' => undef, name => 'no page is configured' ]);

# two workers, one question

sub asked_beside {
    my ($port) = @_;
    my $pid = open my $out, '-|' // die $!;

    if ($pid == 0) {
        my $res = HTTP::Tiny->new->get($ng->url("/api/uri/port/$port/$range"));
        print $res->{status};
        close STDOUT;
        POSIX::_exit(0);
    }

    return $out;
}

sub answer_of { my ($out) = @_; return scalar <$out> }

{
    my %seen;

    for my $port (1001 .. 1020) {
        my @both = map { asked_beside($port) } 1, 2;
        $seen{join ' ', sort map { answer_of($_) } @both}++;
    }

    is_deeply(\%seen, { '200 202' => 20 },
              'of two at the same time one is the first');

    # the first one is slow to make the folder, the other one makes it

    $fault->set(path => $ng->spool, title => 'worker process', sleep => 1000,
                ops => ['mkdir']);

    my $slow = asked_beside(1021);
    ok_until { $fault->count } 5, 'a worker is slow';
    my $fast = asked_beside(1021);

    is(join(' ', map { answer_of($_) } $fast, $slow), '202 200',
       '... the one that makes the folder is the first');
    $fault->off;
}

# logs

my $log = slurp($ng->dir . '/docket.log');

like($log, qr/^GET 202 id=$id query=\Q$words\E state=Created duplicate=0$/m,
     'a new question in the log');
like($log, qr/^GET 200 id=$id query=\Q$words\E state=Completed duplicate=1$/m,
     '... and a known one');
like($log, qr/^GET 400 id=- query=- state=- duplicate=-$/m,
     '... and none');

# ... of a job that nobody has asked for since nginx was started

my @lines;
my $known = length slurp($ng->dir . '/docket.log');

$ng->stop;
$ng->start;
$ng->helper;
$ng->get("/results/$id/merged.pcap");
$api->table([ "DELETE /$id", 204 ], [ "DELETE /$id", 404 ]);

ok_until { 3 == (@lines = split /\n/, substr slurp($ng->dir . '/docket.log'),
                                             $known) }
    5, 'three more requests are logged';

# by two workers, each of which logs after it has answered

is_deeply([ sort @lines ],
          [ "DELETE 204 id=$id query=- state=Completed duplicate=-",
            'DELETE 404 id=- query=- state=- duplicate=-',
            "GET 200 id=$id query=- state=Completed duplicate=-" ],
          'the log says which capture was taken, which job removed, or none');

$_->documented for $api, $heavy, $firm, $ui;
$ng->finish;
done_testing;

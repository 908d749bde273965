# From an event to its packets.

use lib 't/lib';
use Docket::Test;
use Docket::Api;

use JSON::PP;

my $fake = Docket::Sensor->start(n => 2);
my $ng = Docket::Nginx->start(sensors => $fake, server => <<'END');
location /ui {
    docket_api;
    docket_ui_url /page;
}

location /heavy {
    docket_api;
    docket_weight total=5t hours=8 threshold=22m;
}
END

my $api = Docket::Api->new($ng);
my $form = 'application/x-www-form-urlencoded';
my $json = 'application/json';
my $text = 'text/plain';

sub esc { $_[0] =~ s/([^A-Za-z0-9._-])/sprintf '%%%02X', ord $1/ger }

# one connection, as each of them tells of it

my $words = 'host 192.0.2.1 and host 198.51.100.7 and port 80 and port 49152 '
            . 'and tcp and after 2024-01-02T03:03:00Z '
            . 'and before 2024-01-02T03:06:00Z';
my $id = $api->post('/raw', type => $text, body => $words)->{json}{id};

my %events = (
    'EVE' => '{"timestamp":"2024-01-02T05:04:40.5+0200","event_type":"alert",'
        . '"src_ip":"192.0.2.1","src_port":49152,"dest_ip":"198.51.100.7",'
        . '"dest_port":80,"proto":"TCP",'
        . '"flow":{"start":"2024-01-02T05:04:05.1+0200"}}',
    'ECS' => '{"_source":{"@timestamp":"2024-01-02T03:04:05.000Z",'
        . '"event":{"duration":35000000000},'
        . '"source":{"ip":"192.0.2.1","port":49152},'
        . '"destination.ip":"198.51.100.7","destination.port":80,'
        . '"network.transport":"tcp"}}',
    'a Zeek line in JSON' => '{"ts":1704164645.1,"uid":"C1",'
        . '"id.orig_h":"192.0.2.1","id.orig_p":49152,'
        . '"id.resp_h":"198.51.100.7","id.resp_p":80,"proto":"tcp",'
        . '"duration":30.5}',
    'a line of conn.log' => join("\t", '1704164645.1', 'C1', '192.0.2.1',
        49152, '198.51.100.7', 80, 'tcp', '-', '30.5', 1, 2, 'SF', '-', '-', 0,
        'ShA', 1, 2, 3, 4, '-') . "\n",
    'a five-tuple' => '2024-01-02T03:04:05Z TCP 192.0.2.1:49152 -> '
        . '198.51.100.7:80',
    'a firewall' => '2024-01-02T03:04:30Z fw kernel: IN=eth0 OUT= '
        . 'SRC=192.0.2.1 DST=198.51.100.7 PROTO=TCP SPT=49152 DPT=80',
    'fast.log' => '01/02/2024-03:04:05.678901  [**] [1:1:1] A B [**] '
        . '[Priority: 2] {TCP} 192.0.2.1:49152 -> 198.51.100.7:80',
);

my @same = (id => $id, query => $words, duplicate => qr/^1$/,
            'header:Location' => "/api/status/$id");

for (sort keys %events) {
    my $event = $events{$_};
    my $type = $event =~ /^\{/ ? $json : $text;

    $api->table(
        [ 'POST /pivot', 200, @same, name => "$_, sent as what it is",
          type => $type, body => $event ],
        [ 'POST /pivot/', 200, @same, name => '... as text',
          type => $text, body => $event ],
        [ 'POST /pivot', 200, @same, name => '... without a type',
          body => $event ],
        [ 'POST /pivot', 200, @same, name => '... as what curl -d says',
          type => $form, body => $event ],
        [ 'POST /pivot', 200, @same, name => '... in a form',
          type => $form, body => 'event=' . esc($event) ],
        [ 'GET /pivot?event=' . esc($event), 200, @same,
          name => '... as an argument' ],
        [ 'HEAD /pivot?event=' . esc($event), 200,
          'header:Location' => "/api/status/$id", name => '... HEAD' ]);
}

# fields in the arguments, in three languages

my $at = 'time=2024-01-02T03:04:30Z';

$api->table(
    [ "GET /pivot?src_ip=192.0.2.1&src_port=49152&dest_ip=198.51.100.7"
      . '&dest_port=80&proto=TCP&timestamp=2024-01-02T05:04:30%2B0200',
      200, @same ],
    [ 'GET /pivot?id.orig_h=192.0.2.1&id.orig_p=49152&id.resp_h=198.51.100.7'
      . '&id.resp_p=80&proto=tcp&ts=1704164645.1&duration=30', 200, @same ],
    [ 'GET /pivot?source.ip=192.0.2.1&source.port=49152'
      . '&destination.ip=198.51.100.7&destination.port=80'
      . '&network.transport=tcp&@timestamp=2024-01-02T03:04:30.000Z&event.end=',
      200, @same ],
    [ 'POST /pivot', 200, @same, type => $form,
      body => "src=192.0.2.1&spt=49152&dst=198.51.100.7&dpt=80&proto=6&$at" ],
    [ "GET /pivot?event=tcp+192.0.2.1:49152+%3E+198.51.100.7:80&$at", 200,
      @same ]);

# what it says of them

my $r = $api->post('/pivot?margin=5m&sensor=s1&limit-packets=3&filter=tcp',
                   type => $json, body => $events{EVE});

is($r->{status}, 202, 'another margin is another question');
is($r->{json}{query}, 'host 192.0.2.1 and host 198.51.100.7 and port 80 '
   . 'and port 49152 and tcp and after 2024-01-02T02:59:00Z '
   . 'and before 2024-01-02T03:10:00Z; sensors s1; limit-packets 3; '
   . 'filter tcp', '... with the options beside it');
is_deeply($r->{json}{pivot}, {
    kind => 'eve',
    fields => { host => [ '192.0.2.1', '198.51.100.7' ],
                port => [ '49152', '80' ], proto => 'tcp',
                after => '2024-01-02T02:59:05Z',
                before => '2024-01-02T03:09:41Z' },
    used => { host => [ 'src_ip', 'dest_ip' ],
              port => [ 'src_port', 'dest_port' ], proto => [ 'proto' ],
              after => [ 'flow.start' ], before => [ 'timestamp' ] },
    unused => [],
    start => '2024-01-02T03:04:05.100000Z', end => '2024-01-02T03:04:40.500000Z',
    margin => 300,
}, '... and says what became of the event') or diag(explain $r->{json});

# nothing is queued by explaining

my $ask = 'src_ip=192.0.2.9&vlan=7&dest_port=53&related.ip=192.0.2.8';

for ('explain', 'explain=1', 'explain=true') {
    $r = $api->get("/pivot?$ask&$_");
    is($r->{status}, 200, $_);
    like($r->{json}{query}, qr/^host 192\.0\.2\.9 and port 53 and vlan 7 and/,
         '... says the question');
    is($r->{json}{pivot}{unused}[0]{name}, 'related.ip',
       '... and what is left out');
    is($r->{json}{known}, undef, '... and that nobody asked it');
}

$api->table(
    [ "HEAD /pivot?$ask", 404, name => 'HEAD of what was not asked' ],
    [ "GET /pivot?$ask&explain=maybe", 400, field => 'explain' ],
    [ "GET /pivot?$ask&explain=false", 202, state => 'Created' ],
    [ 'POST /pivot?explain', 200, id => $id, known => qr/^\w+$/,
      type => $json, body => $events{ECS} ]);

# what a form is filled with is the same question

for (sort keys %events) {
    $r = $api->post('/pivot?explain', type => $text, body => $events{$_});
    is($api->post_json('/', $r->{json}{pivot}{fields})->{json}{id}, $id,
       "fields of $_");
}

# browsers, weight, limits

my $ui = Docket::Api->new($ng, '/ui');
my $query = esc($events{ECS});
my %cross = ('Sec-Fetch-Site' => 'cross-site', 'Sec-Fetch-Mode' => 'navigate',
             Accept => 'text/html');

$ui->table(
    [ "GET /pivot?event=$query", 303, headers => { Accept => 'text/html' },
      'header:Location' => "/page/#/status/$id", 'header:Vary' => 'Accept' ],
    [ 'GET /pivot?src_ip=nowhere', 303, headers => { Accept => 'text/html' },
      'header:Location' => '/page/#/pivot?src_ip=nowhere' ],
    [ "GET /pivot?event=$query&explain", 200, id => $id,
      headers => { Accept => 'text/html' } ],
    [ "GET /pivot?event=$query", 303, name => 'a click elsewhere',
      headers => { %cross, 'Sec-Fetch-User' => '?1' },
      'header:Location' => "/page/#/status/$id" ],
    [ "GET /pivot?event=$query", 303, name => 'no click', headers => \%cross,
      'header:Location' => "/page/#/pivot?event=$query" ],
    [ 'POST /pivot', 403, name => 'a form of another site', type => $text,
      body => $events{ECS}, headers => \%cross ]);

Docket::Api->new($ng, '/heavy')->table(
    [ 'GET /pivot?src_ip=192.0.2.1&margin=1w&time=2024-01-02', 413 ],
    [ 'GET /pivot?src_ip=192.0.2.1&margin=1w&time=2024-01-02&explain', 200,
      too_heavy => qr/1/ ]);

# what is wrong, and where

$api->table(
    [ 'GET /pivot', 400, detail => qr/no address.*src_ip/ ],
    [ 'POST /pivot', 400, type => $json, body => '{}',
      detail => qr/no address.*id\.orig_h/ ],
    [ 'POST /pivot', 400, type => $json, body => '{"src_ip":"192.0.2.1"',
      position => qr/^\d+$/, detail => qr/JSON/ ],
    [ 'POST /pivot', 400, type => $json, body => '{"src_ip":"localhost"}',
      field => 'src_ip', detail => qr/"localhost"/ ],
    [ 'POST /pivot', 400, type => $json,
      body => '{"src_ip":"192.0.2.1","src_port":"http"}', field => 'src_port' ],
    [ 'POST /pivot', 400, type => $json,
      body => '{"src_ip":"192.0.2.1","timestamp":"soon"}',
      field => 'timestamp' ],
    [ 'POST /pivot', 400, type => $json,
      body => qq({"src_ip":"192.0.2.1"}\n{"src_ip":"192.0.2.2"}\n),
      position => 23, detail => qr/one event/ ],
    [ 'POST /pivot', 400, type => $text, body => 'good morning',
      detail => qr/no address/ ],
    [ 'POST /pivot', 400, type => $text, body => 'tcp 10.0.0.300:1 > x',
      position => 4 ],
    [ 'POST /pivot', 400, body => '', detail => qr/no address/ ],
    [ 'POST /pivot', 413, type => $text, body => 'x' x 65537 ],
    [ 'POST /pivot', 415, type => 'image/png', body => 'x' ],
    [ 'GET /pivot?src_pot=1', 400, detail => qr/"src_pot"/ ],
    [ 'GET /pivot?src_ip=192.0.2.1&margin=5', 400, field => 'margin' ],
    [ 'GET /pivot?src_ip=192.0.2.1&sensor=nobody', 400, field => 'sensor' ],
    [ 'GET /pivot?src_ip=192.0.2.1&filter=nonsense', 400, field => 'filter' ],
    [ 'GET /pivot/src_ip/192.0.2.1', 404 ],
    [ 'DELETE /pivot', 405, 'header:Allow' => 'GET, HEAD, POST' ]);

$api->documented;
$ng->finish;

done_testing;

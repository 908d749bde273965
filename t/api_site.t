# Browsers of other sites.

use lib 't/lib';
use Docket::Test;
use Docket::Api;

my $fake = Docket::Sensor->start(n => 1);
my $ng = Docket::Nginx->start(sensors => $fake, workers => 1,
                              server => <<'END');
location /ui {
    docket_api;
    docket_ui_url /page;
}

location /ask {
    docket_api;
    docket_ui_url /page;
    docket_cross_site ask;
}

location /deny {
    docket_api;
    docket_ui_url /page;
    docket_cross_site deny;
}

location /allow {
    docket_api;
    docket_cross_site allow;
}
END

my $port = $ng->port;
my $uri = '/uri/host/1.2.3.4/after/2018-01-10T22:10:00Z'
        . '/before/2018-01-10T22:12:00Z';
my $id;

sub cross { my %h = ('Sec-Fetch-Site' => 'cross-site', @_); return \%h }

my $link = cross('Sec-Fetch-Mode' => 'navigate', 'Sec-Fetch-Dest' => 'document',
                 Accept => 'text/html');
my $click = cross(%$link, 'Sec-Fetch-User' => '?1');
my $frame = cross(%$click, 'Sec-Fetch-Dest' => 'iframe');
my $fetch = cross('Sec-Fetch-Mode' => 'no-cors', 'Sec-Fetch-Dest' => 'image');
my @refused = (403, 'header:Location' => undef);

# no exception of any kind

for my $where ('/api', '/ui', '/ask', '/deny') {
    my $api = Docket::Api->new($ng, $where);
    my %post = (type => 'application/json', body => '{"host":"1.2.3.4"}');

    $api->table(
        [ "GET $uri", @refused, headers => $fetch ],
        [ "HEAD $uri", @refused, headers => $click ],
        [ 'GET /jobs', @refused, headers => $click ],
        [ 'GET /nope', @refused, headers => $click ],
        [ 'GET /raw/port%2080', @refused, headers => $click ],
        [ 'GET /pcap/port/80', @refused, headers => $click ],
        [ 'POST /', @refused, headers => cross(), %post ],
        [ 'POST /clean', @refused, headers => cross() ],
        [ 'POST /clean', @refused,
          headers => { 'Sec-Fetch-Site' => 'same-site' } ],
        [ 'POST /clean', @refused, headers => { Origin => 'null' } ],
        [ 'POST /clean', @refused,
          headers => { Origin => 'http://evil.example' } ],
        [ 'POST /clean', @refused,
          headers => { Origin => "http://127.0.0.1.evil.example:$port" } ],
        [ 'POST /clean', @refused,
          headers => { Origin => 'http://127.0.0.1' }, name => 'another port' ],
        [ 'POST /clean', 202, headers => { Origin => "http://127.0.0.1:$port" },
          name => 'its own page' ],
        [ 'POST /clean', 202, headers => { 'Sec-Fetch-Site' => 'same-origin',
                                           Origin => 'https://front.example' },
          name => '... behind a proxy' ],
        [ 'GET /jobs', 200, headers => { 'Sec-Fetch-Site' => 'none' } ],
        [ "OPTIONS $uri", 403, headers => { Origin => 'http://evil.example' },
          'header:Access-Control-Allow-Origin' => undef ],
    );
    $api->documented("$where: every answer is documented");
}

is(() = glob($ng->spool . '/*/query.json'), 0, 'nothing was queued by them');

# links

my $ui = Docket::Api->new($ng, '/ui');
my $page = '/page/#/ask' . substr $uri, 4;

$ui->table(
    [ "GET $uri", 303, headers => $link, 'header:Location' => $page ],
    [ "GET $uri?filter=tcp%20port%2080", 303, headers => $link,
      'header:Location' => "$page?filter=tcp%20port%2080" ],
    [ "GET $uri", 303, headers => $frame, 'header:Location' => $page,
      name => 'a frame is not clicked' ],
);
is(() = glob($ng->spool . '/*/query.json'), 0, 'a link alone queues nothing');

$ui->table(
    [ "GET $uri", 303, headers => $click,
      'header:Location' => qr{^/page/#/status/[0-9a-f]{32}$} ],
);
is(() = glob($ng->spool . '/*/query.json'), 1, 'a click does');

Docket::Api->new($ng, '/ask')->table(
    [ "GET $uri", 303, headers => $click, 'header:Location' => $page ],
    [ "GET $uri", 303, headers => $link, 'header:Location' => $page ],
);
Docket::Api->new($ng, '/deny')->table(
    [ "GET $uri", @refused, headers => $click ],
    [ "GET $uri", @refused, headers => $link ],
);
Docket::Api->new($ng, '/allow')->table(
    [ "GET $uri", 200, headers => $fetch ],
    [ 'POST /clean', 202, headers => cross() ],
);
Docket::Api->new($ng)->table(
    [ "GET $uri", 200, headers => $click, name => 'a click without a page' ],
    [ "GET $uri", @refused, headers => $link ],
);

my $r = $ng->get("/ui$uri", headers => { %$link });
unlike($r->{headers}{location}, qr/[^\x21-\x7e]/, 'what a header may hold');

$ng->finish;
done_testing;

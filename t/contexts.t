# Where docket_api and docket_results may stand, and the ways by which nginx
# itself leads a request there.

use lib 't/lib';
use Docket::Test;

use HTTP::Tiny;


my $fake = Docket::Sensor->start(n => 2);
my $ng = Docket::Nginx->new(sensors => $fake);
my $html = $ng->dir . '/html';
my $backend = free_ports(2);
my $front = $backend + 1;

my $range = 'after/' . utc($fake->first - 60)
            . '/before/' . utc($fake->first + 360);


# What is refused, in one line each

for (['~ ^/captures/', 'docket_results;',
      'of no use in a location given by a regular expression'],
     ['@captures', 'docket_results;', 'of no use in a named location'],
     ['/both', 'docket_api; docket_results;', 'is duplicate'],
     ['/both', 'docket_results; docket_results;', 'is duplicate'],
     ['~ ^/asks', 'docket_api;', 'needs "prefix="'],
     ['@asks', 'docket_api;', 'needs "prefix="'],
     ['~ ^/asks', 'if ($arg_x) { docket_api; }', 'needs "prefix="'],
     ['@asks', 'limit_except GET { docket_api; }', 'needs "prefix="'],
     ['/if', 'if ($arg_x) { docket_results; }', 'is not allowed here'])
{
    my ($where, $what, $words) = @$_;

    $ng->configure(server => "location $where { $what }");
    my ($status, $out) = $ng->test_conf;
    my @lines = grep { /emerg/ } split /\n/, $out;

    is($status, 1, "location $where { $what }: refused");
    is(scalar @lines, 1, '... in one line');
    like($lines[0], qr/\Q$words\E.* in .*nginx.conf:\d+$/, '... that says why');
}


# A proxy in front, as docs/api.md has it

my ($proxy) = slurp(lib_dir() . '/../../docs/api.md')
              =~ /^```nginx\n(location \/api \{\n    proxy_pass.*?)^```/ms;

$proxy =~ s/docket\.example:\d+/127.0.0.1:${\ $ng->port }/;


# What inherits, and what leads there

mkdir $html;

$ng->configure(api => 'if ($http_x_note) { set $noted 1; }', http => <<'H',
    docket_settle 1s;
    docket_idle_time 0;
H
    server => <<"END", main => 'worker_rlimit_nofile 256;');
        location /guarded/api {
            docket_api;
            limit_except GET { allow 127.0.0.1; deny all; }
        }

        location /guarded/results {
            docket_results;
            limit_except POST { allow 127.0.0.1; deny all; }
            if (\$http_x_note) { set \$noted 1; }
        }

        location /closed {
            docket_api prefix=/closed;
            limit_except GET { deny all; }
        }

        location /in-if/ { if (\$http_x_note) { docket_api; } }
        location /in-except { limit_except POST { docket_api; } }

        location ~ ^/re(/|\$) {
            docket_api prefix=/re;
            if (\$http_x_note) { docket_api; }
        }
        location /old { rewrite ^/old/(.*) /api/uri/\$1 last; }
        location /try { try_files /none \@try; }
        location \@try { docket_api prefix=/try; }
        location /other { root $html; error_page 404 = /api/ids; }

        location /coded {
            docket_api;
            charset utf-8;
            charset_types text/plain;
            gzip on;
            gzip_types text/plain;
        }

        location /internal { internal; docket_results; }
        location /sent { proxy_pass http://127.0.0.1:$backend; }

        location /pages { alias $html; ssi on; default_type text/html; }

        location /asks-first {
            auth_request /api/ids;
            return 204;
        }

        location /mirrored {
            mirror /api/ids;
            root $html;
        }
    }

    server {
        listen 127.0.0.1:$front;
        $proxy
    }

    server {
        listen 127.0.0.1:$backend;

        location ~ ^/sent/(.*) {
            add_header X-Accel-Redirect /internal/\$1;
            return 200 "not this";
        }
END

$ng->start;
$ng->helper;

my @all = map { @{ read_pcap($_) } } $fake->pcaps;

sub capture {
    my ($path, $name, %headers) = @_;
    my $r = $ng->get($path, headers => \%headers);

    is($r->{status}, 200, $name);
    is(scalar @{ read_pcap(\$r->{content}) }, scalar @all, '... the packets');
}

sub asked {
    my ($path, $name, %headers) = @_;
    my $r = $ng->get($path, headers => \%headers);

    is($r->{status}, 202, $name) or die $r->{content};
    is($ng->final($r->{json}{id})->{state}, 'Completed', '... is answered');

    return $r->{json}{id};
}

my $id = asked("/api/uri/host/192.0.2.1/$range", 'a question in an "if"',
               'X-Note' => 1);
capture("/guarded/results/$id/merged.pcap", 'a capture under limit_except');
capture("/guarded/results/$id/merged.pcap", '... and in an "if"',
        'X-Note' => 1);

is($ng->post('/guarded/api/clean')->{status}, 202,
   'limit_except that lets one in');
is($ng->post('/closed/clean')->{status}, 403, '... and one that does not');
is($ng->get('/closed/ids')->{status}, 200, '... but what it excepts');

my %note = (headers => { 'X-Note' => 1 });

is($ng->get('/in-if/ids', %note)->{status}, 200, 'an API in an "if" alone');
is($ng->get('/in-if/ids')->{status}, 404, '... and not beside it');
is($ng->get('/in-except/ids')->{status}, 200, '... in limit_except alone');
is($ng->post('/in-except/clean')->{status}, 404, '... and not beside it');

is($ng->get('/re/ids')->{status}, 200, 'a regular expression with a prefix');
is($ng->get('/re/ids', %note)->{status}, 200, '... which an "if" in it shares');
asked("/old/host/192.0.2.2/$range", 'a rewritten question');
asked("/try/uri/host/192.0.2.3/$range", 'a question by try_files');
is($ng->get('/other/x')->{status}, 200, 'an error page');

my $coded = $ng->get('/coded/metrics', headers => {
                'Accept-Encoding' => 'gzip' })->{headers};

is($coded->{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8',
   'a type with parameters gets none twice');
is($coded->{'content-encoding'}, 'gzip', '... and is known to filters');

is($ng->get("/internal/$id/merged.pcap")->{status}, 404,
   'an internal location is closed');
capture("/sent/$id/merged.pcap", '... but for X-Accel-Redirect');
is($ng->get("/sent/$id/query.json")->{status}, 404,
   '... which gives captures alone');


# The proxy: what is not complete is broken off, as without it, and its own
# page is no other site's

{
    my $api = "http://127.0.0.1:$front/api";
    my $file = $ng->dir . '/proxied.pcap';

    $fake->set(1, query => 'drop', after => 3000);

    my $code = qx(curl -s -o $file -w '%{http_code}' $api/pcap/host/192.0.2.6/$range);

    is("$code " . ($? >> 8), '200 18', 'a stream by a proxy is broken off');
    ok(@{ read_pcap($file) } > 20, '... after its packets');
    $fake->set(1);

    my $r = HTTP::Tiny->new->post("$api/clean", {
                headers => { Origin => "http://127.0.0.1:$front" } });
    is($r->{status}, 202, 'its own page');
}


# Subrequests

spew("$html/status.html", "<!--#include virtual=\"/api/status/$id\" -->|",
     "<!--#include virtual=\"/api/status/$id?wait=5s\" -->|",
     '<!--#include virtual="/api/stats" -->|end');

my $r = $ng->get('/pages/status.html');
my @parts = split /\|/, $r->{content};

is(scalar @parts, 4, 'a page of parts');
like($parts[0], qr/"state":"Completed"/, '... of which one is a status');
like($parts[1], qr/"state":"Completed"/, '... one might have waited');
like($parts[2], qr/"docket":/, '... one did');

# of one that runs, and its stream: whatever comes, nothing breaks

$fake->set(1, query => 'stall', after => 3000);
$r = $ng->get("/api/uri/host/192.0.2.4/$range");
my $live = $r->{json}{id};

spew("$html/live.html",
     "<!--#include virtual=\"/api/status/$live?wait=1s\" -->|",
     "<!--#include virtual=\"/results/$id/merged.pcap\" -->|end");
$r = $ng->get('/pages/live.html');
like($r->{content}, qr/"state":"Requesting".*\|end$/s,
     'a part that waits, and one that is a capture');

$ng->post("/api/cancel/$live");
$ng->final($live);
$fake->set(1);

spew("$html/stream.html",
     "<!--#include virtual=\"/api/pcap/host/192.0.2.5/$range\" -->|",
     "<!--#include virtual=\"/api/events/$id\" -->|end");
$r = $ng->get('/pages/stream.html');
like($r->{content}, qr/\xd4\xc3\xb2\xa1.*\|.*event: end.*\|end$/s,
     'parts that are streams');

is($ng->get('/asks-first')->{status}, 204, 'auth_request of an API');
spew("$html/mirrored", 'here');
is($ng->get('/mirrored')->{content}, 'here', 'a mirror to it');

is(scalar(my @w = $ng->workers), 2, 'both workers live');
$ng->finish(allow => [ qr/\[emerg\].*"docket_(?:api|results)" directive/ ]);
done_testing;

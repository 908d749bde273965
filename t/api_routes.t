# Paths, methods and locations.

use lib 't/lib';
use Docket::Test;
use Docket::Api;

my $fake = Docket::Sensor->start(n => 1);
my $ng = Docket::Nginx->start(sensors => $fake, workers => 1,
                              server => <<'END');
location /api/clean {
    deny all;
    docket_api prefix=/api;
}

location /read {
    limit_except GET {
        deny all;
    }
    docket_api;
}

location /only/post {
    limit_except POST {
        docket_api prefix=/only/post;
    }
    return 418;
}

location /if {
    if ($arg_key = open) {
        docket_api prefix=/if;
    }
}

location = /query {
    docket_api prefix=/;
}

location ~ ^/re(/.*)?$ {
    docket_api prefix=/re;
}

location /old {
    rewrite ^/old/(.*)$ /api/$1 last;
}

location /deep/er/api/ {
    docket_api;
}
END

my $api = Docket::Api->new($ng);
my $id = '10a53543eb90f99251add6c9d5dd664c';
my $range = 'after/2018-01-10T22:10:00Z/before/2018-01-10T22:12:00Z';

# every endpoint and what it takes

my %read = map { $_ => 'GET, HEAD' }
    qw(uri q pcap status events stats ids urls jobs sensors metrics),
    'openapi.json';
my %takes = (%read, '' => 'POST', raw => 'GET, HEAD, POST',
             explain => 'GET, HEAD, POST', query => 'POST', find => 'POST',
             cancel => 'POST', retry => 'POST', $id => 'DELETE');

for my $name (sort keys %takes) {
    for my $method (qw(GET POST PUT DELETE PATCH OPTIONS)) {
        next if $takes{$name} =~ /$method/;
        $api->table([ "$method /$name", 405, 'header:Allow' => $takes{$name} ]);
    }
}

$api->table(
    [ 'GET /nope', 404, detail => qr/endpoint/ ],
    [ 'GET /URI/port/80', 404 ],
    [ 'GET /Status', 404 ],
    [ 'GET /jobs/', 200 ],
    [ 'GET /jobs/x', 404 ],
    [ 'GET /jobs//', 404 ],
    [ 'GET //jobs', 404 ],
    [ 'GET /sensors/', 200 ],
    [ 'GET /metrics/', 200, 'header:Content-Type' => qr{^text/plain} ],
    [ 'GET /status/', 200 ],
    [ 'GET /%6aobs', 404, name => 'a name is not to be escaped' ],
    [ 'GET /x/../jobs', 404, name => 'dots are not to be used' ],
    [ 'GET /./jobs', 404, name => '... these neither' ],
    [ "GET /uri/port/21/$range/", 202, id => $id,
      'header:Location' => "/api/status/$id" ],
    [ "GET /uri//port/21/$range", 404 ],
    [ "GET /uri/port/21//$range", 404 ],
    [ "GET /uri/port/21/$range//", 404 ],
    [ "GET /q/PORT/21/$range", 200, id => $id, duplicate => qr/1/ ],
    [ "GET /uri/net/10.0.0.0/8/$range", 202, query => qr{^net 10.0.0.0/8 } ],
    [ "GET /uri/net/10.0.0.0%2F8/$range", 200, query => qr{^net 10.0.0.0/8 } ],
    [ 'GET /uri', 400 ],
    [ 'GET /uri/', 400 ],
    [ "DELETE /$id/more", 404 ],
);

# access control is by the path that nginx saw

is($ng->post('/api/clean')->{status}, 403, 'a nested location restricts');

for (qw(/api/%63lean /api/./clean /api/x/../clean /api//clean
        /api/clean%2f /api/%2e/clean))
{
    is($ng->post($_)->{status}, 403, "... also as $_");
}

for ('/api/clean/%2e%2e/status/',
     '/api/clean/../../api/jobs/../clean/../jobs')
{
    my $status = $ng->request('GET', $_)->{status};
    ok($status == 404 || $status == 403, "$_ leads nowhere") or diag($status);
}

is($ng->get('/apiary')->{status}, 404, 'a name that only begins like it');
is($ng->get('/read/jobs')->{status}, 200, 'limit_except: GET');
is($ng->post('/read/find')->{status}, 403, '... nothing else');
is($ng->get('/if/jobs?key=open')->{status}, 200, 'if');
is($ng->get('/if/jobs')->{status}, 404, '... and if not');
is($ng->get('/only/post/jobs')->{status}, 200, 'inside limit_except');
is($ng->get('/re/jobs')->{status}, 200, 'a regular expression');
is($ng->get("/re/uri/net/10.0.0.0%2F8/$range")->{status}, 200,
   '... reads what was sent');
is($ng->get("/old/uri/port/21/$range")->{json}{id}, $id, 'a rewritten path');
is($ng->get("/old/uri/net/10.0.0.0/8/$range")->{status}, 200, '... with a net');
is($ng->get('/deep/er/api/jobs')->{status}, 200, 'a deeper location');

my $r = $ng->post('/query', content => "port 21 and after 2018-01-10T22:10:00Z "
                                     . 'and before 2018-01-10T22:12:00Z',
                  headers => { Accept => 'application/json' });
is($r->{json}{id}, $id, "Stenographer's own path");

is($ng->request('BREW', '/api/jobs')->{status}, 405, 'no such method');

$api->documented;
$ng->finish;
done_testing;

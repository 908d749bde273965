# Access control: each example of SECURITY.md as it stands there.  What is
# refused queues nothing, streams and what waits included.

use lib 't/lib';
use Docket::Test;

use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 'encode_base64';

my $fake = Docket::Sensor->start(n => 2);
my $port = free_ports(3);               # plain, TLS, somebody's sessions
my $doc = slurp(lib_dir() . '/../../SECURITY.md');
my %example;
my $n = 0;

$example{$1} = $2
    while $doc =~ /^```nginx\n# example: ([^\n]*)\n\n(.*?)^```/msg;

my $ng = Docket::Nginx->new(sensors => $fake, port => $port);
my $etc = $ng->dir . '/etc';

mkdir $etc;
spew("$etc/$_->[0]", map { "$_:{PLAIN}$_\n" } @{ $_->[1] })
    for ['docket.htpasswd', ['ann', 'root']],
        ['docket-admins.htpasswd', ['root']],
        ['docket-readers.htpasswd', ['ann', 'root', 'eve']];
system('cp', $fake->cert('ca_cert'), "$etc/clients-ca.pem") == 0 or die;

# an nginx with this example
sub serve {
    my ($name, %o) = @_;
    my $text = $example{$name} // die "no example $name";
    my $http = $example{"$name, http"} // '';

    for ($text, $http) {
        s{/etc/nginx/}{$etc/}g;
        s{127\.0\.0\.1:9000}{'127.0.0.1:' . ($port + 2)}ge;
        s{192\.0\.2\.0/24}{127.0.0.7/32}g;
        s{CN=analyst}{CN=127.0.0.1_client};
    }

    $ng->stop('TERM');
    $ng->configure(conf => <<END);
worker_processes 2;
events { }
http {
    access_log off;
    client_body_temp_path %DIR%/tmp/body;
    proxy_temp_path %DIR%/tmp/proxy;
    fastcgi_temp_path %DIR%/tmp/fastcgi;
    uwsgi_temp_path %DIR%/tmp/uwsgi;
    scgi_temp_path %DIR%/tmp/scgi;
    docket_spool %SPOOL%;
    docket_idle_time 0;
${\ $fake->conf }
$http
    server {
        ${\ ($o{tls_only} ? '' : 'listen 127.0.0.1:%PORT%;') }
        listen 127.0.0.1:${\ ($port + 1) } ssl;
        ssl_certificate ${\ $fake->cert('server_cert') };
        ssl_certificate_key ${\ $fake->cert('server_key') };
        ${\ ($o{server} // '') }
$text
    }
    server {
        listen 127.0.0.1:${\ ($port + 2) };
        location / {
            if (\$http_cookie = "session=ann") { return 204; }
            return 401;
        }
    }
}
END
    $ng->start;
    ok($ng->helper, "$name: nginx takes it");
}


# Who asks: what HTTP::Tiny is made with, and headers

sub user { return { headers => { Authorization =>
                    'Basic ' . encode_base64("$_[0]:$_[0]", '') } } }

sub cert { return { tls => 1, SSL_options => {
               SSL_verify_mode => 0, SSL_cert_file => $fake->cert("$_[0]_cert"),
               SSL_key_file => $fake->cert("$_[0]_key") } } }

my $nobody = { };
my $tls = { tls => 1, SSL_options => { SSL_verify_mode => 0 } };

sub as {
    my ($who, $method, $path, %o) = @_;
    my %how = (timeout => 20, max_redirect => 0, keep_alive => 0);

    for (qw(SSL_options local_address)) {
        $how{$_} = $who->{$_} if $who->{$_};
    }

    my $url = $who->{tls} ? 'https://127.0.0.1:' . ($port + 1) . $path
                          : $ng->url($path);
    my $r = HTTP::Tiny->new(%how)->request($method, $url, {
        %o, headers => { %{ $who->{headers} // {} },
                         %{ $o{headers} // {} } } });

    $r->{json} = eval { JSON::PP::decode_json($r->{content}) };
    return $r;
}

sub jobs { my @j = glob $ng->spool . '/*[0-9a-f]'; return scalar @j }

sub query {
    $n++;
    return sprintf '/host/192.0.2.%d/after/%s/before/%s', $n,
                   utc($fake->first - 60), utc($fake->first + 360);
}

# everything there is that asks, reads, waits or changes: name => request
my %request = (
    'GET /uri'    => sub { ['GET', '/api/uri' . query()] },
    'GET /q'      => sub { ['GET', '/api/q' . query()] },
    'GET /pcap'   => sub { ['GET', '/api/pcap' . query()] },
    'HEAD /pcap'  => sub { ['HEAD', '/api/pcap' . query()] },
    'GET /raw'    => sub { ['GET', '/api/raw/host%20192.0.2.' . ++$n] },
    'POST /'      => sub { ['POST', '/api/', content => 'host=192.0.2.' . ++$n,
                            headers => { 'Content-Type' =>
                            'application/x-www-form-urlencoded' }] },
    'POST /raw'   => sub { ['POST', '/api/raw', content => 'host 192.0.2.'
                            . ++$n, headers => { 'Content-Type' =>
                                                 'text/plain' }] },
    'POST /query' => sub { ['POST', '/api/query',
                            content => 'host 192.0.2.' . ++$n] },
    'GET /status?wait' => sub { ['GET', "/api/status/$_[0]?wait=1s"] },
    'GET /events' => sub { ['GET', "/api/events/$_[0]"] },
    'GET /jobs'   => sub { ['GET', '/api/jobs'] },
    'GET /stats'  => sub { ['GET', '/api/stats'] },
    'GET /summary' => sub { ['GET', "/api/summary/$_[0]"] },
    'GET /explain' => sub { ['GET', '/api/explain' . query()] },
    'GET /sensors' => sub { ['GET', '/api/sensors'] },
    'GET /metrics' => sub { ['GET', '/api/metrics'] },
    'GET /openapi.json' => sub { ['GET', '/api/openapi.json'] },
    'POST /find'  => sub { ['POST', '/api/find', content => '{}', headers =>
                            { 'Content-Type' => 'application/json' }] },
    'POST /cancel' => sub { ['POST', "/api/cancel/$_[0]"] },
    'POST /cancel/' => sub { ['POST', "/api/cancel/$_[0]/"] },
    'POST /retry' => sub { ['POST', "/api/retry/$_[0]"] },
    'POST /clean' => sub { ['POST', '/api/clean'] },
    'POST /clean/' => sub { ['POST', '/api/clean/'] },
    'POST //clean' => sub { ['POST', '/api//clean'] },
    'POST /%63lean' => sub { ['POST', '/api/%63lean'] },
    'POST /x/../clean' => sub { ['POST', '/api/x/../clean'] },
    'DELETE /ID'  => sub { ['DELETE', "/api/$_[0]"] },
    'capture'     => sub { ['GET', "/results/$_[0]/merged.pcap"] },
    'HEAD capture' => sub { ['HEAD', "/results/$_[0]/merged.pcap"] },
);

# all, or these, get that code, and nothing comes of it
sub refused {
    my ($who, $code, $name, $id, @names) = @_;
    my $before = jobs();
    my @bad;

    for (@names ? @names : sort keys %request) {
        my $r = as($who, @{ $request{$_}->($id) });
        push @bad, "$_: $r->{status}" if $r->{status} !~ /^(?:$code)$/;
        push @bad, "$_: packets"
            if ($r->{content} // '') =~ /^\xd4\xc3\xb2\xa1/;
    }

    is(join(', ', @bad), '', $name);
    is(jobs(), $before, '... and nothing was queued');
}

# these work
sub works {
    my ($who, $name, $id, @names) = @_;
    my @bad;

    for (@names) {
        my $r = as($who, @{ $request{$_}->($id) });
        push @bad, "$_: $r->{status}"
            if $r->{status} !~ /^2/ && !(/HEAD/ && $r->{status} == 404);
    }

    is(join(', ', @bad), '', $name);
}

# the whole of it: a job, its stream, its events, its capture
sub asks {
    my ($who, $name) = @_;
    my $r = as($who, @{ $request{'GET /uri'}->() });
    my $id = $r->{json}{id};

    is($r->{status}, 202, "$name asks");

    $r = as($who, 'GET', "/api/events/$id");
    like($r->{content}, qr/event: end\ndata: .*Completed/, '... sees events');
    is(as($who, 'GET', "/api/status/$id?wait=20s")->{json}{$id}{state},
       'Completed', '... waits');

    for (as($who, 'GET', "/results/$id/merged.pcap"),
         as($who, @{ $request{'GET /pcap'}->() }))
    {
        is(scalar @{ read_pcap(\$_->{content}) },
           scalar(map { @{ read_pcap($_) } } $fake->pcaps),
           '... gets the packets');
    }

    return $id;
}


# what the record has of it, some seconds later
sub written {
    my ($who, $id, $pattern, $name) = @_;

    ok_until { as($who, 'GET', "/api/status/$id")->{content} =~ $pattern } 10,
        $name;
}


# Names and passwords

serve('auth_basic');

my $id = asks(user('ann'), 'a user');

refused($nobody, 401, 'nobody is let in', $id);
refused(user('eve'), 401, '... nor is another one', $id);
refused({ headers => { %{ user('ann')->{headers} },
                       Authorization => 'Basic YW5uOng=' } }, 401,
        '... nor a wrong password', $id);
refused({ headers => { 'X-Forwarded-User' => 'ann',
                       'X-Original-URI' => '/', 'X-HTTP-Method-Override' =>
                       'GET', 'X-Accel-Redirect' => '/api/' } }, 401,
        '... nor who says so otherwise', $id);

written(user('ann'), $id, qr/"user":"ann"/, 'the job says who asked');


# nginx's own errors as problem documents: an internal redirect, which asks
# nothing either

serve('auth_basic', server => <<'END');
        error_page 401 403 /.problem;
        location = /.problem {
            internal;
            auth_basic off;
            default_type application/problem+json;
            return 200 '{"status":$status}';
        }
END
refused($nobody, 401, 'error_page: nobody is let in', $id);
is(as($nobody, @{ $request{'GET /pcap'}->() })->{json}{status}, 401,
   '... and gets a problem document');
asks(user('ann'), 'error_page: a user');


# Somebody else's sessions

serve('auth_request');

my $session = { headers => { Cookie => 'session=ann' } };
$id = asks($session, 'a session');
refused($nobody, 401, 'nobody is let in', $id);
refused({ headers => { Cookie => 'session=eve' } }, 401,
        '... nor with another session', $id);
is(as($session, 'GET', '/auth')->{status}, 404, '/auth itself is not there');


# Client certificates

for ('ssl_verify_client', 'ssl_verify_client optional') {
    my $code = /optional/ ? '400|403' : 400;

    serve($_, tls_only => !/optional/);
    $id = asks(cert('client'), 'a certificate');
    refused($tls, $code, 'none is not let in', $id);
    refused(cert('other_client'), $code, '... nor is another one', $id);
    refused($nobody, '403|599', '... nor is plain HTTP', $id);
}

written(cert('client'), $id, qr/"subject":"[^"]*_client/,
        '... the job says whose it was');


# One network without, the others with a password

serve('satisfy any');
$id = asks({ local_address => '127.0.0.7' }, 'the network');
asks(user('ann'), 'a user of another one');
refused($nobody, 401, 'nobody is let in from there', $id);


# Other rights for what changes jobs

serve('administrators');
$id = asks(user('ann'), 'a user');

my @changes = grep { /cancel|retry|clean|DELETE/ && !m{//|%|\.\.} }
              keys %request;
refused($nobody, 401, 'nobody is let in', $id);
refused(user('ann'), 401, '... a user may not change jobs', $id, @changes,
        'POST /x/../clean');
refused(user('ann'), '401|404', '... however it is written', $id,
        'POST //clean', 'POST /%63lean');
ok($ng->status($id) || as(user('ann'), 'GET', "/api/status/$id")->{success},
   '... the job is there');
works(user('root'), 'an administrator may', $id, 'POST /clean', 'POST /clean/',
      'DELETE /ID');
is(as(user('ann'), 'GET', "/api/status/$id")->{status}, 404, '... indeed');


# Some may ask, others only look

serve('readers');
$id = asks(user('ann'), 'one who may');
refused(user('eve'), 401, 'one who may only look does not ask', $id,
        'GET /uri', 'GET /q', 'GET /pcap', 'HEAD /pcap', 'GET /raw', 'POST /',
        'POST /raw', 'POST /query', @changes);
works(user('eve'), '... but looks', $id, 'GET /status?wait', 'GET /events',
      'GET /jobs', 'GET /stats', 'POST /find', 'capture', 'HEAD capture',
      'GET /summary', 'GET /explain', 'GET /sensors', 'GET /metrics',
      'GET /openapi.json');
refused($nobody, 401, 'nobody is let in', $id);


# So many questions a minute

serve('limit_req');

my %count;
my $before = jobs();

$count{as(user('ann'), @{ $request{$_ % 2 ? 'GET /pcap' : 'GET /uri'}->() })
       ->{status} =~ /^2/ ? 'taken' : 'refused'}++ for 1 .. 20;

cmp_ok($count{taken}, '>=', 6, 'the first questions are taken');
cmp_ok($count{refused} // 0, '>=', 5, '... the others are not');
is(jobs() - $before, $count{taken}, '... and not queued');
refused(user('ann'), 429, '... as said', $id, 'GET /uri', 'GET /pcap',
        'POST /', 'POST /query');
works(user('ann'), '... looking is not counted', $id,
      ('GET /status?wait', 'GET /jobs', 'GET /explain', 'GET /summary',
       'GET /stats') x 10);
refused($nobody, '401|429', 'nobody is let in', $id);


is(join(', ', grep { !/, http$/ } sort keys %example),
   join(', ', sort 'auth_basic', 'auth_request', 'ssl_verify_client',
        'ssl_verify_client optional', 'satisfy any', 'administrators',
        'readers', 'limit_req'), 'every example was tried');

$ng->finish;
done_testing;

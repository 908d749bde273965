# What clients can't make this server send to sensors, and what sensors can't
# make of it.

use lib 't/lib';
use Docket::Test;

use IO::Select;
use IO::Socket::INET;
use JSON::PP;

my $fake = Docket::Sensor->start(n => 2);
my $htpasswd = test_dir('etc') . '/htpasswd';
my $evil = "ann\r\nX-Evil: 1";

spew($htpasswd, "ann:{PLAIN}x\n");

my $ng = Docket::Nginx->start(
    sensors => $fake,
    http => 'docket_retries 0; docket_idle_time 0; docket_stat_timeout 1s;',
    server => "location /auth { docket_api; auth_basic Docket;"
              . " auth_basic_user_file $htpasswd; }");

$ng->helper;

my ($after, $before) = (utc($fake->first - 60), utc($fake->first + 360));
my $range = "after/$after/before/$before";
my $n = 0;

# the answer to these very bytes
sub send_raw {
    my ($bytes) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $ng->port) or die;
    my $got = '';

    print $s $bytes;

    while (IO::Select->new($s)->can_read(15)
           && sysread $s, my $piece, 65536)
    {
        $got .= $piece;
    }

    return $got;
}

sub post_raw {
    my ($path, $type, $body, $more) = @_;

    return send_raw("POST $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                    . "Content-Type: $type\r\nContent-Length: "
                    . length($body) . "\r\n" . ($more // '') . "\r\n$body");
}


# Line ends, ends of text, and more of a request, in every place a client has

my @bytes = ("\r\n\r\nPOST /query HTTP/1.1\r\nX-Evil: 1\r\n\r\nhost 6.6.6.6",
             "\r\nX-Evil: 1", "\n", "\r", "\0", "\0 or host 6.6.6.6",
             "\x{c4}\x{8a}", "; host 6.6.6.6", " or host 6.6.6.6", '%0d%0a',
             "\x0b", "\x85", "\xe2\x80\xa8");
my @fields = qw(host net port vlan mpls proto proto-name after before after-ago
                before-ago sensor limit-packets limit-bytes filter
                ignore-weight query);
my %good = (host => '192.0.2.1', net => '192.0.2.0/24', port => 80, vlan => 1,
            mpls => 1, proto => 6, 'proto-name' => 'tcp', after => $after,
            before => $before, 'after-ago' => '5m', 'before-ago' => '1m',
            sensor => 's1', 'limit-packets' => 10, 'limit-bytes' => 10000,
            filter => 'tcp', 'ignore-weight' => 'true',
            query => 'host 1.2.3.4');
my %status;

sub escaped { join '', map { sprintf '%%%02x', ord } split //, $_[0] }

sub seen {
    my ($got, $where) = @_;
    my ($code) = $got =~ m{^HTTP/1\.1 (\d+)};

    $status{$code // 'none'}++;
    return if defined $code && $code != 500;
    fail("$where: " . ($code // 'no answer'));
}

for my $field (@fields) {
    for my $b (@bytes) {
        my $value = "$good{$field}$b";
        my $json = JSON::PP->new->latin1->encode({ $field => $value });

        seen(post_raw('/api/', 'application/json', $json), "JSON $field");
        seen(post_raw('/api/', 'application/x-www-form-urlencoded',
                      "$field=" . escaped($value)), "form $field");
        seen(post_raw('/api/', 'application/x-www-form-urlencoded',
                      "$field=$value"), "form, as it is, $field");
        seen(send_raw("GET /api/uri/$field/" . escaped($value)
                      . " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
             "URI $field");
        seen(send_raw("GET /api/uri/port/80?$field=" . escaped($value)
                      . " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
             "argument $field");
        seen(post_raw('/api/', 'application/json',
                      JSON::PP->new->latin1->encode({ "$field$b" =>
                                                      $good{$field} })),
             "name $field");
    }
}

for my $b (@bytes) {
    my $text = "host 192.0.2.1$b";

    seen(post_raw('/api/raw', 'text/plain', $text), 'raw body');
    seen(post_raw('/api/query', 'text/plain', $text), 'query');
    seen(send_raw('GET /api/raw/' . escaped($text)
                  . " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
         'raw URI');

    # headers that are read: limits, and who asks
    seen(post_raw('/api/query', 'text/plain', 'host 192.0.2.1',
                  "Steno-Limit-Bytes: 10000$b\r\nSteno-Limit-Packets: 1$b\r\n"
                  . "X-Forwarded-For: 1.2.3.4$b\r\nReferer: $b\r\n"),
         'headers');
}

# names of users: nginx takes only those of its file; without one anything goes
use MIME::Base64 'encode_base64';

for my $where ('/auth', '/api') {
    seen(send_raw("GET $where/uri/host/192.0.2.77/$range HTTP/1.1\r\nHost: x"
                  . "\r\nConnection: close\r\nAuthorization: Basic "
                  . encode_base64("$evil:x", '') . "\r\n\r\n"), "user $where");
}

note(join ', ', map { "$_: $status{$_}" } sort keys %status);
cmp_ok($status{400} // 0, '>', 200, 'most of it is refused');
ok(!$status{500} && !$status{none},
   '... none of it is an error of this server');

# all that was taken is over
ok_until { my $d = $ng->get('/api/stats')->{json}{docket};
           $d->{queue} == 0 && $d->{running} == 0 } 60, 'the queue is empty';

my %heads = ('/query' => 'accept content-length content-type host user-agent',
             '/debug/stats' => 'accept host user-agent');
my @odd;

for ($fake->requests) {
    my %h = %{ $_->{headers} };
    my $host = '127.0.0.1:' . $fake->port(substr $_->{sensor}, 1);

    push @odd, "path $_->{path}" if !$heads{$_->{path}};
    push @odd, join ' ', 'headers', sort keys %h
        if join(' ', sort keys %h) ne ($heads{$_->{path}} // '');
    push @odd, "host $h{host}" if $h{host} ne $host;
    push @odd, "agent $h{'user-agent'}"
        if $h{'user-agent'} !~ m{^docket/[\d.]+$};
    push @odd, "type $h{'content-type'}"
        if $_->{path} eq '/query' && $h{'content-type'} ne 'text/plain';
    push @odd, "body $_->{body}"
        if $_->{path} eq '/query'
           && $_->{body} !~ m{^after\ [\dTZ:-]+\ and\ before\ [\dTZ:-]+
                              (?:\ and\ [\w./:\ ()-]+)?\z}x;
}

is(join("\n", @odd[0 .. ($#odd > 5 ? 5 : $#odd)]), '',
   scalar($fake->requests) . ' requests to sensors: no head, path or byte that '
   . 'is not ours');

# what only an expression with "or" may bring, and only by its own parser
is(scalar(grep { /6\.6\.6\.6/ && !/\bor\b/ } $fake->queries), 0,
   '... none of a broader question');

my @answers = $ng->get("/api/uri/host/192.0.2.78/$range",
                       headers => { Host => 'evil.example' });
unlike(join('', %{ $answers[0]{headers} }), qr/evil/,
       'no header of an answer has the name that a client gave this host');


# Sensors: heads and counters of any size and kind

sub ask { return $ng->ask(host => '192.0.2.' . (100 + ++$n), after => $after,
                          before => $before) }

sub error_of { return $ng->final($_[0])->{requests}{s1}{error} }

my $helper = ($ng->helpers)[0];

$fake->set(1, head => 50_000);
is(error_of(ask()), '', 'a large head is taken');

$fake->set(1, head => 100_000);
like(error_of(ask()), qr/head of more than 65536 bytes/,
     '... a larger one is not');

$fake->set(1, head => 5_000_000);
like(error_of(ask()), qr/head of more than 65536 bytes/,
     '... nor one without end');

$fake->set(1, stats => 'endless');
like(error_of(ask()), qr/stats of more than \d+ bytes/, 'counters without end');

my $r = $ng->get('/api/stats');
is($r->{json}{s1}{health}, 'down', '... are none');
is($r->{json}{s2}{health}, 'up', '... the other sensor has its own');

$fake->set(1, stats => 'hostile');
ok_until { $r = $ng->get('/api/stats');
           $r->{json} && $r->{json}{s1}{health} eq 'up' } 15,
    'counters of any kind';
is($r->{json}{s1}{packets_read}, '-99999999999999999999', '... as text');
cmp_ok(scalar keys %{ $r->{json}{s1} }, '<', 700, '... the first of them');
unlike($r->{content}, qr/[\x00-\x09\x0b-\x1f\x80-\xff]/, '... in clean JSON');
is($ng->get('/api/metrics')->{status}, 200, '... and metrics');
unlike($ng->get('/api/metrics')->{content}, qr/script/, '... without them');

$fake->set(1, status => 500,
           text => "bad\x{1}\"\\<b>\r\nX-Evil: 1\n" . 'x' x 5000);
my $error = error_of(ask());
like($error, qr/^HTTP status 500: bad/, 'the words of an error');
unlike($error, qr/[\r\n\x01]/, '... in one line');
cmp_ok(length $error, '<', 256, '... cut');
ok($ng->log_lines(qr/docket job.*"s1": HTTP status 500: bad.*X-Evil/),
   '... in one line of the log too');

$fake->set(0);
is(($ng->helpers)[0], $helper, 'the docket process has lived through it all');

$ng->finish;
done_testing;

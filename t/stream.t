# /pcap and /query: the capture itself, while it is merged.

use lib 't/lib';
use Docket::Test;

use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(time);

# more than the records that are kept back to be sorted
my $fake = Docket::Sensor->start(n => 2, mb => 4);
my $h2 = free_ports(1);

my $ng = Docket::Nginx->start(
    sensors => $fake,
    http => <<END,
        docket_settle 1s;
        docket_retries 0;
        docket_idle_time 0;
        docket_stall_timeout 5s;
        docket_wait_timeout 30s;
END
    server => <<END,
        listen 127.0.0.1:$h2 http2;

        location /hasty {
            docket_api;
            docket_wait_timeout 1s;
        }

        location /unchunked {
            docket_api;
            chunked_transfer_encoding off;
        }
END
);

$ng->helper;

my $first = $fake->first;
my @all = sort { $a->{ts} <=> $b->{ts} }
          map { @{ read_pcap($_) } } $fake->pcaps;
my $address = 0;
my $files = 0;

# a question that was not asked before; the sensors filter nothing
sub question {
    $address++;
    return "host/192.0.2.$address/after/" . utc($first - 60)
           . '/before/' . utc($first + 360);
}

sub start_curl {
    my (@args) = @_;
    my $file = $ng->dir . '/curl' . ++$files;
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        open STDOUT, '>', "$file.out";
        exec 'curl', '-s', '-m', 60, '-o', $file, '-D', "$file.head",
             '-w', '%{http_code}', @args or POSIX::_exit(127);
    }

    return { pid => $pid, file => $file };
}

sub end_curl {
    my ($c) = @_;

    waitpid $c->{pid}, 0;

    return { exit => $? >> 8,
             code => slurp("$c->{file}.out") // '',
             head => slurp("$c->{file}.head") // '',
             body => slurp($c->{file}) // '' };
}

sub curl { end_curl(start_curl(@_)) }

sub is_whole {
    my ($r, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is("$r->{exit} $r->{code}", '0 200', "$name: curl is content");
    is_packets(read_pcap(\$r->{body}), \@all, "... and so are the packets");
    is_sorted(read_pcap(\$r->{body}), "... in order");
}

# HTTP's version by curl's options
my @h11 = ('--http1.1');
my @h10 = ('--http1.0');
my @h2 = ('--http2-prior-knowledge');

sub url { $ng->url("/api/pcap/$_[0]") }
sub h2_url { "http://127.0.0.1:$h2/api/pcap/$_[0]" }


# A capture, new and known

my $q = question();
my $r = curl(@h11, url($q));

is_whole($r, 'a new question');
like($r->{head}, qr{^Content-Type: application/vnd.tcpdump.pcap\r$}m,
     '... its type');
like($r->{head},
     qr{^Content-Disposition: attachment; filename=[0-9a-f]{32}\.pcap\r$}m,
     '... its name');

my ($id) = $r->{head} =~ /filename=(\w+)/;
is($ng->final($id)->{state}, 'Completed', '... is a job');

$r = curl(@h11, url($q));
is_whole($r, 'the same again');
like($r->{head}, qr/^Content-Length: @{[length $r->{body}]}\r$/m,
     '... now with its length');

is_whole(curl(@h2, h2_url($q)), 'the same over HTTP/2');
is_whole(curl(@h10, url($q)), 'the same over HTTP/1.0');
is_whole(curl(@h2, h2_url(question())), 'a new question over HTTP/2');

$r = curl(@h10, url(question()));
is_whole($r, 'a new question over HTTP/1.0');
like($r->{head}, qr/^Content-Length: @{[length $r->{body}]}\r$/m,
     '... has its length');

$r = curl(@h11, $ng->url('/unchunked/pcap/' . question()));
is_whole($r, 'a new question without chunks');
like($r->{head}, qr/^Content-Length: @{[length $r->{body}]}\r$/m,
     '... has its length');

is(scalar @{ read_pcap(\curl(url(question() . '?limit-packets=5'))->{body}) },
   5, 'a limit');


# HEAD asks nothing

$q = question();
my $asked = $fake->queries;

$r = curl('-I', url($q));
is($r->{code}, 404, 'HEAD of what was not asked');
is(scalar $fake->queries, $asked, '... asks nobody');

curl(url($q));
$r = curl('-I', url($q));
is($r->{code}, 200, 'HEAD of what is there');
like($r->{head}, qr/^Content-Length: \d{3,}\r$/m, '... has a length');


# While the sensors still send

$fake->set(0, rate => 2_000_000);
$q = question();

my @clients = (start_curl(@h11, url($q)), start_curl(@h2, h2_url($q)),
               start_curl(@h11, '--limit-rate', '3M', url($q)));

my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $ng->port);
print $sock "GET /api/pcap/$q HTTP/1.1\r\nHost: x\r\n\r\n";

my $got = '';
wait_until { sysread $sock, $got, 65536, length $got;
             $got =~ /\r\n\r\n.*\xd4\xc3\xb2\xa1/s } 10;
($id) = $got =~ /filename=(\w+)/;

is($ng->status($id // '')->{state}, 'Requesting',
   'packets come before the sensors are done');

# one that leaves takes nothing from the others
close $sock;

my $n = () = $fake->queries;
is_whole(end_curl($_), 'a client of a running job') for @clients;
is(scalar(() = $fake->queries), $n, '... all of one run');
$fake->set(0);


# Sensors that fail

for (['fails', { status => 503 }], ['is cut off', { query => 'drop' }]) {
    my ($name, $how) = @$_;

    $fake->set(2, %$how);

    $r = curl(@h11, url($q = question()));
    is("$r->{exit} $r->{code}", '18 200', "a sensor $name: broken answer");
    ok(@{ read_pcap(\$r->{body}) } > 20, '... with what there is');

    $r = curl(@h2, h2_url(question()));
    is($r->{exit}, 92, '... over HTTP/2');

    $r = curl(@h10, url(question()));
    is("$r->{exit} $r->{code}", '0 502', '... a refusal over HTTP/1.0');

    $r = curl(@h11, url($q));
    is("$r->{exit} $r->{code}", '18 200', '... asked again');

    $r = curl(@h11, url("$q?partial=ok"));
    is("$r->{exit} $r->{code}", '0 200', '... wanted');
    ok(@{ read_pcap(\$r->{body}) } > 20, '... with what there is');

    $r = curl(@h11, url("$q?partial=%6fk"));
    is("$r->{exit} $r->{code}", '0 200', '... wanted, in other letters');

    $r = curl(@h11, url(question() . '?partial=ok'));
    is("$r->{exit} $r->{code}", '0 200', '... wanted, and new');
}

for (url($q = question() . '?partial=yes'), url("$q&partial=ok")) {
    $r = curl(@h11, $_);
    is($r->{code}, 400, 'what is wanted is "ok", and nothing else');
    like($r->{body}, qr/"field":"partial"/, '... and that is said');
}

$fake->set(0, status => 503, text => 'no such luck');
$r = $ng->get('/api/pcap/' . question());
is($r->{status}, 502, 'all sensors fail');
is($r->{headers}{'content-type'}, 'application/problem+json',
   '... as a problem');
like($r->{json}{detail}, qr/s1: .*503/, '... with their words');

$fake->set(0, query => 'hang');
$r = $ng->get('/hasty/pcap/' . question());
is($r->{status}, 504, 'nothing comes');
like($r->{headers}{location}, qr{/hasty/status/[0-9a-f]{32}$},
     '... says where the job is');
$ng->post("/api/cancel/$1") if $r->{headers}{location} =~ /(\w{32})$/;

$q = question();
my $c = start_curl(@h11, url($q));
$id = undef;
wait_until { ($id) = map { $_->{id} } grep { $_->{state} eq 'Requesting' }
                     @{ $ng->get('/api/jobs')->{json} // [] } };
$ng->post("/api/cancel/$id");
$r = end_curl($c);
is($r->{code}, 502, 'cancelled while it waits');
$fake->set(0);


# Stenographer's own contract

$r = $ng->post('/api/query', content => 'host 198.51.100.1 and after '
                                        . utc($first - 60) . ' and before '
                                        . utc($first + 360));
is($r->{status}, 200, 'POST /query');
is($r->{headers}{'content-type'}, 'application/octet-stream', '... its type');
is_packets(read_pcap(\$r->{content}), \@all, '... its packets');

$r = $ng->post('/api/query', content => 'host 198.51.100.1 and after '
                                        . utc($first - 60) . ' and before '
                                        . utc($first + 360),
               headers => { Accept => 'application/json' });
is($r->{json}{state}, 'Completed', '... as JSON');

$r = $ng->post('/api/query', content => 'port=80');
is($r->{status}, 400, '... nonsense');


# The processes

$fake->set(0, rate => 1_500_000);

$c = start_curl(@h11, url($q = question()));
wait_until { -s $c->{file} };
ok($ng->reload, 'a reload while a client reads');
is_whole(end_curl($c), '... takes nothing from it');

$c = start_curl(@h11, url($q = question()));
my $c2 = start_curl(@h2, h2_url($q));
wait_until { -s $c->{file} && -s $c2->{file} };
kill 'KILL', $ng->helper;
is(end_curl($c)->{exit}, 18, 'the helper is killed: a broken answer');
is(end_curl($c2)->{exit}, 92, '... over HTTP/2');

$fake->set(0);
is_whole(curl(@h11, url($q)), '... and a whole one the next time');

$ng->finish(allow => [ qr/exited on signal 9/,
                     qr/docket process \d+ has gone/ ]);

done_testing;

# /events/ID: server-sent events until a job is final.

use lib 't/lib';
use Docket::Test;

use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time);

my $fake = Docket::Sensor->start(n => 2, mb => 4);
my $h2 = free_ports(1);

my $ng = Docket::Nginx->start(
    sensors => $fake,
    http => 'docket_settle 1s; docket_retries 0; docket_idle_time 0;',
    server => "listen 127.0.0.1:$h2 http2;",
);

$ng->helper;

my $address = 0;

sub ask {
    return $ng->ask(host => '192.0.2.' . ++$address,
                    after => utc($fake->first - 60),
                    before => utc($fake->first + 360));
}

# A connection on which events come; "head", "text" and "events" as far as
# they have come: name, id, data, and when they were seen.
sub listen_to {
    my ($id, %headers) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $ng->port) or die $!;

    # HTTP/1.0 has no chunks in between
    print $sock "GET /api/events/$id HTTP/1.0\r\nHost: x\r\n",
                (map { "$_: $headers{$_}\r\n" } keys %headers), "\r\n";
    $sock->blocking(0);

    return { sock => $sock, raw => '', text => '', events => [ ] };
}

# Reads what has come; true at the end.
sub look {
    my ($l) = @_;

    while (1) {
        my $n = sysread $l->{sock}, my $buf, 65536;

        if (!defined $n && $!{EAGAIN}) {
            last;
        } elsif (!$n) {
            $l->{ended} //= time;
            last;
        }

        $l->{raw} .= $buf;
    }

    if (!defined $l->{head} && $l->{raw} =~ s/^(.*?\r\n)\r\n//s) {
        $l->{head} = $1;
    }

    while (defined $l->{head} && $l->{raw} =~ s/^(.*?)\n\n//s) {
        my $text = $1;

        if ($text =~ /^:/) {
            $l->{comments}++;
            next;
        }

        push @{ $l->{events} }, {
            name => $text =~ /^event: (.*)$/m,
            id => $text =~ /^id: (.*)$/m,
            data => decode_json($text =~ /^data: (.*)$/m),
            time => time,
        };
    }

    return $l->{ended};
}


# From the first to the last

$fake->set(0, rate => 2_000_000);

my $id = ask();
my $l = listen_to($id);
my $curl = $ng->dir . '/h2';
my $pid = fork // die "fork: $!";

if ($pid == 0) {
    exec 'curl', '-s', '-N', '-m', 20, '--http2-prior-knowledge', '-o', $curl,
         "http://127.0.0.1:$h2/api/events/$id" or POSIX::_exit(127);
}

ok_until { look($l) } 20, 'the stream ends by itself';
waitpid $pid, 0;
is($? >> 8, 0, '... over HTTP/2 too');

like($l->{head}, qr{^HTTP/1.1 200 }, 'status');
like($l->{head}, qr{^Content-Type: text/event-stream\r$}m, '... type');
like($l->{head}, qr{^Cache-Control: no-cache\r$}m, '... not to be kept');
like($l->{head}, qr{^X-Accel-Buffering: no\r$}m, '... nor held back');

my @e = @{ $l->{events} };

is($e[-1]{name}, 'end', 'the last event says that it is');
is_deeply($e[-1]{data}, { id => $id, state => 'Completed' }, '... and how');
is($e[-2]{name}, 'status', 'before it comes the job');
is_deeply($e[-2]{data}, $ng->status($id), '... as /status gives it');

my @progress = grep { $_->{data}{state} eq 'Requesting' } @e;

cmp_ok(scalar @progress, '>=', 3, 'progress while it runs');
cmp_ok($progress[-1]{data}{progress}{written}, '>',
       $progress[0]{data}{progress}{written} // 0, '... of what is written');
cmp_ok(scalar @progress, '<=',
       6 * ($progress[-1]{time} - $progress[0]{time}) + 2,
       '... but not too often');

my @ids = map { $_->{id} } grep { $_->{name} eq 'status' } @e;
is_deeply(\@ids, [ sort { $a <=> $b } @ids ], 'ids rise');

my $h2_text = slurp($curl);
my ($last) = $h2_text =~ /.*\ndata: (\{.*?\})\n\n$/s;
is_deeply(decode_json($last), $e[-1]{data}, 'HTTP/2 ends with the same');


# Afterwards, and again

$l = listen_to($id);
ok_until { look($l) } 5, 'a finished job';
is(join(' ', map { $_->{name} } @{ $l->{events} }), 'status end',
   '... is told in two events');

$l = listen_to($id, 'Last-Event-ID' => $l->{events}[-1]{id});
ok_until { look($l) } 5, 'one who has seen the end';
like($l->{head}, qr{^HTTP/1.1 204 }, '... need not come again');

my $r = $ng->request('HEAD', "/api/events/$id");
is($r->{status}, 200, 'HEAD');

for ('', 'x', '0' x 32, "$id,$id") {
    is($ng->get("/api/events/$_")->{status}, 404, "404: \"$_\"");
}

is($ng->post("/api/events/$id")->{status}, 405, 'POST');

$fake->set(0, status => 503);
$id = ask();
$l = listen_to($id);
ok_until { look($l) } 10, 'a job that fails';
is($l->{events}[-1]{data}{state}, 'Failed', '... says so');


# A queued and a waiting one; comebacks

$fake->set(0, query => 'hang');
$id = ask();
$l = listen_to($id);
wait_until { look($l); $l->{events}[-1]
             && $l->{events}[-1]{data}{state} eq 'Requesting' };

my $seen = $l->{events}[-1]{id};
my $back = listen_to($id, 'Last-Event-ID' => $seen);
wait_until { look($back); $back->{comments} } 5;

ok($back->{comments}, 'one who has seen all so far gets a comment first');

$r = $ng->post("/api/cancel/$id");
ok_until { look($l) && look($back) } 10, 'cancelled: both end';
is($_->{events}[-1]{data}{state}, 'Cancelled', '... and say why')
    for $l, $back;


# The worker's end

$id = ask();
$l = listen_to($id);
wait_until { look($l); @{ $l->{events} } };

my $began = time;
ok($ng->reload, 'a reload');
ok_until { look($l) } 5, '... ends the stream';
isnt($l->{events}[-1]{name}, 'end', '... which is not the end of the job');

# as a browser does it: again and again, for a worker of the old generation
# may have taken the connection and is about to end it too

$seen = $l->{events}[-1]{id};
$fake->set(0);
$ng->post("/api/cancel/$id");

ok_until {
    if (!defined $l || look($l)) {
        $seen = $l->{events}[-1]{id} if defined $l && @{ $l->{events} };
        return 1 if defined $l && @{ $l->{events} }
                    && $l->{events}[-1]{name} eq 'end';
        $l = listen_to($id, 'Last-Event-ID' => $seen);
    }
    return 0;
} 10, 'who comes back gets the rest';


# many that come and go, and leave nothing

$fake->set(0, query => 'hang');
$id = ask();

my @many = map { listen_to($id) } 1 .. 50;
wait_until { 50 == grep { look($_); @{ $_->{events} } } @many };
is(scalar(grep { @{ $_->{events} } } @many), 50, 'many listen');
close $_->{sock} for @many;

# one that leaves before all of a body came, or after it: nobody reads that

for my $sent ([ "Content-Length: 5\r\n\r\nabc" ],
              [ "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" ],
              [ "Content-Length: 5\r\n\r\nab", 'cde' ])
{
    my ($head, $rest) = @$sent;
    my $seen = length slurp($ng->dir . '/access.log');
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $ng->port) or die $!;

    syswrite $sock, "GET /api/status/$id?wait=60s HTTP/1.1\r\n"
                    . "Host: docket\r\n$head";
    sleep 0.2;

    if (defined $rest) {
        syswrite $sock, $rest;
        sleep 0.2;
    }

    close $sock;

    ok_until { substr(slurp($ng->dir . '/access.log'), $seen) =~ / 499 / } 10,
             'one that leaves while it waits, ' . ($head =~ /^(\S+)/)[0];
}

$ng->post("/api/cancel/$id");
$began = time;
ok($ng->stop('QUIT'), 'nginx stops');
cmp_ok(time - $began, '<', 3 * slower(), '... and waits for nobody');

$ng->finish;

done_testing;

# docket_results: captures out of the spool, and nothing else of it.

use lib 't/lib';
use Docket::Test;

use JSON::PP ();
use POSIX ();

my $fake = Docket::Sensor->start(n => 2);

my $ng = Docket::Nginx->start(
    sensors => $fake,
    http => 'docket_settle 1s; docket_retries 0; docket_idle_time 0;'
            . 'log_format who "$request_method $docket_id $docket_state";'
            . 'access_log %DIR%/who.log who;',
    server => <<'END',
        location /slash/ {
            docket_results;
        }

        location = /exact {
            docket_results;
        }

        location /tagless/ {
            etag off;
            docket_results;
        }
END
);

$ng->helper;

my %range = (after => utc($fake->first - 60),
             before => utc($fake->first + 360));

sub named { return (headers => { @_ }) }

my @all = sort { $a->{ts} <=> $b->{ts} }
          map { @{ read_pcap($_) } } $fake->pcaps;

my $id = $ng->ask(host => '192.0.2.1', %range);
is($ng->final($id)->{state}, 'Completed', 'a job');

my $path = "/results/$id/merged.pcap";


# The capture

my $r = $ng->get($path);

is($r->{status}, 200, 'the capture');
is($r->{headers}{'content-type'}, 'application/vnd.tcpdump.pcap',
   '... its type');
is($r->{headers}{'content-length'}, length $r->{content}, '... its length');
is($r->{headers}{'accept-ranges'}, 'bytes', '... in ranges');
is_packets(read_pcap(\$r->{content}), \@all, '... its packets');

my $whole = $r->{content};
my $etag = $r->{headers}{etag};
my $date = $r->{headers}{'last-modified'};

like($etag, qr/^"[0-9a-f-]+"$/, '... its tag');

$r = $ng->request('HEAD', $path);
is("$r->{status} $r->{headers}{'content-length'}", '200 ' . length $whole,
   'HEAD');
is($r->{content} // '', '', '... without a body');

is($ng->get($path, named('If-None-Match' => $etag))->{status}, 304,
   'the tag is known');
is($ng->get($path, named('If-Modified-Since' => $date))->{status}, 304,
   '... or the date');

$r = $ng->get($path, named(Range => 'bytes=24-123'));
is("$r->{status} $r->{headers}{'content-range'}",
   '206 bytes 24-123/' . length $whole, 'a range');
ok($r->{content} eq substr($whole, 24, 100), '... of these bytes');

$r = $ng->get($path, named(Range => 'bytes=24-123', 'If-Range' => '"other"'));
is($r->{status}, 200, '... of another capture');

$r = $ng->get($path, named(Range => 'bytes=100000000-'));
is($r->{status}, 416, '... behind the end');

ok($ng->get("/slash/$id/merged.pcap")->{content} eq $whole,
   'a location that ends with a slash');

$r = $ng->get("/tagless/$id/merged.pcap", named('If-None-Match' => $etag));
is("$r->{status} " . ($r->{headers}{etag} // '-'), '200 -', 'etag off');
is($r->{headers}{'last-modified'}, $date, '... leaves the date');
is($ng->get('/results/' . uc($id) . '/merged.pcap')->{status}, 200,
   'an id in upper case');


# Another run is another capture, of the same packets or not

my $again = $ng->ask(host => '192.0.2.1', %range, refresh => JSON::PP::true());
is($again, $id, 'a refresh has the same id');
ok_until { $ng->status($id)->{run} == 2
           && $ng->status($id)->{state} eq 'Completed' } 10, '... and runs';

$r = $ng->get($path, named('If-None-Match' => $etag));
is($r->{status}, 200, '... and changes the tag');
isnt($r->{headers}{etag}, $etag, '... indeed');
ok($r->{content} eq $whole, '... of the same bytes here');


# Nothing else

for my $method (qw(POST PUT DELETE PATCH)) {
    $r = $ng->request($method, $path, content => 'x');
    is("$r->{status} $r->{headers}{allow}", '405 GET, HEAD', $method);
}

for ('', '/', "/$id", "/$id/", "/$id/query.json", "/$id/summary.json",
     "/$id/merged.pcap/", "/$id/merged.pcapx", "/$id/merged", "/$id/.run.1",
     "/x$id/merged.pcap", '/' . substr($id, 1) . '/merged.pcap',
     '/index', '/.owner', '/.sensors/s1.0', '/' . '0' x 32 . '/merged.pcap',
     "x/$id/merged.pcap", "/$id/%2e%2e%2f$id%2fquery.json",
     "/$id/../$id/query.json", "/./$id/summary.json", "/$id//query.json",
     "/$id/%2fquery.json", "/$id%2fquery.json", "/$id/merged.pcap%20",
     "/$id/merged.pcap;x", "/$id/merged.pcap%3fx", "/$id/merged.pcap%0a",
     "/$id/%252e%252e/$id/query.json", "/$id\\..\\$id\\query.json",
     "/%c0%ae%c0%ae/$id/merged.pcap", "/$id/again", "/$id/.spill.0",
     "/$id/MERGED.PCAP", "/$id/merged%252epcap", '/.sensors', '/.sensors/',
     "/${id}0/merged.pcap", "/-$id/merged.pcap", "/$id-/merged.pcap",
     '/index/merged.pcap', '/.sensors/merged.pcap', '/./merged.pcap')
{
    $r = $ng->get("/results$_");
    is($r->{status}, 404, "404: $_");
}

is($r->{headers}{'content-type'}, 'application/problem+json',
   '... as a problem');

# what leaves the location goes to whatever is there, or is refused by nginx

for ("/$id/merged.pcap/../../../spool/$id/query.json", '/../spool/index',
     '/%2e%2e/spool/index', '/..%2fspool%2findex', '/../../../../etc/passwd',
     '/..%5c..%5cetc%5cpasswd', "/$id/query.json%00merged.pcap",
     "/$id/merged.pcap%00", "/$id/merged.pcap%00.json")
{
    $r = $ng->get("/results$_");
    ok($r->{status} =~ /^40[04]$/, "none: $_") or diag($r->{status});
    unlike($r->{content}, qr/"version"|root:|docket/, '... indeed');
}

$r = $ng->get('/results/0/merged.pcap');
is($r->{json}{status}, 404, '... with its status');
is($ng->get('/exact')->{status}, 404, 'a location without room');


# What is no capture, whatever its name says

my $made = 0;
my %made = (link => sub { symlink '/etc/passwd', $_[0] },
            fifo => sub { POSIX::mkfifo($_[0], 0666) },
            folder => sub { mkdir $_[0] });

for (sort keys %made) {
    my $folder = sprintf '%032x', ++$made;

    mkdir $ng->spool . "/$folder", 0755;
    ok($made{$_}->($ng->spool . "/$folder/merged.pcap"), "made: a $_");
    is($ng->get("/results/$folder/merged.pcap", timeout => 5)->{status}, 404,
       '... is not served');
}

symlink $ng->spool . "/$id", $ng->spool . '/' . 'f' x 32 or die;
is($ng->get('/results/' . 'f' x 32 . '/merged.pcap')->{status}, 404,
   'a link to a folder is not followed');


# Jobs without one

$fake->set(0, query => 'hang');

my $live = $ng->ask(host => '192.0.2.2', %range);
$r = $ng->get("/results/$live/merged.pcap");
is($r->{status}, 409, 'a live job has no capture yet');

$ng->post("/api/cancel/$live");
is($ng->final($live)->{state}, 'Cancelled', 'cancelled');
is($ng->get("/results/$live/merged.pcap")->{status}, 404,
   '... it will have none');

# a new run leaves the old capture where it is

$ng->ask(host => '192.0.2.1', %range, refresh => JSON::PP::true());
ok_until { $ng->status($id)->{state} eq 'Requesting' } 10, 'one more run';
ok($ng->get($path)->{content} eq $whole, '... the old capture is served');
$ng->post("/api/cancel/$id");
is($ng->final($id)->{state}, 'Cancelled', '... cancelled');
ok($ng->get($path)->{content} eq $whole, '... the old capture stays');

my $log = slurp($ng->dir . '/who.log');
like($log, qr/^GET $id Completed$/m, 'the log says whose capture was read');

$ng->finish;

done_testing;

# The whole job on three real Stenographers: ask, fetch, merge, download; and
# what survives a killed helper, a reload, a stop.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use HTTP::Tiny;
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

my $top  = abs_path(dirname(__FILE__) . '/..');
my $dir  = "$top/build/t/job";
my $bin  = $ENV{TEST_NGINX_BINARY} // '/usr/sbin/nginx';
my $so   = $ENV{TEST_NGINX_LOAD_MODULES} // "$top/build/ngx_http_docket_module.so";
my $port = 13080;
my $api  = "http://127.0.0.1:$port/api";
my $http = HTTP::Tiny->new(timeout => 30);
my $start = int(time() / 60) * 60 - 7200;
my ($after, $before)
    = map { strftime('%FT%TZ', gmtime($_)) } $start, $start + 300;

sub run { system(@_) == 0 or BAIL_OUT("@_ failed") }

sub wait_until {
    my ($what, $cond) = @_;
    my $end = time() + 15;
    while (time() < $end) {
        return 1 if $cond->();
        sleep 0.02;
    }
    diag "waited in vain for $what";
    return 0;
}

sub slurp {
    my $name = shift;
    open my $f, '<', $name or return '';
    local $/;
    return scalar <$f>;
}

# pid => command line, of the processes below our master

sub family {
    my $master = slurp("$dir/nginx.pid") || 0;
    chomp $master;
    my (%parent, %found);
    for my $p (grep { m|/\d+$| } glob '/proc/*') {
        my ($pid) = $p =~ /(\d+)$/;
        my ($ppid) = slurp("$p/stat") =~ /\) \S (\d+)/ or next;
        $parent{$pid} = $ppid;
    }
    for my $pid (keys %parent) {
        my $p = $pid;
        $p = $parent{$p} // 0 while $p != $master && $p > 1;
        $found{$pid} = slurp("/proc/$pid/cmdline") if $p == $master && $master;
    }
    return \%found;
}

sub helpers {
    my $f = family();
    return grep { $f->{$_} =~ /docket process/ } keys %$f;
}

# records of a capture: [time in us, bytes]

sub records {
    my $d = shift;
    my (@r, $pos);
    for ($pos = 24; $pos + 16 <= length $d; ) {
        my ($s, $us, $cap) = unpack 'VVV', substr $d, $pos, 12;
        push @r, [$s * 1000000 + $us, substr $d, $pos + 16, $cap];
        $pos += 16 + $cap;
    }
    return @r;
}

sub ask {
    my $path = shift;
    my $r = $http->get("$api/uri/$path");
    return ($r->{status}, eval { decode_json($r->{content}) });
}

sub finished {
    my $id = shift;
    my $r = $http->get("$api/status/$id?wait=20s");
    return eval { decode_json($r->{content})->{$id} };
}

sub conf {
    my $extra = shift // '';
    open my $f, '>', "$dir/nginx.conf" or die;
    print $f <<END;
load_module $so;
@{[ $> == 0 ? 'user root;' : '' ]}
worker_processes 2;
pid $dir/nginx.pid;
error_log $dir/error.log info;
events { worker_connections 256; }
http {
    access_log $dir/access.log;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    docket_spool $dir/spool;
    docket_ssl_certificate $dir/steno/certs/client_cert.pem;
    docket_ssl_certificate_key $dir/steno/certs/client_key.pem;
    docket_ssl_trusted_certificate $dir/steno/certs/ca_cert.pem;
    docket_sensor s1 127.0.0.1:13541;
    docket_sensor s2 127.0.0.1:13542;
    docket_sensor s3 127.0.0.1:13543;
    $extra
    server {
        listen 127.0.0.1:$port;
        location /api { docket_api; }
        location /results { docket_results; }
    }
}
END
    close $f;
}

sub nginx { run($bin, '-p', $dir, '-c', "$dir/nginx.conf", @_) }

END {
    local $?;
    if (-e "$dir/nginx.pid") {
        my $pid = slurp("$dir/nginx.pid");
        kill 'TERM', $pid + 0 if $pid;
    }
    system("$top/t/lib/steno", 'stop', "$dir/steno") if -e "$dir/steno";
}

remove_tree($dir);
make_path($dir);
{
    local %ENV = (%ENV, PORT => 13541, START => $start, MB => 5);
    run("$top/t/lib/steno", 'start', "$dir/steno");
}

# -- configuration ---------------------------------------------------------

for my $bad (
    ['docket_sensor s1 127.0.0.1:1;', qr/duplicate sensor "s1"/],
    ['docket_sensor ../x 127.0.0.1:1;', qr/no safe file name/],
    ['docket_sensor x 127.0.0.1;', qr/invalid address/],
    ['docket_queue_size 100000;', qr/zone .* too small/],
    ["docket_sensor x 127.0.0.1:1 certificate_key=$dir/steno/certs/ca_key.pem;",
     qr/certificate does not match key/],
    ["docket_sensor x 127.0.0.1:1 certificate=$dir/nothing;", qr/nothing" failed/],
) {
    conf($bad->[0]);
    my $out = `$bin -t -p $dir -c $dir/nginx.conf 2>&1`;
    like $out, $bad->[1], "nginx -t: $bad->[0]";
}

conf();
nginx();
ok wait_until('a helper', sub { helpers() == 1 }), 'one docket process';

# -- the job ---------------------------------------------------------------

my ($code, $job) = ask("net/10.0.0.0/8/after/$after/before/$before");
is $code, 202, 'a new question is queued';
like $job->{query}, qr/^net 10\.0\.0\.0\/8 and after \Q$after\E and before \Q$before\E$/,
    'canonical text';

my $status = finished($job->{id});
is $status->{state}, 'Completed', 'completed';
is_deeply $status->{successes}, [qw(s1 s2 s3)], 'all sensors answered';
ok !$status->{partial} && $status->{settled}, 'whole and settled';

my $r = $http->get("http://127.0.0.1:$port$job->{url}");
is $r->{status}, 200, 'the capture is served';
is $r->{headers}{'content-type'}, 'application/vnd.tcpdump.pcap', 'its type';

# the truth: all IPv4 packets of 10/8 that the index can find, in time order

my @want;
for my $i (1 .. 3) {
    push @want, grep {
        my $p = $_->[1];
        my $o = 14;
        $o += 4 if substr($p, 12, 2) eq "\x81\x00" || substr($p, 12, 2) eq "\x88\x47";
        substr($p, 12, 2) ne "\x08\x06" && ord(substr $p, $o, 1) >> 4 == 4;
    } records(slurp("$dir/steno/s$i.pcap"));
}
@want = grep { $_->[0] < ($start + 300) * 1000000 } @want;
@want = sort { $a->[0] <=> $b->[0] } @want;
my @have = records($r->{content});

is scalar(@have), scalar(@want), scalar(@want) . ' packets';
is_deeply \@have, \@want, 'packet for packet what was captured, in time order';

($code, my $again) = ask("net/10.1.2.3/8/before/$before/after/$after/");
is $code, 200, 'the same question again';
is $again->{id}, $job->{id}, 'is the same job';
ok $again->{duplicate}, 'and says so';

my $ids = decode_json($http->get("$api/ids")->{content});
is_deeply $ids, [$job->{id}], '/ids';
my $urls = decode_json($http->get("$api/urls/$job->{id}")->{content});
is_deeply $urls, { $job->{id} => $job->{url} }, '/urls';
my $stats = decode_json($http->get("$api/stats")->{content});
is $stats->{s2}{health}, 'up', '/stats: health';
ok $stats->{docket}{'Free space'}[0] > 0, '/stats: free space';

# the exact range: one minute of five

my ($a1, $b1) = map { strftime('%FT%TZ', gmtime($_)) } $start + 60, $start + 120;
(undef, $job) = ask("net/10.0.0.0/8/after/$a1/before/$b1");
finished($job->{id});
@have = records($http->get("http://127.0.0.1:$port$job->{url}")->{content});
is_deeply \@have,
    [grep { $_->[0] >= ($start + 60) * 1e6 && $_->[0] < ($start + 120) * 1e6 } @want],
    'exactly the packets of the range';

# streamed, and Stenographer's own wire

my $pcap = $http->get("$api/pcap/port/6666/after/$after/before/$before");
is scalar(records($pcap->{content})), 24, '/pcap streams the capture';
$pcap = $http->get("$api/pcap/port/6666/after/$after/before/$before?partial=ok");
is scalar(records($pcap->{content})), 24, 'partial=ok is no part of the question';
$pcap = $http->post("$api/query",
    { content => "port 6666 and after $after and before $before" });
is scalar(records($pcap->{content})), 24, '/query is the sensors\' own wire';

# -- refusals --------------------------------------------------------------

for my $bad (['hots/1.2.3.4', 'hots'], ['host/1.2.3', '1.2.3'],
             ['port/80/after/5', 'after'])
{
    my $r = $http->get("$api/uri/$bad->[0]");
    is $r->{status}, 400, "$bad->[0] is refused";
    is $r->{headers}{'content-type'}, 'application/problem+json', 'by a problem document';
    my $problem = decode_json($r->{content});
    like join(' ', $problem->{field} // '', $problem->{detail}), qr/\Q$bad->[1]\E/,
        'that says where';
}
is $http->get("$api/status/" . '0' x 32)->{status}, 404, 'an unknown id';
is $http->get("$api/nothing")->{status}, 404, 'an unknown endpoint';
is $http->delete("$api/ids")->{status}, 405, 'a method that is not taken';
is $http->get("http://127.0.0.1:$port/results/$job->{id}/query.json")->{status}, 404,
    'the record is not served';

# -- life cycle ------------------------------------------------------------

my ($old) = helpers();
kill 'STOP', $old;
my @jobs = map { (ask("host/10.$_.0.2/after/$after/before/$before"))[1] } 1 .. 3;
kill 'KILL', $old;
ok wait_until('a new helper', sub { my @h = helpers(); @h == 1 && $h[0] != $old }),
    'a killed helper is replaced by one';
is finished($_->{id})->{state}, 'Completed', 'its job completes' for @jobs;
is finished($jobs[0]{id})->{capture}{packets}, 20, 'with the right packets';

($old) = helpers();
nginx('-s', 'reload');
ok wait_until('a reload', sub { my @h = helpers(); @h == 1 && $h[0] != $old }),
    'after a reload one helper lives';
(undef, $job) = ask("host/10.1.0.3/after/$after/before/$before");
is finished($job->{id})->{capture}{packets}, 10, 'and works';

kill 'STOP', (helpers())[0];
@jobs = map { (ask("port/53/host/10.$_.0.2/after/$after/before/$before"))[1] } 1 .. 10;
my $family = family();
kill 'KILL', keys %$family;
ok wait_until('the end', sub { !grep { -e "/proc/$_" } keys %$family }), 'all are killed';
unlink "$dir/nginx.pid";
nginx();
is finished($_->{id})->{state}, 'Completed', 'a queued job completes after a start'
    for @jobs;

$family = family();
nginx('-s', 'quit');
ok wait_until('the end', sub { !grep { -e "/proc/$_" } keys %$family }),
    'nothing is left after a quit';

unlike slurp("$dir/error.log"), qr/\[(crit|emerg)\]/, 'nothing critical was logged';

done_testing();

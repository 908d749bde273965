# A disk that fails: every system call on the spool in turn, in the worker that
# takes a question and in the helper that answers it.

use lib 't/lib';
use Docket::Test;

use Errno qw(ENOSPC EDQUOT EIO EACCES EROFS EMFILE);
use IO::Socket::INET;

my $fake = Docket::Sensor->start(n => 2);
my $fault = Docket::Fault->new;
my $room = 'docket_free_bytes 1m; docket_free_nodes 100; docket_expire_space 0;';
my $ng = Docket::Nginx->start(sensors => $fake, fault => $fault, workers => 1,
    http => $room . ' docket_sync on; docket_retries 0; docket_idle_time 1h;');

my $spool = $ng->spool;
my $helper = $ng->helper;
my $first = $fake->first;
my $expected = map { @{ read_pcap($_) } } $fake->pcaps;
my $n = 0;

sub question {
    $n++;
    return (host => '10.' . ($n >> 16) . '.' . ($n >> 8 & 255) . '.' . ($n & 255),
            after => utc($first - 60), before => utc($first + 360));
}

sub words { local $! = $_[0]; "$!" }

sub record {
    my ($id) = @_;
    my $text = slurp("$spool/$id/query.json") // return;
    return JSON::PP::decode_json($text);
}

# What is wrong with the spool's folder of a job; of the spool with no id.
sub odd_files {
    my ($id) = @_;
    opendir my $d, defined $id ? "$spool/$id" : $spool or return;
    my @names = grep { !/^\.\.?$/ } readdir $d;
    return defined $id ? grep { !/^(?:query\.json|merged\.pcap|summary\.json)$/ } @names
                       : grep { !/^(?:[0-9a-f]{32}|index|\.owner|\.sensors)$/ } @names;
}

# What the end of a job must be, whatever failed: a list of complaints.
sub judge {
    my ($id, $errno) = @_;
    my $status = $ng->final($id, 20);
    my $words = words($errno);
    my $is = sub { $status ? "$status->{state}, " . ($status->{reason} // '') : 'unknown' };
    my @bad;

    if (!$status) {
        return "the job is lost";

    } elsif ($status->{state} eq 'Completed' && !$status->{partial}) {
        my $packets = $ng->capture($id) // [];
        push @bad, @$packets . " packets in the capture" if @$packets != $expected;
        push @bad, "says $status->{capture}{packets} packets"
            if $status->{capture}{packets} != $expected;

    } elsif ($status->{state} eq 'Completed') {
        push @bad, "reason $status->{reason}" if $status->{reason} !~ /\Q$words/;

    } elsif ($status->{state} eq 'Failed') {
        push @bad, "reason $status->{reason}" if $status->{reason} !~ /\Q$words/;
        push @bad, "a capture" if -e "$spool/$id/merged.pcap";

    } else {
        push @bad, 'it is ' . $is->();
    }

    # the disk has the same, at once or soon

    wait_until { my $r = record($id); $r && $r->{state} eq $status->{state} } 5
        or push @bad, "the disk says " . (record($id) // {state => 'nothing'})->{state}
                      . ', the status ' . $is->();

    wait_until { !odd_files($id) } 5
        or push @bad, "left behind: " . join ' ', odd_files($id);

    return @bad;
}

# Nth call after nth call, until there are no more of them.
sub sweep {
    my ($title, $errno, $ops, $each) = @_;
    my ($name) = grep { Errno->can($_)->() == $errno } qw(ENOSPC EDQUOT EIO EACCES EROFS EMFILE);
    my ($calls, @bad) = 0;

    for my $nth (1 .. 100) {
        my %question = question();
        my $id = $ng->post_json('/api/explain', \%question)->{json}{id};

        $fault->set(path => $spool, title => $title, nth => $nth,
                    errno => $errno, ops => $ops);

        my @wrong = $each->(\%question, $errno, $id);
        my ($fired, $call) = ($fault->fired, $fault->last);

        $fault->off;

        push @bad, map { "$name at call $nth, $call: $_" } @wrong;

        last if !$fired;
        $calls++;
    }

    cmp_ok($calls, '>', 2, "$title: $name at each of $calls calls");
    is(scalar @bad, 0, '... and all is well') or diag(join "\n", @bad);
    is(scalar odd_files(), 0, '... and nothing is left behind')
        or diag(join ' ', odd_files());
}

# -- who takes the question --------------------------------------------------

sub post {
    my ($question, $errno, $id) = @_;
    my $r = $ng->post_json('/api/', $question);
    $fault->off;

    my $full = $errno == ENOSPC || $errno == EDQUOT;
    my $status = $full ? 507 : $errno == EMFILE ? 503 : 500;

    return judge($id, $errno) if $r->{status} == 202;

    my @bad;

    push @bad, "answered $r->{status}" if $r->{status} != $status;
    push @bad, "has an id" if $r->{content} =~ /$id/;
    push @bad, "leaves a folder" if -e "$spool/$id";
    push @bad, "is in the status" if $ng->get("/api/status/$id")->{status} != 404;
    push @bad, "is in the list" if grep { $_ eq $id } @{ $ng->get('/api/ids')->{json} };

    return @bad;
}

my @changing = @Docket::Fault::WRITES;

sweep('worker process', $_, \@changing, \&post) for ENOSPC, EDQUOT;
sweep('worker process', EIO, [ @changing, 'open', 'read' ], \&post);
sweep('worker process', EROFS, [ qw(create mkdir link) ], \&post);
sweep('worker process', EACCES, [ qw(create open mkdir link) ], \&post);
sweep('worker process', EMFILE, [ qw(create open) ], \&post);

# -- who answers it ----------------------------------------------------------

sub run { return judge($ng->ask(%{ $_[0] }), $_[1]) }

sweep('docket process', ENOSPC, \@changing, \&run);
sweep('docket process', EDQUOT, [ qw(create write mkdir) ], \&run);
sweep('docket process', EIO, [ @changing, 'open', 'read', 'unlink' ], \&run);
sweep('docket process', EROFS, [ qw(create mkdir rename unlink) ], \&run);
sweep('docket process', EACCES, [ qw(create open rename unlink) ], \&run);
sweep('docket process', EMFILE, [ qw(create open) ], \&run);

is($ng->helper, $helper, 'the helper lives');
is($ng->final($ng->ask(question()))->{state}, 'Completed', '... and works');

# -- the end of a job that is not yet on disk -----------------------------------

my %unsaved = question();

$fault->set(path => $spool, title => 'docket process', errno => ENOSPC, all => 1,
            ops => ['rename']);
my $failed = $ng->ask(%unsaved);
is($ng->final($failed)->{state}, 'Failed', 'one that failed, which the disk does not know');
is(record($failed)->{state}, 'Created', '... as its record says');
is($ng->post_json('/api/', \%unsaved)->{status}, 202, '... is asked anew all the same');
is($ng->final($failed)->{state}, 'Failed', '... and fails again');
$fault->off;
is($ng->post_json('/api/', \%unsaved)->{status}, 202, 'asked anew');
is($ng->final($failed)->{state}, 'Completed', '... when there is space, it is done');
ok_until { record($failed)->{state} eq 'Completed' } 5, '... and on disk';

$fault->set(path => $spool, title => 'docket process', errno => ENOSPC, all => 1,
            ops => ['rename']);
is($ng->post_json('/api/', { %unsaved, refresh => JSON::PP::true })->{status}, 202, 'a refresh');
is($ng->final($failed)->{state}, 'Failed', '... that failed, which the disk does not know');
ok(-e "$spool/$failed/again", '... and which is to be run again after a restart');
$fault->off;
ok_until { record($failed)->{state} eq 'Failed' } 5, '... until there is space';
ok_until { !-e "$spool/$failed/again" } 5, '... then it has ended';
$ng->ask(%unsaved);
is($ng->final($failed)->{state}, 'Completed', '... and may be asked anew');

# -- a spool that can only be read, for a while -------------------------------

my @readonly = (errno => EROFS, all => 1, path => $spool,
                ops => [ qw(create mkdir rename link unlink) ]);
my $old = $ng->ask(question());

$ng->final($old);
$fake->set(1, query => 'stall', after => 1000);

my %live = question();
my $running = $ng->ask(%live);

wait_until { ($ng->status($running)->{requests}{s1}{received} // 0) > 0 } 10;

$fault->set(@readonly);

is($ng->post_json('/api/', { question() })->{status}, 500, 'read-only: no question is taken');
is($ng->request('DELETE', "/api/$old")->{status}, 500, '... no job is removed');
is(scalar @{ $ng->capture($old) // [] }, $expected, '... captures are served');
is($ng->status($old)->{state}, 'Completed', '... and the status');

$ng->post("/api/cancel/$running");
is($ng->final($running)->{state}, 'Cancelled', 'a job that runs is cancelled');
is(record($running)->{state}, 'Created', '... which the disk does not take');

$fault->off;
$fake->set(0);

ok_until { record($running)->{state} eq 'Cancelled' } 5, '... until it can be written again';
is($ng->request('DELETE', "/api/$old")->{status}, 204, 'jobs are removed again');
is($ng->final($ng->ask(question()))->{state}, 'Completed', '... and taken');
is($ng->helper, $helper, 'by the same helper');

# -- what workers read ----------------------------------------------------------

my ($reader) = $ng->workers;
my $ids = @{ $ng->get('/api/ids')->{json} };
my @lists = ([ GET => '/api/ids' ], [ GET => '/api/urls' ], [ GET => '/api/jobs' ],
             [ GET => '/api/status' ],
             [ POST => '/api/find', headers => { 'Content-Type' => 'application/json' },
               content => '{}' ]);

sub lists { join ' ', map { $ng->request(@$_)->{status} } @lists }
sub finished { $ng->get('/api/metrics')->{content} =~ /^docket_jobs\{state="completed"\}/m }

for my $op ('read', 'open') {
    $fault->set(path => "$spool/index", title => 'worker process', errno => EIO,
                all => 1, ops => [$op]);
    is(lists(), '500 500 500 500 500', "an index that can't be read: $op");
    like($ng->get('/api/jobs')->{json}{detail}, qr/the spool failed/, '... is told');
    ok(!finished(), '... and nothing is counted');
    $fault->off;
    is(lists(), '200 200 200 200 200', '... until it can be');
    ok(finished(), '... and counted');
}

my ($image, $at) = (slurp("$spool/index"), 64 + 20);
open my $index, '+<:raw', "$spool/index" or die "index: $!";
sysseek $index, $at, 0;
syswrite $index, pack 'C*', map { 255 - $_ } unpack 'C*', substr $image, $at, 4;
like($ng->get('/api/ids')->{json}{detail}, qr/index of the jobs is damaged/,
     'an index with a damaged record is told');
$ng->reload;
ok_until { $ng->get('/api/ids')->{status} == 200 } 10, '... and made anew';
is(scalar @{ $ng->get('/api/ids')->{json} }, $ids, '... with all that there are');

# none of its jobs is in memory

$ng->stop;
$ng->start;
$helper = $ng->helper;
($reader) = $ng->workers;
ok_until { @{ $ng->get('/api/ids')->{json} } == $ids } 10, 'read again';

for (['read', EIO, 500], ['open', EIO, 500], ['open', EMFILE, 503], ['open', EACCES, 500]) {
    my ($op, $errno, $code) = @$_;
    my $what = "$op, " . words($errno);

    $fault->set(path => "$spool/$failed/query.json", title => 'worker process',
                errno => $errno, all => 1, ops => [$op]);

    my $r = $ng->get("/api/status/$failed");
    is($r->{status}, $code, "a record that can't be read: $what");
    is($r->{headers}{'retry-after'} // 'none', $code == 503 ? 10 : 'none', '... to be tried again');
    is($ng->get("/api/$_/$failed")->{status}, $code, "... $_")
        for 'status', 'events', 'ids', 'urls', 'summary';
    is($ng->post("/api/$_/$failed")->{status}, $code, "... $_") for 'cancel', 'retry';

    # one that is closed takes no others away

    my $jobs = $ng->get('/api/jobs?limit=1000');
    is($jobs->{status}, $errno == EACCES ? 200 : $code, '... the list');
    is(scalar @{ $jobs->{json} }, $ids - 1, '... is without it') if $errno == EACCES;
    $fault->off;
}

is($ng->status($failed)->{state}, 'Completed', '... until it can be');
is(join(' ', $ng->workers), $reader, 'by the same worker');
is($ng->helper, $helper, '... beside the same helper');

# the spool as a whole, which the master opens

$fault->set(path => $spool, title => 'master process', errno => EIO, all => 1,
            ops => ['open']);
my %old = map { $_ => 1 } $ng->workers;
kill 'HUP', $ng->master;
ok_until { my @all = $ng->workers; @all == 1 && !$old{$all[0]} } 10,
    "a reload whose spool can't be opened";
$fault->off;

is($ng->post_json('/api/', { question() })->{status}, 500,
   '... takes no question');
is($ng->get('/elsewhere')->{status}, 404, '... and serves what else there is');

ok($ng->reload, 'a reload with one that can');
is($ng->final($ng->ask(question()))->{state}, 'Completed', '... takes them again');

$ng->finish(allow => [ qr/docket/, qr{open\(\) "DIR/spool" failed} ]);
undef $ng;

# -- streamed answers, and what memory does not hold ---------------------------

$fake->stop;
$fake = Docket::Sensor->start(n => 2, mb => 4, dir => test_dir('sensors'));
$first = $fake->first;
$expected = map { @{ read_pcap($_) } } $fake->pcaps;

$ng = Docket::Nginx->start(sensors => $fake, fault => $fault, name => 'large',
    http => $room . ' docket_retries 0; docket_idle_time 1h; docket_buffer 1m;');
$spool = $ng->spool;
$helper = $ng->helper;

my %question = question();
my $uri = "host/$question{host}/after/$question{after}/before/$question{before}";

$fake->set(0, rate => 2_000_000);
$fault->set(path => $spool, title => 'docket process', nth => 5, all => 1,
            errno => ENOSPC, ops => ['write']);

my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ng->port)
    or die "connect: $!";
print $socket "GET /api/pcap/$uri HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
my $answer = join '', <$socket>;
$fault->off;

like($answer, qr{^HTTP/1\.1 200.*\r\nTransfer-Encoding: chunked\r\n}s,
     'a full disk in the middle of a streamed answer');
unlike($answer, qr/\r\n0\r\n\r\n\z/, '... which ends broken');

my $id = $ng->post_json('/api/explain', \%question)->{json}{id};
my $status = $ng->final($id);

is($status->{state}, 'Failed', '... and the job fails');
like($status->{reason}, qr/No space left/, '... with the reason');
ok_until { !odd_files($id) } 5, '... leaving nothing behind';
is($ng->get("/api/pcap/$uri")->{status}, 200, 'asked again it is sent');
is(scalar @{ $ng->capture($id) // [] }, $expected, '... whole');

# the first sensor is late, so that the merge can't take what the other sends

for my $op ('create', 'write') {
    $fake->set(1, delay => 1);
    $id = $ng->post_json('/api/explain', \%{{ %question = question() }})->{json}{id};
    $fault->set(path => "$spool/$id/.spill", title => 'docket process', nth => 1,
                errno => ENOSPC, ops => [$op]);
    $status = $ng->final($ng->ask(%question));
    is($fault->fired, 1, "packets that find no room: $op");
    is("$status->{state} $status->{partial}", 'Completed 1', '... the other sensor\'s are there');
    like($status->{requests}{s2}{error}, qr/No space left/, '... and the reason');
    $fault->off;
}

$ng->finish(allow => [ qr/docket/ ]);
undef $ng;

# -- a limit on the size of files, which comes as a signal ----------------------

my $limited = test_dir('bin') . '/nginx';

spew($limited, "#!/bin/sh\nulimit -f 2000\nexec "
               . ($ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx') . " \"\$@\"\n");
chmod 0755, $limited;

$fake->set(0);
$ng = Docket::Nginx->start(sensors => $fake, name => 'limit', binary => $limited,
    http => $room);
$spool = $ng->spool;
$helper = $ng->helper;
$id = $ng->ask(question());
$status = $ng->final($id);
is($status->{state}, 'Failed', 'a file that is too large');
like($status->{reason}, qr/File too large/, '... is the reason');
is($ng->helper, $helper, '... and the helper lives');
ok(!odd_files($id), '... nothing is left behind');
$ng->finish(allow => [ qr/docket/ ]);
undef $ng;

# -- small file systems ----------------------------------------------------------

my @mounted;

END {
    local $?;
    system 'umount', '-l', $_ for @mounted;
}

# Mounts one of so many megabytes and nodes; false if that is not to be had.
sub mounted {
    my ($kind, $image, $mb, $nodes, $at) = @_;

    if ($kind eq 'ext4') {
        spew($image, '');
        truncate $image, $mb << 20;
        system("mkfs.ext4 -q -F -m 0 -N $nodes $image >/dev/null 2>&1") == 0 or return;
    }

    my $how = $kind eq 'ext4' ? "-o loop $image" : "-t tmpfs -o size=${mb}m,nr_inodes=$nodes docket";
    system("mount $how $at 2>/dev/null") == 0 or return;
    push @mounted, $at;
}

for my $kind ('tmpfs', 'ext4') {
  SKIP: {
    skip 'needs root', 20 if $> != 0;

    $ng = Docket::Nginx->new(sensors => $fake, name => $kind, workers => 1,
        http => 'docket_retries 0; docket_idle_time 1h; docket_max_active 1;
                 docket_free_bytes 0; docket_free_nodes 0; docket_expire_space 0;');
    $spool = $ng->spool;
    mkdir $spool;

    mounted($kind, $ng->dir . '/image', 16, 200, $spool) or skip "$kind can not be mounted here", 20;

    $ng->start;
    $helper = $ng->helper;
    $id = $ng->ask(question());
    is($ng->final($id)->{state}, 'Completed', "a small disk: $kind");
    is($ng->request('DELETE', "/api/$id")->{status}, 204, '... is emptied');

    my $free = sub { my @df = split ' ', `df --output=avail,iavail $spool | tail -1`; $df[$_[0]] };
    my $filler = "$spool/foreign";
    my $before = $free->(0);

    # but for a megabyte, in which no capture of these fits

    system 'fallocate', '-l', ($before - 1000) . 'k', $filler;
    $id = $ng->ask(question());
    $status = $ng->final($id);
    ok($status->{state} eq 'Failed' || $status->{truncated}, 'one that is nearly full')
        or diag($status->{state});
    like($status->{reason}, qr/No space left|docket_free_bytes/, '... is the reason');
    ok_until { !odd_files($id) } 5, '... nothing is left behind';
    $ng->request('DELETE', "/api/$id");
    ok_until { $free->(0) >= 980 } 10, '... and the space is there again';

    system("cat /dev/zero > $filler.more 2>/dev/null");
    ok_until { $ng->post_json('/api/', { question() })->{status} == 507 } 10,
        'one that is full refuses questions';
    is(join(' ', grep { /\/[0-9a-f]{32}$/ && !-e "$_/query.json" } glob "$spool/*"), '',
       '... and nothing is half made');
    unlink $filler, "$filler.more";
    ok_until { $ng->post_json('/api/', { question() })->{status} == 202 } 10,
        '... until there is space';

    # nodes

    ok_until { my $d = $ng->get('/api/stats')->{json}{docket};
               !$d->{running} && !$d->{queue} } 20, 'no job runs';
    $ng->request('DELETE', "/api/$_") for @{ $ng->get('/api/ids')->{json} };
    mkdir $filler;
    my $n = $free->(1);
    spew("$filler/$_", '') for 2 .. $n;
    is($free->(1), 1, 'one node is left');
    %question = question();
    $id = $ng->post_json('/api/explain', \%question)->{json}{id};
    is($ng->post_json('/api/', \%question)->{status}, 507, '... in which no job has room');
    ok(!-e "$spool/$id", '... and nothing is half made');
    unlink glob "$filler/*";

    # a folder that is not to be entered, when the job's turn comes

    $fake->set(1, query => 'hang');
    $running = $ng->ask(question());
    ok_until { $ng->status($running)->{state} eq 'Requesting' } 10, 'one runs';
    $id = $ng->ask(question());
    chown 0, 0, "$spool/$id";
    chmod 0700, "$spool/$id";
    $fake->set(0);
    $ng->post("/api/cancel/$running");
    $status = $ng->final($id);
    is($status->{state}, 'Failed', 'one whose folder is closed');
    like($status->{reason}, qr/Permission denied/, '... says so');
    $status = $ng->final($ng->ask(question()));
    is($status->{state}, 'Completed', 'the next one is run') or diag($status->{reason});
    is($ng->helper, $helper, '... by the same helper');

    $ng->finish(allow => [ qr/docket/ ]);
    undef $ng;
  }
}

# -- a disk that fails ----------------------------------------------------------

SKIP: {
    skip 'needs root', 10 if $> != 0;

    $ng = Docket::Nginx->new(sensors => $fake, name => 'gone', workers => 1, http => $room);
    $spool = $ng->spool;
    mkdir $spool;

    my $image = $ng->dir . '/image';
    mounted('ext4', $image, 64, 500, $spool) or skip 'ext4 can not be mounted here', 10;

    $ng->start;
    $helper = $ng->helper;
    ($reader) = $ng->workers;
    $id = $ng->ask(question());
    is($ng->final($id)->{state}, 'Completed', 'a disk that works');
    is(scalar @{ $ng->get('/api/ids')->{json} }, 1, '... has a job');

    # from here on everything there is an error (FS_IOC_SHUTDOWN, at once)

    open my $top, '<', $spool or die "$spool: $!";
    my $now = pack 'L', 2;
    ioctl $top, 0x8004587d, $now or skip 'it can not be made to fail here', 7;

    is($ng->get('/api/ids')->{status}, 500, 'one that fails: the list is refused');
    is($ng->get('/api/status')->{status}, 500, '... with the states');
    is($ng->status($id)->{state}, 'Completed', '... what memory has is told');
    ok(!finished(), '... and nothing is counted');
    isnt($ng->post_json('/api/', { question() })->{status}, 202, '... no question is taken');
    is(join(' ', $ng->workers), $reader, 'the worker lives');
    is($ng->helper, $helper, '... so does the helper');

    $ng->finish(allow => [ qr/docket/ ]);
}

done_testing();

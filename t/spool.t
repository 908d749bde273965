# A start on a spool with entries that are broken, foreign, half-made, hostile:
# each is told once and left alone, nothing is followed, the good jobs are
# served, what a crash left of the module's own is removed.

use lib 't/lib';
use Docket::Test;

use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();

my $fake = Docket::Sensor->start(n => 2);
my $first = $fake->first;
my $n = 0;

sub question {
    $n++;
    return (host => "192.0.2.$n", after => utc($first - 60), before => utc($first + 360));
}

my $ng = Docket::Nginx->start(sensors => $fake, http => 'docket_idle_time 1h;');
my $spool = $ng->spool;
my $helper = $ng->helper;

my @good = map { $ng->ask(question()) } 1 .. 3;
is($ng->final($_)->{state}, 'Completed', 'a good job') for @good;
my $size = length $ng->get("/results/$good[0]/merged.pcap")->{content};

# more of them, which become the bad ones

my @hurt = map { $ng->ask(question()) } 1 .. 8;
$ng->final($_) for @hurt;
$ng->stop;

my $secret = $ng->dir . '/secret';
spew($secret, 'outside');
chmod 0644, $secret;

my ($uid) = (stat "$spool/$good[0]")[4];
my $text = slurp("$spool/$good[1]/query.json");
my $record = decode_json($text);
my $id = 0;
my (%why, %is);

# a folder with a query.json of these bytes; what the log is to say
sub folder {
    my ($name, $why, $bytes) = @_;
    my $at = sprintf '%032x', ++$id;
    mkdir "$spool/$at", 0750 or die "$at: $!";
    spew("$spool/$at/query.json", $bytes) if defined $bytes;
    $is{$at} = $name;
    $why{$at} = $why;
    return "$spool/$at";
}

sub changed { return encode_json({ %$record, id => sprintf('%032x', $id + 1), @_ }) }

folder('an empty file', qr/./, '');
folder('half a record', qr/./, substr $text, 0, length($text) / 2);
folder('no JSON', qr/./, "\0\xff\xfe garbage");
folder('a list', qr/./, '[]');
folder('deep JSON', qr/./, '{"x":' . '[' x 200_000 . ']' x 200_000 . '}');
folder('the id of another', qr/id of another job/, $text);
folder('a later version', qr/./, changed(version => 99));
folder('no version', qr/./, changed(version => undef));
folder('wrong types', qr/./, changed(events => 'none'));
folder('a state that there is not', qr/./, changed(state => 'Sleeping'));
folder('times that there are not', qr/./, changed(created => 'yesterday'));
folder('a sensor with a path', qr/./, changed(requests => { '../../etc' => { state => 'Failed' } }));
folder('too many packets', qr/./, changed(limit_packets => -1, run => 1e30));

my $at = folder('a large file', qr/too large/, '');
truncate "$at/query.json", 100 << 20;

$at = folder('a link', qr/no regular file/);
symlink $secret, "$at/query.json";

$at = folder('a fifo', qr/no regular file/);
POSIX::mkfifo("$at/query.json", 0666);

$at = folder('a folder', qr/no regular file/);
mkdir "$at/query.json";

$at = folder('a socket', qr/no regular file/);
{
    # their paths are short
    my $short = "/proc/self/cwd/s$$";
    my $socket = IO::Socket::UNIX->new(Local => $short, Listen => 1);
    rename "s$$", "$at/query.json";
}

if ($> == 0) {
    $at = folder('a device', qr/no regular file/);
    system('mknod', "$at/query.json", 'c', 1, 5) == 0
        or delete $why{ sprintf '%032x', $id };

    $at = folder('closed', qr/Permission denied/, $text);
    chmod 0, $at;
    $at = folder('a record that is closed', qr/Permission denied/, $text);
    chmod 0, "$at/query.json";
}

# what is no folder, what is no id

my $other = sprintf '%032x', ++$id;
symlink $ng->dir, "$spool/$other";
$why{$other} = qr/no folder/;
$other = sprintf '%032x', ++$id;
spew("$spool/$other", $text);
$why{$other} = qr/no folder/;
$other = uc $good[0] =~ s/^./a/r;
mkdir "$spool/$other";
$why{$other} = qr/not in the form/;

my @foreign = ('lost+found', 'notes.tmp', '.run.1', "a b\n[emerg] c", '..x', '-rf', "\xff\xfe",
               'x' x 255);
for (@foreign) {
    spew("$spool/$_", 'foreign');
}

# captures and summaries that are something else

my @captures = @hurt[0 .. 5];
unlink "$spool/$_/merged.pcap" for @captures;
symlink $secret, "$spool/$captures[0]/merged.pcap";
symlink "../$good[0]/merged.pcap", "$spool/$captures[1]/merged.pcap";
link $secret, "$spool/$captures[2]/merged.pcap";
POSIX::mkfifo("$spool/$captures[3]/merged.pcap", 0666);
mkdir "$spool/$captures[4]/merged.pcap";
unlink "$spool/$captures[5]/summary.json";
symlink $secret, "$spool/$captures[5]/summary.json";

# what a crash leaves: of a run, of a job that was being removed or made

spew("$spool/$good[0]/$_", 'x' x 1000) for '.run.7', '.spill.0', '.123.4.tmp';
spew("$spool/.999.1.tmp", 'x' x 1000);
unlink "$spool/$hurt[6]/query.json";
unlink glob "$spool/$hurt[7]/*";
my $made = folder('a foreign file instead of a record', qr/no query\.json/);
spew("$made/mine", 'foreign');

# and an index of nothing

unlink "$spool/index";
symlink $secret, "$spool/index";
chown $uid, -1, glob "$spool/*/" if $> == 0;

# -- the start ---------------------------------------------------------------

sub started {
    my ($what) = @_;
    my $log = length(slurp($ng->error_log) // '');

    $ng->start;
    ok_until { substr(slurp($ng->error_log), $log) =~ /was read in/ } 20, "$what: it starts";

    return substr slurp($ng->error_log), $log;
}

my $log = started('a hostile spool');
$helper = $ng->helper;

my @silent = grep {
    my ($at, $pattern) = ($_, $why{$_});
    1 != grep { /left alone/ && /\Q$at\E/i && $_ =~ $pattern } split /\n/, $log;
} sort keys %why;

is(scalar @silent, 0, 'each bad job is told once') or diag(map { "$_ $is{$_}\n" } @silent);
is(scalar(() = $log =~ /left alone/g), keys(%why) + @foreign, '... and each foreign entry');
unlike($log, qr/^\[emerg\]/m, '... in one line');

my @gone = grep { !-e "$spool/$_" && !-l "$spool/$_" } sort(keys %why), @foreign;
is(scalar @gone, 0, 'none is removed') or diag("@gone");
is(slurp($secret), 'outside', '... nothing outside is written');
ok(!-e "$spool/$good[0]/$_", "left by a crash, gone: $_") for '.run.7', '.spill.0', '.123.4.tmp';
ok(!-e "$spool/.999.1.tmp", '... that of the index');
ok(!-e "$spool/$hurt[6]", '... a folder without a record');
ok(!-e "$spool/$hurt[7]", '... an empty one');
ok(-e "$made/mine", '... but no foreign file');
ok(!-l "$spool/index" && -s "$spool/index", 'the index is written anew');

my @ids = sort @{ $ng->get('/api/ids')->{json} };
is_deeply(\@ids, [ sort @good, @captures ], 'the list has the good ones');
is(length $ng->get("/results/$_/merged.pcap")->{content}, $size, '... which are served') for @good;
is($ng->get("/results/$captures[$_]/merged.pcap")->{status}, 404, "no capture: $_") for 0 .. 4;
is($ng->get("/results/$captures[5]/summary.json")->{status}, 404, 'no summary');
is($ng->get("/api/status/$_")->{status}, "$spool/$_" eq $made ? 404 : 500,
   'no status: ' . ($is{$_} // 'no folder')) for grep { /^0/ } sort keys %why;
is($ng->final($ng->ask(question()))->{state}, 'Completed', 'a new one is run');
is($ng->request('POST', '/api/clean')->{status}, 202, 'it is cleaned');
is($ng->final($ng->ask(question()))->{state}, 'Completed', '... and works');
is($ng->helper, $helper, 'by the same helper');
is(scalar(grep { !-e "$spool/$_" && !-l "$spool/$_" } sort(keys %why), @foreign), 0,
   '... which left all alone');

# -- an index of any kind ------------------------------------------------------

my $all = @{ $ng->get('/api/ids')->{json} };
my $whole = slurp("$spool/index");
my %index = (
    'random bytes' => join('', map { chr int rand 256 } 1 .. 1000),
    'nothing' => '',
    'half a record' => substr($whole, 0, 64 + 32),
    'of a later version' => substr($whole, 0, 8) . pack('L', 99) . substr($whole, 12),
    'records of bytes' => substr($whole, 0, 64) . "\xff" x 6400,
);

for my $what (sort keys %index) {
    $ng->stop;
    spew("$spool/index", $index{$what});
    started("an index: $what");
    is(scalar @{ $ng->get('/api/ids')->{json} }, $all, '... and knows all jobs');
}

$ng->stop;
unlink "$spool/index";
mkdir "$spool/index";
started('an index that is a folder');
is($ng->final($ng->ask(question()))->{state}, 'Completed', '... which stops no job');

rmdir "$spool/index";

# -- a lock that can't be taken -------------------------------------------------

my %owner = (
    'a folder' => [ sub { mkdir "$spool/.owner" }, qr/its "\.owner" is no regular file/ ],
    'a link' => [ sub { symlink $secret, "$spool/.owner" }, qr/its "\.owner" is no regular file/ ],
    'a fifo' => [ sub { POSIX::mkfifo("$spool/.owner", 0666); chmod 0666, "$spool/.owner" },
                  qr/its "\.owner" is no regular file/ ],
    'closed' => [ sub { spew("$spool/.owner", ''); chmod 0, "$spool/.owner" },
                  qr/locking its "\.owner" failed \(13: Permission denied\)/ ],
);

delete $owner{closed} if $> != 0;

for my $what (sort keys %owner) {
    my ($make, $words) = @{ $owner{$what} };
    my $from = length slurp($ng->error_log);

    $ng->stop;
    unlink "$spool/.owner";
    $make->();
    $ng->start;
    ok_until { substr(slurp($ng->error_log), $from) =~ $words } 10, "a lock that is $what: it is told";

    my $docket = $ng->get('/api/stats')->{json}{docket};
    ok(!$docket->{helper} && !$docket->{waits}, '... and nobody has the spool');
    my $waits = $ng->ask(question());
    is($ng->status($good[0])->{state}, 'Completed', '... which is served');
    rmdir "$spool/.owner" or unlink "$spool/.owner";
    is($ng->final($waits)->{state}, 'Completed', '... what was asked is done as soon as it is mended');
    is(scalar(() = substr(slurp($ng->error_log), $from) =~ /can not be owned/g), 1,
       '... one line of the log');
    unlike(substr(slurp($ng->error_log), $from), qr/another process/, '... which blames nobody');
}

is(slurp($secret), 'outside', 'nothing outside is written');

# -- very many jobs ------------------------------------------------------------

$ng->stop;

my $hour = utc(time - 3600);

for my $i (1 .. 2000) {
    my $many = sprintf '%08x%024x', 0xabcd0000 + $i, $i;
    my $copy = $text =~ s/\Q$good[1]\E/$many/gr;
    $copy =~ s/"(created|requested|started|finished|first|last|datetime)":\s*"[^"]*"/"$1":"$hour"/g;
    mkdir "$spool/$many", 0750;
    spew("$spool/$many/query.json", $copy);
    chown $uid, -1, "$spool/$many", "$spool/$many/query.json" if $> == 0;
}

started('very many');
my %listed = map { $_ => 1 } @{ $ng->get('/api/ids')->{json} };
my @many = grep { /^abcd/ } keys %listed;
is(scalar @many, 2000, '... are listed');
is($ng->status('abcd0001' . '0' x 23 . '1')->{state}, 'Completed', '... and known');

my ($pages, $next, %seen) = (0, '?limit=500');

while (defined $next && $pages++ < 20) {
    my $r = $ng->get("/api/jobs$next");
    $seen{$_->{id}}++ for @{ $r->{json} };
    ($next) = ($r->{headers}{link} // '') =~ /<([^>]*)>/;
}

is_deeply([ sort keys %seen ], [ sort keys %listed ], '... page by page');
is(scalar(grep { $_ > 1 } values %seen), 0, '... none of them twice');

$ng->reload(http => 'docket_idle_time 1h; docket_expire_time 30m;');
my $meanwhile = $ng->ask(question());
is($ng->final($meanwhile)->{state}, 'Completed', 'a job while they are cleaned');
ok_until { !grep { /^abcd/ } @{ $ng->get('/api/ids')->{json} } } 60, '... until all old ones are gone';
is(scalar(() = glob "$spool/abcd*"), 0, '... from the disk too');
is($ng->get("/api/status/$_")->{status}, 200, '... and the younger are there') for $good[1], $meanwhile;

$ng->finish(allow => [ qr/docket/ ]);
done_testing();

# What the docket process may do, what it holds, and what of it others see.

use lib 't/lib';
use Docket::Test;

use IO::Socket::INET;
use POSIX ();

plan(skip_all => 'needs root, to see what is given up') if $> != 0;

my $fake = Docket::Sensor->start(n => 2, mb => 1);
my $ng = Docket::Nginx->start(sensors => $fake, main => 'user nobody nogroup;',
                              http => 'docket_idle_time 0;');
my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
my $n = 0;

sub ask {
    $n++;
    return $ng->ask(host => "192.0.2.$n", after => utc($fake->first - 60),
                    before => utc($fake->first + 360));
}

sub status_of {
    my ($pid, $name) = @_;
    return slurp("/proc/$pid/status") =~ /^$name:\s*(.*?)\s*$/m ? $1 : undef;
}

sub fds {
    my ($pid) = @_;
    return map { readlink // () } glob "/proc/$pid/fd/*";
}

# sockets by what /proc/net says of them: "local remote state"
sub sockets {
    my ($pid) = @_;
    my %inode = map { /^socket:\[(\d+)\]/ ? ($1 => 1) : () } fds($pid);
    my @found;

    for my $line (map { split /\n/, slurp("/proc/$pid/net/$_") // '' }
                  qw(tcp tcp6))
    {
        my @f = split ' ', $line;
        push @found, "$f[1] $f[2] $f[3]" if $f[9] && delete $inode{$f[9]};
    }

    return (\@found, [ keys %inode ]);
}

sub port_of { return map { hex } $_[0] =~ /:([0-9A-F]{4}) \w+:([0-9A-F]{4})/ }


my $helper = $ng->helper;


# Rights

is(status_of($helper, 'Uid'), join("\t", ($uid) x 4), 'the user');
is(status_of($helper, 'Gid'), join("\t", ($gid) x 4), '... the group');
is(status_of($helper, 'NoNewPrivs'), 1, '... no new rights');
is(status_of($helper, $_), '0' x 16, "... $_: none") for qw(CapEff CapPrm);

# no environment but what nginx leaves
my @env = grep { !/^(?:TZ|NGINX|LSAN_|ASAN_|UBSAN_)/ && /=/ }
          split /\0/, slurp("/proc/$helper/environ");
my %master = map { $_ => 1 }
             split /\0/, slurp('/proc/' . $ng->master . '/environ');
is(join(' ', grep { !$master{$_} } @env), '', '... no environment of its own');


# Descriptors: while a client waits, while another one keeps its connection
# open, while a job runs

my $idle = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $ng->port) or die;
print $idle "GET /api/ids HTTP/1.1\r\nHost: x\r\n\r\n";

$fake->set(0, query => 'stall', after => 200_000);
my $id = ask();
ok_until { $fake->state(1)->{active} && $fake->state(2)->{active} } 10,
    'a job runs';
ok_until { -e $ng->spool . "/$id/.run.1" } 10, '... and is written';

my ($tcp, $rest) = sockets($helper);
my %sensor = map { $fake->port($_) => 1 } 1, 2;

is(scalar(grep { / 0A$/ } @$tcp), 0, '... it listens nowhere');
is(join(', ', grep { !$sensor{(port_of($_))[1]} } @$tcp), '',
   '... all its connections lead to sensors');
cmp_ok(scalar @$tcp, '>=', 2, '... there are some');
cmp_ok(scalar @$rest, '<=', 3,
       '... other sockets: the channel, and what curl wakes itself by');

my $spool = $ng->spool;
my @odd = grep {
    !m{^/dev/null$} && !m{^socket:} && !m{^anon_inode:\[eventfd\]}
    && !m{^pipe:} && $_ ne $ng->error_log && !m{^\Q$spool\E(?:/|$)}
} fds($helper);

is(join(', ', @odd), '', '... its files: the log, the spool');
is(scalar(grep { m{epoll} } fds($helper)), 0, '... none of nginx\'s events');
is(scalar(grep { m{access\.log} } fds($helper)), 0, '... no access log');

# and they come to an end with their job
my $before = fds($helper);
$fake->set(0);
$ng->post("/api/cancel/$id");
$ng->final($id);

for (1 .. 20) { $ng->final(ask()) }
ok_until { fds($helper) <= $before } 10, '... no more of them after more jobs';
is(scalar(grep { / \(deleted\)$/ } fds($helper)), 0,
   '... nor files without names');


# Files

$id = ask();
$ng->final($id);

my %mode = map { $_ => sprintf '%o', (stat $_)[2] & 07777 }
           "$spool/$id", glob("$spool/$id/{*,.[!.]*}"), "$spool/index",
           "$spool/.owner", "$spool/.sensors", glob "$spool/.sensors/*";

is(join(', ', map { "$_ $mode{$_}" }
              grep { $mode{$_} ne (-d $_ ? '750' : '640') }
              sort keys %mode), '',
   'folders are 0750, files 0640');
is(join(', ', grep { (stat $_)[4] != $uid } keys %mode), '',
   '... of the user');
is((stat $spool)[2] & 07007, 0, '... and nobody else gets there');


# The keys of the sensors: workers have none, also after a reload, and can't
# get at those who have

my $key = slurp($fake->cert('client_key'));
my ($line) = $key =~ /^(?!-)(\S{40,})$/m;

sub holds {
    my ($pid, $what) = @_;
    my $found = 0;

    no warnings 'portable';             # 64 bits

    open my $mem, '<:raw', "/proc/$pid/mem" or return;

    for (split /\n/, slurp("/proc/$pid/maps")) {
        my ($from, $to) = /^(\w+)-(\w+) rw/ or next;

        ($from, $to) = (hex $from, hex $to);
        next if $to - $from > 256 << 20;

        sysseek $mem, $from, 0;
        my $bytes = '';

        while (length $bytes < $to - $from) {
            my $got = sysread $mem, $bytes, $to - $from - length $bytes,
                              length $bytes;
            last if !$got;
        }

        $found++ if index($bytes, $what) >= 0;
    }

    return $found;
}

SKIP: {
    skip 'memory can not be searched like this', 6 if asan();

    cmp_ok(holds($helper, $line), '>', 0, 'the helper has its key');
    is(holds($_, $line), 0, '... a worker does not') for $ng->workers;

    my %old = map { $_ => 1 } $ng->workers;
    ok($ng->reload, '... at a reload');
    is(holds($_, $line), 0, '... a new worker does not either')
        for grep { !$old{$_} } $ng->workers;
}

ok_until { $ng->helpers == 1 } 10, 'one helper';
$ng->final(ask());
($helper) = $ng->helpers;

# what /proc/PID/mem asks for is what ptrace() and a core need
sub user_reads {
    my ($file) = @_;
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        $) = "$gid $gid";
        $( = $gid;
        POSIX::setuid($uid);
        POSIX::_exit(open(my $f, '<', $file) ? 0 : 1);
    }

    waitpid $pid, 0;
    return $? == 0;
}

# a system may forbid it for all that is no child
note('a worker can be traced: ', user_reads("/proc/$_/mem") ? 'yes' : 'no')
    for ($ng->workers)[0];
ok(!user_reads("/proc/$_->[1]/mem"), "the user does not get at the $_->[0]")
    for ['helper', $helper], ['manager', ($ng->managers)[0]];

kill 'KILL', $helper;
ok_until { my @h = $ng->helpers; @h == 1 && $h[0] != $helper } 10,
    '... it is replaced when it is killed';
ok(!user_reads('/proc/' . ($ng->helpers)[0] . '/mem'), '... by one like it');


# A combined file of certificate and key, and files of like names: each sensor
# has its own

my $dir = $ng->dir . '/pem';
mkdir $dir;
spew("$dir/both.pem", slurp($fake->cert('client_cert')), $key);
spew("$dir/other-both.pem", slurp($fake->cert('other_client_cert')),
     slurp($fake->cert('other_client_key')));

my $conf = <<END;
docket_sensor s1 127.0.0.1:${\ $fake->port(1) }
    certificate=$dir/other-both.pem certificate_key=$dir/other-both.pem;
docket_sensor s2 127.0.0.1:${\ $fake->port(2) };
docket_ssl_certificate pem/both.pem;
docket_ssl_certificate_key pem/both.pem;
docket_ssl_trusted_certificate ${\ $fake->cert('ca_cert') };
END

ok($ng->reload(sensors => $conf), 'other files for one sensor');
ok_until { my $s = $ng->get('/api/stats')->{json};
           $s->{s2}{health} eq 'up' && $s->{s1}{health} eq 'down' } 15,
    '... are of that one alone';

SKIP: {
    skip 'memory can not be searched like this', 2 if asan();
    is(holds($_, $line), 0, '... a worker has no key of a file for both')
        for $ng->workers;
}

# names of which one ends as the other: relative ones are taken from the
# folder of the configuration

spew($ng->dir . '/client.pem', slurp($fake->cert('client_cert')), $key);
spew("$dir/client.pem", slurp($fake->cert('other_client_cert')),
     slurp($fake->cert('other_client_key')));

ok($ng->reload(sensors => $fake), 'good ones for both');
ok_until { my $s = $ng->get('/api/stats')->{json};
           $s->{s2}{health} eq 'up' && $s->{s1}{health} eq 'up' } 15,
    '... they answer';

$conf =~ s{\Q$dir/other-both.pem}{$dir/client.pem}g;
$conf =~ s{pem/both\.pem}{client.pem}g;
ok($ng->reload(sensors => $conf), 'files whose names end alike');
ok_until { my $s = $ng->get('/api/stats')->{json};
           $s->{s2}{health} eq 'up' && $s->{s1}{health} eq 'down' } 15,
    '... are two';

$ng->finish(allow => [ qr/exited on signal 9|docket process \d+ has gone/ ]);
undef $ng;


# A spool below a folder that nginx's user may not enter: the master opens it

my $closed = test_dir('closed');
chmod 0700, $closed or die "chmod: $!";

$ng = Docket::Nginx->start(sensors => $fake, main => 'user nobody nogroup;',
                           http => 'docket_idle_time 0;', name => 'below',
                           spool_dir => "$closed/spool");

is($ng->final($id = ask())->{state}, 'Completed', 'a spool in a closed folder');
is($ng->get("/results/$id/merged.pcap")->{status}, 200, '... its captures');

kill 'KILL', $ng->helper, $ng->workers;
ok_until { ($ng->ask(host => '192.0.2.250', after => utc($fake->first - 60),
                     before => utc($fake->first + 360)) // '') ne '' } 10,
    '... and processes that are started later';

$ng->finish(allow => [ qr/exited on signal 9|docket process \d+ has gone/ ]);
done_testing;

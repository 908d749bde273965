package Docket::Nginx;

# One nginx with the module, for tests of life cycles.
#
#   my $ng = Docket::Nginx->start(sensors => $steno, http => 'docket_settle 1s;');
#   my $id = $ng->ask(host => '10.1.0.2', after => ..., before => ...);
#   is($ng->final($id)->{state}, 'Completed');
#   is_packets($ng->capture($id), tcpdump('host 10.1.0.2', $steno->pcaps), '...');
#   $ng->finish;

use strict;
use warnings;

use File::Path 'make_path';
use HTTP::Tiny;
use JSON::PP;
use POSIX ();
use Test::More;

use Docket::Util;


# new(sensors =>    what has ->conf (Docket::Steno, Docket::Sensor), or text
#     main =>       more lines for the outermost level, for http, for the
#     http =>       server and for /api
#     server =>
#     api =>
#     conf =>       the whole configuration instead; %DIR%, %PORT% and %SPOOL%
#                   in it are replaced
#     spool =>      '' for no docket_spool line; else its arguments after PATH
#     spool_dir =>  another spool than its own
#     workers =>    2
#     fault =>      a Docket::Fault, which makes its system calls fail
#     binary =>     nginx, or what starts it
#     daemon =>     'on'
#     name =>       for a second nginx in one test
#     dir =>        its folder, if it is not to be one of its own)
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, owner => $$ }, $class;

    $self->{dir} //= test_dir($o{name} // 'nginx');
    $self->{port} //= free_ports(1);
    $self->{daemon} //= 'on';
    $self->{binary} //= $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
    $self->{module} = (split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '')[0]
                      || build_dir() . '/ngx_http_docket_module.so';

    make_path(map { "$self->{dir}/$_" } qw(logs san tmp));
    chmod 01777, "$self->{dir}/san";

    $self->configure(%o);
    return $self;
}


sub start {
    my $self = ref $_[0] ? $_[0] : new(@_);
    my $log = length(slurp($self->error_log) // '');

    if ($self->{daemon} eq 'on') {
        my ($status, $out) = $self->run;
        $status == 0 or die "nginx does not start: $out";

    } else {
        defined($self->{child} = fork) or die "fork: $!";

        if ($self->{child} == 0) {
            $self->environment;
            open STDERR, '>', "$self->{dir}/out";
            exec $self->command or POSIX::_exit(127);
        }
    }

    wait_until { $self->master && $self->workers == $self->{workers} } 10
        or die "nginx does not come up: "
               . substr slurp($self->error_log) // '', $log;

    return $self;
}


# Writes the configuration, from what new() was given and from what is given
# now.  It takes effect with the next start or reload.
sub configure {
    my ($self, %o) = @_;

    $self->{$_} = $o{$_} for keys %o;

    my $dir = $self->{dir};
    my $sensors = ref $self->{sensors} ? $self->{sensors}->conf
                                       : $self->{sensors} // '';
    my $spool = $self->{spool} // 'zone=16m';
    my $conf = $self->{conf};
    my $http = $self->{http} // '';

    # a handshake takes its time there

    $http .= join ' ', map { "docket_$_ 60s;" }
                       grep { $http !~ /docket_$_/ && $spool ne '' }
                            qw(connect_timeout stat_timeout) if valgrind();

    $self->{workers} //= 2;

    if (!defined $conf) {
        $conf = <<END;
daemon $self->{daemon};
worker_processes $self->{workers};
${\ ($self->{main} // '') }

events {
    worker_connections 256;
}

http {
    access_log %DIR%/access.log;
    client_body_temp_path %DIR%/tmp/body;
    proxy_temp_path %DIR%/tmp/proxy;
    fastcgi_temp_path %DIR%/tmp/fastcgi;
    uwsgi_temp_path %DIR%/tmp/uwsgi;
    scgi_temp_path %DIR%/tmp/scgi;

${\ ($spool eq '' ? '' : "    docket_spool %SPOOL% $spool;") }
$sensors
$http

    server {
        listen 127.0.0.1:%PORT%;

        location /api {
            docket_api;
            ${\ ($self->{api} // '') }
        }

        location /results {
            docket_results;
        }

        ${\ ($self->{server} // '') }
    }
}
END
    }

    # ahead of the test's own lines, which may name another user

    $conf = "load_module $self->{module};\n"
            . "error_log %DIR%/error.log " . ($self->{log_level} // 'info')
            . ";\npid %DIR%/nginx.pid;\n$conf";

    $conf =~ s/%DIR%/$dir/g;
    $conf =~ s/%PORT%/$self->{port}/g;
    $conf =~ s/%SPOOL%/$self->spool/ge;

    spew($self->conf_file, $conf);
}


sub dir       { $_[0]{dir} }
sub port      { $_[0]{port} }
sub spool     { $_[0]{spool_dir} // "$_[0]{dir}/spool" }
sub conf_file { "$_[0]{dir}/nginx.conf" }
sub error_log { "$_[0]{dir}/error.log" }
sub url       { "http://127.0.0.1:$_[0]{port}" . ($_[1] // '') }


# What nginx finds in its environment.
sub environment {
    my ($self) = @_;
    my $log = "log_path=$self->{dir}/san/report";

    for (qw(ASAN_OPTIONS UBSAN_OPTIONS)) {
        $ENV{$_} = join ',', grep { defined && length } $ENV{$_}, $log;
    }

    %ENV = (%ENV, $self->{fault}->env) if $self->{fault};
}


sub command {
    my ($self) = @_;
    my @valgrind = !valgrind() ? ()
        : (qw(valgrind -q --trace-children=yes --fair-sched=yes --vgdb=no
              --num-callers=30),
           '--suppressions=' . lib_dir() . '/valgrind.supp',
           "--log-file=$self->{dir}/san/report.%p", split ' ', valgrind());

    return (@valgrind, $self->{binary}, '-p', $self->{dir}, '-e', $self->error_log,
            '-c', $self->conf_file);
}


# nginx with more arguments, to its end: exit status, output.
sub run {
    my ($self, @args) = @_;
    my $out = "$self->{dir}/out";
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        $self->environment;
        open STDOUT, '>', $out;
        open STDERR, '>&', \*STDOUT;
        exec $self->command, @args or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    return ($? >> 8 || $? & 127, slurp($out));
}


# nginx -t: exit status, output.
sub test_conf { $_[0]->run('-t') }


# Processes ---------------------------------------------------------------

# All that came from this nginx and live, by pid: what they are called.  They
# are known by the error log that they hold open, so that one which lost its
# parent is found too.
sub processes {
    my ($self) = @_;
    my %found;

    for my $proc (glob '/proc/[0-9]*') {
        my ($pid) = $proc =~ /(\d+)$/;

        next if $pid == $$ || !is_running($pid);

        for (glob "$proc/fd/*") {
            my $to = readlink or next;
            next if $to ne $self->error_log;
            $found{$pid} = $self->title($pid);
            last;
        }
    }

    return %found;
}

# A process under valgrind has valgrind's title; what it is stands in the log.
sub title {
    my ($self, $pid) = @_;

    return title_of($pid) if !valgrind();

    my $log = slurp($self->error_log) // '';
    my ($name) = $log =~ /.*: start ((?:\w+ )+process) $pid$/ms;

    return 'nginx: ' . ($name // 'master process')
           . ($log =~ /\[notice\] $pid#\d+: gracefully shutting down$/m
              ? ' is shutting down' : '');
}

sub pids_of {
    my ($self, $title) = @_;
    my %p = $self->processes;
    my @pids = sort { $a <=> $b } grep { $p{$_} =~ $title } keys %p;
    return @pids;
}

# the workers that take requests, and those of an older generation

sub workers     { $_[0]->pids_of(qr/worker process$/) }
sub old_workers { $_[0]->pids_of(qr/worker process is shutting down$/) }
sub managers    { $_[0]->pids_of(qr/cache manager process/) }
sub helpers     { $_[0]->pids_of(qr/docket process/) }

# Who holds the lock on the spool's queue.
sub owners {
    my ($self) = @_;
    my $inode = (stat $self->spool . '/.owner')[1] // return;

    return map { /FLOCK\s+\S+\s+WRITE (\d+) \S+:$inode / ? $1 : () }
           split /\n/, slurp('/proc/locks') // '';
}

sub master {
    my ($self) = @_;
    my $pid = slurp("$self->{dir}/nginx.pid") || return;
    $pid += 0;
    return is_running($pid) ? $pid : undef;
}

# Waits for the helper, and returns its pid.
sub helper {
    my ($self, $seconds) = @_;
    return wait_until { my @p = $self->helpers; @p == 1 && $p[0] } $seconds;
}


# Reloads, and waits for the new workers.  False if the new configuration was
# not taken.
sub reload {
    my ($self, %o) = @_;
    my %old = map { $_ => 1 } $self->workers;
    my $from = length slurp($self->error_log);

    $self->configure(%o) if %o;

    kill 'HUP', $self->master or die 'no master';

    my $taken;

    wait_until {
        my @all = $self->workers;
        my @new = grep { !$old{$_} } @all;
        my $log = substr slurp($self->error_log), $from;

        $taken = @new == $self->{workers} && @all == @new;
        $taken || $log =~ /\[emerg\]/;
    } 10;

    return $taken;
}


# True if no process is left, of those in %$seen either, to which the others are
# added: one that has closed the error log may still hold its locks.
sub gone {
    my ($self, $seen) = @_;
    my %p = $self->processes;

    @$seen{keys %p} = ();
    waitpid $self->{child}, POSIX::WNOHANG() if $self->{child};
    return !grep { is_running($_) } keys %$seen;
}


# stop('QUIT' or 'TERM', SECONDS): true if all is gone by then.
sub stop {
    my ($self, $signal, $seconds) = @_;
    my $master = $self->master;
    my %seen;

    if ($master) {
        kill $signal // 'QUIT', $master;
        $seen{$master} = ();
    }

    my $gone = wait_until { $self->gone(\%seen) } $seconds // 10;

    delete $self->{child} if $gone;
    return $gone;
}


# Stops, and tests what must be true at the end of every life: nothing is
# left, the log has no complaint, the sanitizers have none.
# allow: patterns of complaints that the test provoked, in which DIR stands for
# the folder of this nginx.
sub finish {
    my ($self, %o) = @_;
    my @allow = @{ $o{allow} // [] };

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    if (!ok($self->stop($o{signal}, $o{seconds}), 'no process is left')) {
        my %p = $self->processes;
        diag("$_: $p{$_}") for sort keys %p;
        $self->kill_all;
    }

    # the clone's own path may be anything, what a pattern allows too

    my @said = map { s/\Q$self->{dir}\E/DIR/gr }
               $self->log_lines(qr/\[(?:alert|crit|emerg)\]/);
    my @bad = grep { my $line = $_; !grep { $line =~ $_ } @allow } @said;

    # one whose death is allowed may have had the zone's mutex, as nginx says

    my %dead = map { /process (\d+) exited on signal 9/ ? ($1 => 1) : () }
               grep { my $line = $_; grep { $line =~ $_ } @allow } @said;

    @bad = grep { !(/zone "docket:\S+" was locked by (\d+)/ && $dead{$1}) } @bad;

    is(scalar @bad, 0, 'the log has no alert') or diag(@bad);

    my @reports = glob "$self->{dir}/san/report*";
    my @told = grep { -s } @reports;

    is(scalar @told, 0, 'no sanitizer complains')
        or diag(map { slurp($_) } @told);

    # master, workers, manager, helper, and what became the master

    cmp_ok(scalar @reports, '>=', $self->{workers} + 4,
           'valgrind has been in every process') if valgrind();
}


sub kill_all {
    my ($self) = @_;
    my %seen;

    # parents first, so that they start nothing anew and complain of nothing
    my $master = $self->master;
    kill 'KILL', $master if $master;

    wait_until {
        my $gone = $self->gone(\%seen);
        kill 'KILL', grep { is_running($_) } sort { $a <=> $b } keys %seen;
        $gone;
    } 5;
}


sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;

    local ($?, $!);
    $self->kill_all;
}


# lines of the error log that match
sub log_lines {
    my ($self, $pattern) = @_;
    return grep { $_ =~ $pattern }
           map { "$_\n" } split /\n/, slurp($self->error_log) // '';
}


# Requests ----------------------------------------------------------------

# HTTP::Tiny's answer; "json" in it is the body's, if it is JSON.
sub request {
    my ($self, $method, $path, %o) = @_;
    my $http = HTTP::Tiny->new(timeout => delete $o{timeout} // 30,
                               max_redirect => 0, keep_alive => 0);
    my $r = $http->request($method, $self->url($path), \%o);

    if (($r->{headers}{'content-type'} // '') =~ m{^application/(?:\S+\+)?json})
    {
        $r->{json} = eval { decode_json($r->{content}) };
    }

    return $r;
}

sub get  { my $s = shift; $s->request('GET', @_) }
sub post { my $s = shift; $s->request('POST', @_) }


sub post_json {
    my ($self, $path, $data) = @_;
    return $self->post($path, content => encode_json($data),
                       headers => { 'Content-Type' => 'application/json' });
}


# Asks, and returns the id; dies of a refusal.
sub ask {
    my ($self, %fields) = @_;
    my $r = $self->post_json('/api/', \%fields);

    $r->{json} && $r->{json}{id} or die "asked: $r->{status} $r->{content}";

    return $r->{json}{id};
}


# The status of a job, or nothing.
sub status {
    my ($self, $id) = @_;
    my $r = $self->get("/api/status/$id");
    return $r->{json} && $r->{json}{$id};
}


# Waits until the job has ended, and returns its status, whatever it is then.
sub final {
    my ($self, $id, $seconds) = @_;
    my $status;

    wait_until {
        $status = $self->status($id);
        $status && $status->{state} =~ /^(?:Completed|Failed|Cancelled)$/;
    } $seconds // 30 or diag("job $id has not ended");

    return $status;
}


# The packets of a job's capture, or nothing.
sub capture {
    my ($self, $id) = @_;
    my $r = $self->get("/results/$id/merged.pcap");

    $r->{success} or diag("capture: $r->{status}"), return;

    return Docket::Pcap::read_pcap(\$r->{content});
}


1;

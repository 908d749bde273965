package Docket::Soak;

# Many jobs of all kinds, on sensors that fail at random, while processes are
# killed and nginx is reloaded and stopped at random; then everything that was
# promised is compared with the truth.
#
#   my $soak = Docket::Soak->new(jobs => 2000, kills => 300, seed => 1);
#   $soak->storm;           # jobs under faults and kills
#   $soak->calm;            # jobs under faults alone: what does grow?
#   $soak->check;           # all results
#   print $soak->table;
#   @bad = $soak->bad;

use strict;
use warnings;

use IO::Handle;
use JSON::PP;
use List::Util qw(first max sum0);
use POSIX ();
use Time::HiRes qw(sleep time);

use Docket::Nginx;
use Docket::Sensor;
use Docket::Soak::Client;
use Docket::Soak::Http 'request';
use Docket::Soak::Truth;
use Docket::Util;

use constant {
    CLIENTS => 8,
    SENSORS => 4,
};

# what dies how often, in a hundred
my @BLOWS = (
    [ 30, 'helper' ], [ 22, 'worker' ], [ 14, 'manager' ], [ 20, 'reload' ],
    [ 4, 'quit' ], [ 4, 'term' ], [ 3, 'everything' ], [ 3, 'master' ],
);

# those that show: a capture of another link type is a good one when it comes
# alone, and disorder is repaired only within a window
my @FAULTS = (
    (map { { listen => $_ } } 'refuse', 'hang', 'drop'),
    (map { { cert => $_ } } 'expired_server', 'other_server'),
    (map { { query => $_ } } 'hang', 'hang-headers', 'garbage', 'none',
                             'swapped', 'nano', 'swapped-nano', 'long'),
    (map { { query => $_, after => 1 } } 'stall', 'reset', 'drop', 'cut'),
    (map { { status => $_ } } 400, 401, 403, 404, 429, 500, 503),
    (map { { stats => $_ } } 'hang', 'garbage', 'missing', 'drop', 500),
    { busy => 1 }, { busy => [ 1, 1, 0 ] }, { delay => 0.5 },
    { rate => 30_000 }, { rate => 300_000 },
);


sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, bad => [], seen => {}, began => time }, $class;

    srand($self->{seed});

    $self->{fake} = Docket::Sensor->start(n => SENSORS, mb => 0.3);
    $self->{truth} = Docket::Soak::Truth->new($self->{fake});
    $self->{edges} = edges($self->{fake}->pcaps);

    $self->{ng} = Docket::Nginx->new(
        sensors => join('', map { s/;$/ max_queries=3;/r . "\n" }
                            grep { /^docket_sensor/ }
                            split /\n/, $self->{fake}->conf)
                   . join("\n", grep { /^docket_ssl/ }
                                split /\n/, $self->{fake}->conf),
        main => 'worker_shutdown_timeout 5s;',
        http => <<END);
            docket_max_active 12;
            docket_buffer 1m;
            docket_slice 2m;
            docket_time_padding 60s;
            docket_settle 1s;
            docket_retries 1;
            docket_idle_time 200ms;
            docket_idle_sleep 50ms;
            docket_idle_timeout 400ms;
            docket_connect_timeout 2s;
            docket_stat_timeout 2s;
            docket_stall_timeout 2s;
            docket_query_timeout 6s;
            docket_shutdown_timeout 5s;
            docket_expire_space 1m;
            docket_free_bytes 1m;
            docket_free_nodes 10;
END

    $self->{ng}->start;
    $self->{ng}->helper;

    return $self;
}


# Offsets in answers at which a record ends: an answer that is cut there can't
# be told from a whole one.
sub edges {
    my %edges;

    for my $bytes (map { slurp($_) } @_) {
        my ($pos, $first, @starts, @ends) = (24);

        while ($pos < length $bytes) {
            my ($s, $size) = (unpack 'V4', substr $bytes, $pos, 16)[0, 2];

            if (!defined $first || $s >= $first + 60) {
                $first = $s;
                push @starts, $pos;
            }
            $pos += 16 + $size;
            push @ends, $pos;
        }

        for my $start (@starts) {
            $edges{$_ - $start + 24} = 1 for $start, grep { $_ > $start } @ends;
        }
    }

    return \%edges;
}


# Loads -------------------------------------------------------------------

sub bad  { @{ $_[0]{bad} } }
sub fail { my $s = shift; push @{ $s->{bad} }, join '', @_ }
sub seen { $_[0]{seen}{$_[1]}++ }

sub pick {
    my $dice = rand sum0(map { $_->[0] } @_);
    return (first { ($dice -= $_->[0]) < 0 } @_)->[1];
}


sub clients {
    my ($self, $jobs) = @_;
    my $dir = $self->{ng}->dir;
    my $gate = "$dir/gate";
    my @pids;

    spew($gate, 0);

    for my $i (1 .. CLIENTS) {
        my $n = ++$self->{nclients};
        my $pid = fork // die "fork: $!";

        if ($pid == 0) {
            # nothing of the parent's is to be torn down here
            my $status = eval {
                Docket::Soak::Client->new(
                    number => $n, port => $self->{ng}->port,
                    truth => $self->{truth}, seed => $self->{seed} * 100 + $n,
                    first => $self->{fake}->first,
                    journal => "$dir/journal.$n",
                )->run(
                    jobs => POSIX::ceil($jobs / CLIENTS),
                    gate => sub { slurp($gate) || 0 },
                );
                1;
            } ? 0 : 1;
            print STDERR $@ if $status;
            POSIX::_exit($status);
        }

        push @pids, $pid;
        push @{ $self->{journals} }, "$dir/journal.$n";
    }

    $self->{pids} = { map { $_ => 1 } @pids };
    return sub { replace($gate, $_[0]) };
}

# so that no reader finds it empty
sub replace {
    my ($file, $text) = @_;
    spew("$file.new", $text);
    rename "$file.new", $file or die "$file: $!";
}

# false when all clients are done
sub busy {
    my ($self) = @_;

    for my $pid (keys %{ $self->{pids} }) {
        next if waitpid($pid, POSIX::WNOHANG()) == 0;
        $self->fail("a client died: $?") if $? != 0;
        delete $self->{pids}{$pid};
    }

    return scalar %{ $self->{pids} };
}


# Another fault for one of the sensors, or none.
sub fault {
    my ($self) = @_;
    my %how;

    return if time < ($self->{fault_at} // 0);
    $self->{fault_at} = time + rand 1;

    if (rand() < 0.5) {
        %how = %{ $FAULTS[rand @FAULTS] };
        $how{times} = 1 + int rand 3 if rand() < 0.5;
    }

    if ($how{after}) {
        do { $how{after} = 1 + int rand 6000 }
            while $self->{edges}{$how{after}};
    }

    $self->{fake}->set(1 + int rand SENSORS, %how);
}


sub storm {
    my ($self) = @_;
    my $open = $self->clients($self->{jobs});
    my $ng = $self->{ng};

    for my $n (1 .. $self->{kills}) {
        my $blow = pick(@BLOWS);

        $self->{seen}{"blow $blow"}++ if $self->$blow;
        $open->($n / $self->{kills});
        $self->bury;

        my $until = time + rand 0.8;
        do { $self->fault; sleep 0.05 } while time < $until;
    }

    $open->(2);
    while ($self->busy) { $self->fault; $self->bury; sleep 0.1 }

    $self->settle('the storm');
}


# What lost its master ends some time later, its helper by itself.
sub bury {
    my ($self, $now) = @_;

    return if !$self->{stray} || !$now && time < $self->{stray}{at};

    my $stray = delete $self->{stray};
    kill 'KILL', grep { is_running($_) } @{ $stray->{pids} };
}


sub one_of { my @of = @_; return @of ? $of[rand @of] : () }

sub helper  { kill 'KILL', one_of($_[0]{ng}->helpers) }
sub worker  { kill 'KILL', one_of($_[0]{ng}->workers) }
sub manager { kill 'KILL', one_of($_[0]{ng}->managers) }

sub reload {
    my ($self) = @_;
    kill 'HUP', $self->{ng}->master;
}

sub quit { $_[0]->restart('QUIT') }
sub term { $_[0]->restart('TERM') }

sub restart {
    my ($self, $signal) = @_;

    $self->bury(1);

    # one that is to end at once while it ends by and by complains of that
    push @{ $self->{hurried} }, $self->{ng}->old_workers if $signal eq 'TERM';

    $self->{ng}->stop($signal, 30)
        or $self->fail("$signal: not gone after 30 s: ",
                       $self->living), $self->{ng}->kill_all;
    $self->{ng}->start;
    return 1;
}

sub everything {
    my ($self) = @_;

    $self->bury(1);
    $self->{ng}->kill_all;
    $self->{ng}->start;
    return 1;
}

# nginx starts again while a manager and its helper do not know yet
sub master {
    my ($self) = @_;
    my $ng = $self->{ng};
    my $master = $ng->master;

    $self->bury(1);
    kill 'KILL', $master;
    wait_until { !is_running($master) } 10;

    my %left = $ng->processes;
    my @managers = grep { $left{$_} =~ /cache manager/ } keys %left;

    kill 'KILL', grep { $left{$_} =~ /worker/ } keys %left;
    wait_until { !grep { /worker/ } do { my %p = $ng->processes; values %p } }
        10;

    $self->{stray} = { pids => \@managers, at => time + rand 2 };
    $ng->start;
    return 1;
}

sub living {
    my %p = $_[0]{ng}->processes;
    return join ', ', map { "$_ $p{$_}" } sort keys %p;
}


# What the log may complain of.
sub allowed {
    my ($self) = @_;

    return (qr/exited on signal 9/, qr/docket process \d+ has gone/,
            map { qr/ $_#$_: (?:\*\d+ open socket |aborting)/ }
                @{ $self->{hurried} });
}


# Jobs without blows, after some that fill caches and pools: what a process
# needs more then it has lost.
sub calm {
    my ($self) = @_;
    my $n = int($self->{jobs} / 4);

    $self->load($n);
    my %before = $self->sizes;

    $self->load($n);
    my %after = $self->sizes;

    for my $pid (sort keys %before) {
        my ($was, $is) = ($before{$pid}, $after{$pid});

        if (!$is) {
            $self->fail("$was->{title} $pid has gone without a blow");
            next;
        }

        my %grown = (title => $was->{title}, jobs => $n,
                     map { $_ => $is->{$_} - $was->{$_} } 'rss', 'fds');
        push @{ $self->{grown} }, \%grown;

        # the sanitizers keep for a while what was freed

        $self->fail("$was->{title} $pid grew by $grown{rss} KB in $n jobs")
            if $grown{rss} > 4096 + $n * 2 && !asan();
        $self->fail("$was->{title} $pid has $grown{fds} descriptors more")
            if $grown{fds} > 2 * SENSORS;
    }
}

sub load {
    my ($self, $jobs) = @_;

    $self->clients($jobs)->(2);
    while ($self->busy) { $self->fault; sleep 0.1 }
    $self->settle('the calm');
}


# resident kilobytes and descriptors of each process
sub sizes {
    my ($self) = @_;
    my %p = $self->{ng}->processes;

    return map {
        my ($rss) = (slurp("/proc/$_/status") // '') =~ /^RssAnon:\s+(\d+)/m;
        my @fds = glob "/proc/$_/fd/*";
        $_ => { title => $p{$_} =~ s/^nginx: (\S+(?: \S+)? process).*/$1/r,
                rss => $rss, fds => scalar @fds }
    } grep { $p{$_} !~ /master/ } keys %p;
}


# All is well again: every job comes to its end, one generation is left.
sub settle {
    my ($self, $when) = @_;
    my $ng = $self->{ng};
    my $docket = {};

    $self->bury(1);
    $self->{fake}->set(0);

    wait_until {
        my $r = request($ng->port, 'GET', '/api/stats/s1');
        $docket = (eval { decode_json($r->{body}) } // {})->{docket} // {};
        defined $docket->{queue} && $docket->{helper}
            && $docket->{queue} == 0 && $docket->{running} == 0;
    } 120 or $self->fail("after $when: queue ", $docket->{queue} // '?',
                         ', running ', $docket->{running} // '?');

    wait_until {
        $ng->helpers == 1 && $ng->workers == 2 && $ng->managers == 1
            && !$ng->old_workers;
    } 40 or $self->fail("after $when there are: ", $self->living);
}


# Comparing ---------------------------------------------------------------

sub check {
    my ($self) = @_;
    my (%jobs, %gone);

    for my $line (map { split /\n/, slurp($_) } @{ $self->{journals} }) {
        my $e = decode_json($line);

        if (defined $e->{bad}) {
            $self->fail($e->{bad});

        } elsif (defined $e->{seen}) {
            $self->seen($e->{seen});

        } elsif (defined $e->{accepted}) {
            $jobs{$e->{accepted}} = $e->{question};
            delete $gone{$e->{accepted}};

        } elsif (defined $e->{asked}) {
            $gone{$e->{asked}} = 0 if exists $gone{$e->{asked}};

        } else {
            $gone{$e->{deleted}} = $e->{sure};
        }
    }

    $self->{seen}{accepted} = keys %jobs;

    for my $id (sort keys %jobs) {
        my $r = request($self->{ng}->port, 'GET', "/api/status/$id");
        my $job = eval { decode_json($r->{body}) };

        $self->check_job($id, $jobs{$id}, $gone{$id}, $job && $job->{$id});
    }

    my $r = request($self->{ng}->port, 'GET', '/api/ids');
    my %listed = map { $_ => 1 } @{ decode_json($r->{body}) };

    for (sort keys %jobs) {
        $self->fail("$_ is not listed") if !$listed{$_} && !exists $gone{$_};
        $self->fail("$_ is listed, but deleted") if $listed{$_} && $gone{$_};
    }

    $self->check_spool(\%listed);
    $self->check_locks;
}


sub check_job {
    my ($self, $id, $q, $gone, $job) = @_;

    if (!$job) {
        $self->fail("lost: $id") if !defined $gone;
        $self->seen('deleted');
        return;
    }

    return $self->fail("deleted, but there: $id") if $gone;

    $self->seen($job->{state} . ($job->{partial} ? ', partial' : ''));

    return $self->fail("stuck: $id is $job->{state}")
        if $job->{state} !~ /^(?:Completed|Failed|Cancelled)$/;

    my $wrong = $self->{truth}->job($q, $job,
                    slurp($self->{ng}->spool . "/$id/merged.pcap"));

    $self->fail("wrong: $id, ", JSON::PP->new->canonical->encode($q), ": $wrong")
        if $wrong;
}


sub check_spool {
    my ($self, $listed) = @_;
    my $spool = $self->{ng}->spool;

    opendir my $d, $spool or die "$spool: $!";

    for my $name (grep { !/^\.\.?$/ } readdir $d) {
        next if $name =~ /^(?:\.owner|\.sensors|index)$/;

        $self->fail("left in the spool: $name"), next if !$listed->{$name};
        $listed->{$name} = 2;

        opendir my $f, "$spool/$name" or die "$spool/$name: $!";
        my @odd = grep { !/^(?:\.\.?|query\.json|merged\.pcap|summary\.json)$/ }
                  readdir $f;
        $self->fail("left in the spool: $name/$_") for @odd;
    }

    for (sort keys %$listed) {
        $self->fail("listed, but not in the spool: $_") if $listed->{$_} != 2;
    }
}


# In an idle spool the owner's is the only lock.
sub check_locks {
    my ($self) = @_;
    my $spool = $self->{ng}->spool;
    my %files;

    for my $file ($spool, glob("$spool/{,.}*"), glob "$spool/.sensors/*") {
        my @st = stat $file or next;
        $files{$st[1]} = $file =~ s{^\Q$spool\E/?}{}r;
    }

    my @held = map { /^\d+: FLOCK\s+\S+\s+\S+\s+\S+\s+\S+:(\d+) /
                     && defined $files{$1} ? $files{$1} : () }
               split /\n/, slurp('/proc/locks');

    $self->fail("locks: @held") if "@held" ne '.owner';
}


sub table {
    my ($self) = @_;
    my %seen = %{ $self->{seen} };
    my $rows = sub {
        my ($what) = @_;
        return join ', ', map { s/^$what ?//r . " $seen{$_}" }
                          sort grep { /^$what/ } keys %seen;
    };
    my @grown = map { sprintf '%s %+d KB, %+d descriptors', $_->{title},
                              $_->{rss}, $_->{fds} } @{ $self->{grown} };
    my %bad;

    $bad{/^(lost|stuck|wrong)\b/ ? $1 : 'other'}++ for $self->bad;

    return join '', map { sprintf "%-12s %s\n", @$_ }
        [ 'seed', $self->{seed} ],
        [ 'seconds', int(time - $self->{began}) ],
        [ 'accepted', $seen{accepted} // 0 ],
        [ 'states', $rows->('(?=Completed|Failed|Cancelled|deleted)') ],
        [ 'blows', $rows->('blow') ],
        [ '/pcap', $rows->('pcap') ],
        [ '/query', $rows->('query') ],
        [ '/events', $rows->('events') ],
        [ 'refused', $rows->('status') || 'none' ],
        [ 'unanswered', $seen{'no answer'} // 0 ],
        (map { [ 'growth', $_ ] } @grown),
        (map { [ $_, $bad{$_} // 0 ] } 'lost', 'stuck', 'wrong', 'other');
}


1;

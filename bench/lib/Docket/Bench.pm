package Docket::Bench;

# What the parts of the benchmark share: scales, rounds, processes, figures.
#
# A figure is a hash:
#   name      what was measured, in a few words
#   ours      a number in "unit"
#   rival     the rival's number in the same unit, from the same run
#   command   what the rival is, as it was run
#   by        what is judged: "ours/rival" (default when there is a rival),
#             "rival/ours", "ours-rival", or "ours" (default without one)
#   target    '>= 2.5' or '<= 1.2', of the judged number; none: only shown
#   unit      s, ms, 1/s, MB ...
#   note      more, for the reader

use strict;
use warnings;

use Exporter 'import';
use JSON::PP;
use POSIX ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Docket::Util;

our @EXPORT = qw(scaled is_smoke now median spread rounds timed shell run_ok
                 tool figure say_part free_mb
                 work page_cache drop memory_of io_of
                 cpu_of slope);

our @figures;
my $part;


sub scale { $ENV{BENCH_SCALE} || 'full' }
sub is_smoke { scale() eq 'smoke' }


# scaled(FULL, SMALL, SMOKE): the one of the scale.
sub scaled {
    my %of;
    @of{qw(full small smoke)} = @_;
    return $of{scale()};
}


sub now { clock_gettime(CLOCK_MONOTONIC) }


sub median {
    my @v = sort { $a <=> $b } @_ or return;
    my $m = @v >> 1;
    return @v % 2 ? $v[$m] : ($v[$m - 1] + $v[$m]) / 2;
}


sub spread {
    my @v = sort { $a <=> $b } @_ or return '';
    return @v > 1 ? sprintf '%s..%s', short($v[0]), short($v[-1]) : '';
}


# Each of the blocks once in each round, in changing order, so that what else
# the machine does meets all of them.  Returns name => [what they returned].
sub rounds {
    my ($n, %of) = @_;
    my %got = map { $_ => [] } keys %of;

    for my $round (1 .. $n) {
        my @names = sort keys %of;
        @names = reverse @names if $round % 2 == 0;
        push @{ $got{$_} }, $of{$_}->() for @names;
    }

    return %got;
}


# A command to its end: { wall, cpu } in seconds.  Dies if it fails.
# out => FILE takes its output.
sub timed {
    my ($cmd, %o) = @_;
    my $err = work() . '/stderr';
    my @before = times;
    my $began = now();
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $o{out} // '/dev/null';
        open STDERR, '>', $err;
        exec @$cmd or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    my $status = $?;
    my $wall = now() - $began;
    my @after = times;

    $status == 0 || $o{any} or die "failed ($status): @$cmd\n" . slurp($err);

    return { wall => $wall,
             cpu => $after[2] + $after[3] - $before[2] - $before[3] };
}


# A shell's command line.
sub shell { timed(['/bin/sh', '-c', $_[0]], @_[1 .. $#_]) }


sub run_ok { timed([@_]) }


# Where one of this folder's programs was built.
sub tool { build_dir() . "/bench/bin/$_[0]" }


# A folder for small files of the moment.
my $work;

sub work { $work //= test_dir('work') }


sub say_part { ($part) = @_; print STDERR "== $part\n" if -t STDERR }


sub figure {
    my (%f) = @_;

    $f{part} = $part;
    $f{by} //= defined $f{rival} ? 'ours/rival' : 'ours';
    $f{judged} = !defined $f{ours} ? undef
               : $f{by} eq 'ours' ? $f{ours}
               : !defined $f{rival} ? undef
               : $f{by} eq 'ours-rival' ? $f{ours} - $f{rival}
               : $f{by} eq 'rival/ours' ? ratio($f{rival}, $f{ours})
               : ratio($f{ours}, $f{rival});

    if (defined $f{target} && defined $f{judged}) {
        my ($op, $limit) = split ' ', $f{target};
        my $ok = $op eq '>=' ? $f{judged} >= $limit : $f{judged} <= $limit;
        $f{verdict} = $ok ? 'ok' : 'missed';
    }

    push @figures, \%f;
    print STDERR '   ', join(' | ', columns(\%f)), "\n" if -t STDERR;
}

sub ratio { $_[1] ? $_[0] / $_[1] : undef }


sub short {
    my ($v) = @_;
    return '-' if !defined $v;
    return sprintf '%.0f', $v if $v == int $v || abs $v >= 999.5;
    return sprintf '%.3g', $v;
}


sub columns {
    my ($f) = @_;
    my $unit = $f->{unit} // '';
    my $judged = $f->{by} eq 'ours' ? ''
               : $f->{by} eq 'ours-rival' ? short($f->{judged}) . " $unit"
               : short($f->{judged}) . ' x';

    return ($f->{name}, short($f->{ours}) . " $unit",
            defined $f->{rival} ? short($f->{rival}) . " $unit" : '',
            $judged, $f->{target} // '', $f->{verdict} // '');
}


# The table, then the rivals' commands.
sub table {
    my @head = ('figure', 'here', 'rival', 'judged', 'target', '');
    my @rows = map { [ columns($_) ] } @figures;
    my @width = map { my $c = $_; max(map { length $_->[$c] } \@head, @rows) }
                    0 .. $#head;
    my $line = sub {
        my $s = join '  ', map { sprintf '%-*s', $width[$_], $_[0][$_] }
                               0 .. $#head;
        $s =~ s/\s+$//;
        return "$s\n";
    };
    my ($text, $last, %seen) = ('', '');

    for my $i (0 .. $#figures) {
        my $f = $figures[$i];
        $text .= "\n" . $line->([uc $f->{part}, @head[1 .. $#head]])
            if $f->{part} ne $last;
        $last = $f->{part};
        $text .= $line->($rows[$i]);
    }

    $text .= "\nRivals:\n";

    for my $f (grep { defined $_->{command} } @figures) {
        $text .= "  $f->{part}: $f->{command}\n"
            if !$seen{"$f->{part} $f->{command}"}++;
    }

    return $text;
}

sub max { my $m = shift; for (@_) { $m = $_ if $_ > $m } return $m }


# build/bench/SCALE.json, .tsv
sub save {
    my ($dir) = @_;
    my $base = "$dir/" . scale();
    my @names = qw(part name unit ours rival by judged target verdict spread
                   command note);

    spew("$base.json", JSON::PP->new->canonical->pretty->encode(
        { machine => machine(), scale => scale(), figures => \@figures }));
    spew("$base.tsv", join("\t", @names) . "\n",
         map { my $f = $_; join("\t", map { $f->{$_} // '' } @names) . "\n" }
             @figures);
    spew("$base.txt", machine() . "\n", table());
}


sub machine {
    my ($cpu) = (slurp('/proc/cpuinfo') // '') =~ /model name\s*:\s*(.*)/;
    my ($kb) = slurp('/proc/meminfo') =~ /MemTotal:\s+(\d+)/;
    my ($load) = split ' ', slurp('/proc/loadavg');
    my $cores = () = (slurp('/proc/cpuinfo') // '') =~ /^processor/mg;
    my ($kernel) = (POSIX::uname())[2];

    return sprintf '%d cores (%s), %.0f GB of memory, Linux %s, load %s',
                   $cores, $cpu // 'unknown', $kb / 1048576, $kernel, $load;
}


# Room of the file system of a folder, in MB.
sub free_mb {
    my ($dir) = @_;
    my @df = split ' ', (split /\n/, qx(df -Pm '$dir'))[-1];
    return $df[3];
}


# Reads the files once, so that they are in the page cache.
sub page_cache { shell("cat @_ > /dev/null") }


sub drop { unlink @_ }


# VmHWM of a process, in MB.
sub memory_of {
    my ($pid) = @_;
    return (slurp("/proc/$pid/status") // '') =~ /VmHWM:\s+(\d+)/
           ? $1 / 1024 : undef;
}


# /proc/PID/io as a hash.
sub io_of {
    my ($pid) = @_;
    return { (slurp("/proc/$pid/io") // '') =~ /^(\w+): (\d+)$/mg };
}


# Seconds of processor time of processes, so far.
sub cpu_of {
    my $sum = 0;

    for (@_) {
        my @f = split ' ', (slurp("/proc/$_/stat") // '') =~ s/^.*\) //sr;
        $sum += ($f[11] + $f[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK())
            if @f;
    }

    return $sum;
}


# slope([x, y], ...): the exponent of y ~ x^slope between the last two
# decades, by least squares of the logarithms.
sub slope {
    my @p = map { [log $_->[0], log $_->[1]] }
            grep { $_->[0] > 0 && defined $_->[1] && $_->[1] > 0 } @_;

    @p = grep { $_->[0] >= $p[-1][0] - log(101) } @p;
    return if @p < 2;

    my ($mx, $my) = map { my $i = $_; my $s = 0; $s += $_->[$i] for @p;
                          $s / @p } 0, 1;
    my ($a, $b) = (0, 0);

    for (@p) {
        $a += ($_->[0] - $mx) * ($_->[1] - $my);
        $b += ($_->[0] - $mx) ** 2;
    }

    return $b ? $a / $b : undef;
}


1;

package Docket::Util;

# Small things that every test of a life cycle needs.

use strict;
use warnings;

use Exporter 'import';
use File::Basename 'dirname';
use File::Path qw(make_path remove_tree);
use File::Spec;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(build_dir test_dir free_ports wait_until ok_until slurp spew
                 is_running parent_of title_of lib_dir asan valgrind slower utc);

my $lib = File::Spec->rel2abs(dirname(dirname(__FILE__)));
my $top = dirname(dirname($lib));

# The folder of this library, where the fixture programs are.
sub lib_dir { $lib }

sub build_dir { $ENV{DOCKET_BUILD} || "$top/build" }

# The suites run against the instrumented build, or nginx under valgrind.
sub asan     { $ENV{DOCKET_ASAN} }
sub valgrind { $ENV{DOCKET_VALGRIND} }

# How much longer things may take for it.
sub slower { asan() ? 3 : valgrind() ? 15 : 1 }


# Seconds as the API takes and writes a time.
sub utc { POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_[0]) }


# A new empty folder for this test, which workers that gave up root can reach.
# It is kept, to be looked at, until the test runs again.  DOCKET_SCRATCH is
# the folder that it is made in.
sub test_dir {
    my ($name) = @_;
    my $suite = $0 =~ m{([^/]+?)(?:\.t)?$} ? $1 : 'test';
    my $base = $ENV{DOCKET_SCRATCH} || build_dir() . '/t';
    my $at = $base;

    while ($at ne '/') {
        if (-d $at && !((stat $at)[2] & 1)) {
            $base = "/tmp/docket-t-$>";
            last;
        }
        $at = dirname($at);
    }

    my $dir = "$base/$suite" . (defined $name ? ".$name" : '');

    # in /tmp somebody else may have been faster
    die "$base is not ours" if -l $base || (-e $base && !-o $base);

    remove_tree($dir);
    make_path($dir);
    chmod 0755, $base, $dir;

    return $dir;
}


# The first of N consecutive free ports of the loopback, below those that the
# kernel gives to outgoing connections.
sub free_ports {
    my ($n) = @_;

    for (1 .. 1000) {
        my $first = ($ENV{DOCKET_PORTS} || 14000) + int rand(1000 - $n);
        my @socks = grep { defined } map {
            IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                  LocalPort => $_, ReuseAddr => 1)
        } $first .. $first + $n - 1;

        return $first if @socks == $n;
    }

    die "no $n free ports";
}


# wait_until { ... } SECONDS: polls until the block gives a true value, and
# returns it; nothing after so many seconds (10).  In a list it needs
# parentheses around it.
sub wait_until(&;$) {
    my ($code, $seconds) = @_;
    my $deadline = time + ($seconds // 10) * slower();
    my $pause = 0.005;

    while (1) {
        my $value = $code->();
        return $value if $value;
        return if time >= $deadline;

        sleep $pause;
        $pause = 0.05 if ($pause *= 1.5) > 0.05;
    }
}


# The same as a test: ok_until { ... } SECONDS, NAME
sub ok_until(&$$) {
    my ($code, $seconds, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(scalar(&wait_until($code, $seconds)), $name);
}


sub slurp {
    my ($file) = @_;
    open my $f, '<:raw', $file or return;
    local $/;
    return scalar <$f>;
}


sub spew {
    my ($file, @text) = @_;
    open my $f, '>:raw', $file or die "$file: $!";
    print $f @text;
    close $f or die "$file: $!";
}


# state and parent, by /proc; the name may have spaces and parentheses
sub proc_stat {
    my ($pid) = @_;
    my $stat = slurp("/proc/$pid/stat") or return;
    return $stat =~ /\) (\S) (\d+) /s ? ($1, $2) : ();
}


# There, and no zombie.  The first thread is one as soon as it has ended, while
# others may still be ending, with the files and locks of the process.
sub is_running {
    my ($pid) = @_;
    my @threads = map { m{^/proc/(.*)} } glob "/proc/$pid/task/[0-9]*";

    return scalar grep { my ($state) = proc_stat($_);
                         defined $state && $state ne 'Z' && $state ne 'X' }
                  @threads;
}


sub parent_of { (proc_stat($_[0]))[1] }


sub title_of {
    my $title = slurp("/proc/$_[0]/cmdline") // '';
    $title =~ tr/\0/ /;
    $title =~ s/\s+$//;
    return $title;
}


1;

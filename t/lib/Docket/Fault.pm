package Docket::Fault;

# System calls of nginx that fail, and a wrong clock, by t/lib/fault.c.
#
#   my $fault = Docket::Fault->new;
#   my $ng = Docket::Nginx->start(fault => $fault, ...);
#   $fault->set(path => $ng->spool, title => 'docket process', nth => 3,
#               errno => ENOSPC, ops => ['create', 'write']);
#   ...
#   $fault->fired; $fault->count; $fault->last;
#   $fault->off;
#   $fault->clock(-7200);

use strict;
use warnings;

use Cwd 'realpath';
use File::Path 'make_path';

use Docket::Util;

# in the order of the bits in fault.c
my @ops = qw(create open write read mkdir rename link unlink sync truncate
             close);
my %bit = map { $ops[$_] => 1 << $_ } 0 .. $#ops;

# what takes space or changes something
our @WRITES = qw(create write mkdir rename link sync truncate close);

my $SIZE = 616;


sub new {
    my ($class) = @_;
    my $self = bless { dir => test_dir('fault') }, $class;

    $self->{file} = "$self->{dir}/control";
    spew($self->{file}, "\0" x $SIZE);
    chmod 0666, $self->{file};

    $self->{lib} = library();
    return $self;
}


# Compiled when it is older than its source.
sub library {
    my $source = lib_dir() . '/fault.c';
    my $lib = build_dir() . '/t/fault.so';

    if (!-e $lib || (stat $lib)[9] < (stat $source)[9]) {
        make_path(build_dir() . '/t');
        system($ENV{CC} || 'cc', '-O2', '-U_FORTIFY_SOURCE', '-fPIC', '-shared', '-Wall', '-Wextra',
               '-Werror', '-o', $lib, $source, '-ldl') == 0
            or die "fault.c does not compile";
    }

    return $lib;
}


# For the environment of nginx.  The sanitizer's library wants to be first.
sub env {
    my ($self) = @_;
    my @preload = $self->{lib};

    if (asan()) {
        chomp(my $san = `cc -print-file-name=libasan.so`);
        unshift @preload, $san;
    }

    return (LD_PRELOAD => join(':', @preload), DOCKET_FAULT => $self->{file});
}


# What fails from now on: path (what begins so), title (of the process; a part of
# it), ops (@WRITES), nth (1; 0 counts only), all (after it, too), errno (0:
# nothing fails), sleep (milliseconds, before).
sub set {
    my ($self, %o) = @_;
    my $ops = 0;

    $ops |= $bit{$_} // die "no such op: $_" for @{ $o{ops} // \@WRITES };

    $self->off;
    $self->put(4, pack 'l4 l2', $o{nth} // 1, $o{errno} // 0, $o{all} // 0,
                                $o{sleep} // 0, 0, 0);
    # as the system calls its files, whatever leads there
    my ($dir, $name) = -d $o{path} ? ($o{path}, '') : $o{path} =~ m{^(.*)(/[^/]*)$};

    $self->put(40, pack 'a256 a64 a256', realpath($dir) . $name, $o{title} // '', '');
    $self->put(0, pack 'l', $ops);
}

sub off { $_[0]->put(0, pack 'l', 0) }


# Calls that were seen since; that failed; the last of these.
sub count { unpack 'l', $_[0]->take(20, 4) }
sub fired { unpack 'l', $_[0]->take(24, 4) }
sub last  { unpack 'Z*', $_[0]->take(360, 256) }


# The day's clock is so many seconds away from the right one.
sub clock { $_[0]->put(32, pack 'q', $_[1] * 1_000_000) }


sub put {
    my ($self, $at, $bytes) = @_;
    open my $f, '+<:raw', $self->{file} or die "$self->{file}: $!";
    sysseek $f, $at, 0;
    syswrite($f, $bytes) == length $bytes or die "$self->{file}: $!";
}

sub take {
    my ($self, $at, $n) = @_;
    open my $f, '<:raw', $self->{file} or die "$self->{file}: $!";
    sysseek $f, $at, 0;
    sysread($f, my $bytes, $n) == $n or die "$self->{file}: $!";
    return $bytes;
}


1;

package Docket::Spool;

# A spool with many finished jobs: one that was really run, and copies of its
# record with other addresses and so other ids, each with a capture that has
# no packets.
#
#   my $spool = Docket::Spool->new($ng);    # an nginx that is not started
#   $spool->grow(10_000);                   # started, all of them known

use strict;
use warnings;

use Digest::MD5 'md5_hex';
use Time::HiRes 'sleep';

use Docket::Bench;
use Docket::Client;
use Docket::Util;


sub new {
    my ($class, $ng) = @_;
    return bless { ng => $ng, ids => [] }, $class;
}


# Starts nginx with so many jobs in all, and returns { wall => seconds until
# the whole spool was read, read => what the log says of it, in seconds }.
sub grow {
    my ($self, $n) = @_;
    my $ng = $self->{ng};

    $self->first if !$self->{record};
    $ng->stop('TERM');

    my ($dir, $uid, $gid) = ($ng->spool, (stat $ng->spool)[4, 5]);

    for my $i (scalar @{ $self->{ids} } .. $n - 1) {
        my ($id, $text) = $self->copy($i);

        mkdir "$dir/$id", 0750 or die "$dir/$id: $!";
        spew("$dir/$id/query.json", $text);
        spew("$dir/$id/merged.pcap", $self->{capture});
        chown $uid, $gid, "$dir/$id", glob "$dir/$id/*" if $> == 0;
        push @{ $self->{ids} }, $id;
    }

    return $self->restart;
}


# Jobs were removed by others: what grow() is to begin with.
sub forget { $_[0]{ids} = [] }


# A real job's record, with marks instead of its id and address.
sub first {
    my ($self) = @_;
    my $ng = $self->{ng};

    $ng->start;
    $ng->helper;

    my $client = Docket::Client->new($ng);
    my $job = $client->job;
    my $id = $job->{id};
    my ($host) = $job->{status}{query} =~ /host (\S+)/;

    # who asked is written a moment later; it is not the point here

    $self->{record} = slurp($ng->spool . "/$id/query.json");
    $self->{capture} = pack 'VvvVVVV', 0xa1b2c3d4, 2, 4, 0, 0, 65536, 1;
    $self->{query} = $job->{status}{query};
    s/\Q$host\E/%HOST%/g for @$self{qw(record query)};
    $self->{record} =~ s/$id/%ID%/g;

    $client->remove($id);
}


sub copy {
    my ($self, $i) = @_;
    my $host = sprintf '11.%d.%d.%d', $i >> 16, $i >> 8 & 255, $i & 255;
    my $id = md5_hex($self->{query} =~ s/%HOST%/$host/gr);
    my $text = $self->{record} =~ s/%HOST%/$host/gr;

    $text =~ s/%ID%/$id/g;
    return ($id, $text);
}


# Starts nginx again, and waits until it has read the spool.
sub restart {
    my ($self, %o) = @_;
    my $ng = $self->{ng};
    my $log = -s $ng->error_log // 0;

    $ng->configure(%o) if %o;

    my $began = now();
    $ng->start;

    my $read = $self->logged($log, qr/was read in (\d+) ms/);

    return { wall => now() - $began, read => $read / 1000, log => $log };
}


# Waits for a line of the log behind this place; its number, or 1.
sub logged {
    my ($self, $from, $pattern) = @_;
    my $found;

    for (1 .. 60_000) {
        my $text = substr slurp($self->{ng}->error_log), $from;
        return $1 // 1 if $text =~ $pattern;
        sleep 0.005;
    }

    die "not in the log: $pattern\n";
}


sub last { $_[0]{ids}[-1] }
sub ids { @{ $_[0]{ids} } }

# the question whose answer is the last job
sub question {
    my ($self) = @_;
    my $i = $#{ $self->{ids} };
    return sprintf 'host=11.%d.%d.%d&after=2024-01-01T00:00:00Z'
                   . '&before=2024-01-01T00:30:00Z',
                   $i >> 16, $i >> 8 & 255, $i & 255;
}


1;

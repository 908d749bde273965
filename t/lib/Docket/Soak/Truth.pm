package Docket::Soak::Truth;

# What is right: which packets the sensors hold for a question, and whether a
# capture and a job's record agree with it.
#
#   my $truth = Docket::Soak::Truth->new($fake, names => [...]);
#   my $bad = $truth->stream($question, $bytes);        # what is wrong, or ''
#   my $bad = $truth->job($question, $record, $bytes);
#
# A question is {after, before (seconds), sensors => [names] or nothing, filter,
# packets, bytes}.  The sensors of the tests select by time alone, so hosts and
# ports of a question only make it one of its own.

use strict;
use warnings;

use Digest::MD5 'md5';

use Docket::Pcap;

our @FILTERS = ('udp port 53', 'icmp', 'tcp port 80', 'ip6', 'tcp port 9');


sub new {
    my ($class, $fake) = @_;
    my $self = bless { names => [ $fake->names ] }, $class;
    my @files = $fake->pcaps;

    for my $i (0 .. $#files) {
        my $name = $self->{names}[$i];

        $self->{packets}{$name}{''} = keyed(read_pcap($files[$i]));
        $self->{owner}{$_->{key}} = $name
            for @{ $self->{packets}{$name}{''} };

        $self->{packets}{$name}{$_} = keyed(tcpdump($_, $files[$i]))
            for @FILTERS;
    }

    return $self;
}


sub keyed {
    my ($packets) = @_;

    return [ map { { ts => $_->{ts}, size => 16 + $_->{caplen},
                     key => md5("$_->{ts} $_->{len} $_->{data}") } }
                 @$packets ];
}


# The packets of these sensors in order of time, limits apart.
sub of {
    my ($self, $q, @names) = @_;

    return sort { $a->{ts} <=> $b->{ts} }
           grep { $_->{ts} >= $q->{after} * 1e9
                  && $_->{ts} < $q->{before} * 1e9 }
           map { @{ $self->{packets}{$_}{$q->{filter} // ''} } } @names;
}


sub asked {
    my ($self, $q) = @_;
    return @{ $q->{sensors} && @{ $q->{sensors} } ? $q->{sensors}
                                                  : $self->{names} };
}


# A streamed answer that ended as complete.
sub stream {
    my ($self, $q, $bytes, %o) = @_;
    my $got = packets_of($bytes);

    ref $got or return $got;

    return $self->some($q, $got, $self->asked($q)) if $o{partial};
    return $self->all($q, $got, $self->asked($q));
}


# A final record of /status and its capture (undef: there is none).
sub job {
    my ($self, $q, $job, $bytes) = @_;
    my $requests = $job->{requests} // {};
    my $state = $job->{state};
    my (@covered, @partial, @failed);

    for my $name ($self->asked($q)) {
        my $s = $requests->{$name}{state} // 'none';

        if ($s =~ /^(?:Request Complete|Empty)$/) {
            push @covered, $name;
        } elsif ($s eq 'Partial') {
            push @partial, $name;
        } elsif ($s =~ /^(?:Failed|Cancelled)$/) {
            push @failed, $name;
        } elsif ($state ne 'Cancelled') {
            return "$state, but sensor $name is $s";
        }
    }

    # of an earlier run, of which nothing else is kept

    if ($state ne 'Completed'
        || ($job->{capture}{run} // 0) != $job->{run})
    {
        return 'Completed without a capture'
            if $state eq 'Completed' && !defined $bytes;
        return 'Failed, but not all sensors did'
            if $state eq 'Failed' && (@covered || @partial);
        return '' if !defined $bytes;

        my $got = packets_of($bytes);
        return ref $got ? $self->some($q, $got, $self->asked($q)) : $got;
    }

    defined $bytes or return 'no capture is there';

    my $got = packets_of($bytes);
    ref $got or return $got;

    @$got == $job->{capture}{packets}
        or return @$got . " packets, the record says $job->{capture}{packets}";

    if (@partial || @failed) {
        $job->{partial} or return 'partial was not said';
        length $job->{reason} or return 'no reason is given';

        # what of the partial ones came is in front of a limit, too
        return $self->some($q, $got, @covered, @partial)
            if $job->{truncated};

        return $self->some($q, $got, @covered, @partial)
               || $self->has($got, $self->of($q, @covered));
    }

    $job->{partial} and return 'partial was said without a cause';

    return $self->all($q, $got, @covered);
}


sub packets_of {
    my ($bytes) = @_;
    my $packets = eval { read_pcap(\$bytes) };
    return $packets ? keyed($packets) : "no capture: $@";
}


# Each is one of these sensors' of the range, none comes twice, in order.
sub some {
    my ($self, $q, $got, @names) = @_;
    my %left = map { $_->{key} => 1 } $self->of($q, @names);
    my $last = 0;

    for (@$got) {
        delete $left{$_->{key}}
            or return 'a packet at ' . $_->{ts} . ' of '
                      . ($self->{owner}{$_->{key}} // 'nobody')
                      . ' that does not belong there, or comes twice';
        $_->{ts} >= $last or return "out of order at $_->{ts}";
        $last = $_->{ts};
    }

    return '';
}


sub has {
    my ($self, $got, @want) = @_;
    my %got = map { $_->{key} => 1 } @$got;
    my @missing = grep { !$got{$_->{key}} } @want;

    return @missing ? @missing . ' packets are missing, the first at '
                      . "$missing[0]{ts} of $self->{owner}{$missing[0]{key}}"
                    : '';
}


# Exactly what these sensors have, up to a limit.
sub all {
    my ($self, $q, $got, @names) = @_;
    my @want = $self->of($q, @names);

    if (defined $q->{packets} && @want > $q->{packets}) {
        splice @want, $q->{packets};
    }

    if (defined $q->{bytes}) {
        my ($size, $n) = (24, 0);
        $size += $_->{size} for @$got;
        $n += $_->{size} for @want;

        if (24 + $n > $q->{bytes}) {
            return "$size bytes, with a limit of $q->{bytes}"
                if $size > $q->{bytes} + 65552;
            return 'more packets than there are' if @$got > @want;

            my $next = @$got < @want ? $want[@$got]{size} : 0;
            return "$size bytes, a limit of $q->{bytes} allows more"
                if $next != 0 && $size + $next <= $q->{bytes};

            splice @want, scalar @$got;
        }
    }

    for (0 .. $#want) {
        my $have = $got->[$_] or return @want - @$got . ' packets are missing, '
                                        . "the first at $want[$_]{ts}";
        $have->{key} eq $want[$_]{key}
            or return "packet $_ at $have->{ts} is not the one at $want[$_]{ts}";
    }

    @$got == @want or return @$got - @want . ' packets too many';

    return '';
}


1;

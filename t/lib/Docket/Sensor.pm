package Docket::Sensor;

# Sensors that misbehave when told to: one t/lib/sensors.py serves them all.
#
#   my $fake = Docket::Sensor->start(n => 3, pcaps => [...]);
#   $fake->set(2, query => 'stall', after => 1000);

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;

use Docket::Util;


# n, pcaps (what each answers with; else t/lib/traffic.py makes them, with
# start, span, mb), certs (folder), dir.
sub start {
    my ($class, %o) = @_;
    my $self = bless { n => $o{n} // 3, owner => $$ }, $class;
    my $dir = $self->{dir} = $o{dir} // test_dir('sensor');
    my $log = "$dir/log";

    $self->{start} = $o{start} // int(time / 60) * 60 - 7200;
    $self->{certs} = $o{certs} // "$dir/certs";
    $self->{pcaps} = $o{pcaps} // [ map { "$dir/s$_.pcap" } 1 .. $self->{n} ];

    if (!-e "$self->{certs}/ca_cert.pem") {
        system(lib_dir() . '/mkcerts', $self->{certs}) == 0
            or die "mkcerts failed";
    }

    for my $i (1 .. $self->{n}) {
        next if $o{pcaps};
        system('/usr/bin/python3', lib_dir() . '/traffic.py',
               "$dir/s$i.pcap", '--sensor', $i, '--of', $self->{n},
               '--start', $self->{start}, '--span', $o{span} // 300,
               '--mb', $o{mb} // 0) == 0
            or die "traffic.py failed";
    }

    $self->{port} = free_ports($self->{n} + 1);

    defined($self->{pid} = fork) or die "fork: $!";

    if ($self->{pid} == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/out";
        open STDERR, '>&', \*STDOUT;
        exec '/usr/bin/python3', lib_dir() . '/sensors.py',
             '--certs', $self->{certs}, '--log', $log,
             '--port', $self->{port}, @{ $self->{pcaps} };
        die "sensors.py: $!";
    }

    $self->{http} = HTTP::Tiny->new(timeout => 10);

    wait_until { $self->{http}->get($self->url('state'))->{success}
                 || !is_running($self->{pid}) } 20;

    is_running($self->{pid}) or die "sensors.py: " . slurp("$dir/out");

    return $self;
}


sub dir   { $_[0]{dir} }
sub first { $_[0]{start} }
sub port  { $_[0]{port} + $_[1] }           # sensors count from 1
sub names { map { "s$_" } 1 .. $_[0]{n} }
sub pcaps { @{ $_[0]{pcaps} } }
sub cert  { "$_[0]{certs}/$_[1].pem" }
sub url   { "http://127.0.0.1:$_[0]{port}/$_[1]" }

*conf = \&Docket::Steno::conf;


# The behaviour of sensor I (0: of all) from now on; what is not named is as
# at the start.  sensors.py lists the names.
sub set {
    my ($self, $i, %behaviour) = @_;
    my $r = $self->{http}->post($self->url("set/$i"),
                                { content => encode_json(\%behaviour) });
    $r->{success} or die "set: $r->{status} $r->{content}";
}


# state(I): {queries, stats, active, max_active, connections, first_sent (when
# its last answer began, in seconds), left (of "times")} of a sensor.
sub state {
    my ($self, $i) = @_;
    my $r = $self->{http}->get($self->url('state'));
    $r->{success} or die "state: $r->{status} $r->{content}";
    return decode_json($r->{content})->{"s$i"};
}


# What was asked, in order: {time, sensor, path, body, headers, active}; of
# one sensor, or of all.
sub requests {
    my ($self, $i) = @_;
    return grep { !defined $i || $_->{sensor} eq "s$i" }
           map { decode_json($_) }
           split /\n/, slurp("$self->{dir}/log") // '';
}


# The expressions only.
sub queries {
    my ($self, $i) = @_;
    return map { $_->{body} } grep { $_->{path} eq '/query' }
           $self->requests($i);
}


sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    my $status = $?;

    kill 'KILL', $pid;
    waitpid $pid, 0;
    $? = $status;
}


sub DESTROY { $_[0]->stop if $_[0]{owner} == $$ }


1;

package Docket::Steno;

# Real Stenographers on the loopback; t/lib/steno does the work and says more.
#
#   my $steno = Docket::Steno->start(n => 3, start => time - 7200, span => 300);

use strict;
use warnings;

use Docket::Util;


# n, mode (files, capture), start, span, mb, mix, certs (ec, steno), dir.
# Dies if they don't come up.
sub start {
    my ($class, %o) = @_;
    my $self = bless { n => $o{n} // 3 }, $class;

    $self->{owner} = $$;
    $self->{dir} = $o{dir} // test_dir('steno');
    rmdir $self->{dir};

    $self->{start} = $o{start} // int(time / 60) * 60 - 7200;
    $self->{span} = $o{span} // 300;
    $self->{port} = free_ports($self->{n});

    local @ENV{qw(N PORT MODE START SPAN MB MIX CERTS)} =
        ($self->{n}, $self->{port}, $o{mode} // 'files', $self->{start},
         $self->{span}, $o{mb} // 0, $o{mix} // 0, $o{certs} // 'ec');

    system(lib_dir() . '/steno', 'start', $self->{dir}) == 0
        or die "steno start failed";

    $self->{up} = 1;
    return $self;
}


# Sensors count from 1.
sub dir   { $_[0]{dir} }
sub first { $_[0]{start} }                  # seconds, of the first packet
sub port  { $_[0]{port} + $_[1] - 1 }
sub names { map { "s$_" } 1 .. $_[0]{n} }
sub pcaps { my $s = shift; map { "$s->{dir}/s$_.pcap" } 1 .. $s->{n} }
sub cert  { "$_[0]{dir}/certs/$_[1].pem" }
sub pid   { my $p = slurp("$_[0]{dir}/s$_[1]/stenographer.pid") + 0; $p }


# The directives for nginx's http block.
sub conf {
    my ($self) = @_;
    my $conf = '';

    $conf .= "docket_sensor s$_ 127.0.0.1:" . $self->port($_) . ";\n"
        for 1 .. $self->{n};

    return $conf . <<END;
docket_ssl_certificate ${\ $self->cert('client_cert')};
docket_ssl_certificate_key ${\ $self->cert('client_key')};
docket_ssl_trusted_certificate ${\ $self->cert('ca_cert')};
END
}


# STOP, CONT, KILL ... one of them.
sub signal {
    my ($self, $i, $signal) = @_;
    return kill $signal, $self->pid($i);
}


sub stop {
    my ($self) = @_;
    my $status = $?;

    if (delete $self->{up}) {
        system(lib_dir() . '/steno', 'stop', $self->{dir}) == 0
            or warn "steno stop failed";
    }

    $? = $status;
}


sub DESTROY { $_[0]->stop if $_[0]{owner} == $$ }


1;

package Docket::Fleet;

# Fast sensors: one nginx that answers for N addresses of the loopback, each
# with a capture of its own, over TLS with client certificates and chunked as
# a Stenographer does.  A sensor counts the questions under way itself and
# refuses (429) a second one.
#
#   my $fleet = Docket::Fleet->start(n => 4, pcaps => [...]);
#   my $ng = Docket::Nginx->start(sensors => $fleet);

use strict;
use warnings;

use Docket::Nginx;
use Docket::Util;

my $certs;


# The certificates of all fleets of this run.
sub certs {
    if (!$certs) {
        $certs = test_dir('certs');
        system(lib_dir() . '/mkcerts', $certs) == 0 or die 'mkcerts failed';
    }
    return $certs;
}


# n; pcaps: files, given out in turn; name: when there are several fleets
sub start {
    my ($class, %o) = @_;
    my $self = bless { n => $o{n} // 4, use => $o{n} // 4 }, $class;
    my $name = $o{name} // 'fleet';
    my $root = test_dir("$name.root");
    my $certs = certs();

    $self->{port} = free_ports(1);

    $self->serve(@{ $o{pcaps} }) if $self->{root} = $root;

    $self->{ng} = Docket::Nginx->new(name => $name, spool => '', conf => <<END);
daemon on;
worker_processes 2;
worker_rlimit_nofile 16384;

events {
    worker_connections 8192;
}

http {
    log_format sensor '\$server_addr \$status \$connection \$msec \$request_time';
    access_log off;
    client_body_temp_path %DIR%/tmp/body;
    proxy_temp_path %DIR%/tmp/proxy;
    fastcgi_temp_path %DIR%/tmp/fastcgi;
    uwsgi_temp_path %DIR%/tmp/uwsgi;
    scgi_temp_path %DIR%/tmp/scgi;

    keepalive_requests 1000000;
    keepalive_timeout 1h;
    default_type application/octet-stream;
    limit_conn_zone \$server_addr zone=one:4m;
    limit_conn_status 429;

    server {
        listen *:$self->{port} ssl backlog=8192;
        ssl_certificate $certs/server_cert.pem;
        ssl_certificate_key $certs/server_key.pem;
        ssl_client_certificate $certs/ca_cert.pem;
        ssl_verify_client on;
        ssl_protocols TLSv1.3;
        root $root;

        location = /query {
            error_page 405 =200 /\$server_addr.pcap;
            return 405;
        }

        location / {
            internal;
            limit_conn one 1;
            access_log %DIR%/queries.log sensor;
            # so that the answer is chunked
            add_after_body /none;
            addition_types *;
        }

        location = /none {
            internal;
            return 200;
        }

        location = /debug/stats {
            return 200 "indexfile_current_reads\\t0\\noldest_timestamp\\t1704067200000000000\\n";
        }
    }
}
END
    $self->{ng}->start;

    return $self;
}


# What the sensors answer from now on.
sub serve {
    my ($self, @pcaps) = @_;

    for my $i (1 .. $self->{n}) {
        my $link = "$self->{root}/" . address($i) . '.pcap';
        unlink $link;
        symlink $pcaps[($i - 1) % @pcaps], $link or die "$link: $!";
    }
}


sub address { sprintf '127.1.%d.%d', $_[0] >> 8, $_[0] & 255 }
sub host { "s$_[0].sensor.example" }
sub url { "https://" . host($_[1]) . ":$_[0]{port}$_[2]" }


# How many of the sensors a question goes to from the next start on.
sub use { $_[0]{use} = $_[1]; $_[0] }


sub conf {
    my ($self) = @_;

    return join('', map { "docket_sensor s$_ " . address($_)
                          . ":$self->{port} tls_name=" . host($_) . ";\n" }
                        1 .. $self->{use}) . <<END;
docket_ssl_certificate $certs/client_cert.pem;
docket_ssl_certificate_key $certs/client_key.pem;
docket_ssl_trusted_certificate $certs/ca_cert.pem;
END
}


# curl's options to ask these sensors as the helper asks them.
sub curl {
    my ($self) = @_;

    return ('curl', '-sS', '--http1.1', '--cert', "$certs/client_cert.pem",
            '--key', "$certs/client_key.pem", '--cacert', "$certs/ca_cert.pem",
            '--data-binary', 'host 10.0.0.1',
            map { ('--resolve', host($_) . ":$self->{port}:" . address($_)) }
                1 .. $self->{use});
}


# Answers to questions since the last call: [ADDRESS, STATUS, CONNECTION,
# MSEC, SECONDS].
sub answers {
    my ($self) = @_;
    my $log = $self->{ng}->dir . '/queries.log';
    my @lines = map { [split ' '] } split /\n/,
                substr slurp($log), $self->{seen} // 0;

    $self->{seen} = -s $log;
    return @lines;
}


sub stop { $_[0]{ng}->stop('TERM') }


1;

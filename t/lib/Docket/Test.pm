package Docket::Test;

# use Docket::Test; brings in strict, warnings, Test::More and all of
# Docket::Util and Docket::Pcap; loads Docket::Nginx, ::Steno, ::Sensor and
# ::Fault.
#
# Test::Nginx suites:  use Docket::Test 'socket';  loads Test::Nginx::Socket
# with what this module needs: a master, and a spool as $TEST_NGINX_SPOOL that
# is empty at first and stays for all blocks.

use strict;
use warnings;

use Test::More ();

use Docket::Util ();
use Docket::Pcap ();
use Docket::Fault;
use Docket::Nginx;
use Docket::Sensor;
use Docket::Steno;


sub import {
    my ($class, $what) = @_;
    my $caller = caller;

    strict->import;
    warnings->import;

    $SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);

    if (($what // '') eq 'socket') {
        socket_import($caller);
        return;
    }

    eval "package $caller; Test::More->import;"
         . 'Docket::Util->import; Docket::Pcap->import; 1' or die $@;
}


sub socket_import {
    my ($caller) = @_;

    $ENV{TEST_NGINX_MASTER_PROCESS} = 'on';
    $ENV{TEST_NGINX_BINARY} ||= '/usr/sbin/nginx';
    $ENV{TEST_NGINX_LOAD_MODULES} ||=
        Docket::Util::build_dir() . '/ngx_http_docket_module.so';
    $ENV{TEST_NGINX_SERVROOT} = Docket::Util::test_dir('servroot');
    $ENV{TEST_NGINX_SPOOL} = Docket::Util::test_dir('spool');
    $ENV{TEST_NGINX_SERVER_PORT} = Docket::Util::free_ports(2);
    $ENV{TEST_NGINX_LOG_LEVEL} ||= 'info';

    # where "make test" puts it, when the system has none
    push @INC, Docket::Util::build_dir() . '/test-nginx/usr/share/perl5';

    eval "package $caller; use Test::Nginx::Socket; 1" or die $@;
}


1;

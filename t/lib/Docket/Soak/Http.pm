package Docket::Soak::Http;

# One request on a connection of its own, read at any pace, with the one thing
# that HTTP::Tiny does not tell: whether the answer came to its end.
#
#   my $r = request($port, 'GET', '/api/ids', pace => .01, leave => 1000);
#
# {status, headers, body, ended}: ended is "complete", "broken", "left" (after
# so many bytes of the body, as wanted), "late" (not done after "timeout"
# seconds) or "none" (no answer).

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = ('request');


sub request {
    my ($port, $method, $path, %o) = @_;
    my %r = (headers => {}, body => '', ended => 'none');
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port, Timeout => 5)
        or return \%r;

    my $deadline = time + ($o{timeout} // 60);
    my $select = IO::Select->new($sock);
    my $body = $o{body} // '';
    my $raw = '';

    # writes and reads fail when the server dies
    local $SIG{PIPE} = 'IGNORE';

    syswrite $sock, join "\r\n", "$method $path HTTP/1.1", 'Host: soak',
        'Connection: close',
        (map { "$_: $o{headers}{$_}" } keys %{ $o{headers} // {} }),
        ($method eq 'POST' ? 'Content-Length: ' . length $body : ()), '',
        $body;

    while (1) {
        my $left = $deadline - time;

        if ($left <= 0 || !$select->can_read($left)) {
            $r{ended} = 'late';
            return \%r;
        }

        my $n = sysread $sock, $raw, $o{size} // 65536, length $raw;
        my $end = !$n;

        if (!defined $r{status} && $raw =~ s/^(HTTP\/1\.1 .*?)\r\n\r\n//s) {
            head(\%r, $1);
            $r{ended} = 'broken';
        }

        if (defined $r{status} && take(\%r, $method, \$raw, $end)) {
            $r{ended} = 'complete';
            return \%r;
        }

        if (defined $o{leave} && defined $r{status}
            && length $r{body} >= $o{leave})
        {
            $r{ended} = 'left';
            return \%r;
        }

        return \%r if $end;

        sleep $o{pace} if $o{pace};
    }
}


sub head {
    my ($r, $text) = @_;
    my ($line, @fields) = split /\r\n/, $text;

    ($r->{status}) = $line =~ /^HTTP\/1\.1 (\d+)/;

    for (@fields) {
        my ($name, $value) = split /:\s*/, $_, 2;
        $r->{headers}{lc $name} = $value;
    }
}


# Moves what is there of the body; true when that is all of it.
sub take {
    my ($r, $method, $raw, $end) = @_;
    my $length = $r->{headers}{'content-length'};

    return 1 if $method eq 'HEAD' || $r->{status} =~ /^(?:204|304)$/;

    if (($r->{headers}{'transfer-encoding'} // '') eq 'chunked') {

        while ($$raw =~ /^([0-9a-fA-F]+)\r\n/) {
            my ($size, $from) = (hex $1, $+[0]);

            return 0 if length $$raw < $from + $size + 2;

            $r->{body} .= substr $$raw, $from, $size;
            substr($$raw, 0, $from + $size + 2) = '';

            return 1 if $size == 0;
        }

        return 0;
    }

    $r->{body} .= $$raw;
    $$raw = '';

    return defined $length ? length $r->{body} >= $length : $end;
}


1;

# Stenographer's own clients, unmodified, against nginx in a sensor's place.

use lib 't/lib';
use Docket::Test;

use JSON::PP;
use POSIX ();

my $steno = Docket::Steno->start(n => 3);
my $first = $steno->first;
my $tls = free_ports(1);

my $ng = Docket::Nginx->start(
    sensors => $steno,
    server => <<END,
        listen 127.0.0.1:$tls ssl;

        ssl_certificate ${\ $steno->cert('server_cert') };
        ssl_certificate_key ${\ $steno->cert('server_key') };
        ssl_client_certificate ${\ $steno->cert('ca_cert') };
        ssl_verify_client optional;

        location = /query {
            if (\$ssl_client_verify != SUCCESS) { return 403; }
            docket_api prefix=/;
        }

        location /debug/ {
            return 200 "{}";
        }
END
);

ok($ng->helper, 'one docket process');

# what the package of the client reads
spew($ng->dir . '/config', encode_json({
    Host => '127.0.0.1', Port => $tls, CertPath => $steno->dir . '/certs',
}));

$ENV{STENOGRAPHER_CONFIG} = $ng->dir . '/config';

my $range = 'after ' . utc($first) . ' and before ' . utc($first + 300);
my $file = $ng->dir . '/out.pcap';

# exit status of the last command of a client's pipe, and what it wrote
sub client {
    my (@command) = @_;
    my $log = $ng->dir . '/client.log';
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        open STDOUT, '>', $log or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
        exec @command or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    return ($? >> 8, slurp($log));
}

my @root = $> == 0 ? (-Z => 'root') : ();
my $want = in_range(tcpdump('port 6666', $steno->pcaps), $first, $first + 300);

my ($status, $out) = client('stenoread', "port 6666 and $range", @root,
                            '-w', $file);

is($status, 0, 'stenoread') or diag($out);
is_packets(read_pcap($file), $want, '... gives the packets of all sensors');

($status, $out) = client('stenoread', "(port 6666 or port 6667) && $range",
                         @root, '-n', 'port 6666');
is($status, 0, '... prints them') or diag($out);
is(scalar(() = $out =~ /\.6666[ :]/g), scalar @$want, '... through tcpdump');

($status, $out) = client('stenoread', '--limit-packets', 5,
                         "port 6666 and $range", @root, '-w', $file);
is($status, 0, '--limit-packets') or diag($out);
is_packets(read_pcap($file), [ @$want[0 .. 4] ], '... the first in time');

($status, $out) = client('stenocurl', '/query', '-s', '-o', $file,
                         '-d', "port 6666 and $range");
is($status, 0, 'stenocurl') or diag($out);
is_packets(read_pcap($file), $want, '... the same');

($status, $out) = client('stenocurl', '/query', '-s', '-w', '%{http_code}',
                         '-d', 'hots 1.2.3.4');
like($out, qr/hots.*400$/s, '... and hears of a mistake');

($status, $out) = client('stenocurl', '/debug/stats', '-s');
is($status, 0, '... on another path too') or diag($out);

$ng->finish;

done_testing;

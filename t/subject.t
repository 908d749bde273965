# Who asked, by a client certificate: its subject in the status and in the
# record; one of any length is cut, and what asks without one has none.

use lib 't/lib';
use Docket::Test;

use JSON::PP;
use POSIX ();

my $fake = Docket::Sensor->start(n => 1);
my $tls = free_ports(1);
my $etc = test_dir('certs');

my @subject = map { "/OU=$_" . 'x' x 60 } 1 .. 60;

system('openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
       . " -keyout $etc/long_key.pem -out $etc/long.csr -utf8"
       . " -subj '" . join('', @subject) . "/CN=long' 2>$etc/err"
       . " && openssl x509 -req -in $etc/long.csr -days 30"
       . ' -CA ' . $fake->cert('ca_cert') . ' -CAkey ' . $fake->cert('ca_key')
       . " -CAcreateserial -out $etc/long_cert.pem 2>>$etc/err") == 0
    or die slurp("$etc/err");

my $ng = Docket::Nginx->start(sensors => $fake, server => <<END);
    listen 127.0.0.1:$tls ssl;
    ssl_certificate ${\ $fake->cert('server_cert') };
    ssl_certificate_key ${\ $fake->cert('server_key') };
    ssl_client_certificate ${\ $fake->cert('ca_cert') };
    ssl_verify_client optional;
END

my $range = join '/', map {
    POSIX::strftime("$_->[0]/%Y-%m-%dT%H:%M:%SZ", gmtime $fake->first + $_->[1])
} [after => 0], [before => 300];

sub ask {
    my ($port, @cert) = @_;
    my $json = qx(curl -s -m 20 --cacert ${\ $fake->cert('ca_cert') } @cert https://127.0.0.1:$tls/api/uri/port/$port/$range);
    return decode_json($json)->{id};
}

$ng->helper;

my @asked = (
    ask(1, '--cert', $fake->cert('client_cert'),
        '--key', $fake->cert('client_key')),
    ask(2, "--cert $etc/long_cert.pem --key $etc/long_key.pem"),
    ask(3),
);

$ng->final($_) for @asked;

my ($own, $long, $none) = map {
    my ($id, $found) = $_;
    ok_until { $found = ($ng->status($id)->{askers} // [])->[0] } 15,
             'the status says who asked';
    $found = $found->{subject} // '';
    ok_until { my $r = decode_json(slurp($ng->spool . "/$id/query.json"));
               ($r->{askers}[0]{subject} // '') eq $found && $r->{asked} } 15,
             '... and so does the record';
    $found;
} @asked;

is($own, 'CN=127.0.0.1_client,O=Stenographer', 'a subject');
is($none, '', 'no certificate, no subject');
like($long, qr/^CN=long,OU=60x{60}/, 'a very long one begins as it does');
cmp_ok(length $long, '>', 100, '... is there');
cmp_ok(length $long, '<', 192, '... and is cut');

$ng->finish;
done_testing;

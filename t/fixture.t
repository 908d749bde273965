# The fixtures themselves: what the sensors of the other suites answer with.

use lib 't/lib';
use Docket::Test;



# curl to a sensor: exit code, what came
sub ask_sensor {
    my ($at, $i, $query, %o) = @_;
    my $client = $o{client} // 'client';
    my $out = $at->dir . '/answer';

    unlink $out;
    system('curl', '-s', '--http1.1', '-m', $o{seconds} // 10, '-o', $out,
           ($o{fail} ? '-f' : ()),
           '--cert', $at->cert("${client}_cert"),
           '--key', $at->cert("${client}_key"),
           '--cacert', $at->cert('ca_cert'),
           (defined $query ? ('--data-binary', $query) : ()),
           'https://127.0.0.1:' . $at->port($i) . ($o{path} // '/query'));

    return ($? >> 8, slurp($out) // '');
}


my $steno = Docket::Steno->start(n => 3);

for my $i (1 .. 3) {
    my ($code, $bytes) = ask_sensor($steno, $i, "host 10.$i.0.2");

    is($code, 0, "stenographer $i answers");
    is_packets(read_pcap(\$bytes),
               tcpdump("host 10.$i.0.2", $steno->pcaps),
               "... with the packets of the replayed captures");
    is(scalar @{ read_pcap(\$bytes) }, 20, '... all 20');
}

# the same second has packets of each, and the same order is not the merged one
my @merged = @{ tcpdump('host 203.0.113.77', $steno->pcaps) };

is(scalar @merged, 24, 'the shared host is on every sensor');
is(join(' ', map { $_->{data} =~ /shared-(\d)/ } @merged[0 .. 5]),
   '1 2 3 1 2 3', 'their times interleave');

# whole files by their start time
my ($code, $bytes) = ask_sensor($steno, 1,
    sprintf 'before %s and host 10.1.0.2', utc($steno->first));
my $some = read_pcap(\$bytes);

ok(@$some > 0 && @$some < 20, 'before selects some of several files')
    or diag(scalar @$some);

my $old = $steno->pid(2);

$steno->stop;
ok(!is_running($old), 'stopped');


# Sensors that are told what to do

my $fake = Docket::Sensor->start(n => 2, pcaps => [ ($steno->pcaps)[0, 1] ]);
my $all = read_pcap(($steno->pcaps)[0]);

($code, $bytes) = ask_sensor($fake, 1, 'host 10.1.0.2');
is($code, 0, 'a sensor answers');
is_packets(read_pcap(\$bytes), $all, '... with its capture');

($code, $bytes) = ask_sensor($fake, 2,
    sprintf 'after %s and before %s and (host 1.2.3.4)',
    utc($fake->first), utc($steno->first));
ok(@{ read_pcap(\$bytes) } < @$all, '... with some files');

($code, $bytes) = ask_sensor($fake, 1, undef, path => '/debug/stats');
like($bytes, qr/^indexfile_current_reads\t0$/m, '... and its counters');
like($bytes, qr/^oldest_timestamp\t@{[$steno->first]}000000000$/m,
     '... the oldest packet');

is_deeply([$fake->queries(1)], ['host 10.1.0.2'], '... what it was asked');
is($fake->state(1)->{max_active}, 1, '... one at a time');

($code) = ask_sensor($fake, 1, 'x', client => 'other_client');
ok($code == 35 || $code == 55 || $code == 56, '... a foreign client is refused')
    or diag($code);

# name, behaviour, curl's exit code, bytes that came, if they are known
for (['refuse', { listen => 'refuse' }, 7],
     ['hang', { listen => 'hang' }, 28],
     ['drop', { listen => 'drop' }, 35],
     ['expired', { cert => 'expired_server' }, 60],
     ['foreign', { cert => 'other_server' }, 60],
     ['v1', { cert => 'v1_server' }, 0],
     ['named', { cert => 'named_server' }, 60],
     ['no answer', { query => 'hang' }, 28],
     ['headers only', { query => 'hang-headers' }, 28],
     ['stall', { query => 'stall', after => 1000 }, 28, 1000],
     ['hold', { query => 'hold', after => 1000 }, 28],
     ['reset', { query => 'reset', after => 1000 }, 56, 1000],
     ['drop in the middle', { query => 'drop', after => 1000 }, [18, 56], 1000],
     ['cut', { query => 'cut', after => 1000 }, 0, 1000],
     ['garbage', { query => 'garbage', after => 100 }, 0, 100],
     ['no byte', { query => 'none' }, 0, 0],
     ['slow', { rate => 1000 }, 28],
     ['endless', { query => 'endless' }, 28],
     ['delay', { delay => 5 }, 28],
     map { [$_, { status => $_ }, 22] } 400, 401, 403, 404, 429, 500, 503)
{
    my ($name, $how, $exit, $size) = @$_;

    $fake->set(2, %$how);
    ($code, $bytes) = ask_sensor($fake, 2, 'x', seconds => 1, fail => 1);

    ok(grep({ $_ == $code } ref $exit ? @$exit : $exit), "$name: curl's code")
        or diag($code);
    is(length $bytes, $size, "$name: bytes") if defined $size;
}

$fake->set(2, query => 'cut', after => 500, times => 1);
ask_sensor($fake, 2, 'x');
($code, $bytes) = ask_sensor($fake, 2, 'x');
ok(length $bytes > 500, 'a misbehaviour that ends');

$fake->set(2, busy => [3, 0]);
is((ask_sensor($fake, 2, undef, path => '/debug/stats'))[1]
   =~ /reads\t(\d+)/ && $1, 3, 'busy at the first look');
is((ask_sensor($fake, 2, undef, path => '/debug/stats'))[1]
   =~ /reads\t(\d+)/ && $1, 0, '... not at the second');

for my $kind (qw(swapped nano swapped-nano disorder)) {
    $fake->set(2, query => $kind);
    ($code, $bytes) = ask_sensor($fake, 2, 'x');

    my $header = pcap_header(\$bytes);

    is("$header->{order}$header->{nano}",
       ($kind =~ /swapped/ ? 'N' : 'V') . ($kind =~ /nano/ ? 1 : 0),
       "$kind: format");
    is_packets([ sort { $a->{ts} <=> $b->{ts} } @{ read_pcap(\$bytes) } ],
               read_pcap(($steno->pcaps)[1]), "$kind: packets");
}

$fake->set(0);
is((ask_sensor($fake, 2, 'x'))[0], 0, 'as at the start');

done_testing;

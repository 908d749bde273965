# Three real Stenographers with captures of their own: what was replayed on
# their interfaces is what comes out, packet for packet.

use lib 't/lib';
use Docket::Test;

plan(skip_all => 'capturing needs root') if $> != 0;

my $steno = Docket::Steno->start(n => 3, mode => 'capture', mb => 2);
my $ng = Docket::Nginx->start(sensors => $steno);

$ng->helper;

my $s = $ng->final($ng->ask(net => '10.0.0.0/8', after => '10m'));

is($s->{state}, 'Completed', 'completed');
is(scalar @{ $s->{successes} }, 3, 'by all three');

# ARP and IPv6 are no packets of this network
my @want = grep { substr($_->{data}, 12, 2) !~ /^(?:\x08\x06|\x86\xdd)/ }
           map { @{ read_pcap($_) } } $steno->pcaps;
my $got = $ng->capture($s->{id});

is(scalar @$got, scalar @want, scalar(@want) . ' packets');

# captured at the time of the replay: the bytes are compared, and the order
is_packets($got, \@want, 'what was replayed', time => 0);

$ng->finish;
done_testing();

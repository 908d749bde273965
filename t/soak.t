# Nothing lost, nothing wrong: many jobs while sensors fail and processes die.
#
# "make soak" is the same for longer: SOAK_JOBS, SOAK_KILLS, SOAK_SEED.

use lib 't/lib';
use Docket::Test;

use Docket::Soak;

my $soak = Docket::Soak->new(
    jobs  => $ENV{SOAK_JOBS} // 60,
    kills => $ENV{SOAK_KILLS} // 10,
    seed  => $ENV{SOAK_SEED} // 1,
);

$soak->storm;
$soak->calm;
$soak->check;

my @bad = $soak->bad;

is(scalar @bad, 0, 'nothing is lost, stuck or wrong')
    or diag(map { "$_\n" } @bad > 20 ? (@bad[0 .. 19], '...') : @bad);

$soak->{ng}->finish(allow => [ $soak->allowed ]);

($ENV{SOAK_JOBS} ? \&diag : \&note)->("\n", $soak->table);

done_testing();

# Random questions: what Docket makes of them, what real Stenographers select
# by that, and what ends up in a capture are compared with a reference that has
# no code of Docket; t/lib/oracle.py says more.

use lib 't/lib';
use Docket::Test;

# "make oracle" gives these
my $runs = $ENV{ORACLE_RUNS} || 300;
my $jobs = $ENV{ORACLE_JOBS} || 40;
my $seed = $ENV{ORACLE_SEED} || int(time);

my $steno = Docket::Steno->start(n => 2, span => 600, mix => 600);
my $ng = Docket::Nginx->start(sensors => $steno, http => 'docket_slice 30d;');

$ng->helper;

my @sensors = map { "s$_=" . $steno->port($_) . '=' . ($steno->pcaps)[$_ - 1] }
              1 .. 2;
my $out = $ng->dir . '/oracle';

diag("seed $seed");

my $status = system('/usr/bin/python3 ' . lib_dir() . '/oracle.py'
                    . ' --api ' . $ng->url('/api')
                    . ' --certs ' . $steno->dir . '/certs'
                    . " --runs $runs --ask $jobs --seed $seed"
                    . " @sensors > $out 2>&1");
my $said = slurp($out);

ok($status == 0, 'all as the reference has it') or diag($said);

my %n = map { reverse /(\d+) (\w[\w ]*)/ } split /, /, $said =~ s/.*seed \d+: //sr;

note($said) if $status == 0;
cmp_ok($n{$_} // 0, '>', $runs / 20, "... $n{$_} $_")
    for qw(raw uri form json refused), 'some packets';
cmp_ok($n{'jobs with packets'} // 0, '>', $jobs / 4, '... jobs too');

$ng->finish;
done_testing;

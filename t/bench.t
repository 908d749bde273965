# Every part of the benchmark runs, at its smallest scale, and yields all its
# figures; how large they are is not for here.

use lib 't/lib';
use Docket::Test;

use JSON::PP;

plan skip_all => 'measures the plain build' if asan();

my %figures = (merge => 24, job => 6, small => 2, queue => 2, first => 2,
               api => 3, memory => 7, growth => 39);

my $out = build_dir() . '/bench';
my $work = test_dir();

unlink glob "$out/smoke.*";

local $ENV{BENCH_SCALE} = 'smoke';

is(system("bench/run > $work/out 2> $work/err"), 0, 'it runs to its end')
    or diag(slurp("$work/err"));

my $json = slurp("$out/smoke.json");
my $result = $json ? decode_json($json) : { figures => [] };
my @figures = @{ $result->{figures} };
my $table = slurp("$work/out");

for my $part (sort keys %figures) {
    is(scalar(grep { $_->{part} eq $part } @figures), $figures{$part},
       "$part: all its figures");
}

# processor time comes in ticks, and a small copy takes less than one
my @bad = grep { !defined $_->{ours}
                 || defined $_->{command}
                    && !($_->{rival} || defined $_->{rival}
                                        && $_->{name} =~ /, processor,/) }
          @figures;

is_deeply([map { $_->{name} } @bad], [], 'each has a number, and its rival\'s');

@bad = grep { defined $_->{target} && ($_->{verdict} // '') !~ /^(?:ok|missed)$/ }
       @figures;

is_deeply([map { $_->{name} } @bad], [], 'each target has a verdict');

@bad = grep { index($table, $_->{name}) < 0 } @figures;

is_deeply([map { $_->{name} } @bad], [], 'the table has each of them');

my @lines = split /\n/, slurp("$out/smoke.tsv");
is(scalar @lines, 1 + @figures, 'so has the TSV');

my %by_name = map { $_->{name} => $_ } @figures;

is($by_name{'questions that met another one at a sensor'}{ours}, 0,
   'no sensor had two questions at a time');

ok(!-e "$out/scratch", 'no scratch is left');

done_testing;

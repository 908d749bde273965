# The reader of metrics that judges the others' finds what is wrong.

use lib 't/lib';
use Docket::Test;
use Docket::Metrics;

my $good = <<'END';
# HELP x_total Things.
# TYPE x_total counter
x_total{a="1",b="\"\\\n"} 1
x_total{a="2"} 2.5e+3
# HELP h_seconds Times.
# TYPE h_seconds histogram
h_seconds_bucket{le="0.5"} 1
h_seconds_bucket{le="10"} 3
h_seconds_bucket{le="+Inf"} 4
h_seconds_sum 33.25
h_seconds_count 4
END

my ($m, @wrong) = read_metrics($good);

is_deeply(\@wrong, [ ], 'a good one');
is($m->{x_total}{samples}{'x_total,a=2'}{value}, '2.5e+3', '... is read');

for (['no end', qr/4\n\z/, '4'],
     ['a blank line', qr/# HELP h/, "\n# HELP h"],
     ['no HELP', qr/# HELP x.*\n/, ''],
     ['no TYPE', qr/# TYPE x.*\n/, ''],
     ['an unknown type', qr/counter/, 'summery'],
     ['a family twice', qr/# HELP h_seconds/, "# HELP x_total X.\n# HELP h_seconds"],
     ['a counter of another name', qr/x_total/, 'x'],
     ['a label twice', qr/,b=/, ',a='],
     ['a series twice', qr/a="2"/, 'b="\"\\\\\n",a="1"'],
     ['a label unescaped', qr/a="2"/, 'a="\2"'],
     ['no number', qr/2\.5e\+3/, '0x5'],
     ['a negative counter', qr/2\.5e\+3/, '-1'],
     ['a sample elsewhere', qr/(x_total\{a="2.*\n)((?s:.*))/, '$2$1'],
     ['le out of order', qr/le="0.5"/, 'le="11"'],
     ['buckets that fall', qr/(le="10"\}) 3/, '$1 0'],
     ['no +Inf', qr/h_seconds_bucket\{le="\+Inf.*\n/, ''],
     ['+Inf that is not _count', qr/_count 4/, '_count 5'],
     ['no _sum', qr/h_seconds_sum.*\n/, ''],
     ['no le', qr/\{le="10"\}/, ''])
{
    my ($name, $what, $by) = @$_;
    my $bad = $good;

    if ($by =~ /\$/) {
        my @part = $bad =~ $what;
        my $new = $by =~ s/\$(\d)/$part[$1 - 1]/gr;
        $bad =~ s/$what/$new/g;
    } else {
        $bad =~ s/$what/$by/g;
    }

    (undef, @wrong) = read_metrics($bad);
    ok($bad ne $good && @wrong, $name) or diag($bad);
}

done_testing;

package Docket::Metrics;

# A strict reader of Prometheus' text format: what a scraper would forgive is
# an error here.
#
#   my ($metrics, @wrong) = read_metrics($text);
#   $metrics->{docket_jobs}{type}; ...{samples}{'docket_jobs{state="x"}'}

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(read_metrics);

my $NAME = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $LABEL = qr/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/;
my $NUMBER = qr/[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|Inf)|NaN/;


sub read_metrics {
    my ($text) = @_;
    my (%family, $at, @wrong);

    push @wrong, 'the last line has no end' if $text !~ /\n\z/;

    for my $line (split /\n/, $text) {
        if ($line =~ /^# HELP ($NAME) (\S.*)$/) {
            push @wrong, "$1 is announced twice" if $family{$1};
            $at = $family{$1} = { name => $1, help => $2, samples => {} };

        } elsif ($line =~ /^# TYPE ($NAME) (counter|gauge|histogram)$/) {
            push @wrong, "TYPE is not behind its HELP: $line"
                if !$at || $at->{name} ne $1 || $at->{type};
            $at->{type} = $2;
            push @wrong, "a counter without _total: $1"
                if $2 eq 'counter' && $1 !~ /_total$/;

        } elsif ($line =~ /^($NAME)(?:\{((?:$LABEL)(?:,$LABEL)*)\})? ($NUMBER)$/)
        {
            sample($at, $1, $2 // '', $+, $line, \@wrong);

        } else {
            push @wrong, "no line of the format: $line";
        }
    }

    for (values %family) {
        push @wrong, "$_->{name} has no TYPE" if !$_->{type};
        histogram($_, \@wrong) if ($_->{type} // '') eq 'histogram';
    }

    return (\%family, @wrong);
}


sub sample {
    my ($family, $name, $labels, $value, $line, $wrong) = @_;
    my $base = $family->{name} // '';
    my @names = ($family->{type} // '') eq 'histogram'
                ? (map { "${base}_$_" } qw(bucket sum count)) : ($base);
    my %label;

    if (!grep { $_ eq $name } @names) {
        push @$wrong, "a sample of no family or of another one: $line";
        return;
    }

    while ($labels =~ /$LABEL/g) {
        push @$wrong, "a label twice: $line" if exists $label{$1};
        $label{$1} = $2;
    }

    my $key = join ',', $name, map { "$_=$label{$_}" } sort keys %label;

    push @$wrong, "a series twice: $line" if $family->{samples}{$key};
    push @$wrong, "less than nothing: $line"
        if $value =~ /^-/ && $family->{type} ne 'gauge';

    $family->{samples}{$key} = { value => $value, labels => \%label };
    push @{ $family->{order} }, { name => $name, value => $value,
                                  label => \%label };
}


# Of each series: buckets that rise, the last one +Inf and as great as _count,
# and a _sum.
sub histogram {
    my ($family, $wrong) = @_;
    my (%series, $n);

    for (@{ $family->{order} // [] }) {
        my %label = %{ $_->{label} };
        my $le = delete $label{le};
        my $s = $series{join ',', map { "$_=$label{$_}" } sort keys %label}
            //= { buckets => [] };
        my ($part) = $_->{name} =~ /_(bucket|sum|count)$/;

        push @$wrong, "le is missing or too much in $_->{name}"
            if defined $le != ($part eq 'bucket');

        if ($part eq 'bucket') {
            push @{ $s->{buckets} }, [ $le // 0, $_->{value} ];
        } else {
            $s->{$part} = $_->{value};
        }
    }

    for my $key (sort keys %series) {
        my $s = $series{$key};
        my @b = @{ $s->{buckets} };
        my $what = "$family->{name}\{$key}";

        push @$wrong, "$what has no bucket, _sum or _count"
            if !@b || !defined $s->{sum} || !defined $s->{count};
        push @$wrong, "$what does not end with +Inf"
            if !@b || $b[-1][0] ne '+Inf';
        push @$wrong, "$what: +Inf is not _count"
            if @b && $b[-1][1] != ($s->{count} // -1);
        push @$wrong, "$what: buckets do not rise"
            if grep { $b[$_][0] <= $b[$_ - 1][0] || $b[$_][1] < $b[$_ - 1][1] }
                    1 .. $#b;
        push @$wrong, "$what: +Inf stands in the middle"
            if grep { $b[$_][0] eq '+Inf' } 0 .. $#b - 1;
    }
}


1;

package Docket::Wrk;

# wrk, over 32 connections for a moment.

use strict;
use warnings;

use Exporter 'import';

use Docket::Bench;
use Docket::Util;

our @EXPORT = 'wrk';


# wrk(URL, method =>, body =>, type =>, paths => [...]): requests a second.
# Dies if any answer was no success.  With "paths" it asks for them in turn.
sub wrk {
    my ($url, %o) = @_;
    my $work = work();
    my ($script, $out) = ("$work/wrk.lua", "$work/wrk.out");
    my @lines;

    push @lines, qq{wrk.method = "$o{method}"} if $o{method};
    push @lines, qq{wrk.body = "$o{body}"} if $o{body};
    push @lines, qq{wrk.headers["Content-Type"] = "$o{type}"} if $o{type};
    push @lines, 'local n = 0', 'local paths = {',
                 (map { qq{"$_",} } @{ $o{paths} }), '}',
                 'function request() n = n + 1; '
                 . 'return wrk.format(nil, paths[n % #paths + 1]) end'
        if $o{paths};

    spew($script, map { "$_\n" } @lines);

    timed(['wrk', '-t1', '-c32', '-d' . scaled(2, 1, 1) . 's', '-s', $script,
           $url], out => $out);

    my $text = slurp($out);
    $text =~ /Non-2xx or 3xx responses: (\d+)/ and die "$url: $1 failures\n";
    $text =~ m{Requests/sec:\s+([\d.]+)} or die "wrk: $text";

    return $1;
}


1;

# The page: its pure parts, and all of it in a browser.  node tells TAP.

use lib 't/lib';
use Docket::Test;

my $top = lib_dir() . '/../..';

plan skip_all => 'the page is the same with sanitizers' if asan();

-e build_dir() . '/ui/index.html' or die 'there is no page: make ui';

$ENV{DOCKET_BUILD} = build_dir();

for (['pure parts', glob "$top/ui/test/*.test.js"],
     ['in a browser', glob "$top/ui/test/browser/*.test.js"])
{
    my ($name, @files) = @$_;

    ok(scalar @files, "$name: there are tests");
    open my $node, '-|', 'node', '--test', '--test-reporter=tap', @files
        or die "node: $!";
    my $out = do { local $/; <$node> };
    close $node;

    is($? >> 8, 0, $name) or diag($out);
    like($out, qr/^# pass [1-9]/m, '... ran');
}

# the lock file names no registry

unlike(slurp("$top/ui/package-lock.json"), qr/"resolved"/,
       'package-lock.json has no addresses');

done_testing;

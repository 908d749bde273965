# Random requests, most of them hostile: none is answered 500, none ends a
# worker or the helper, none is a line in the log above [info] but what nginx
# itself says of bad clients; and what reached the sensors meanwhile is what
# the accepted questions mean, byte for byte, and is taken whole by a real
# Stenographer.

use lib 't/lib';
use Docket::Test;

# "make recorded" gives these
my $runs = $ENV{RECORDED_RUNS} || 1000;
my $seed = $ENV{RECORDED_SEED} || int(time);

my $steno = Docket::Steno->start(n => 1, span => 600, mix => 300);
my $fake = Docket::Sensor->start(n => 2,
                                 pcaps => [ ($steno->pcaps)[0, 0] ]);
# no static files, of whose absence nginx has something to say
my $ng = Docket::Nginx->start(sensors => $fake,
                              server => 'location / { return 404; }',
                              http => <<'END');
    docket_slice 30d;
    log_format text escape=json '"$docket_query"';
    access_log %DIR%/text.log text;
END
my $helper = $ng->helper;
my @workers = $ng->workers;
my $lib = lib_dir();

diag("seed $seed");

sub python {
    my $out = qx(/usr/bin/python3 $_[0] 2>&1);
    return ($?, $out);
}

my ($status, $said) = python("$lib/enemy.py --port " . $ng->port
    . " --corpus $lib/../../test/fuzz/corpus --pcap " . ($steno->pcaps)[0]
    . " --runs $runs --seed $seed");

is($status, 0, 'every request is answered, and none by an accident')
    or diag($said);
note($said);

my %n = map { reverse /(\d+) of (\d+)/ } split /, /, $said;

cmp_ok($n{$_} // 0, '>', 0, "... some $_") for 200, 202, 400, 403, 404, 405;

ok_until { !grep { $_->{state} =~ /^(?:Created|Requesting|Merging)$/ }
                 @{ $ng->get('/api/jobs?limit=1000')->{json} } } 60,
         'all jobs end';

is_deeply([ $ng->workers ], \@workers, 'the same workers live');
is($ng->helper, $helper, '... and the same helper');

# what nginx's own code says of clients
my @own = (qr/ \[notice\] /, qr/client sent invalid chunked body/,
           qr/client intended to send too large/);
my @lines = grep { my $l = $_; $l !~ / \[info\] / && !grep { $l =~ $_ } @own }
            $ng->log_lines(qr/./);

is(scalar @lines, 0, 'nothing else is in the log') or diag(grep { defined } @lines[0 .. 9]);
is(scalar(() = $ng->log_lines(qr/exited on signal|exited with (?!code 0)/)), 0,
   'no process died');

($status, $said) = python("$lib/recorded.py --log " . $fake->dir
    . '/log --access ' . $ng->dir . '/text.log --certs ' . $steno->dir
    . '/certs s1=' . $steno->port(1) . '=' . ($steno->pcaps)[0]);

is($status, 0, 'sensors were sent what was asked, and nothing else')
    or diag($said);
note($said);

$ng->finish;
done_testing;

# A disk that fails: every system call on the spool in turn, in the worker that
# takes a question and in the helper that answers it.

use lib 't/lib';
use Docket::Test;

use Errno qw(ENOSPC EDQUOT EIO EACCES EROFS EMFILE);
use POSIX ();

my $fake = Docket::Sensor->start(n => 2);
my $fault = Docket::Fault->new;
my $ng = Docket::Nginx->start(sensors => $fake, fault => $fault, workers => 1,
    http => 'docket_sync on; docket_retries 0; docket_idle_time 1h;');

my $spool = $ng->spool;
my $helper = $ng->helper;
my $first = $fake->first;
my $expected = map { @{ read_pcap($_) } } $fake->pcaps;
my $n = 0;

sub utc { POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_[0]) }

sub question {
    $n++;
    return (host => '10.' . ($n >> 16) . '.' . ($n >> 8 & 255) . '.' . ($n & 255),
            after => utc($first - 60), before => utc($first + 360));
}

sub words { local $! = $_[0]; "$!" }

sub record {
    my ($id) = @_;
    my $text = slurp("$spool/$id/query.json") // return;
    return JSON::PP::decode_json($text);
}

# What is wrong with the spool's folder of a job; of the spool with no id.
sub odd_files {
    my ($id) = @_;
    opendir my $d, defined $id ? "$spool/$id" : $spool or return;
    my @names = grep { !/^\.\.?$/ } readdir $d;
    return defined $id ? grep { !/^(?:query\.json|merged\.pcap|summary\.json)$/ } @names
                       : grep { !/^(?:[0-9a-f]{32}|index|\.owner|\.sensors)$/ } @names;
}

# What the end of a job must be, whatever failed: a list of complaints.
sub judge {
    my ($id, $errno) = @_;
    my $status = $ng->final($id, 20);
    my $words = words($errno);
    my $is = sub { $status ? "$status->{state}, " . ($status->{reason} // '') : 'unknown' };
    my @bad;

    if (!$status) {
        return "the job is lost";

    } elsif ($status->{state} eq 'Completed' && !$status->{partial}) {
        my $packets = $ng->capture($id) // [];
        push @bad, @$packets . " packets in the capture" if @$packets != $expected;
        push @bad, "says $status->{capture}{packets} packets"
            if $status->{capture}{packets} != $expected;

    } elsif ($status->{state} eq 'Completed') {
        push @bad, "reason $status->{reason}" if $status->{reason} !~ /\Q$words/;

    } elsif ($status->{state} eq 'Failed') {
        push @bad, "reason $status->{reason}" if $status->{reason} !~ /\Q$words/;
        push @bad, "a capture" if -e "$spool/$id/merged.pcap";

    } else {
        push @bad, 'it is ' . $is->();
    }

    # the disk has the same, at once or soon

    wait_until { my $r = record($id); $r && $r->{state} eq $status->{state} } 5
        or push @bad, "the disk says " . (record($id) // {state => 'nothing'})->{state}
                      . ', the status ' . $is->();

    wait_until { !odd_files($id) } 5
        or push @bad, "left behind: " . join ' ', odd_files($id);

    return @bad;
}

# Nth call after nth call, until there are no more of them.
sub sweep {
    my ($title, $errno, $ops, $each) = @_;
    my ($name) = grep { Errno->can($_)->() == $errno } qw(ENOSPC EDQUOT EIO EACCES EROFS EMFILE);
    my ($calls, @bad) = 0;

    for my $nth (1 .. 100) {
        my %question = question();

        $fault->set(path => $spool, title => $title, nth => $nth,
                    errno => $errno, ops => $ops);

        my @wrong = $each->(\%question, $errno);
        my ($fired, $call) = ($fault->fired, $fault->last);

        $fault->off;

        push @bad, map { "$name at call $nth, $call: $_" } @wrong;

        last if !$fired;
        $calls++;
    }

    cmp_ok($calls, '>', 2, "$title: $name at each of $calls calls");
    is(scalar @bad, 0, '... and all is well') or diag(join "\n", @bad);
    is(scalar odd_files(), 0, '... and nothing is left behind')
        or diag(join ' ', odd_files());
}

# -- who takes the question --------------------------------------------------

sub post {
    my ($question, $errno) = @_;
    my $id = $ng->post_json('/api/explain', $question)->{json}{id};
    my $r = $ng->post_json('/api/', $question);
    $fault->off;

    my $full = $errno == ENOSPC || $errno == EDQUOT;
    my $status = $full ? 507 : $errno == EMFILE ? 503 : 500;

    return judge($id, $errno) if $r->{status} == 202;

    my @bad;

    push @bad, "answered $r->{status}" if $r->{status} != $status;
    push @bad, "has an id" if $r->{content} =~ /$id/;
    push @bad, "leaves a folder" if -e "$spool/$id";
    push @bad, "is in the status" if $ng->get("/api/status/$id")->{status} != 404;
    push @bad, "is in the list" if grep { $_ eq $id } @{ $ng->get('/api/ids')->{json} };

    return @bad;
}

my @changing = @Docket::Fault::WRITES;

sweep('worker process', $_, \@changing, \&post) for ENOSPC, EDQUOT;
sweep('worker process', EIO, [ @changing, 'open', 'read' ], \&post);
sweep('worker process', EROFS, [ qw(create mkdir link) ], \&post);
sweep('worker process', EACCES, [ qw(create open mkdir link) ], \&post);
sweep('worker process', EMFILE, [ qw(create open) ], \&post);

# -- who answers it ----------------------------------------------------------

sub run { return judge($ng->ask(%{ $_[0] }), $_[1]) }

sweep('docket process', ENOSPC, \@changing, \&run);
sweep('docket process', EDQUOT, [ qw(create write mkdir) ], \&run);
sweep('docket process', EIO, [ @changing, 'open', 'read', 'unlink' ], \&run);
sweep('docket process', EROFS, [ qw(create mkdir rename unlink) ], \&run);
sweep('docket process', EACCES, [ qw(create open rename unlink) ], \&run);
sweep('docket process', EMFILE, [ qw(create open) ], \&run);

is($ng->helper, $helper, 'the helper lives');
is($ng->final($ng->ask(question()))->{state}, 'Completed', 'and works');

$ng->finish(allow => [ qr/docket/ ]);
done_testing();

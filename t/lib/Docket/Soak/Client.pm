package Docket::Soak::Client;

# One client of a soak, in a process of its own: asks, asks again, watches,
# streams, cancels, deletes, at random, and writes down what it was told.
#
#   Docket::Soak::Client->new(number => 3, port =>, truth =>, seed =>,
#                             first => SECONDS, journal => FILE)
#       ->run(jobs => 100, gate => sub { the part of the jobs that may be
#                                        asked by now });
#
# The journal has a line of JSON for each event:
#   {accepted: ID, question: {...}}    the server knows of it from now on
#   {asked: ID}                        maybe it does: no answer has come yet
#   {deleted: ID, sure: 0|1}
#   {bad: TEXT}                        an answer that is wrong in itself
#   {seen: NAME}                       one of what is counted

use strict;
use warnings;

use JSON::PP;
use Time::HiRes qw(sleep time);

use Docket::Soak::Http 'request';
use Docket::Soak::Truth;
use Docket::Util;

# what is done how often, in a hundred
my @DEEDS = (
    [ 30, 'ask' ], [ 10, 'again' ], [ 4, 'refresh' ], [ 4, 'retry' ],
    [ 5, 'cancel' ], [ 4, 'remove' ], [ 15, 'pcap' ], [ 7, 'query' ],
    [ 7, 'events' ], [ 7, 'wait' ], [ 4, 'fetch' ], [ 3, 'look' ],
);

my $json = JSON::PP->new->canonical->ascii;


sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, asked => 0, hosts => 0, known => [] }, $class;

    open $self->{out}, '>', $o{journal} or die "$o{journal}: $!";
    $self->{out}->autoflush;

    return $self;
}


sub run {
    my ($self, %o) = @_;

    srand($self->{seed});

    while ($self->{asked} < $o{jobs}) {

        if ($self->{asked} > $o{gate}->() * $o{jobs}) {
            sleep 0.1;
            $self->look if rand() < 0.2;
            next;
        }

        my $dice = rand 100;
        my ($deed) = grep { ($dice -= $_->[0]) < 0 } @DEEDS;

        $deed = $deed->[1];
        $self->$deed;

        sleep rand 0.05;
    }
}


sub note { print { $_[0]{out} } $json->encode($_[1]), "\n" }
sub seen { $_[0]->note({ seen => $_[1] }) }
sub bad  { $_[0]->note({ bad => $_[1] }) }

sub accepted {
    my ($self, $q, $id) = @_;
    $q->{id} = $id;
    $self->note({ accepted => $id, question => $q });
}

sub one { $_[rand @_] }

# Questions ---------------------------------------------------------------

# one that was not asked yet
sub question {
    my ($self) = @_;
    my $host = $self->{hosts}++;
    my %q = (host => sprintf('10.%d.%d.%d', 100 + $self->{number},
                             $host / 250, $host % 250 + 1));
    my @names = @{ $self->{truth}{names} };
    my $from = int rand 6;

    # minutes from the first packet on, and some before and behind
    $q{after} = $self->{first} + 60 * ($from - 1);
    $q{before} = $q{after} + 60 * (1 + int rand(7 - $from));

    $q{sensors} = [ grep { rand() < 0.4 } @names ] if rand() < 0.3;
    $q{filter} = one(@Docket::Soak::Truth::FILTERS) if rand() < 0.2;
    $q{packets} = 1 + int rand 100 if rand() < 0.1;
    $q{bytes} = 24 + int rand 20000 if rand() < 0.1;

    $self->{asked}++;
    push @{ $self->{known} }, \%q;

    return \%q;
}

# one of the last that the server knows
sub old {
    my ($self) = @_;
    my @known = grep { $_->{id} } @{ $self->{known} };
    splice @known, 0, -30 if @known > 30;
    return @known ? one(@known) : undef;
}


# "?..." of what is no part of a path or an expression
sub options {
    my ($q, @more) = @_;
    my @o = (map({ "sensor=$_" } @{ $q->{sensors} // [] }), @more);

    push @o, 'filter=' . escape($q->{filter}) if defined $q->{filter};
    push @o, "limit-packets=$q->{packets}" if defined $q->{packets};
    push @o, "limit-bytes=$q->{bytes}" if defined $q->{bytes};

    return @o ? '?' . join '&', @o : '';
}

sub escape { my $s = shift; $s =~ s/([^A-Za-z0-9._-])/sprintf '%%%02X', ord $1/ge; $s }

sub in_path {
    my ($q) = @_;
    return "host/$q->{host}/after/" . utc($q->{after}) . '/before/'
           . utc($q->{before});
}

sub expression {
    my ($q) = @_;
    return one("host $q->{host} and after " . utc($q->{after})
               . ' and before ' . utc($q->{before}),
               '(before ' . utc($q->{before}) . ' && after '
               . utc($q->{after}) . ") and host $q->{host}");
}


# The same question in any of its forms: method, path, content type, body.
sub form {
    my ($q, @more) = @_;
    my %fields = (host => $q->{host}, after => utc($q->{after}),
                  before => utc($q->{before}));

    return one(
        sub { ('GET', '/uri/' . in_path($q) . options($q, @more)) },
        sub { ('GET', '/raw/' . escape(expression($q)) . options($q, @more)) },
        sub { ('POST', '/raw' . options($q, @more), 'text/plain',
               expression($q)) },
        sub { ('POST', '/' . options($q, @more),
               'application/x-www-form-urlencoded',
               join '&', map { "$_=$fields{$_}" } keys %fields) },
        sub {
            $fields{sensor} = $q->{sensors}
                if @{ $q->{sensors} // [] };
            $fields{filter} = $q->{filter} if defined $q->{filter};
            $fields{'limit-packets'} = $q->{packets} if defined $q->{packets};
            $fields{'limit-bytes'} = $q->{bytes} if defined $q->{bytes};
            $fields{refresh} = JSON::PP::true if grep { /^refresh/ } @more;
            ('POST', '/', 'application/json', $json->encode(\%fields))
        })->();
}


# Requests ----------------------------------------------------------------

# What came, if it came whole; a status that the server must not give is
# written down.
sub api {
    my ($self, $method, $path, %o) = @_;
    my $r = request($self->{port}, $method, "/api$path", %o);

    if ($r->{ended} eq 'late') {
        $self->bad("$method $path: no end within 60 s, status "
                   . ($r->{status} // 'none'));
    }

    if (defined $r->{status} && !grep { $r->{status} == $_ }
                                      200, 202, 204, @{ $o{may} // [] }, 503)
    {
        $self->bad("$method $path: status $r->{status}: $r->{body}");
    }

    $self->seen("status $r->{status}")
        if defined $r->{status} && $r->{status} >= 500;

    if ($r->{ended} eq 'none') {
        # no nginx there, or it was killed
        $self->seen('no answer');
        sleep 0.1;
    }

    return $r;
}

sub json_of {
    my ($self, $r) = @_;

    return if $r->{ended} ne 'complete' || $r->{status} >= 300;

    my $data = eval { decode_json($r->{body}) };
    $data or $self->bad("no JSON: $r->{body}");
    return $data;
}


sub put {
    my ($self, $q, @more) = @_;
    my ($method, $path, $type, $body) = form($q, @more);

    $self->note({ asked => $q->{id} }) if $q->{id};

    my $r = $self->api($method, $path, body => $body,
                       headers => $type ? { 'Content-Type' => $type } : {});

    $self->{asked}-- if !defined $r->{status} && !$q->{id};

    my $j = $self->json_of($r) or return;

    if ($q->{id} && $q->{id} ne $j->{id}) {
        $self->bad("$method $path: id $j->{id}, it was $q->{id}");
    }

    $self->accepted($q, $j->{id});
    return $j;
}


# Deeds -------------------------------------------------------------------

sub ask {
    my ($self) = @_;
    $self->put($self->question);
}

sub again {
    my ($self) = @_;
    my $q = $self->old or return;
    $self->put($q);
}

sub refresh {
    my ($self) = @_;
    my $q = $self->old or return;
    $self->put($q, 'refresh=true');
}

sub retry {
    my ($self) = @_;
    my $q = $self->old or return;

    $self->note({ asked => $q->{id} });

    my $r = $self->api('POST', "/retry/$q->{id}", may => [ 404, 409 ]);
    $self->accepted($q, $q->{id}) if $self->json_of($r);
}

sub cancel {
    my ($self) = @_;
    my $q = $self->old or return;
    $self->api('POST', "/cancel/$q->{id}", may => [ 404, 409 ]);
}

sub remove {
    my ($self) = @_;
    my $q = $self->old or return;
    my $r = $self->api('DELETE', "/$q->{id}", may => [ 404, 409 ]);

    if (!defined $r->{status}) {
        $self->note({ deleted => $q->{id}, sure => 0 });

    } elsif ($r->{status} == 204) {
        $self->note({ deleted => $q->{id}, sure => 1 });
    }
}


sub pcap {
    my ($self) = @_;
    my $q = rand() < 0.7 ? $self->question : $self->old // return;
    my $partial = rand() < 0.3;

    $self->streamed($q, $partial, 'pcap', 'GET', '/pcap/' . in_path($q)
                    . options($q, $partial ? 'partial=ok' : ()));
}

sub query {
    my ($self) = @_;
    my $q = rand() < 0.7 ? $self->question : $self->old // return;
    my $partial = rand() < 0.3;

    $self->streamed($q, $partial, 'query', 'POST', '/query'
                    . options($q, $partial ? 'partial=ok' : ()),
                    body => expression($q),
                    headers => { 'Content-Type' => 'text/plain' });
}

sub streamed {
    my ($self, $q, $partial, $name, $method, $path, %o) = @_;

    $self->note({ asked => $q->{id} }) if $q->{id};

    $o{pace} = 0.001 + rand 0.02, $o{size} = 4096 if rand() < 0.4;
    $o{leave} = int rand 20000 if rand() < 0.3;

    my $r = $self->api($method, $path, may => [ 502, 504 ], %o);

    $self->{asked}-- if !defined $r->{status} && !$q->{id};

    $self->accepted($q, $1)
        if ($r->{headers}{'content-disposition'} // '')
               =~ /filename=([0-9a-f]{32})/;

    my $ended = ($r->{status} // 200) == 200 ? $r->{ended} : $r->{status};
    $self->seen("$name $ended");

    if ($ended eq 'complete') {
        my $wrong = $self->{truth}->stream($q, $r->{body},
                                           partial => $partial);
        $self->bad("$method $path: $wrong") if $wrong;
    }
}


sub events {
    my ($self) = @_;
    my $q = $self->old or return;
    my $r = $self->api('GET', "/events/$q->{id}", may => [ 404 ],
                       rand() < 0.3 ? (leave => int rand 3000) : ());

    return if !defined $r->{status} || $r->{status} != 200;

    $self->seen("events $r->{ended}");

    for (split /\n\n/, $r->{ended} eq 'complete' ? $r->{body} : '') {
        my ($data) = /^data: (.*)$/m or next;
        my $j = eval { decode_json($data) };
        $self->bad("event without JSON: $_") if !$j;
        $self->bad("end of events in state $j->{state}")
            if $j && /^event: end$/m
               && $j->{state} !~ /^(?:Completed|Failed|Cancelled|Deleted)$/;
    }
}


sub wait {
    my ($self) = @_;
    my $q = $self->old or return;
    my $r = $self->api('GET', "/status/$q->{id}?wait="
                              . (1 + int rand 5) . 's', may => [ 404 ]);
    my $j = $self->json_of($r) or return;
    $self->bad("status without $q->{id}: $r->{body}") if !$j->{$q->{id}};
}


sub fetch {
    my ($self) = @_;
    my $q = $self->old or return;
    my $r = request($self->{port}, 'GET', "/results/$q->{id}/merged.pcap");

    return if !defined $r->{status} || $r->{status} =~ /^(?:404|409)$/;
    $self->bad("capture of $q->{id}: status $r->{status}"), return
        if $r->{status} != 200;
    return if $r->{ended} ne 'complete';

    my $wrong = $self->{truth}->stream($q, $r->{body}, partial => 1);
    $self->bad("capture of $q->{id}: $wrong") if $wrong;
}


sub look {
    my ($self) = @_;

    $self->api(@{ one(['GET', '/ids'], ['GET', '/jobs?limit=20'],
                      ['GET', '/status'], ['GET', '/stats'],
                      ['GET', '/sensors'], ['GET', '/metrics'],
                      ['POST', '/clean']) });
}


1;

package Docket::Client;

# Asks a Docket over one kept-alive connection, and takes the time.
#
#   my $client = Docket::Client->new($ng);
#   my $job = $client->job;             # { id, wall, status }

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;

use Docket::Bench;

# no two questions of a run are the same
my $asked = 0;


sub new {
    my ($class, $ng) = @_;
    return bless { ng => $ng,
                   http => HTTP::Tiny->new(keep_alive => 1, timeout => 600) },
                 $class;
}


# A path of fields, within the time of bench/mkcaps.
sub question {
    $asked++;
    return sprintf 'host/10.%d.%d.%d/after/2024-01-01T00:00:00Z'
                   . '/before/2024-01-01T00:30:00Z',
                   $asked >> 16, $asked >> 8 & 255, $asked & 255;
}


sub request {
    my ($self, $method, $path) = @_;
    my $r = $self->{http}->request($method, $self->{ng}->url($path));
    $r->{success} or die "$method $path: $r->{status} $r->{content}\n";
    return $r;
}


# Asks one more question; returns its id.  By GET: HTTP::Tiny sends a body
# apart from its headers, and Nagle's algorithm holds it back.
sub ask {
    my ($self) = @_;
    my $r = $self->request('GET', '/api/uri/' . question());
    return $r->{content} =~ /"id":"(\w+)"/ ? $1 : die "$r->{content}\n";
}


# Waits until they are final, and returns their records by id.  When the
# answer came is in ended_at(): to read it takes this program much longer than
# it took to make.
sub final {
    my ($self, @ids) = @_;
    my $left = 20;
    my $all;

    do {
        my $r = $self->request('GET',
            '/api/status/' . join(',', @ids) . '?wait=30s');
        $self->{ended_at} = now();
        $all = decode_json($r->{content});
        --$left or die "jobs do not end\n";
    } while (grep { $_->{state} !~ /^(?:Completed|Failed|Cancelled)$/ }
                  values %$all);

    return $all;
}


sub ended_at { $_[0]{ended_at} }


# One question from its request until the answer that it is Completed: seconds.
# Dies if it is not, or if a sensor is missing.
sub job {
    my ($self) = @_;
    my $began = now();
    my $id = $self->ask;
    my $job = $self->final($id)->{$id};
    my $wall = $self->ended_at - $began;

    check($job);
    return { id => $id, wall => $wall, status => $job };
}


sub check {
    for (@_) {
        $_->{state} eq 'Completed' && !$_->{partial} && !$_->{truncated}
            or die "job $_->{id}: $_->{state}: " . ($_->{reason} // '') . "\n";
    }
}


# Removes jobs with their captures.
sub remove {
    my ($self, @ids) = @_;
    $self->request('DELETE', "/api/$_") for @ids;
}


1;

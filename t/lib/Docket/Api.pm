package Docket::Api;

# Tables of requests and what must come back; all that came back is compared
# with docs/openapi.json at the end.
#
#   my $api = Docket::Api->new($ng, '/api');
#   $api->table(['GET /nope', 404, detail => qr/no such endpoint/], ...);
#   $api->documented;

use strict;
use warnings;

use Encode 'decode_utf8';
use JSON::PP;
use Test::More;

use Docket::Util;


sub new {
    my ($class, $ng, $prefix) = @_;
    return bless { ng => $ng, prefix => $prefix // '/api', seen => [] },
                 $class;
}


# $api->(METHOD, PATH, type => CONTENT_TYPE, body =>, headers => {}): the
# answer of Docket::Nginx->request().
sub request {
    my ($self, $method, $path, %o) = @_;
    my %headers = %{ $o{headers} // {} };

    $headers{'Content-Type'} = $o{type} if defined $o{type};

    my $r = $self->{ng}->request($method, $self->{prefix} . $path,
                                 headers => \%headers,
                                 defined $o{body} ? (content => $o{body}) : (),
                                 timeout => $o{timeout} // 30);

    push @{ $self->{seen} }, {
        method => $method, path => $path eq '' ? '/' : $path,
        status => 0 + $r->{status},
        type => $r->{headers}{'content-type'} // '',
        body => decode_utf8($r->{content} // ''),
    };

    return $r;
}

sub get  { my $s = shift; $s->request('GET', @_) }
sub post { my $s = shift; $s->request('POST', @_) }


sub post_json {
    my ($self, $path, $data) = @_;
    return $self->post($path, type => 'application/json',
                       body => encode_json($data));
}


# Each row: [ 'METHOD PATH', STATUS, WHAT => VALUE, ... ].  WHAT: "type",
# "body", "headers" are sent, "name" is the test's; "header:NAME" and any key
# of the JSON that came back are compared: a pattern is matched, undef means
# that there is none.
sub table {
    my ($self, @rows) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    for (@rows) {
        my ($line, $status, %o) = @$_;
        my ($method, $path) = split ' ', $line, 2;
        my %sent = map { exists $o{$_} ? ($_ => delete $o{$_}) : () }
                       qw(type body headers timeout);
        my $name = delete $o{name} // $line;
        my $r = $self->request($method, $path, %sent);
        my @bad;

        push @bad, "status $r->{status}" if $r->{status} != $status;

        if ($status >= 400 && $method ne 'HEAD') {
            my $j = $r->{json};
            push @bad, "no problem document"
                if ($r->{headers}{'content-type'} // '')
                        ne 'application/problem+json'
                   || !$j || $j->{status} != $status || !$j->{title}
                   || !$j->{detail};
        }

        for my $key (sort keys %o) {
            my $got = $key =~ /^header:(.*)/ ? $r->{headers}{lc $1}
                    : ref $r->{json} eq 'HASH' ? $r->{json}{$key} : undef;
            my $want = $o{$key};
            my $same = !defined $want ? !defined $got
                     : !defined $got ? 0
                     : ref $want eq 'Regexp' ? $got =~ $want
                     : $got eq $want;
            push @bad, "$key is " . ($got // 'not there') if !$same;
        }

        ok(!@bad, $name) or diag(join('; ', @bad), "\n", $r->{content} // '');
    }
}


# All answers so far are as documented.
sub documented {
    my ($self, $name) = @_;
    my $dir = test_dir('openapi');
    my $doc = lib_dir() . '/../../docs/openapi.json';

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    spew("$dir/seen", map { JSON::PP->new->ascii->canonical->encode($_) . "\n" }
                          @{ $self->{seen} });

    my $check = lib_dir() . '/openapi.py';
    my $out = qx(/usr/bin/python3 '$check' '$doc' < '$dir/seen' 2>&1);

    ok($? == 0, $name // 'every answer is documented') or diag($out);
}


1;

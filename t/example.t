# The configurations that people begin with: nginx.conf.example as it stands,
# conf/docket.conf, and the README's own.  They, the README's directives and the
# module's agree.

use lib 't/lib';
use Docket::Test;

use IO::Socket::INET;
use JSON::PP ();

my $top = lib_dir() . '/../..';
my $fake = Docket::Sensor->start(n => 1);
my $certs = $fake->cert('client_cert') =~ s{/[^/]+$}{}r;
my $readme = slurp("$top/README.md");
my $temp = join '', map { "${_}_temp_path %DIR%/tmp/$_;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);


# What such a text needs to be run here, and nothing else
sub here {
    my ($conf) = @_;
    my $sensor = $fake->port(1);

    for ($conf) {
        s/^(?:user|pid|error_log|load_module)\s.*\n//mg;
        s/^worker_processes .*/worker_processes 2;/m;
        s/^http \{/http {\n$temp/m;
        s{mime\.types}{/etc/nginx/mime.types};
        s{/var/log/nginx}{%DIR%};
        s{/var/spool/docket}{%SPOOL%};
        s{/etc/stenographer/certs}{$certs}g;
        s{127\.0\.0\.1:1234}{127.0.0.1:$sensor};
        s{127\.0\.0\.1:8080}{127.0.0.1:%PORT%};
        s{/usr/share/docket/ui}{%DIR%/html};
    }

    return $conf;
}


# Directives: their names, and their defaults

my @module = slurp("$top/ngx_http_docket_module.c")
             =~ /(?:command\(|ngx_string\()"(docket_\w+)"/g;
my (%default, %conf, %shown);

for (split /^(?=## )/m, $readme) {
    my ($name) = /^## (docket_\w+)\n/ or next;
    ($default{$name}) = /^\*\*Default:\*\* `(.*);`$/m;
}

for (split /\n/, slurp("$top/conf/docket.conf")) {
    $conf{$1} = "$1 $2" if /^(docket_\w+) +(.*);$/;
    $shown{$1} = 1 if /^# *(docket_\w+)/;
}

@module = sort grep { !/^docket_(?:id|query|state|duplicate)$/ } @module;

is_deeply([ sort keys %default ], \@module,
          'the README has each directive');
is_deeply([ sort(keys %conf, grep { !$conf{$_} } keys %shown) ], \@module,
          '... and conf/docket.conf');

for (grep { $conf{$_} } @module) {
    is($conf{$_}, $default{$_}, "$_ has one default");
}

my $ng = Docket::Nginx->new(sensors => $fake, conf => here(<<END));
events { }
http {
    docket_spool /var/spool/docket;
    ${\ $fake->conf }
    include ${\ File::Spec->rel2abs("$top/conf/docket.conf") };
}
END
my ($status, $out) = $ng->test_conf;

is($status, 0, 'nginx takes conf/docket.conf') or diag($out);

my ($synopsis) = $readme =~ /^# Synopsis\n\n```nginx\n(.*?)^```/ms;

$synopsis =~ s/sensor-2 .*;/sensor-2 192.0.2.12:1234;/;
$ng->configure(conf => here("events { }\n$synopsis"));
($status, $out) = $ng->test_conf;
is($status, 0, '... and the synopsis') or diag($out);


# nginx.conf.example

$ng->configure(conf => here(slurp("$top/nginx.conf.example")));
mkdir $ng->dir . '/html';
spew($ng->dir . '/html/index.html', 'the page');
$ng->start;
$ng->helper;

is($ng->get('/')->{content}, 'the page', 'the example serves a page');

my $id = $ng->ask(host => '192.0.2.1', after => utc($fake->first - 60),
                  before => utc($fake->first + 360));

is($ng->final($id)->{state}, 'Completed', '... and answers questions');

my $r = $ng->get("/api/uri/host/192.0.2.1/after/" . utc($fake->first - 60)
                 . '/before/' . utc($fake->first + 360),
                 headers => { Accept => 'text/html' });

is("$r->{status} $r->{headers}{location}", "303 /#/status/$id",
   '... shows a browser the page');
is($ng->post('/api/clean')->{status}, 202, '... cleans');


# nginx's own errors are problems, too

sub problem {
    my ($r, $code, $name) = @_;
    my $j = eval { JSON::PP::decode_json($r->{content}) } // { };

    is($r->{status}, $code, $name);
    is($r->{headers}{'content-type'}, 'application/problem+json',
       '... is a problem');
    is($j->{status}, $code, '... of this status');
    like($j->{title}, qr/^(?!Error)\w/, '... with a title');

    return $r;
}

my $pcap = "/results/$id/merged.pcap";

problem($ng->get('/nope'), 404, 'no such page');
problem($ng->post('/'), 405, 'a POST to the page');
problem($ng->get($pcap, headers => { 'If-Match' => '"x"' }), 412,
        'another capture');
problem($ng->post('/api/', content => ' ' x 70000), 413, 'a large body');
problem($ng->get('/api/uri/' . 'x' x 9000), 414, 'a long address');

$r = problem($ng->get($pcap, headers => { Range => 'bytes=999999999-' }), 416,
             'a range behind the end');
like($r->{headers}{'content-range'}, qr{^bytes \*/\d+$}, '... with the size');

problem($ng->get('/api/ids', headers => { X => 'x' x 9000 }), 400,
        'a long header');

for (['HTTP/x', 400, 'no HTTP'],
     ["HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x", 501, 'a strange coding'])
{
    my ($request, $code, $name) = @$_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $ng->port) or die $!;

    print $s "POST /api/ $request\r\n\r\n";

    my $answer = join '', <$s>;
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;

    problem({ status => $head =~ m{^HTTP/\S+ (\d+)}, content => $body,
              headers => { 'content-type' =>
                           $head =~ /^Content-Type: (\S+)\r?$/mi } },
            $code, $name);
}

$ng->finish;
done_testing;

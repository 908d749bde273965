# The pieces of contrib/ and what docs/pivots.md says of them, on real
# Stenographers: their very text, filled in as those programs fill it in.

use lib 't/lib';
use Docket::Test;

use JSON::PP;
use POSIX 'strftime';

my $top = lib_dir() . '/../..';
my $steno = Docket::Steno->start(n => 2);
my $first = $steno->first;
my $ng = Docket::Nginx->start(sensors => $steno,
                              server => "include $top/contrib/kibana/rock.conf;");

# JavaScript's encodeURIComponent and encodeURI
sub esc { $_[0] =~ s/([^A-Za-z0-9._-])/sprintf '%%%02X', ord $1/ger }
sub esc_uri { $_[0] =~ s{([^A-Za-z0-9;,/?:\@&=+\$_.!~*'()#-])}{sprintf '%%%02X', ord $1}ger }
sub piece { slurp("$top/contrib/$_[0]") }

# The API's answer to a link of contrib/.
sub follow {
    my ($link) = @_;
    $link =~ s{^https://docket\.example/api}{/api} or die $link;
    return $ng->get($link);
}

# The packets of an answer are those of the sensors that FILTER finds, in the
# range that the answer has.
sub is_capture {
    my ($r, $filter, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $id = ref $r ? $r->{json}{id} : $r;
    my $job = defined $id ? $ng->final($id) : {};

    is($job->{state}, 'Completed', "$name: " . ($job->{query} // 'refused'))
        or return diag(explain ref $r ? $r->{content} : $r);

    my ($after, $before) = map { my ($y, $m, $d, @t) = /\d+/g;
        require Time::Local; Time::Local::timegm(reverse(@t), $d, $m - 1, $y)
    } @$job{qw(after before)};
    my $want = in_range(tcpdump($filter, $steno->pcaps), $after, $before);

    cmp_ok(scalar @$want, '>', 0, '... there are such packets');
    is_packets($ng->capture($id), $want, '... and it has them');
}

# what the sensors saw, two minutes after the beginning

my $at = $first + 120;
my $udp = 'host 10.1.0.2 and host 198.51.100.53 and udp port 53531';
my $tcp = 'host 10.1.0.6 and host 203.0.113.77 and tcp port 6666';
my $icmp = 'host 10.2.0.3 and host 198.51.100.10 and icmp';
my $ip6 = 'host 2001:db8:2::1 and host 2001:db8:ffff::53 and udp port 546';

my $eve = encode_json({
    timestamp => strftime('%Y-%m-%dT%H:%M:%S.250000+0200', gmtime $at + 7200),
    event_type => 'alert', src_ip => '10.1.0.2', src_port => 53531,
    dest_ip => '198.51.100.53', dest_port => 53, proto => 'UDP',
    alert => { signature => 'A & B = 100%', signature_id => 1 },
});
my $ecs = encode_json({
    _source => {
        '@timestamp' => utc($at), event => { duration => 5_000_000_000 },
        source => { ip => '10.1.0.6', port => 6666 },
        destination => { ip => '203.0.113.77', port => 8080 },
        network => { transport => 'tcp' },
    },
});
my $fields = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n"
    . "#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\t"
    . "id.resp_h\tid.resp_p\tproto\tservice\tduration\n"
    . "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\n";
my $conn = "$at.000007\tC1\t10.2.0.3\t8\t198.51.100.10\t0\ticmp\t-\t9.5\n";
my $tuple = utc($at) . ' udp [2001:db8:2::1]:546 -> [2001:db8:ffff::53]:53';

# the events themselves

my $post = { 'Content-Type' => 'application/x-www-form-urlencoded' };

for ([ 'EVE', $eve, $udp ], [ 'ECS', $ecs, $tcp ],
     [ 'a line of Zeek', $conn, $icmp ], [ 'a five-tuple', $tuple, $ip6 ],
     [ 'a line of Zeek with its header', $fields . $conn, $icmp ])
{
    my ($name, $event, $filter) = @$_;
    is_capture($ng->request('POST', '/api/pivot', headers => $post,
                            content => $event), $filter, $name);
}

# Kibana

my %kibana = piece('kibana/links') =~ /^(\w+) +(https:.*)$/mg;

is_deeply([ sort keys %kibana ], [ qw(click event host row zeek) ],
          'the links of Kibana');

# A formatter escapes the value, a drilldown the whole address.
sub kibana {
    my ($name, $values, %v) = @_;
    my $link = $kibana{$name};
    $link =~ s/\{\{event\.values\.\[(\d+)\]\}\}/$values->[$1] \/\/ ''/ge;
    $link =~ s/\{\{(?:date )?((?:event|context)\.[\w.]+)\}\}/$v{$1}/g;
    $link = $link =~ /\{\{value\}\}/ ? $link =~ s/\{\{value\}\}/esc($v{value})/ger
                                   : esc_uri($link);
    unlike($link, qr/\{\{|%7B%7B/i, "$name is filled in");
    return follow($link);
}

is_capture(kibana('event', [], value => $eve), $udp, 'Kibana: the event');
is_capture(kibana('click', [], 'event.value' => '10.1.0.2',
                  'context.panel.timeRange.from' => utc($first) =~ s/Z/.000Z/r,
                  'context.panel.timeRange.to' => utc($first + 300)),
           'host 10.1.0.2', 'Kibana: a click');
is_capture(kibana('row', [ $at * 1000, '10.1.0.6', 6666, '203.0.113.77', 8080,
                           'tcp' ]), $tcp, 'Kibana: a row');
is_capture(kibana('row', [ utc($at), '10.2.0.3', '', '198.51.100.10', '',
                           'icmp' ]), $icmp, 'Kibana: a row without ports');
is_capture(kibana('zeek', [ "$at.5", '10.1.0.2', 53531, '198.51.100.53', 53,
                            'udp', '1.5' ]), $udp, 'Kibana: a row of Zeek');
is(kibana('host', [], value => '10.1.0.2')->{status}, 202, 'Kibana: a host');

# ROCK's dashboards: the form of their links

my ($rock) = piece('kibana/rock.conf') =~ m{^#\s+(/app/docket/api/uri/\S+)}m;
my %rock = (A => '10.1.0.6', B => '203.0.113.77', T => utc($first),
            P1 => 6666, P2 => 8080);

$rock =~ s{/(A|B|T|P1|P2)(?=/|$)}{/$rock{$1}}g;

my $r = $ng->get($rock);

is($r->{json}{url}, "/app/docket/results/$r->{json}{id}/merged.pcap",
   'ROCK: its own address of the capture');
is_capture($r, "$tcp and port 8080", "ROCK: $rock");
is($ng->get($r->{json}{url})->{status}, 200, '... which is there');

# Zeek: what the script prints, and a log's links

my ($format) = piece('zeek/docket.zeek') =~ /n\?\$id \).*?fmt\("(\S+)"/s;
my ($pivot) = piece('zeek/docket.zeek') =~ /pivot_url = "(\S+)"/;

is_capture(follow(sprintf $format, $pivot, '2001:db8:2::1', 546,
                  '2001:db8:ffff::53', 53, 'udp', $at), $ip6, 'Zeek: a notice');

for (piece('zeek/docket.zeek') =~ /fmt\("(%s\?src=\S+)", pivot_url/g) {
    my @v = /dst/ ? ('10.1.0.6', '203.0.113.77') : ('10.1.0.6');
    is_capture(follow(sprintf $_, $pivot, @v, $at),
               join(' and ', map { "host $_" } @v), "Zeek: $_");
}

my $dir = test_dir('files');
spew("$dir/conn.log", $fields, $conn, "#close\t2024-01-01-00-00-00\n");

my @links = split /\n/, qx($top/contrib/zeek/conn-links $dir/conn.log);

is(@links, 1, 'a link for each line');
is_capture(follow($links[0]), $icmp, "Zeek: $links[0]");

# EveBox

my @buttons = piece('suricata/evebox.yaml') =~ /url: "(\S+)"/g;

is(@buttons, 1, 'buttons of EveBox');
is_capture(follow(s/\{\{raw\}\}/esc($eve)/er), $udp, "EveBox: $_")
    for @buttons;

# Arkime

my %arkime = piece('arkime/config.ini') =~ /^(\w+)=url:(https:[^;]+);/mg;

is_deeply([ sort keys %arkime ], [ qw(DOCKETIP DOCKETPORT DOCKETSEARCH) ],
          'entries of Arkime');

sub arkime {
    my ($name, $text) = @_;
    my %v = (TEXT => $text, ISOSTART => utc($first) =~ s/Z/.000Z/r,
             ISOSTOP => utc($first + 300) =~ s/Z/.000Z/r,
             EXPRESSION => esc($text));
    return follow($arkime{$name} =~ s/%([A-Z]{3,})%/$v{$1}/gr);
}

is_capture(arkime(DOCKETIP => '2001:db8:2::1'), 'host 2001:db8:2::1',
           'Arkime: a host');
is_capture(arkime(DOCKETPORT => '53531'), 'port 53531', 'Arkime: a port');
is_capture(arkime(DOCKETSEARCH => 'ip.src == 10.1.0.6 && ip.dst == '
                  . '203.0.113.77 && port.dst == 8080 && protocols == tcp'),
           "$tcp and port 8080", 'Arkime: a search');

# the shell

my $shell = "$top/contrib/shell/docket-pivot";

sub shell {
    my ($in, @args) = @_;
    spew("$dir/in", $in);
    local $ENV{DOCKET_URL} = $ng->url('/api');
    my $line = join ' ', map { "'" . s/'/'\\''/gr . "'" } $shell, @args;
    my $out = qx($line < $dir/in 2> $dir/err);
    return ($? >> 8, $out, slurp("$dir/err"));
}

my $line = utc($at) . ' fw kernel: IN=eth0 OUT= SRC=10.1.0.6 DST=203.0.113.77 '
    . 'LEN=60 PROTO=TCP SPT=6666 DPT=8080 WINDOW=64240';
my ($status, $out, $err) = shell($line, '-o', "$dir/out.pcap");

is($status, 0, 'docket-pivot: from standard input to a file');
like($err, qr/^host 10\.1\.0\.6 and host 203\.0\.113\.77 and port 6666 /,
     '... says its question');
is_packets(read_pcap("$dir/out.pcap"),
           in_range(tcpdump($tcp, $steno->pcaps), $first + 60, $first + 180),
           '... and has the packets');

($status, $out, $err) = shell('', '-m', '2m', $tuple);
is($status, 0, 'docket-pivot: from an argument to standard output');
is_packets(read_pcap(\$out),
           in_range(tcpdump($ip6, $steno->pcaps), $first, $first + 240),
           '... has the packets');

($status, $out, $err) = shell($eve, '-n', '-a', 'sensor=s2');
is($status, 0, 'docket-pivot: only explained');
like($err, qr/; sensors s2$/, '... with its argument');
is($out, '', '... and writes nothing');

($status, $out, $err) = shell('nothing of interest');
is($status, 1, 'docket-pivot: no event');
like($err, qr/^docket-pivot: 400: there is no address/, '... says why');

$ng->finish;

done_testing;

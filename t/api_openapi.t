# The description of the API that the module carries is that of docs/.

use lib 't/lib';
use Docket::Test;
use Docket::Api;

use JSON::PP;

my $fake = Docket::Sensor->start(n => 1);
my $ng = Docket::Nginx->start(sensors => $fake, workers => 1);
my $api = Docket::Api->new($ng);
my $r = $api->get('/openapi.json');

is($r->{status}, 200, 'openapi.json');
is_deeply($r->{json},
          decode_json(slurp(lib_dir() . '/../../docs/openapi.json')),
          'it is docs/openapi.json: tools/embed-openapi was run');
is($r->{json}{info}{version}, $api->get('/stats')->{json}{docket}{version},
   'it names the version');

# every path that it names is there

for my $path (sort keys %{ $r->{json}{paths} }) {
    my $real = $path =~ s/\{\w+\}/x/gr;
    my $status = $ng->request('BREW', "/api$real")->{status};
    $status = $ng->request('BREW', '/api/' . 'a' x 32)->{status}
        if $path eq '/{id}';
    is($status, 405, "$path is there");
}

$api->documented('the document is sound');
$ng->finish;
done_testing;

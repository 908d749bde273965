# Test::Nginx with the module, its helper and a spool.

use lib 't/lib';
use Docket::Test 'socket';

our $fake = Docket::Sensor->start(n => 1);
our $docket = "docket_spool $ENV{TEST_NGINX_SPOOL};\n" . $fake->conf;

plan tests => repeat_each() * 2 * blocks();

no_long_string();
run_tests();

__DATA__

=== TEST 1: the module is there
--- http_config eval: $::docket
--- config
    location /api {
        docket_api;
    }
--- request
GET /api/sensors
--- error_code: 200
--- no_error_log
[alert]



=== TEST 2: locations of others stay theirs
--- http_config eval: $::docket
--- config
    location /api {
        docket_api;
    }

    location = /other {
        return 200 other;
    }
--- request
GET /other
--- response_body chomp
other

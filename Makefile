# Docket for nginx
#
#   make          build/ngx_http_docket_module.so for the installed nginx
#   make demo     install what is needed, start real Stenographers and nginx,
#                 ask, print the packets
#   make deps     install the Debian packages that building needs (as root)
#   make test     install what is needed, run every suite
#   make unit     unit tests, plain and under ASAN and UBSAN
#   make suites   the suites of t/ alone (SUITES="t/a.t t/b.t" for some)
#   make asan     the suites of t/ against an nginx with ASAN and UBSAN
#   make soak     many jobs while sensors fail and processes are killed
#                 (SOAK_JOBS=2000 SOAK_KILLS=300 SOAK_SEED=1)
#   make faults   a table: each fault of a sensor, and what is made of it
#   make lockcheck  the suites with a module that ends a process which comes to
#                 the shared tables without their mutex
#   make valgrind  the unit tests under valgrind, those of threads under TSAN,
#                 and nginx under valgrind in those suites that time does not
#                 matter to (SUITES="t/a.t" for others)
#   make fuzz     a campaign of every fuzzer (RUNS=1000000)
#   make oracle   random questions against the reference (RUNS=1000000,
#                 JOBS=1000, SEED=1 to repeat a run)
#   make recorded random requests, most of them hostile, and what reached the
#                 sensors (RUNS=100000, SEED=1)
#   make deb      a Debian package in build/deb: the module and the page
#   make ui       the page, into build/ui
#   make ui-test  its unit tests and its suite in a browser
#   make bench    measure against the rivals (PARTS="merge job" for some,
#                 BENCH_SCALE=small for less)
#   make clean
#
#   NGX_SRC=DIR   nginx's headers and configure (/usr/share/nginx/src)
#   SKIP_DEPS=1   take the packages as they are

ifneq ($(words $(CURDIR)),1)
$(error a path with spaces, "$(CURDIR)", is none that nginx's configure or \
        make can take)
endif

SHELL    := /bin/bash
BUILD    := $(CURDIR)/build
NGX_SRC  ?= /usr/share/nginx/src
SUITES   ?=
VALGRIND := $(patsubst %,t/%.t,job retry stream events pivot results health \
            reload process)

SRCS     := ngx_http_docket_module.c $(sort $(wildcard src/*/*.c))
HDRS     := $(sort $(wildcard src/*.h src/*/*.h))

WARN     := -Wall -Wextra -Wno-unused-parameter -Werror
CC_OPT   := -g -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
            -D_GNU_SOURCE $(WARN)
LD_OPT   := -Wl,-z,relro -Wl,-z,now

# nginx itself is built here too: what its own code does with null pointers
# and unaligned reads is not for this project to judge
ASAN_CC  := -g -O1 -fPIC -fno-omit-frame-pointer -D_GNU_SOURCE $(WARN) \
            -DNGX_DEBUG_PALLOC=1 -fsanitize=address,undefined \
            -fno-sanitize=alignment,nonnull-attribute
ASAN_LD  := -fsanitize=address,undefined

MODULE   := $(BUILD)/ngx_http_docket_module.so
ASAN     := $(BUILD)/asan
BENCH    := $(BUILD)/bench/bin

.PHONY: all help deps test-deps ready test unit fuzz-smoke fuzz suites asan \
        asan-build demo deb oracle soak faults lockcheck recorded ui ui-test \
        bench bench-build valgrind clean

all: $(MODULE)

help:
	@sed -n '/^#   /s/^#   //p' Makefile

# a make of its own, since packages and downloads change what there is

deps:
	@tools/install-deps build

test-deps:
	@tools/install-deps build test ui ui-test
	@tools/fetch-test-nginx $(BUILD)/test-nginx

# what a suite needs that is run alone, on any machine

ready: test-deps
	@$(MAKE) --no-print-directory all

test: test-deps
	@$(MAKE) --no-print-directory all ui unit fuzz-smoke suites

unit:
	@$(MAKE) --no-print-directory -C test unit
	@$(MAKE) --no-print-directory -C test unit SAN=1

# the page: npm's packages are those of ui/package-lock.json

ui: $(BUILD)/ui/index.html

ui-test: ready ui
	@t/run t/ui.t

UI_SRCS := $(wildcard ui/build.js ui/index.html ui/icon.svg ui/src/* \
           ui/src/*/* ui/src/*/*/*)

ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	@tools/install-deps ui
	@cd ui && npm ci --ignore-scripts --loglevel=error > /dev/null
	@touch $@

$(BUILD)/ui/index.html: ui/node_modules/.package-lock.json $(UI_SRCS)
	@cd ui && node build.js $(BUILD)/ui

fuzz-smoke fuzz:
	@$(MAKE) --no-print-directory -C test $@

valgrind: ready
	@$(MAKE) --no-print-directory -C test $@ threads
	@t/run --valgrind $(or $(SUITES),$(VALGRIND))

oracle: ready
	@ORACLE_RUNS=$(or $(RUNS),10000) ORACLE_JOBS=$(or $(JOBS),200) \
	    ORACLE_SEED=$(SEED) t/run -v t/oracle.t

recorded: ready
	@RECORDED_RUNS=$(or $(RUNS),20000) RECORDED_SEED=$(SEED) t/run -v \
	    t/recorded.t

suites: $(MODULE) ui bench-build
	@t/run $(SUITES)

asan: test-deps
	@$(MAKE) --no-print-directory asan-build
	@t/run --asan $(SUITES)

soak: export SOAK_JOBS := $(or $(SOAK_JOBS),2000)
soak: export SOAK_KILLS := $(or $(SOAK_KILLS),300)
soak: export SOAK_SEED := $(or $(SOAK_SEED),1)

soak: ready
	@t/run t/soak.t

lockcheck: ready
	@$(MAKE) --no-print-directory ui bench-build
	@tools/lockcheck $(NGX_SRC) $(BUILD)/lockcheck '$(CC_OPT)' '$(LD_OPT)' \
	    $(SUITES)

faults: ready
	@DOCKET_FAULTS=1 t/run t/faults.t

demo:
	@tools/install-deps build demo ui
	@$(MAKE) --no-print-directory all ui
	@tools/demo

deb: ui
	@tools/install-deps build
	@rm -rf $(BUILD)/deb && mkdir -p $(BUILD)/deb/src
	@tar -c --exclude=./build --exclude=./.git --exclude=node_modules . \
	    | tar -x -C $(BUILD)/deb/src
	@cp -r $(BUILD)/ui $(BUILD)/deb/src/ui/dist
	@cd $(BUILD)/deb/src && dpkg-buildpackage -b -us -uc > ../build.log 2>&1 \
	    || { tail -30 ../build.log >&2; exit 1; }
	@rm -rf $(BUILD)/deb/src
	@echo "build/deb: $$(cd $(BUILD)/deb && ls *.deb | tr "\n" " ")"

PARTS       ?=
BENCH_SCALE ?= full

bench:
	@tools/install-deps build bench
	@$(MAKE) --no-print-directory all bench-build
	@BENCH_SCALE=$(BENCH_SCALE) bench/run $(PARTS)

bench-build: $(BENCH)/docket-merge $(BENCH)/mkcaps

$(BENCH)/docket-merge: bench/merge.c $(wildcard src/pcap/*.[ch])
	@mkdir -p $(@D)
	@$(CC) $(CC_OPT) -Isrc -o $@ $(filter %.c,$^) -lyajl -lpcap -lpthread

$(BENCH)/mkcaps: bench/mkcaps.c
	@mkdir -p $(@D)
	@$(CC) $(CC_OPT) -o $@ $<

# configured anew when a source file comes or goes

$(BUILD)/sources: FORCE
	@mkdir -p $(BUILD)
	@echo '$(SRCS) $(HDRS)' | cmp -s - $@ || echo '$(SRCS) $(HDRS)' > $@

FORCE:

$(NGX_SRC)/configure:
	@echo "$@ is missing: apt-get install nginx-dev" >&2; exit 1

$(BUILD)/nginx/objs/Makefile: config tools/configure-module $(BUILD)/sources \
                              $(NGX_SRC)/configure
	@echo "configuring nginx and the module"
	@tools/configure-module $(NGX_SRC) $(BUILD)/nginx '$(CC_OPT)' '$(LD_OPT)'

$(MODULE): $(BUILD)/nginx/objs/Makefile $(SRCS) $(HDRS)
	@$(MAKE) --no-print-directory -C $(BUILD)/nginx -f objs/Makefile modules
	@install -m 644 $(BUILD)/nginx/objs/$(@F) $@

# nginx with its sanitizers, from the upstream tarball of Debian's source

asan-build: $(ASAN)/ngx_http_docket_module.so

$(ASAN)/src/configure: tools/fetch-package
	@echo "fetching nginx's source"
	@rm -rf $(ASAN)/src && mkdir -p $(ASAN)/src
	@tools/fetch-package tarball nginx . $(ASAN)
	@tar -xf $(ASAN)/nginx_*.orig.tar.* -C $(ASAN)/src --strip-components=1
	@rm $(ASAN)/nginx_*.orig.tar.* && touch $@

$(ASAN)/nginx/objs/Makefile: config tools/configure-module $(BUILD)/sources \
                             $(ASAN)/src/configure
	@echo "configuring nginx and the module with sanitizers"
	@tools/configure-module $(ASAN)/src $(ASAN)/nginx '$(ASAN_CC)' '$(ASAN_LD)'

$(ASAN)/ngx_http_docket_module.so: $(ASAN)/nginx/objs/Makefile $(SRCS) $(HDRS)
	@$(MAKE) --no-print-directory -j2 -C $(ASAN)/nginx -f objs/Makefile \
	    binary modules > $(ASAN)/build.log 2>&1 \
	    || { tail -30 $(ASAN)/build.log >&2; exit 1; }
	@install -m 644 $(ASAN)/nginx/objs/$(@F) $@

clean:
	rm -rf $(BUILD)

# Docket for nginx
#
#   make          build/ngx_http_docket_module.so for the installed nginx
#   make deps     install the Debian packages that building needs (as root)
#   make demo     install what is needed, start real Stenographers and nginx,
#                 ask, print the packets
#   make test     install what is needed, run every suite
#   make unit     unit tests, plain and under ASAN and UBSAN
#   make fuzz     a campaign of every fuzzer (RUNS=1000000)
#   make suites   the suites of t/ alone (SUITES="t/a.t t/b.t" for some)
#   make clean
#
#   NGX_SRC=DIR   nginx's headers and configure (/usr/share/nginx/src)
#   SKIP_DEPS=1   take the packages as they are

SHELL    := /bin/bash
BUILD    := $(CURDIR)/build
NGX_SRC  ?= /usr/share/nginx/src
SUITES   ?=

SRCS     := ngx_http_docket_module.c $(sort $(wildcard src/*/*.c))
HDRS     := $(sort $(wildcard src/*.h src/*/*.h))

WARN     := -Wall -Wextra -Wno-unused-parameter -Werror
CC_OPT   := -g -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
            -D_GNU_SOURCE $(WARN)
LD_OPT   := -Wl,-z,relro -Wl,-z,now

MODULE   := $(BUILD)/ngx_http_docket_module.so

.PHONY: all help deps test-deps test unit fuzz-smoke fuzz \
        suites demo clean

all: $(MODULE)

help:
	@sed -n '/^#   /s/^#   //p' Makefile

# a make of its own, since packages and downloads change what there is

deps:
	@tools/install-deps build

test-deps:
	@tools/install-deps build test

test: test-deps
	@$(MAKE) --no-print-directory all unit fuzz-smoke suites

unit:
	@$(MAKE) --no-print-directory -C test unit
	@$(MAKE) --no-print-directory -C test unit SAN=1

fuzz-smoke fuzz:
	@$(MAKE) --no-print-directory -C test $@

suites: $(MODULE)
	@t/run $(SUITES)

demo:
	@tools/install-deps build demo
	@$(MAKE) --no-print-directory all
	@tools/demo

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

clean:
	rm -rf $(BUILD)

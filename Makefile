# jwtshim. `make demo` and `make check` install what is missing, build, and show or test it; see README.md.

VERSION = 0.9.0

PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib/jwtshim
BINDIR  ?= $(PREFIX)/bin
DESTDIR ?=
B       ?= build

# `make V=1` shows the commands.
Q      = $(if $(V),,@echo "  $(1) $@";)
CC     ?= cc
CLANG  ?= clang
NM     ?= nm

CPPFLAGS += -D_GNU_SOURCE -U_FORTIFY_SOURCE -DJWTSHIM_VERSION='"$(VERSION)"'
CFLAGS   ?= -O2 -g
WARN      = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
BASE      = -std=gnu11 $(WARN) -fno-strict-aliasing -fstack-protector-strong
ifeq ($(shell $(CC) --version 2>/dev/null | grep -c clang),1)
WARN      = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
endif
ifeq ($(shell uname -m),x86_64)
BASE     += -fcf-protection
endif

# The preloaded object: hidden but for hooks.def, bound at load, never unloaded, nothing but libc. -fno-builtin-fortify is
# what -U_FORTIFY_SOURCE above is for: a __*_chk import is "symbol not found" on another libc.
SHIM_CFLAGS  = $(BASE) -fPIC -fvisibility=hidden -ftls-model=initial-exec
SHIM_LDFLAGS = -shared -Wl,-z,relro,-z,now,-z,nodelete,-z,noexecstack,-z,defs,-z,noseparate-code -Wl,-Bsymbolic-functions \
               -Wl,--version-script=$(B)/exports.map -Wl,-soname,libjwtshim.so -Wl,--as-needed

SHIM_C   := $(filter-out shim/inspect/%,$(wildcard shim/*.c shim/*/*.c))
SHIM_S   := $(wildcard shim/hooks/*.S)
SHIM_O   := $(SHIM_C:%.c=$(B)/%.o) $(SHIM_S:%.S=$(B)/%.o)
# What tests link with: all that neither interposes nor runs by itself.
CORE_C   := $(wildcard shim/http/*.c) shim/conn/conn.c shim/conn/fd_table.c shim/conn/handle_table.c

# The inspector, an object of its own, and the command share what needs libjwt and libcrypto.
INSPECT_C  := $(wildcard shim/inspect/*.c)
COMMAND_C  := $(wildcard tools/jwtshim/*.c)
PKG_CONFIG ?= pkg-config
LIBS_FOR    = $(shell $(PKG_CONFIG) --libs $(1))

.DEFAULT_GOAL := all
.PHONY: all demo check check-clients check-sanitized deps bench install uninstall clean format lint fuzz table tests
.DELETE_ON_ERROR:

all: $(B)/libjwtshim.so $(B)/jwtshim

$(B)/libjwtshim.so: $(SHIM_O) $(B)/exports.map
	$(call Q,LD)$(CC) $(CFLAGS) $(SHIM_LDFLAGS) $(LDFLAGS) -o $@ $(SHIM_O)

# An anonymous version script: a named version would keep the hooks from binding to versioned references.
$(B)/exports.map: shim/hooks.def
	@mkdir -p $(@D)
	@{ echo '{ global:'; sed -n 's/^HOOK([a-z0-9]*, \([A-Za-z0-9_]*\),.*/\1;/p' $<; echo 'local: *; };'; } > $@

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<


# Tests link the rooms they test, not the object: their symbols are hidden in that.
TEST_CFLAGS = $(BASE)
CORE_O     := $(CORE_C:%.c=$(B)/core/%.o) $(B)/core/shim/config.o $(B)/core/shim/report/events.o \
              $(B)/core/shim/report/log.o $(B)/core/shim/loader/resolve.o

$(B)/core/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(TEST_CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

$(B)/tests/replay: $(B)/core/tests/unit/replay.o $(CORE_O)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^

# Allocations go by a wrapper in the tests, which makes them fail one by one.
UNIT       := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
$(UNIT): $(B)/tests/%: $(B)/core/tests/unit/%.o $(CORE_O)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -Wl,--wrap=malloc -o $@ $^ -lcmocka -lpthread

# The command links the rooms it asks, like the tests.
COMMAND_O  := $(COMMAND_C:%.c=$(B)/core/%.o) $(INSPECT_C:%.c=$(B)/core/%.o)
$(B)/jwtshim: $(COMMAND_O) $(CORE_O)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(call LIBS_FOR,jansson)

# Fuzzers: built by clang with its sanitizers; golden inputs are the seeds, what is found is kept in build/.
FUZZ_CFLAGS = -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
              -fno-sanitize-recover=undefined
FUZZ_SRC   := $(CORE_C) shim/config.c shim/report/events.c shim/report/log.c shim/loader/resolve.c
$(B)/tests/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_SRC) $(wildcard shim/*.h shim/*/*.h) Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CLANG) $(FUZZ_CFLAGS) -o $@ $< $(FUZZ_SRC)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

FUZZERS := $(B)/tests/fuzz_conn $(B)/tests/fuzz_config
tests: $(UNIT) $(B)/tests/replay $(FUZZERS)

deps:
	tools/deps check

demo:
	tools/deps demo
	$(MAKE) all
	tools/demo --build $(B)

# The C parts once more with the address and undefined behaviour sanitizers: the same unit tests and golden pairs.
SANITIZED := $(B)/sanitized
check-sanitized:
	$(MAKE) B=$(SANITIZED) SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" \
	        $(patsubst $(B)/%,$(SANITIZED)/%,$(UNIT)) $(SANITIZED)/tests/replay

UNIT_ENV  = CMOCKA_MESSAGE_OUTPUT=TAP
MEMCHECK  = valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite
FUZZ_RUNS ?= 150000

SUITES = $(foreach unit,$(UNIT),unit/$(notdir $(unit))="$(UNIT_ENV) $(unit)") \
         $(foreach unit,$(UNIT),sanitized/$(notdir $(unit))="$(UNIT_ENV) $(unit:$(B)/%=$(SANITIZED)/%)") \
         $(foreach unit,$(UNIT),valgrind/$(notdir $(unit))="$(UNIT_ENV) $(MEMCHECK) $(unit)") \
         golden="REPLAY=$(abspath $(B))/tests/replay tests/golden/run" \
         golden/sanitized="REPLAY=$(abspath $(SANITIZED))/tests/replay tests/golden/run" \
         oracle/framing="REPLAY=$(abspath $(B))/tests/replay node tests/oracle/framing.js" \
         oracle/parameter="REPLAY=$(abspath $(B))/tests/replay node tests/oracle/parameter.js" \
         fuzz="tests/fuzz/run --build $(B) --runs $(FUZZ_RUNS)" \
         elf="tests/elf/run" \
         wrapper="tests/wrapper/run" \
         runner="tests/wrapper/runner" \
         settings="tests/settings/run --build $(B)" \
         mock="node tests/mock-atlassian/test.js" \
         compat/table="tests/compat/test_table" \
         programs/sockets="tests/programs/sockets/run --build $(B)" \
         programs/tls="tests/programs/tls/run --build $(B)" \
         programs/sockets/valgrind="tests/programs/sockets/run --build $(B) --valgrind" \
         programs/tls/valgrind="tests/programs/tls/run --build $(B) --valgrind" \
         programs/alpn="tests/programs/alpn/run --build $(B)" \
         programs/libcurl="tests/programs/libcurl/run --build $(B)" \
         programs/libcurl/valgrind="tests/programs/libcurl/run --build $(B) --valgrind" \
         http2="tests/http2/run --build $(B)" \
         clients="tests/clients/run --build $(B)"

check:
	tools/deps check
	$(MAKE) all tests
	$(MAKE) check-sanitized
	@tests/run $(SUITES)

# The compatibility table of README.md, from runs of some hundred programs: installs them (3 GB) and takes minutes. What is fetched and built is kept.
check-clients:
	-tools/deps clients
	$(MAKE) all
	tests/compat/run --build $(B) --fetch
	tests/compat/run --build $(B)

# Ten minutes in all; what is found is in $(B)/fuzz.
fuzz: $(FUZZERS)
	tests/fuzz/run --build $(B) --seconds 540 --only fuzz_conn
	tests/fuzz/run --build $(B) --seconds 60 --only fuzz_config

bench: all
	tests/bench/run --build $(B)

install: all
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(BINDIR)
	install -m 644 $(B)/libjwtshim.so $(DESTDIR)$(LIBDIR)/libjwtshim.so
	install -m 755 tools/jwtshim-run $(DESTDIR)$(BINDIR)/jwtshim-run
	install -m 755 $(B)/jwtshim $(DESTDIR)$(BINDIR)/jwtshim

uninstall:
	rm -f $(DESTDIR)$(LIBDIR)/libjwtshim.so $(DESTDIR)$(BINDIR)/jwtshim-run $(DESTDIR)$(BINDIR)/jwtshim
	-rmdir $(DESTDIR)$(LIBDIR)

C_FILES := $(shell find shim tests tools -name node_modules -prune -o -name '*.[ch]' -print)
format:
	clang-format -i $(C_FILES)

lint:
	clang-format --dry-run -Werror $(C_FILES)
	clang-tidy --quiet $(SHIM_C) $(INSPECT_C) $(COMMAND_C) -- $(CPPFLAGS) -std=gnu11
	shellcheck tools/jwtshim-run

# The table of hooks in DESIGN.md, from hooks.def.
table:
	awk 'FNR == NR { table = table $$0 "\n"; next } /<!-- hooks -->/ { print; printf "%s", table; skip = 1 } \
	     /<!-- \/hooks -->/ { skip = 0 } !skip && !/<!-- hooks -->/' \
	    <(tests/elf/hooks-table) shim/DESIGN.md > $(B)/DESIGN.md && mv $(B)/DESIGN.md shim/DESIGN.md
table: SHELL := /bin/bash

clean:
	rm -rf $(B)

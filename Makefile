# jwtshim. `make demo` and `make check` install what is missing, build, and show or test it; see README.md.

VERSION = 0.9.0

PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib/jwtshim
BINDIR  ?= $(PREFIX)/bin
DESTDIR ?=
B       ?= build

# `make V=1` shows the commands.
COMMA := ,
Q      = $(if $(V),,@echo "  $(1) $@";)
CC     ?= cc
CLANG  ?= clang
NM     ?= nm
READELF ?= readelf

CPPFLAGS += -I$(B) -D_GNU_SOURCE -U_FORTIFY_SOURCE -DJWTSHIM_VERSION='"$(VERSION)"'
CFLAGS   ?= -O2 -g
WARN      = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
BASE      = -std=gnu11 $(WARN) -fno-strict-aliasing -fstack-protector-strong
ifeq ($(shell $(CC) --version 2>/dev/null | grep -c clang),1)
WARN      = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
endif
ifneq ($(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null)),)
BASE     += -fcf-protection
endif

# The preloaded object: hidden but for hooks.def, bound at load, never unloaded, nothing but libc. -fno-builtin-fortify is
# what -U_FORTIFY_SOURCE above is for: a __*_chk import is "symbol not found" on another libc.
SHIM_CFLAGS  = $(BASE) -fPIC -fvisibility=hidden -ftls-model=initial-exec
SHIM_LDFLAGS = -shared -Wl,-z,relro,-z,now,-z,nodelete,-z,noexecstack,-z,defs,-z,noseparate-code -Wl,-Bsymbolic-functions \
               -Wl,--version-script=$(B)/exports.map -Wl,-soname,libjwtshim.so -Wl,--as-needed

SHIM_C   := $(filter-out shim/inspect/% shim/patch/%,$(wildcard shim/*.c shim/*/*.c))
SHIM_S   := $(wildcard shim/hooks/*.S)
SHIM_O   := $(SHIM_C:%.c=$(B)/%.o) $(SHIM_S:%.S=$(B)/%.o)
# What tests link with: all that neither interposes nor runs by itself.
CORE_C   := $(wildcard shim/http/*.c) $(wildcard shim/conn/*.c)
LOADER_C := shim/loader/elf.c shim/loader/library.c shim/loader/object_file.c shim/loader/resolve.c

# The inspector, an object of its own, and the command share what needs libjwt and libcrypto.
INSPECT_C  := $(wildcard shim/inspect/*.c)
COMMAND_C  := $(wildcard tools/jwtshim/*.c)
PKG_CONFIG ?= pkg-config
# By name where pkg-config does not know it, or what it needs in its turn.
LIBS_FOR    = $(shell for lib in $(1); do $(PKG_CONFIG) --libs $$lib 2> /dev/null || echo "$$lib" | sed 's/^lib//; s/^/-l/'; done)
# jansson first: the shim looks at it before it loads more.
INSPECT_LIBS = $(call LIBS_FOR,jansson libcrypto libjwt)

# The object that changes code in the main program has the decoder of instructions: amd64 only, and where there is Zydis 4.
PATCH_C    := $(wildcard shim/patch/*.c)
HAS_ZYDIS  := $(shell echo 'char is_4[ZYDIS_VERSION >> 48 >= 4 ? 1 : -1];' | $(CC) -include Zydis/Zydis.h -fsyntax-only -x c - > /dev/null 2>&1 && uname -m)
PATCH_SO   := $(if $(filter x86_64,$(HAS_ZYDIS)),$(B)/libjwtshim-patch.so)

.DEFAULT_GOAL := all
.PHONY: all arm64 demo check check-clients check-sanitized check-threaded check-suites deps bench install uninstall clean format lint fuzz coverage mutate table tests
.DELETE_ON_ERROR:

all: $(B)/libjwtshim.so $(B)/libjwtshim-inspect.so $(PATCH_SO) $(B)/jwtshim

$(B)/libjwtshim.so: $(SHIM_O) $(B)/exports.map
	$(call Q,LD)$(CC) $(CFLAGS) $(SHIM_LDFLAGS) $(LDFLAGS) -o $@ $(SHIM_O)

INSPECT_LDFLAGS = -shared -Wl,-z,relro,-z,now,-z,nodelete,-z,noexecstack,-z,defs -Wl,-Bsymbolic \
                  -Wl,-soname,libjwtshim-inspect.so -Wl,--as-needed
$(B)/libjwtshim-inspect.so: $(INSPECT_C:%.c=$(B)/%.o)
	$(call Q,LD)$(CC) $(CFLAGS) $(INSPECT_LDFLAGS) $(LDFLAGS) -o $@ $^ $(INSPECT_LIBS)

# The libraries that the inspector needs, for the shim to load before it.
$(B)/inspector_needs.h: $(B)/libjwtshim-inspect.so
	$(call Q,GEN)$(READELF) -d $< | sed -n '/(NEEDED).*\[libc\./d; s/.*(NEEDED).*\[\(.*\)\]/"\1",/p' > $@
$(B)/shim/report/inspector.o $(B)/core/shim/report/inspector.o: $(B)/inspector_needs.h

$(B)/libjwtshim-patch.so: $(PATCH_C:%.c=$(B)/%.o)
	$(call Q,LD)$(CC) $(CFLAGS) -shared -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs -Wl,-soname,libjwtshim-patch.so $(LDFLAGS) -o $@ $^ -lZydis

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
              $(B)/core/shim/report/inspector.o $(B)/core/shim/report/log.o $(LOADER_C:%.c=$(B)/core/%.o)

$(B)/core/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS) $(CFLAGS) $(TEST_CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

$(B)/tests/replay: $(B)/core/tests/unit/replay.o $(CORE_O)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^

# Where a test brings a wrapper for allocations, they go by that, which makes them fail one by one.
UNIT       := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
UNIT       := $(if $(PATCH_SO),$(UNIT),$(filter-out %/test_prologue,$(UNIT)))
INSPECT_O  := $(INSPECT_C:%.c=$(B)/core/%.o)
$(filter-out %/test_prologue,$(UNIT)): $(B)/tests/%: $(B)/core/tests/unit/%.o $(CORE_O)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) $(shell sed -n 's/^void \*__wrap_\([a-z]*\).*;/-Wl$(COMMA)--wrap=\1/p' tests/unit/$*.c) -o $@ $^ $(UNIT_LIBS) -lcmocka -lpthread
$(B)/tests/test_inspect: $(INSPECT_O)
$(B)/tests/test_inspect: UNIT_LIBS = $(INSPECT_LIBS)

$(B)/tests/race: $(B)/core/tests/fault/race.o $(CORE_O)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ -lpthread

$(B)/tests/qsh: $(B)/core/tests/unit/qsh.o $(B)/core/shim/inspect/qsh.o
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(INSPECT_LIBS)
# The decoder's test needs the decoder, and nothing else does.
$(B)/tests/test_prologue: $(B)/core/tests/unit/test_prologue.o $(B)/core/shim/patch/prologue.o
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ -lcmocka -lZydis

# The command links the rooms it asks, like the tests.
COMMAND_O  := $(COMMAND_C:%.c=$(B)/core/%.o) $(INSPECT_O)
$(B)/jwtshim: $(COMMAND_O) $(CORE_O)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(INSPECT_LIBS) $(call LIBS_FOR,zlib)

# What the page of a report has in it.
$(B)/core/tools/jwtshim/report_html.o: tools/jwtshim/report_page.css tools/jwtshim/report_page.js

# Fuzzers: built by clang with its sanitizers; golden inputs are the seeds, what is found is kept in build/.
FUZZ_CFLAGS = -std=gnu11 -I$(B) -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
              -fno-sanitize-recover=undefined
FUZZ_SRC   := $(CORE_C) shim/config.c shim/report/events.c shim/report/inspector.c shim/report/log.c $(LOADER_C)
$(B)/tests/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_SRC) $(wildcard shim/*.h shim/*/*.h) $(B)/inspector_needs.h Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CLANG) $(FUZZ_CFLAGS) -o $@ $< $(FUZZ_SRC) $(FUZZ_MORE)
MODEL_C := $(wildcard tests/fuzz/model*.c)
$(B)/tests/fuzz_core $(B)/tests/fuzz_conn: $(MODEL_C) $(wildcard tests/fuzz/model*.h)
$(B)/tests/fuzz_core $(B)/tests/fuzz_conn: FUZZ_MORE = $(MODEL_C)
# Without a sanitizer, for the numbers.
$(B)/tests/storm_core $(B)/tests/storm_conn: $(B)/tests/storm_%: $(B)/core/tests/fuzz/storm.o $(B)/core/tests/fuzz/fuzz_%.o $(MODEL_C:%.c=$(B)/core/%.o) $(CORE_O)
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^
$(B)/tests/fuzz_token: $(INSPECT_C)
$(B)/tests/fuzz_token: FUZZ_MORE = $(INSPECT_C) $(INSPECT_LIBS)
SUBJECT_C := tools/jwtshim/subject.c tools/jwtshim/curl_line.c tools/jwtshim/words.c
$(B)/tests/fuzz_subject: $(SUBJECT_C)
$(B)/tests/fuzz_subject: FUZZ_MORE = $(SUBJECT_C) $(call LIBS_FOR,jansson)
$(B)/tests/fuzz_prologue: FUZZ_MORE = shim/patch/prologue.c -lZydis
$(B)/tests/fuzz_prologue: shim/patch/prologue.c

# What reads events is the command's, and jansson is its judge.
EVENTS_C := $(addprefix tools/jwtshim/,event.c finding.c json_scan.c tally.c time_text.c timeline.c)
$(B)/tests/fuzz_events: $(EVENTS_C) $(wildcard tools/jwtshim/*.h)
$(B)/tests/fuzz_events: FUZZ_MORE = $(EVENTS_C) $(call LIBS_FOR,jansson)

# This one is of the command's rooms.
ELF_SRC    := $(wildcard tools/jwtshim/image*.c) $(addprefix tools/jwtshim/,names.c ldcache.c)
$(B)/tests/fuzz_elf: tests/fuzz/fuzz_elf.c $(ELF_SRC) $(wildcard tools/jwtshim/*.h) shim/hooks.def Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CLANG) $(FUZZ_CFLAGS) -o $@ $< $(ELF_SRC)

-include $(shell find $(B) \( -name roots -o -name deb -o -name compat \) -prune -o -type f -name '*.d' -print 2>/dev/null)

FUZZERS := $(addprefix $(B)/tests/,storm_core storm_conn fuzz_core fuzz_conn fuzz_config fuzz_token fuzz_subject fuzz_events fuzz_elf $(if $(PATCH_SO),fuzz_prologue))
tests: $(UNIT) $(B)/tests/replay $(B)/tests/qsh $(FUZZERS)

deps:
	tools/deps check

# For that machine, to be run by qemu. The inspector's libraries are not to be had there; their names are the same.
ARM64 := $(B)/arm64
arm64: $(B)/inspector_needs.h
	@mkdir -p $(ARM64)
	@cp $< $(ARM64)/
	$(MAKE) -o $(ARM64)/inspector_needs.h CC=aarch64-linux-gnu-gcc B=$(ARM64) $(ARM64)/libjwtshim.so \
	        $(addprefix $(ARM64)/tests/,replay storm_core storm_conn)

demo:
	tools/deps demo
	$(MAKE) all
	tools/demo --build $(B)

# The C parts once more with the address and undefined behaviour sanitizers: the same unit tests and golden pairs.
SANITIZED := $(B)/sanitized
check-sanitized:
	$(MAKE) B=$(SANITIZED) SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" \
	        $(patsubst $(B)/%,$(SANITIZED)/%,$(UNIT)) $(SANITIZED)/tests/replay $(SANITIZED)/jwtshim

# And the connection layer with the thread sanitizer.
THREADED := $(B)/threaded
check-threaded:
	$(MAKE) B=$(THREADED) SANITIZE="-fsanitize=thread" $(THREADED)/tests/race

UNIT_ENV  = CMOCKA_MESSAGE_OUTPUT=TAP
MEMCHECK  = valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite
FUZZ_RUNS ?= 60000

SUITES = $(foreach unit,$(UNIT),unit/$(notdir $(unit))="$(UNIT_ENV) $(unit)") \
         $(foreach unit,$(UNIT),sanitized/$(notdir $(unit))="$(UNIT_ENV) $(unit:$(B)/%=$(SANITIZED)/%)") \
         $(foreach unit,$(UNIT),valgrind/$(notdir $(unit))="$(UNIT_ENV) $(MEMCHECK) $(unit)") \
         coverage="tests/coverage/run --build $(B)" \
         golden="REPLAY=$(abspath $(B))/tests/replay tests/golden/run" \
         golden/sanitized="REPLAY=$(abspath $(SANITIZED))/tests/replay tests/golden/run" \
         golden/narrow="REPLAY_NARROW=1 REPLAY=$(abspath $(SANITIZED))/tests/replay tests/golden/run" \
         arm64="tests/arm64/run --build $(B)" \
         oracle/framing="REPLAY=$(abspath $(B))/tests/replay node tests/oracle/framing.js" \
         oracle/parameter="REPLAY=$(abspath $(B))/tests/replay node tests/oracle/parameter.js" \
         command/inspect="tests/command/inspect --build $(B)" \
         command/inspect/sanitized="tests/command/inspect --build $(SANITIZED)" \
         inspector="tests/inspector/run --build $(B)" \
         oracle/qsh="QSH=$(abspath $(B))/tests/qsh node tests/oracle/qsh.js" \
         fuzz="tests/fuzz/run --build $(B) --runs $(FUZZ_RUNS)" \
         elf="tests/elf/run" \
         wrapper="tests/wrapper/run" \
         runner="tests/wrapper/runner" \
         settings="tests/settings/run --build $(B)" \
         threats="tests/threats/run --build $(B)" \
         command="tests/command/run --build $(B)" \
         entrypoint="tests/entrypoint/run --build $(B)" \
         packaging/install="tests/packaging/install --build $(B)" \
         packaging/packages="tests/packaging/packages --build $(B)" \
         packaging/image="tests/packaging/image --build $(B)" \
         packaging/kubernetes="tests/packaging/kubernetes" \
         packaging/deps="tests/packaging/deps" \
         mock="node tests/mock-atlassian/test.js" \
         compat/table="tests/compat/test_table" \
         programs/sockets="tests/programs/sockets/run --build $(B)" \
         programs/tls="tests/programs/tls/run --build $(B)" \
         programs/sockets/valgrind="tests/programs/sockets/run --build $(B) --valgrind" \
         programs/tls/valgrind="tests/programs/tls/run --build $(B) --valgrind" \
         programs/stdio="tests/programs/stdio/run --build $(B)" \
         programs/stdio/valgrind="tests/programs/stdio/run --build $(B) --valgrind" \
         programs/loader="tests/programs/loader/run --build $(B)" \
         $(if $(PATCH_SO),programs/patch="tests/programs/patch/run --build $(B)" \
                          programs/patch/valgrind="tests/programs/patch/run --build $(B) --valgrind") \
         programs/alpn="tests/programs/alpn/run --build $(B)" \
         programs/libcurl="tests/programs/libcurl/run --build $(B)" \
         programs/libcurl/valgrind="tests/programs/libcurl/run --build $(B) --valgrind" \
         http2="tests/http2/run --build $(B)" \
         faults/control="tests/fault/run --build $(B) --suite control" \
         faults/control/valgrind="tests/fault/run --build $(B) --suite control --valgrind" \
         faults/tls="tests/fault/run --build $(B) --suite tls" \
         faults/tls/valgrind="tests/fault/run --build $(B) --suite tls --valgrind" \
         faults/calls="tests/fault/run --build $(B) --suite calls" \
         faults/clients="tests/fault/run --build $(B) --suite clients" \
         faults/seccomp="tests/fault/run --build $(B) --suite seccomp" \
         faults/threads="$(THREADED)/tests/race" \
         doctor="tests/doctor/run --build $(B)" \
         innocents="tests/innocents/run --build $(B)" \
         innocents/check="tests/innocents/check --build $(B)" \
         suites/quick="tests/suites/run --build $(B) --quick" \
         clients="tests/clients/run --build $(B)" \
         bench/budget="tests/bench/budget --build $(B)" \
         bench/scaling="tests/bench/scaling --build $(B)"

check:
	tools/deps check
	$(MAKE) all tests
	$(MAKE) check-sanitized
	$(MAKE) check-threaded
	@echo 'Left out, for their minutes: make check-system (a whole Debian under /etc/ld.so.preload), make check-clients (a hundred programs more),'
	@echo '  make check-suites (the tests of other projects), make bench, make fuzz (ten minutes of it; here is one), make mutate (guards taken out one by one).'
	@tests/run $(if $(UNTIL),--until $(UNTIL)) $(SUITES)

# The compatibility table of README.md, from runs of more than a hundred programs: installs them (up to 4 GB), and takes minutes even where they
# are installed. What is fetched and built is kept.
check-clients:
	-tools/deps clients
	$(MAKE) all
	tests/compat/run --build $(B) --fetch
	tests/compat/run --build $(B)

# Other projects' test suites, with and without the shim, compared test by test: a quarter of an hour. `make check` has the quick parts.
check-suites: all
	tools/deps check
	tests/suites/run --build $(B)

# Ten minutes in all; what is found is in $(B)/fuzz.
fuzz: $(FUZZERS)
	$(foreach fuzzer,fuzz_core fuzz_conn,tests/fuzz/run --build $(B) --seconds 165 --only $(fuzzer) &&) true
	$(foreach fuzzer,$(filter-out storm_core storm_conn fuzz_core fuzz_conn,$(notdir $(FUZZERS))),tests/fuzz/run --build $(B) --seconds 40 --only $(fuzzer) &&) true
	$(foreach storm,storm_core storm_conn,tests/fuzz/run --build $(B) --runs 250000 --only $(storm) &&) true

# Which lines of the core and the connection layer the tests run.
coverage:
	tests/coverage/run --build $(B)

# One-line changes of the shim, each of which a suite must notice; many minutes.
mutate:
	tests/mutate/run

# Six minutes; `make bench BENCH_QUICK=1` takes one round of each instead, and writes nothing.
bench: all
	tools/deps bench
	tests/bench/run --build $(B) $(if $(BENCH_QUICK),--quick)
	tests/bench/inspector --build $(B) $(if $(BENCH_QUICK),--runs 20)

include tools/packaging/packaging.mk

C_FILES := $(shell find shim tests tools -name node_modules -prune -o -name '*.[ch]' -print)
format:
	clang-format -i $(C_FILES)

lint:
	clang-format --dry-run -Werror $(C_FILES)
	clang-tidy --quiet $(SHIM_C) $(INSPECT_C) $(PATCH_C) $(COMMAND_C) -- $(CPPFLAGS) -std=gnu11
	shellcheck $(SCRIPTS:%=tools/%) tools/packaging/*.sh tools/packaging/build-deb tools/packaging/image/build tests/packaging/make-root

# The table of hooks in DESIGN.md, from hooks.def.
table:
	awk 'FNR == NR { table = table $$0 "\n"; next } /<!-- hooks -->/ { print; printf "%s", table; skip = 1 } \
	     /<!-- \/hooks -->/ { skip = 0 } !skip && !/<!-- hooks -->/' \
	    <(tests/elf/hooks-table) shim/DESIGN.md > $(B)/DESIGN.md && mv $(B)/DESIGN.md shim/DESIGN.md
table: SHELL := /bin/bash

clean:
	rm -rf $(B)

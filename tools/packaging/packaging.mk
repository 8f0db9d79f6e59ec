# Putting it in place and making packages of it: install, uninstall, deb, image. Included by the Makefile.

DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
DOCDIR     ?= $(DATADIR)/doc/jwtshim
BASHDIR    ?= $(DATADIR)/bash-completion/completions
ZSHDIR     ?= $(DATADIR)/zsh/site-functions

# libjwtshim.so, and those of its helpers that were built.
OBJECTS    := libjwtshim.so libjwtshim-inspect.so libjwtshim-patch.so
SCRIPTS    := jwtshim-run jwtshim-entrypoint
MAN_SOURCE := $(wildcard tools/man/*.scd)
MAN        := $(MAN_SOURCE:tools/man/%.scd=$(B)/man/%)
SCDOC      := $(shell command -v scdoc 2>/dev/null)

.PHONY: man deb image check-system
man: $(MAN)

$(B)/man/%: tools/man/%.scd
	@mkdir -p $(@D)
	$(call Q,MAN)scdoc < $< > $@

# An object is replaced by a rename: a program that starts meanwhile, under /etc/ld.so.preload, finds the old one or the new one.
install: all $(if $(SCDOC),man)
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR)
	for object in $(OBJECTS); do \
	  [ ! -e $(B)/$$object ] || { install -m 644 $(B)/$$object $(DESTDIR)$(LIBDIR)/$$object.new && \
	    mv -f $(DESTDIR)$(LIBDIR)/$$object.new $(DESTDIR)$(LIBDIR)/$$object; } || exit 1; done
	install -m 755 $(B)/jwtshim $(SCRIPTS:%=tools/%) $(DESTDIR)$(BINDIR)
	install -m 644 tools/completion/jwtshim.bash $(DESTDIR)$(BASHDIR)/jwtshim
	for script in $(SCRIPTS); do ln -sf jwtshim $(DESTDIR)$(BASHDIR)/$$script || exit 1; done
	install -m 644 tools/completion/_jwtshim $(DESTDIR)$(ZSHDIR)/_jwtshim
	install -m 644 tools/packaging/jwtshim.conf $(DESTDIR)$(DOCDIR)/examples/jwtshim.conf
	install -m 644 tools/packaging/systemd/jwtshim.conf $(DESTDIR)$(DOCDIR)/examples/systemd-drop-in.conf
ifneq ($(SCDOC),)
	for page in $(MAN:$(B)/man/%=%); do \
	  install -D -m 644 $(B)/man/$$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page || exit 1; done
else
	@echo 'Without scdoc there are no manual pages: install it and run this again.'
endif

# The object leaves /etc/ld.so.preload first: every program prints an error where one is missing.
uninstall:
	. tools/packaging/forget-preload.sh; forget_preload $(DESTDIR)/etc/ld.so.preload $(LIBDIR)/libjwtshim.so
	rm -f $(OBJECTS:%=$(DESTDIR)$(LIBDIR)/%) $(DESTDIR)$(BINDIR)/jwtshim $(SCRIPTS:%=$(DESTDIR)$(BINDIR)/%)
	rm -f $(DESTDIR)$(BASHDIR)/jwtshim $(SCRIPTS:%=$(DESTDIR)$(BASHDIR)/%) $(DESTDIR)$(ZSHDIR)/_jwtshim
	rm -f $(DESTDIR)$(DOCDIR)/examples/jwtshim.conf $(DESTDIR)$(DOCDIR)/examples/systemd-drop-in.conf
	rm -f $(foreach page,$(MAN:$(B)/man/%=%),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(page))
	for empty in $(LIBDIR) $(DOCDIR)/examples $(DOCDIR) $(dir $(DOCDIR)) $(BASHDIR) $(dir $(BASHDIR)) $(ZSHDIR) $(dir $(ZSHDIR)) \
	    $(MANDIR)/man1 $(MANDIR)/man5 $(MANDIR)/man7; do \
	  [ ! -d $(DESTDIR)$$empty ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$$empty; done

# Debian's packages, in $(B)/deb: from a copy of what is in the tree, since dpkg-buildpackage wants debian/ at its top.
deb:
	tools/packaging/build-deb --build $(B) --version $(VERSION)

# An image with objects, entrypoint and command below /opt/jwtshim, to copy from. It stays in buildah's store, or goes to ARCHIVE (a tar file).
image: all
	tools/packaging/image/build --build $(B) --name localhost/jwtshim:$(VERSION) $(if $(ARCHIVE),--archive $(ARCHIVE))

# What takes minutes, and is therefore no part of `make check`.
check-system: all
	tools/deps check
	tests/system/run --build $(B)

# SPDX-License-Identifier: Apache-2.0
# A thin front of meson: every build directory is build*/.
BUILD ?= build
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@meson setup --prefix=$(PREFIX) $(BUILD)

deps:
	@dist/deps.sh

demo: deps all
	@VX=$(BUILD)/src/vx VXD=$(BUILD)/src/vxd test/demo.sh

demo-ovs: deps all
	@VX=$(BUILD)/src/vx VXD=$(BUILD)/src/vxd test/demo_ovs.sh

quick: all
	@meson test -C $(BUILD) --print-errorlogs --suite tree --suite unit

check:
	@test/run.py check

bench: all
	@VX=$(BUILD)/src/vx VXD=$(BUILD)/src/vxd test/run.py bench

mutants:
	@test/mutants/run.py

fuzz:
	@test/run.py fuzz --seconds $(FUZZ_SECONDS)

coverage:
	@test/run.py coverage

install: all
	@meson install -C $(BUILD) --no-rebuild

uninstall:
	@ninja -C $(BUILD) uninstall

help:
	@echo "make            build vxd and vx into $(BUILD)/src"
	@echo "make deps       install what packages.txt lists (root), or say what is missing"
	@echo "make demo       deps, build, then two namespaces that talk through vxd"
	@echo "make demo-ovs   the same with Open vSwitch's database and commands"
	@echo "make quick      build and unit tests, under a minute"
	@echo "make check      everything: two compilers, sanitizers, tests against the kernel"
	@echo "make bench      measure"
	@echo "make mutants    take away each increment of the accounting: a test has to fail"
	@echo "make fuzz       every fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make coverage   lines of wire/, net/, vxlan/ that the fuzz targets' corpora reach"
	@echo "make install    into PREFIX=$(PREFIX) (chosen when $(BUILD)/ is made; DESTDIR is honoured)"
	@echo "make uninstall  removes what the last make install of $(BUILD)/ put there"

.PHONY: all deps demo demo-ovs quick check bench mutants fuzz coverage install uninstall help

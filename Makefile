# Everything that a person runs by hand; each target may be repeated.

JOBS ?= $(shell nproc)
CTEST_JOBS ?= $(JOBS)
FUZZ_SECONDS ?= 600
CTEST = ctest --output-on-failure --no-label-summary --no-tests=error -j $(CTEST_JOBS)
SOURCES = $(shell find server client tests -name '*.h' -o -name '*.cc')
SHELL := /bin/bash
.DELETE_ON_ERROR:

.PHONY: help deps dev-deps build run run-cluster test test-debug test-tsan bench fuzz format format-check lint clean

help:
	@echo "make run         install what is missing, build, start a node and the sample chat"
	@echo "make run-cluster install what is missing, build, start three nodes around one Redis"
	@echo "make test        install what is missing, build, run every test"
	@echo "make build       release, to build/release/wsrouter"
	@echo "make test-debug  every test under AddressSanitizer and UndefinedBehaviorSanitizer"
	@echo "make test-tsan   unit and integration tests under ThreadSanitizer"
	@echo "make bench       the figures of tests/bench/README.md"
	@echo "make fuzz        each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make format, make format-check, make lint, make clean"

deps:
	@deploy/install_deps.sh

dev-deps:
	@deploy/install_deps.sh dev

# A build folder is configured once; from then on ninja does it again whenever a CMake file changes.
build/%/build.ninja: | deps
	cmake --preset $* --log-level=WARNING

# The programs without the tests: what `run` needs.
build: deps build/release/build.ninja
	cmake --build build/release -j $(JOBS) --target wsrouter chat_backend

run: build
	@exec deploy/run-local.sh build/release

run-cluster: build
	@exec deploy/run-cluster.sh build/release

test: deps build/release/build.ninja
	cmake --build build/release -j $(JOBS)
	cd build/release && $(CTEST)

test-debug: deps build/debug/build.ninja
	cmake --build build/debug -j $(JOBS)
	cd build/debug && $(CTEST)

test-tsan: deps build/tsan/build.ninja
	cmake --build build/tsan -j $(JOBS)
	cd build/tsan && $(CTEST) -L '^(unit|integration)$$'

bench: deps build/release/build.ninja
	cmake --build build/release -j $(JOBS)
	@set -e; for program in build/release/bench/*; do "$$program"; done

# New inputs go to the build folder; what is worth keeping is copied to tests/fuzz/corpus by hand.
fuzz: dev-deps build/fuzz/build.ninja
	cmake --build build/fuzz -j $(JOBS) --target fuzz_targets
	@set -e; for target in build/fuzz/fuzz/*_fuzz; do \
	  name=$$(basename $$target); mkdir -p build/fuzz/corpus/$$name; \
	  echo "== $$name, $(FUZZ_SECONDS) s"; \
	  $$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/$$name- build/fuzz/corpus/$$name tests/fuzz/corpus/$$name; \
	done

format: dev-deps
	clang-format-14 -i $(SOURCES)

format-check: dev-deps
	clang-format-14 --dry-run --Werror $(SOURCES)

# buf comes from npm, which is the one thing here that Debian's packages do not bring.
lint:
	deploy/lint_protos.sh

clean:
	rm -rf build

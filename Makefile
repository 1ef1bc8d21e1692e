# Everything a developer types. Each target sets up what it needs; a second run is quick.
JOBS ?= $(shell nproc)
CMAKE_QUIET = cmake --preset $(1) --log-level=WARNING >/dev/null

.PHONY: help setup build test torture fuzz demo bench lint format screenshots clean
.DEFAULT_GOAL := help

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install everything the other targets need (Debian 12; root or sudo)
	@scripts/setup.sh build test lint

build:  ## build/release/vitalake, with libduckdb.so beside it
	@scripts/setup.sh build
	@$(call CMAKE_QUIET,release)
	@cmake --build --preset release --parallel $(JOBS) --target vitalake

test:  ## build and run all tests; ends with one line of counts
	@scripts/setup.sh build test
	@python3 scripts/run_tests.py --jobs $(JOBS)

torture: build  ## kill the service 1,000 times, two for 5 minutes, let it run for half an hour (KILLS=50 ROLLING=30 SOAK=60: less)
	@scripts/setup.sh test
	@TORTURE_KILLS=$(or $(KILLS),1000) TORTURE_ROLLING=$(or $(ROLLING),300) TORTURE_SOAK=$(or $(SOAK),1800) .deps/venv/bin/python -m pytest tests/judges/test_torture.py -q -p no:cacheprovider

fuzz:  ## change what comes from files and network at random, under sanitizers (ROUNDS=1000 SEED=7)
	@scripts/setup.sh build test
	@$(call CMAKE_QUIET,asan-ubsan)
	@cmake --build --preset asan-ubsan --parallel $(JOBS) --target fhir_test serve_test
	@export VITALAKE_FUZZ_ROUNDS=$(or $(ROUNDS),100) VITALAKE_FUZZ_SEED=$(or $(SEED),$$(date +%s)); echo "SEED=$$VITALAKE_FUZZ_SEED"; \
	  for t in fhir serve; do build/asan-ubsan/$${t}_test --gtest_filter='*Mutation*' || exit 1; done

demo: build  ## sample patients, their tables, a live stream with alerts (ARGS="--seconds 20": ends by itself)
	@build/release/vitalake --lake build/demo-lake demo $(if $(findstring --seconds,$(ARGS)),,$$(test -t 0 || echo --seconds 30)) $(ARGS)

bench: build  ## measure beside the rivals, write docs/benchmarks.md (ARGS="--task view")
	@scripts/setup.sh test
	@cmake --build --preset release --parallel $(JOBS) --target bench_upsert
	@.deps/venv/bin/python benchmarks/run.py $(ARGS)

lint:  ## check formatting, naming and common mistakes
	@scripts/setup.sh build lint
	@$(call CMAKE_QUIET,lint)
	@JOBS=$(JOBS) scripts/lint.sh

format:  ## format the C++ sources in place
	@scripts/setup.sh lint
	@git ls-files 'src/*.h' 'src/*.cc' 'tests/*.h' 'tests/*.cc' | xargs clang-format-19 -i

screenshots: build  ## make the pictures of the dashboard in docs/pictures anew
	@scripts/setup.sh test
	@.deps/venv/bin/python scripts/screenshots.py

clean:  ## remove what was built (not what was downloaded: .deps)
	@rm -rf build

# Everything a newcomer needs: `make run` shows the main job, `make test` proves it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ONCE ?=
SECONDS := 60
CARDS := 10000 100000 1000000
# Tests often wait, so there may be two more of them under way than there are cores.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 8 ? n + 2 : 8)))
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
FUZZ := tests/fuzz/Cargo.toml
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start some hundred processes: without kept bytecode each compiles the rooms, and each test
# worker compiles all tests with their assertions anew.
unexport PYTHONDONTWRITEBYTECODE

NATIVE := $(shell find crypto/native card_core/native -name '*.rs' -o -name Cargo.toml 2>/dev/null) \
          Cargo.toml Cargo.lock pyproject.toml

# The environment's two halves, and tests in both languages, go on side by side.
MAKEFLAGS += --jobs=3
# Cargo takes what it finds there for a queue to wait in, and finds it closed.
unexport MAKEFLAGS MFLAGS

.PHONY: help setup run test test-native test-python test-long pictures check lint types layers rust fuzz bench bench-scan bench-issuance bench-pages lock sbom clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' \
	  | while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: $(VENV)/.built $(VENV)/.dev ## the environment in .venv, for work on the project

run: $(VENV)/.built ## the main job, from a roster to an accepted scan (ONCE=1: do it and stop)
	@$(BIN)/sscard demo $(if $(ONCE),--once)

test: test-native test-python ## all tests; starts the servers that they need

test-native:
	@cargo test --profile tested --locked --quiet --workspace

test-python: $(VENV)/.built $(VENV)/.dev
	@$(PYTEST) -m "not long"

test-long: $(VENV)/.built $(VENV)/.dev ## the same journeys with their full counts
	@$(PYTEST) -m long

pictures: $(VENV)/.built $(VENV)/.dev ## the user guide's pictures, as the browser journeys see the pages
	@$(PYTEST) -q -m "not long" tests/journeys/test_browser*.py tests/journeys/test_desk_layout.py
	@$(BIN)/python tests/guide_pictures.py

check: $(VENV)/.built $(VENV)/.dev lint types layers rust ## lint, types, layers, native code

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.built $(VENV)/.dev
	@$(BIN)/mypy
	@$(BIN)/python -m mypy.stubtest crypto._native card_core._native --ignore-disjoint-bases

layers: $(VENV)/.built $(VENV)/.dev
	@$(BIN)/lint-imports

rust:
	@cargo fmt --all --check
	@cargo clippy --release --locked --workspace --all-targets --quiet -- -D warnings
	@cargo clippy --release --locked --package sscard-sm-leaks --all-features --quiet -- -D warnings
	@cargo fmt --manifest-path $(FUZZ) --check
	@cargo clippy --release --locked --all-targets --quiet --manifest-path $(FUZZ) \
	  --target-dir target/fuzz -- -D warnings

fuzz: ## random input for the native core, SECONDS=60 for each target; needs a C++ compiler
	@$(PYTHON) tests/fuzz/run.py --seconds $(SECONDS)

bench: $(VENV)/.built $(VENV)/.dev ## speed of the core beside other libraries
	@$(BIN)/python -m benchmarks.bench_crypto
	@$(BIN)/python -m benchmarks.bench_codes
	@$(BIN)/python -m benchmarks.bench_status
	@$(BIN)/python -m benchmarks.bench_timing
	@$(BIN)/python -m benchmarks.bench_pictures

bench-scan: $(VENV)/.built $(VENV)/.dev ## scans a second and their times, beside what does nothing
	@$(BIN)/python -m benchmarks.bench_scan

bench-issuance: $(VENV)/.built $(VENV)/.dev ## rosters read, cards issued, work resumed (CARDS="10000 100000": sizes)
	@$(BIN)/python -m benchmarks.bench_issuance --cards $(CARDS)

bench-pages: $(VENV)/.built $(VENV)/.dev ## what pages weigh, how soon a code is on the screen
	@$(BIN)/python -m benchmarks.bench_pages

lock: ## write the two lock files anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header pyproject.toml \
	  --extra build -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header pyproject.toml \
	  --extra build --extra dev -o requirements-dev.lock
	@cargo update --workspace --quiet

sbom: $(VENV)/.built ## what runs and where it comes from, CycloneDX, in build/sbom.cdx.json
	@mkdir -p build
	@$(BIN)/python -m issuance.cli.sbom > build/sbom.cdx.json

clean: ## remove the environment and everything built
	rm -rf $(VENV) build target *.egg-info crypto/*.so card_core/*.so

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	  sys.exit(None if v >= (3, 11) else f"Python 3.11 or later is needed, this is {v[0]}.{v[1]}")'
	@command -v cargo >/dev/null || { echo "cargo (a Rust toolchain) is needed and was not found" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/.run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.built: $(VENV)/.run $(NATIVE)
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

# Everything a contributor runs. Each target does only what is not done yet.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# A venv at .venv holds every Python tool; make, not the caller's shell, puts it on PATH, because
# ape looks for the compiler there.
SYSTEM_PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := $(CURDIR)/.venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
STAMPS := .venv/.stamps

export PATH := $(VENV)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export VIRTUAL_ENV := $(VENV)
# ape and the compiler's version manager keep their files in the project, not in the home folder.
export APE_DATA_FOLDER := $(CURDIR)/.ape
export VVM_BINARY_PATH := $(CURDIR)/.cache/vvm

# uv answers only to the lock: exact versions, exact hashes, and builds with what is installed.
# The formatter of Vyper wants an older click than ape: it, the prover and the mutator live apart.
PROOFS := $(CURDIR)/.venv-proofs
UV_INSTALL := $(UV) pip install --quiet --python $(PYTHON) --no-build-isolation
INSTALL := $(UV_INSTALL) --compile-bytecode --require-hashes
LOCK := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11
TYPED := $(wildcard sdk scripts tests tools benchmarks examples keepers ape_console_extras.py)
TEST_ARGS ?=
ANVIL_ARGS ?=
SOAK_ARGS ?=
PROVE_ARGS ?=
MUTANTS_ARGS ?=
FUZZ_STEPS ?= 200000
FUZZ_SEED ?= 1

.PHONY: help setup demo test coverage prove mutants anvil bench soak artifacts compile check lint types sizes fresh docs layout format lock clean fuzz forge fuzz-forge

help: ## Show this text
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: $(STAMPS)/dev $(STAMPS)/proofs $(STAMPS)/node ## Install everything, pinned by hash, into .venv, .venv-proofs and node_modules

demo: $(STAMPS)/runtime ## Run the exchange end to end on a chain in memory
	$(PYTHON) -m bulkhead.demo

test: setup ## Run the whole test suite (TEST_ARGS="tests/unit -k margin" narrows it)
	$(PYTHON) -m pytest -n 2 --dist worksteal $(TEST_ARGS)

prove: setup ## Prove roundings, words, charges and isolation symbolically (PROVE_ARGS="--match Words")
	$(PYTHON) -m tools.prove $(PROVE_ARGS)

forge: setup ## Fuzz the contracts with forge's handlers, written in Vyper (part of the test suite)
	$(PYTHON) -m pytest tests/forge

fuzz-forge: setup ## The same ten times as long, from a seed of its own (FORGE_ARGS="--fuzz-seed 7")
	FOUNDRY_CONFIG=$(CURDIR)/tests/forge/foundry.toml FOUNDRY_PROFILE=long \
		forge test --no-match-contract Canary $(or $(FORGE_ARGS),--fuzz-seed $$RANDOM)

coverage: setup ## How much of the contracts the tests on titanoboa run, by statement and branch
	rm -rf build/coverage
	$(PYTHON) -m pytest -n 2 --dist worksteal -p tests.helpers.coverage tests/unit tests/e2e tests/stateful
	$(PYTHON) -m tools.contract_coverage --missing

mutants: setup ## Judge mutants of the contracts, from where it stopped (MUTANTS_ARGS="--minutes 30")
	$(PYTHON) -m tools.mutants $(MUTANTS_ARGS)

anvil: $(STAMPS)/node ## Run a local node for the scripts, at http://127.0.0.1:8545 (ANVIL_ARGS="--port 8546")
	anvil --hardfork prague $(ANVIL_ARGS)

bench: setup ## Measure gas, reads, the indices and the simulation
	$(PYTHON) -m benchmarks.gas
	$(PYTHON) -m benchmarks.opcodes
	$(PYTHON) -m benchmarks.reading
	$(PYTHON) -m benchmarks.indexing
	$(PYTHON) -m benchmarks.screening
	$(PYTHON) -m benchmarks.simulation
	$(PYTHON) -m benchmarks.command_line

fuzz: setup ## Compare chain and model for hours (FUZZ_STEPS=200000 FUZZ_SEED=1)
	FUZZ_STEPS=$(FUZZ_STEPS) FUZZ_SEED=$(FUZZ_SEED) $(PYTHON) -m pytest -n 2 --dist worksteal tests/reference/test_reference.py

soak: setup ## Watch a keeper under load for 20 minutes (SOAK_ARGS="--minutes 5")
	$(PYTHON) -m benchmarks.soak $(SOAK_ARGS)

artifacts: $(STAMPS)/dev ## Recompile the contracts into sdk/bulkhead/artifacts
	$(PYTHON) -m tools.build_artifacts

compile: $(STAMPS)/dev ## Compile the contracts with ape, for its console
	ape compile --force

check: lint layout types ## Everything but the tests: style, types, contract sizes, artifacts
	$(PYTHON) -m tools.build_artifacts --check --sizes

lint: $(STAMPS)/dev ## Check style
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PYTHON) -m tools.contract_lint

types: $(STAMPS)/dev ## Check types
	$(VENV)/bin/mypy $(TYPED)

sizes: $(STAMPS)/dev ## Compare the size of every contract with its budget
	$(PYTHON) -m tools.build_artifacts --sizes

fresh: $(STAMPS)/dev ## Check that the committed artifacts match the contracts
	$(PYTHON) -m tools.build_artifacts --check

docs: $(STAMPS)/dev ## Build the documentation into site/
	$(PYTHON) -m mkdocs build --quiet

layout: $(STAMPS)/proofs ## Check that the contracts are laid out as mamushi does
	$(PYTHON) -m tools.contract_layout

format: $(STAMPS)/proofs ## Rewrite Python files and contracts in the project's style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(PYTHON) -m tools.contract_layout --write

# The smaller locks take their versions from the full one, so they can never drift from it.
lock: $(STAMPS)/uv ## Resolve requirements/*.in again
	$(LOCK) requirements/bootstrap.in --output-file requirements-bootstrap.lock
	$(LOCK) requirements/dev.in --output-file requirements.lock
	$(LOCK) requirements/runtime.in --constraint requirements.lock --no-annotate --output-file requirements-runtime.lock
	$(LOCK) requirements/proofs.in --output-file requirements-proofs.lock
	$(LOCK) requirements/keeper.in --constraint requirements.lock --no-annotate --output-file requirements-keeper.lock

clean: ## Remove everything that make can build again
	rm -rf .venv .venv-proofs node_modules .ape .cache .build build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Only pip of the system is needed: it installs uv into the venv, uv installs the rest.
$(STAMPS)/uv: requirements-bootstrap.lock
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "Python 3.11 is needed; name it with SYSTEM_PYTHON=..."; exit 1; }
	test -x $(PYTHON) || $(SYSTEM_PYTHON) -m venv --without-pip .venv
	$(SYSTEM_PYTHON) -m pip --quiet --python $(PYTHON) install --require-hashes -r $<
	@mkdir -p $(@D) && touch $@

$(STAMPS)/runtime: requirements-runtime.lock pyproject.toml $(STAMPS)/uv
	$(INSTALL) -r $<
	$(UV_INSTALL) --no-deps -e .
	@touch $@

$(STAMPS)/dev: requirements.lock $(STAMPS)/runtime
	$(INSTALL) -r $<
	@touch $@

$(STAMPS)/proofs: requirements-proofs.lock $(STAMPS)/dev
	test -x $(PROOFS)/bin/python || $(UV) venv --quiet --python $(PYTHON) $(PROOFS)
	$(UV) pip install --quiet --python $(PROOFS)/bin/python --compile-bytecode --require-hashes -r $<
	@touch $@

$(STAMPS)/node: package-lock.json .npmrc $(STAMPS)/uv
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# `make` alone lists what there is to make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=
# Tests wait for servers, processes and clocks more than they compute: two at once fill two cores.
# Neighbours stay together, since modules share servers, hosts and reports that take seconds to make.
TWO = --numprocesses 2 --dist worksteal

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# One stamp for each set of extras, so that `make bench` doesn't wait for the linters.
$(VENV)/.bench: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[servers]'
	@touch $@

$(VENV)/.test: $(VENV)/.bench
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[servers,docker,test]'
	@touch $@

.PHONY: bench
bench: $(VENV)/.bench ## run the whole comparison on real servers and name the report
	$(BIN)/refreshbench run $(ARGS)

.PHONY: test
test: lint $(VENV)/.test ## prove everything: types, lint, imports, unit and integration tests
	REFRESHBENCH_REQUIRE_SERVERS=redis,postgres,mongo $(BIN)/python -m pytest $(TWO) $(ARGS)

.PHONY: lint
lint: $(VENV)/.test ## types, style and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: speed
speed: $(VENV)/.test ## what the harness and each driver cost, side by side with the vendors' own tools
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only -o addopts=
	$(BIN)/python -m benchmarks.side_by_side $(ARGS)

.PHONY: clean
clean: ## remove the virtual environment, caches, and what killed runs left
	-test -x $(BIN)/refreshbench && $(BIN)/refreshbench clean
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .import_linter_cache

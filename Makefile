# Everything a person or CI does here. Needs Python 3.11 or newer, make and git; all else comes from uv.lock.

.DEFAULT_GOAL := help
.PHONY: help demo demo-aws setup cdk test check format compile bench clean

# The first Python that is new enough; `make PYTHON=/path/to/python3.13 …` chooses another.
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
endif
# uv from this machine when it works, else one of our own in .uv/.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)
BIN := .venv/bin
SYNC = $(UV) sync --frozen --inexact --quiet $(if $(wildcard $(BIN)/python),,--python $(PYTHON))

help: ## Show these commands.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: .venv/.demo ## Train four models on handwritten digits and keep the best one.
	@$(BIN)/stepweave run statemachines/digits.py

demo-aws: setup ## Deploy to a local AWS with the real CDK, upload a file, and look at the run that it starts.
	@$(BIN)/python -m infra.demo

setup: .venv/.dev ## Install everything that work on this repository needs.

cdk: $(BIN)/cdk ## Install the command line of the CDK that deploys this repository, beside `stepweave`; no Node is needed.

test: check ## All checks and all tests; what CI runs.
	@$(BIN)/pytest --numprocesses auto --dist loadgroup

check: setup ## Lint, format, types and import contracts.
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo 'Not formatted: run `make format`.' >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

format: setup ## Rewrite the sources as the formatter and the safe fixes want them.
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format .

compile: setup ## Write the state machine of every DAG, beside its module, and the pages made from them.
	@$(BIN)/stepweave compile
	@$(BIN)/python -m tests.docs.examples_page
	@$(BIN)/python -m tests.docs.cost_page
	@$(BIN)/python -m tests.docs.settings_page
	@$(BIN)/python -m tests.docs.idle_page

bench: setup ## Run every benchmark; each prints one JSON object.
	@for name in exactness compile overhead items process engine functions synth; do \
		echo "# $$name" >&2; $(BIN)/python -m tests.benchmarks.$$name || exit 1; done

clean: ## Remove what the commands above made, runs included.
	rm -rf infra/node_modules cdk.out .venv .uv .stepweave .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist

# Stamps, so that a second `make` needs neither time nor network. The demo's is the smaller installation.
.venv/.demo: pyproject.toml uv.lock | python $(filter .uv/bin/uv,$(UV))
	@echo 'Installing what the demo needs (once) …'
	@$(SYNC) --no-default-groups --extra local --extra pipelines
	@touch $@

.venv/.dev: pyproject.toml uv.lock | python $(filter .uv/bin/uv,$(UV))
	@echo 'Installing what this repository needs (once) …'
	@$(SYNC)
	@touch .venv/.demo $@

# The Node that came with the Python packages installs it, and is what runs it, whatever the machine has.
NODE = $(shell $(BIN)/python -c 'import infra; print(infra.node_of_this_environment())')
infra/node_modules/.package-lock.json: infra/package.json infra/package-lock.json | .venv/.dev
	@echo 'Installing the command line of the CDK (once) …'
	@PATH="$(dir $(NODE)):$$PATH" '$(NODE)' '$(dir $(NODE))../lib/node_modules/npm/bin/npm-cli.js' \
		ci --prefix infra --no-audit --no-fund --silent
	@touch $@

$(BIN)/cdk: infra/node_modules/.package-lock.json | .venv/.dev
	@printf '#!/bin/sh\nexec "%s" "%s" "$$@"\n' '$(NODE)' '$(CURDIR)/infra/node_modules/aws-cdk/bin/cdk' > $@
	@chmod +x $@

.uv/bin/uv: | python
	@$(PYTHON) -m venv .uv || { echo 'Python came without venv: install the package python3-venv.' >&2; exit 1; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

.PHONY: python
python:
	@test -n '$(PYTHON)' || { echo 'stepweave needs Python 3.11 or newer; none was found.' >&2; exit 1; }

# `make up` and `make test` are all a newcomer needs; each installs what it uses into .venv first.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help setup up test lint format bench clean
.DEFAULT_GOAL := help

help: ## Say what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 10

setup: $(VENV)/.development ## Install everything for development

up: $(VENV)/.service ## Start the API and the dashboard, and print their addresses
	@$(BIN)/ecg up

test: $(VENV)/.development ## Run the tests
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.development ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.development ## Put the code into its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.benchmarks ## Measure beside the peers, as ratios
	$(BIN)/python -m benchmarks

clean: ## Remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Einthoven needs Python 3.11, 3.12 or 3.13; say which with PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.service: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable ".[api,dashboard]"
	@touch $@

$(VENV)/.development: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable ".[dev]"
	@touch $@ $(VENV)/.service

$(VENV)/.benchmarks: $(VENV)/.development
	$(PIP) --editable ".[dev,bench]"
	@touch $@

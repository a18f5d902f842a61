# Two commands: `make demo` runs the main job, `make test` proves the code. Everything else is for those who change it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-all check format bench docs lock clean

help:
	@echo "make demo      set up, then three stories end to end; pictures and a report in demo/"
	@echo "make serve     the same, and leave the apps up to click through"
	@echo "make test      set up and run the tests (minutes)"
	@echo "make test-all  the same and the long suites: fuzz, faults, load"
	@echo "make check     types, lint, format"
	@echo "make docs      the examples and tables of docs/spec anew, from the code"
	@echo "make bench     figures, beside the peers' where they can run"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "weid needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@echo "setting up .venv (once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-warn-script-location --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)
	@$(BIN)/python -m wallet_cli demo --out demo

serve: $(READY)
	@$(BIN)/python -m wallet_cli demo --out demo --serve

test: $(READY)
	@$(BIN)/python -m pytest -n 3 -m "not long"

test-all: $(READY)
	@$(BIN)/python -m pytest -n 2

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY)
	@$(BIN)/python -m benchmarks

docs: $(READY)
	@$(BIN)/python -m tests.spec_examples

lock:
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --extra dev --extra bbs --extra evm --extra pdf --generate-hashes --no-header -o requirements.lock pyproject.toml

clean:
	rm -rf .venv demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

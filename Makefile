# Set-up, the main job and the checks, on any machine with Python 3.11, a C compiler and git.
# The README lists the plain commands behind each target.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALLED := $(VENV)/.installed
KERNELS := setup.py $(wildcard pipeline/features/fast/kernels/*.pyx)
LOCKS := requirements/build.lock.txt requirements/all.lock.txt

# The stages' commands in dvc.yaml say `python`.
export PATH := $(abspath $(BIN)):$(PATH)
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast lint format lock benchmark clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(INSTALLED) ## make the environment in .venv

demo: $(INSTALLED) ## the whole pipeline on the synthetic demo cohort, then score its patients
	$(BIN)/dvc repro
	$(BIN)/python -m pipeline.predict --bundle models/bundle --cohort data/demo --out predictions

test: $(INSTALLED) ## all tests
	$(BIN)/python -m pytest

test-fast: $(INSTALLED) ## the tests that take seconds
	$(BIN)/python -m pytest -m "not slow"

lint: $(INSTALLED) ## style, types, layers, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(INSTALLED) ## bring the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: $(INSTALLED) ## measure the times in the README's table
	$(BIN)/python tests/benchmarks/measure_pipeline.py --write

$(READY): pyproject.toml $(LOCKS)
	@sh requirements/check_machine.sh "$(PYTHON)"
	"$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.lock.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --require-hashes -r requirements/all.lock.txt
	touch $@

# Compiles the kernels; again whenever one of them changes.
$(INSTALLED): $(READY) $(KERNELS)
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	$(BIN)/python -m compileall -q pipeline
	touch $@

lock: ## renew the locked versions (needs uv on the path)
	sh requirements/lock.sh

clean: ## remove the environment
	rm -rf $(VENV)

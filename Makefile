# Everything a newcomer needs is a target here; `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv

.DEFAULT_GOAL := help

##@ Use

run: install ## Run the whole service on this machine with sample data; Ctrl-C stops it
	$(BIN)/airpy up --demo

##@ Develop

install: .venv/.installed ## Install everything into .venv, from the lock

.venv/.installed: pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(BIN)/uv sync --frozen --inexact --all-extras --group dev --python $(BIN)/python
	@touch $@

test: install ## Run the whole test suite
	$(BIN)/pytest

test-faults: install ## Kill, stall and flood a service at full size, for a quarter of an hour
	AIRPY_FAULTS=full $(BIN)/pytest tests/faults -m faults -s

check: install ## Format, lint, types, layers, and whether the models are current
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m airpy.web.spec | $(BIN)/datamodel-codegen --check

format: install ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

models: install ## Generate src/airpy/contract.py from api/openapi.yaml
	$(BIN)/python -m airpy.web.spec | $(BIN)/datamodel-codegen

lock: install ## Resolve the dependencies anew into uv.lock
	$(BIN)/uv lock

wheel: install ## Build the wheel into dist/
	rm -rf dist
	$(BIN)/uv build --wheel

# What a wheel could lack, or another Redis do otherwise; WHEEL_TESTS=tests runs everything.
WHEEL_TESTS ?= tests/contract/test_specification.py tests/e2e/test_outages.py tests/handlers/test_jobs.py \
	tests/handlers/test_query.py tests/jobs/test_claim.py tests/jobs/test_store.py tests/jobs/test_tending.py \
	tests/test_cli.py tests/test_local.py tests/test_worker.py

# They run in a folder without the sources, so that only what the wheel brings is tested.
test-wheel: wheel ## Build the wheel and run the tests of WHEEL_TESTS against it
	rm -rf dist/suite dist/venv
	UV_PROJECT_ENVIRONMENT=dist/venv $(BIN)/uv sync --frozen --no-install-project --all-extras --group dev --python $(BIN)/python
	$(BIN)/uv pip install --quiet --python dist/venv/bin/python --no-deps dist/*.whl
	mkdir -p dist/suite/benchmarks
	cp -R api deploy tests pyproject.toml Makefile Dockerfile compose.yaml *.md dist/suite
	cp benchmarks/*.* dist/suite/benchmarks
	cd dist/suite && ../venv/bin/pytest $(WHEEL_TESTS)

bench: install ## Run the benchmarks; benchmarks/README.md says what they measure
	$(BIN)/uv sync --frozen --inexact --all-extras --group dev --group bench --python $(BIN)/python
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/query.py

.PHONY: run install test check format models lock wheel test-faults test-wheel bench help

help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

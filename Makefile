# Everything a newcomer needs is a target here; `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
GENERATE_GO := go tool oapi-codegen -config api/oapi-codegen.yaml
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
# Where it is set, every process would compile all that it imports, which takes longer than what it is started for.
export PYTHONDONTWRITEBYTECODE :=

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

# Each process has a Redis and services of its own; with a REDIS_URL they would share one, and there is one process.
test: install ## Run the whole test suite
	$(BIN)/pytest $(if $(REDIS_URL),,--numprocesses auto --maxprocesses 4 --dist loadfile)

test-faults: install ## Kill, stall and flood a service at full size, for a quarter of an hour
	AIRPY_FAULTS=full $(BIN)/pytest tests/faults -m faults -s

test-plans: install ## Run 2,000 random plans here and by DuckDB, and plans over more data than memory
	AIRPY_PLANS=full $(BIN)/pytest tests/engine/test_duckdb.py tests/e2e/test_memory.py -m "faults or not faults"

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

go-client: install ## Generate the Go client's types from api/openapi.yaml
	$(BIN)/python -m airpy.web.spec | (cd clients/go && $(GENERATE_GO) -o api/api.gen.go /dev/stdin)

go-check: install ## Lint the Go client, and whether its types are current
	$(BIN)/python -m airpy.web.spec | (cd clients/go && $(GENERATE_GO) /dev/stdin | diff -u api/api.gen.go -)
	cd clients/go && test -z "$$(gofmt -l . | tee -a /dev/stderr)"
	cd clients/go && go mod tidy -diff
	cd clients/go && go vet ./...
	cd clients/go && go tool staticcheck ./...

# The race detector needs cgo, and so a C compiler.
go-test: install ## Run the Go client's tests against the service itself
	cd clients/go && AIRPY_BIN="$(CURDIR)/$(BIN)/airpy" go test $$([ "$$(go env CGO_ENABLED)" = 0 ] || echo -race) ./...

lock: install ## Resolve the dependencies anew into uv.lock
	$(BIN)/uv lock

wheel: install ## Build the wheel into dist/
	rm -rf dist
	$(BIN)/uv build --wheel

# What a wheel could lack, or another Redis do otherwise; WHEEL_TESTS=tests runs everything.
WHEEL_TESTS ?= tests/contract/test_specification.py tests/jobs/test_claim.py tests/jobs/test_store.py \
	tests/jobs/test_tending.py tests/test_cli.py tests/test_local.py tests/web/test_docs.py

# They run in a folder without the sources, so that only what the wheel brings is tested.
test-wheel: wheel ## Build the wheel and run the tests of WHEEL_TESTS against it
	rm -rf dist/suite dist/venv
	UV_PROJECT_ENVIRONMENT=dist/venv $(BIN)/uv sync --frozen --no-install-project --all-extras --group dev --python $(BIN)/python
	$(BIN)/uv pip install --quiet --python dist/venv/bin/python --no-deps dist/*.whl
	mkdir -p dist/suite/benchmarks
	cp -R api deploy docs tests pyproject.toml Makefile Dockerfile compose.yaml *.md dist/suite
	cp benchmarks/*.* dist/suite/benchmarks
	cd dist/suite && ../venv/bin/pytest $(WHEEL_TESTS)

docs: install ## Build the documentation into site/
	$(BIN)/sphinx-build --fail-on-warning --nitpicky --keep-going --quiet --doctree-dir .doctrees docs site

docs-serve: docs ## Show the documentation at http://127.0.0.1:8000
	$(BIN)/python -m http.server --directory site --bind 127.0.0.1 8000

bench: install ## Run the benchmarks; benchmarks/README.md says what they measure
	$(BIN)/uv sync --frozen --inexact --all-extras --group dev --group bench --python $(BIN)/python
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/query.py

.PHONY: run install test check format test-plans models go-client go-check go-test lock wheel test-faults test-wheel docs docs-serve bench help

help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

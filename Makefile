# Every target works from a fresh clone and needs Python 3.10 or newer; image and e2e need the
# test cluster too, whose scripts are in CLUSTER.
PYTHON ?= python3
CLUSTER ?= ../shared/cluster
DEMO ?= fanout/pipeline.yaml
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

EXTRAS_core :=
EXTRAS_all := [all]
EXTRAS_dev := [all,dev]

.PHONY: demo test lint install image e2e bench schema lock cluster clean

demo: $(VENV)/core # checks, draws, renders and runs a pipeline, and shows the run
	@cd examples && PATH="$(CURDIR)/$(BIN):$$PATH" sh -eux -c '\
	  argosy check $(DEMO); \
	  argosy graph $(DEMO); \
	  argosy render $(DEMO) -c argo.yaml -o ../build/demo; \
	  argosy run $(DEMO); \
	  argosy show latest'

test: lint # everything that needs no server
	$(BIN)/pytest

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(VENV)/all # the argosy command and all extras, in .venv
	@echo "installed: $(BIN)/argosy"

image: cluster $(VENV)/dev # localhost/argosy:test, in the cluster
	@CLUSTER=$(CLUSTER) PYTHON=$(BIN)/python tests/e2e/image/build
	@CLUSTER=$(CLUSTER) tests/e2e/box/build

e2e: image # the examples and more, on the cluster and in containers
	@eval "$$($(CLUSTER)/up)" && eval "$$($(CLUSTER)/docker-up)" && $(BIN)/pytest tests/e2e

bench: $(VENV)/dev # docs/figures.md; S3 is measured where there is the test cluster
	@if test -x $(CLUSTER)/up; then eval "$$($(CLUSTER)/up)"; fi; $(BIN)/python -m benchmarks docs/figures.md README.md

schema: $(VENV)/dev # compiler/schema/schema.json, from the installed models
	$(BIN)/python -m argosy.compiler.schema.make

lock: # constraints.txt; PYTHON is the oldest one that is supported
	@PYTHON=$(PYTHON) VENV=$(VENV) sh -eu -c '\
	  rm -rf build/lock; $$PYTHON -m venv build/lock; \
	  build/lock/bin/pip --disable-pip-version-check --quiet install ".$(EXTRAS_dev)"; \
	  { sed -n "s/^#/#/p" constraints.txt; build/lock/bin/pip freeze | grep -v "^argosy"; } >build/constraints.txt; \
	  mv build/constraints.txt constraints.txt'

cluster:
	@test -x $(CLUSTER)/up || { echo "There is no test cluster at $(CLUSTER): say CLUSTER=<folder of its scripts>." >&2; exit 1; }

clean:
	rm -rf $(VENV) build dist *.egg-info .argosy

# One stamp for each set of extras; what is installed stays until the project or the lock changes.
$(VENV)/%: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt --editable '.$(EXTRAS_$*)'
	@touch $@

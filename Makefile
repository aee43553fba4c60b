# Every target works from a fresh clone and needs Python 3.10 or newer; image and e2e need the
# test cluster too, whose scripts are in CLUSTER.
PYTHON ?= python3
CLUSTER ?= ../shared/cluster
DEMO ?= fanout/pipeline.yaml
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What each set of requirements is made of: extras of the project, and its dependency groups.
SET_core := --group build
SET_all := --group build --extra all
SET_dev := --group build --extra all --extra dev
SET_image := --group image --extra all
SET_dist := --group build --group dist

COMPILE = build/lock/bin/uv pip compile --quiet --universal --fork-strategy fewest --generate-hashes --no-annotate --no-header \
  --python-version 3.10 $(SET_$(1)) --output-file requirements/$(1).txt pyproject.toml

.PHONY: demo test lint install image e2e bench schema lock dist cluster clean

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

lock: # requirements/*.txt: versions and hashes, for every Python and platform that is supported
	@test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip --disable-pip-version-check --quiet install uv; }
	$(call COMPILE,dev) --upgrade
	$(foreach set,core all image dist,$(call COMPILE,$(set)) --constraint requirements/dev.txt &&) true

dist: $(VENV)/dist # dist/: a wheel with the same bytes wherever it is built, and its bill of materials
	@rm -rf dist build/lib build/bdist.*
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --wheel --no-isolation
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
	  -o dist/argosy.cdx.json requirements/all.txt

cluster:
	@test -x $(CLUSTER)/up || { echo "There is no test cluster at $(CLUSTER): say CLUSTER=<folder of its scripts>." >&2; exit 1; }

clean:
	rm -rf $(VENV) build dist *.egg-info .argosy

# One stamp for each set of requirements; what is installed stays until the project or the set changes.
$(VENV)/%: pyproject.toml requirements/%.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --requirement requirements/$*.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

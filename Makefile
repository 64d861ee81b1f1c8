# Two commands matter: `make demo` and `make test`. Both do all their own set-up and reuse what is already there.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format unit integration torch test-crash e2e test-soak soak soak-serving bench-short bench-operator bench-serving up down
.PHONY: images crds docs protocol lock dev

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY) ## a virtual environment with the locked dependencies

$(READY): requirements/dev.txt
	@echo "installing the development environment into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(READY) ## the whole life of a model on a real cluster, on real data
	@$(BIN)/python -m examples.demo

down: $(READY) ## take the cluster away; what was built stays in the cache
	@$(BIN)/python -m tests.cluster down

up: $(READY) ## a cluster with modelyard installed, for trying things out
	@$(BIN)/python -m tests.product install

test: check unit integration torch e2e test-soak bench-short ## everything CI runs

check: $(READY) ## format, lint, types, import rules, generated files: seconds
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@PYTHONPATH=$(PODS) $(BIN)/lint-imports --no-logo
	@PYTHONPATH=operator $(BIN)/python -m modelyard crds --check crds
	@PYTHONPATH=operator $(BIN)/python -m modelyard crds --check charts/modelyard/files/crds
	@$(BIN)/yamllint --strict examples crds skaffold.yaml .yamllint.yaml

PODS := operator:images/base:images/dataset:images/training:images/serving:images/drift

format: $(READY) ## mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

unit: $(READY) ## pure parts: no cluster, no network
	@$(BIN)/pytest --numprocesses=auto tests/unit

integration: $(READY) ## on a real API server and a real object store; no root
	@$(BIN)/python -m tests.cluster tool kubectl >/dev/null # Kubernetes is built before tests with time limits wait for it
	@$(BIN)/pytest --numprocesses=auto --dist=loadfile tests/integration

torch: $(READY) ## models of PyTorch, in the images that hold it: builds them, 1 GB
	@$(BIN)/python -m tests.torch_image -q

test-crash: $(READY) ## kill the operator at every write of every scenario; half an hour and more
	@$(BIN)/pytest tests/integration/crash -s --crash-points=all

e2e: $(READY) ## on a real cluster with real images and the chart
	@$(BIN)/pytest tests/e2e

test-soak: $(READY) ## three minutes of `make soak` and of `make soak-serving`
	@$(BIN)/pytest tests/soak

soak: $(READY) ## SECONDS (an hour) of random faults and killed leaders, then compare with a run without; no root
	@PYTHONPATH=$(PODS):. $(BIN)/python -m tests.soak --seconds $(SECONDS)
SECONDS ?= 3600

simulate: $(READY) ## SEEDS (1000) lives under random faults in a world in memory, half a second each
	@PYTHONPATH=$(PODS):. $(BIN)/python -m tests.simulated --seeds $(SEEDS)
SEEDS ?= 1000

soak-serving: $(READY) ## half an hour of the model server at 70 % load: no failure, no growth
	@SERVER_SECONDS=1800 $(BIN)/pytest -s tests/soak/test_server.py

bench-short: $(READY) ## `make bench-operator` with fewer objects and wider ranges
	@PYTHONPATH=operator $(BIN)/python -m tests.bench.operator --short

bench-operator: $(READY) ## our operator beside plain Jobs and Kubeflow Trainer: 20 minutes; SECONDS_PER_ROW=10 for less
	@PYTHONPATH=operator $(BIN)/python -m tests.bench.operator

bench-serving: $(READY) ## the model server beside a bare echo and six other servers: half an hour, two cores; SECONDS_PER_ROW=0.5 for less
	@PYTHONPATH=$(PODS):. $(BIN)/python -m tests.bench.serving

images: $(READY) ## build what changed
	@$(BIN)/python -m images build

crds: $(READY) ## write crds/ and the chart's copies from the types
	@PYTHONPATH=operator $(BIN)/python -m modelyard crds crds
	@PYTHONPATH=operator $(BIN)/python -m modelyard crds charts/modelyard/files/crds

docs: $(READY) ## write the generated parts of docs/ from the types
	@PYTHONPATH=operator:. $(BIN)/python -m docs.fields
	@PYTHONPATH=operator:. $(BIN)/python -m docs.reason_pages

protocol: $(READY) ## write the messages of gRPC from their .proto
	@cd images/serving && ../../$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. modelyard_serving/inference.proto

dev: $(READY) ## the operator from the working tree, against the cluster of `make up`
	@$(BIN)/python -m tests.product dev

lock: $(READY) ## requirements/*.txt from pyproject.toml
	@$(BIN)/python -m images lock

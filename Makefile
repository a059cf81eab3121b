# The entry points of this project; each works from a fresh clone with make and Python 3.11 alone.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := $(VENV)/.demo
READY  := $(VENV)/.ready
NODE   := .tools/azurite/.ready
ASSETS := .tools/web/.ready
LINTER := .tools/ci/.ready
CURRENTS = $(firstword $(wildcard $(DATA)/*_currents*.csv))

# One thread for each product of matrices: with several, sums end in another order, and the last bits differ.
export OPENBLAS_NUM_THREADS := 1

.PHONY: help setup setup-demo demo run test test-fast lint types contracts check format conformance audit package release seed bench chaos fuzz pictures clean

help:
	@echo "make demo    the whole way of the data on this machine: finds a leak, says where and how large, stops"
	@echo "make run     the same, and stays up, live (Ctrl-C ends it, the next run goes on)"
	@echo "make test    all tests, on real Azurite"
	@echo "make check   format, lint, types, import contracts, fast tests"
	@echo "make conformance  everything that can be checked of the deployment without Azure"
	@echo "make package what is deployed, as dist/app and dist/app.zip"
	@echo "make release the version, the changelog's section and the tag of a release: VERSION=1.2.0"
	@echo "make seed    loads the platforms into a deployed app: URL=https://... (LEAK_API_KEY or LEAK_API_TOKEN is set)"
	@echo "make audit   known vulnerabilities of what the app needs (asks an advisory service)"
	@echo "make bench   the measured claims"
	@echo "make pictures  the pictures of the documentation (needs Chromium)"
	@echo "make chaos   faults at every port call, in histories of what really happens: FAULTS=10000 or, on hosts, KILLS=200; SEED=n"
	@echo "make fuzz    generated requests against the API's contract: REQUESTS=20000 SEED=n"
	@echo "options:     CHECK=name (one of conformance), DATA=folder (recorded series instead of the synthetic sea), FRESH=1 (forget what earlier runs stored), PORT=n (of demo and run)"

setup: $(READY) $(NODE) $(ASSETS) $(LINTER)

setup-demo: $(DEMO) $(NODE) $(ASSETS)

$(DEMO): requirements.txt requirements-demo.txt constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the Python packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-demo.txt
	@touch $@

$(READY): requirements-dev.txt $(DEMO)
	@echo "installing the tools that check and measure ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(NODE): local/package.json local/package-lock.json $(DEMO)
	@echo "installing Azurite ..."
	@$(BIN)/python -m local.azurite install
	@touch $@

$(ASSETS): web/package-lock.json local/assets.py $(DEMO)
	@echo "installing what pages load ..."
	@$(BIN)/python -m local.assets
	@touch $@

$(LINTER): .ci/package-lock.json $(DEMO)
	@echo "installing what checks the workflows ..."
	@$(BIN)/python -m local.npm .ci .tools/ci
	@touch $@

demo: setup-demo
	@PYTHONPATH=mock $(BIN)/python -m local.demo $(if $(DATA),--data "$(DATA)") $(if $(FRESH),--fresh) $(if $(PORT),--port $(PORT))

run: setup-demo
	@PYTHONPATH=mock $(BIN)/python -m local.demo --stay $(if $(DATA),--data "$(DATA)") $(if $(FRESH),--fresh) $(if $(PORT),--port $(PORT))

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup --durations=20

test-fast: $(READY)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not azurite and not slow and not statistical"

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(MAKE) --no-print-directory -j 2 types contracts

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	PYTHONPATH=.:mock $(BIN)/lint-imports

check: lint test-fast

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

conformance: setup
	PYTHONPATH=.:mock $(BIN)/python -m conformance $(CHECK)

audit: $(READY)
	$(BIN)/python -m conformance.audit

package: $(READY) $(ASSETS)
	@$(BIN)/python -m admin.package

release:
	@$(PYTHON) -m admin.release make "$(VERSION)"

seed: $(DEMO)
	@$(BIN)/python -m admin.manage seed --url "$(URL)"

bench: setup
	PYTHONPATH=.:mock $(BIN)/python -m bench.speed
	PYTHONPATH=.:mock $(BIN)/python -m bench.storage
	PYTHONPATH=.:mock $(BIN)/python -m bench.api
	PYTHONPATH=.:mock $(BIN)/python -m bench.pages
	PYTHONPATH=.:mock $(BIN)/python -m bench.cost
	$(BIN)/python -m bench.estimation --scenarios 100 $(if $(DATA),--readings "$(DATA)" $(CURRENTS:%=--currents "%"))
	$(BIN)/python -m bench.detectability --leaks 100 $(if $(DATA),--readings "$(DATA)" $(CURRENTS:%=--currents "%"))
	$(if $(DATA),$(BIN)/python -m bench.detection.scales --data "$(DATA)")
	$(if $(DATA),$(BIN)/python -m bench.detection --data "$(DATA)")

pictures: setup demo
	@$(BIN)/python -m local.pictures

chaos: $(if $(KILLS),setup,$(READY))
	PYTHONPATH=.:mock $(BIN)/python $(if $(KILLS),-m chaos.hosts --kills $(KILLS),-m chaos) $(if $(FAULTS),--faults $(FAULTS)) $(if $(SEED),--seed $(SEED)) $(if $(FRESH),--fresh)

fuzz: setup
	PYTHONPATH=.:mock $(BIN)/python -m tests.support.fuzz $(if $(REQUESTS),--requests $(REQUESTS)) $(if $(SEED),--seed $(SEED))

clean:
	rm -rf $(VENV) .tools dist functions/static/vendor .run .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis

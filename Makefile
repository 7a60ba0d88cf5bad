# One command each; `make` alone prints them. What CI runs (.ci/run) is what a person runs.
# With another Python, beside the first: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
NOTEBOOK := notebooks/flight_delays.ipynb
PIPELINE := pipelines/flight_delays

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup browser demo ui test soak lint format docs pictures bench lock clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP)  ## make .venv from requirements.lock and install p2p into it

# uv installs the lock in a fraction of pip's time; where its binary does not run, pip does the same work.
# Bytecode is compiled here: where PYTHONDONTWRITEBYTECODE is set, every kernel would compile all it imports anew.
$(STAMP): requirements.lock requirements-bootstrap.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v < (3, 14) and \
	  "make setup: p2p needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is %d.%d. Name another: make setup PYTHON=python3.12" % v)'
	@rm -f $(STAMP)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-bootstrap.lock
	@if $(BIN)/uv --version >/dev/null 2>&1; then \
	  $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	else \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .; \
	fi
	@touch $(STAMP)
	@echo "Ready: $(BIN)/p2p"

browser:  ## install Chromium and its driver for the browser tests (Debian, root)
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium chromium-driver; \
	else \
	  echo "browser: no Chromium here, and only root on Debian gets it from this target. The browser tests will be skipped;"; \
	  echo "         to run them, install 'chromium' and 'chromedriver' with your package manager."; \
	fi

demo: setup  ## run the example notebook, export it, test the export
	$(BIN)/p2p run $(NOTEBOOK)
	$(BIN)/p2p export $(NOTEBOOK)
	$(BIN)/pytest $(PIPELINE)
	@echo "See the run, its steps and its values in the browser: make ui"

ui: setup  ## open the MLflow UI on this project's runs
	$(BIN)/p2p ui

test: setup browser  ## run all tests but the soak tests
	@$(BIN)/python -m compileall -q p2p tests
	$(BIN)/pytest -n 2 --dist loadfile tests $(wildcard pipelines)

soak: setup browser  ## run the tests that take minutes
	$(BIN)/pytest -m soak tests

lint: setup  ## check style, format, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: setup  ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: setup  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

pictures: setup browser  ## take the pictures of the documentation anew (after make demo)
	$(BIN)/python docs/pictures/make.py
	$(BIN)/python docs/pictures/panel.py

# The peers are installed beside the environment, not into it: they pin what p2p leaves open. One line: make bench LINES=chain
bench: setup  ## measure, beside the peers, and print the tables
	@test -e benchmarks/__main__.py || { echo "make bench: this checkout has no benchmarks/__main__.py"; exit 1; }
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.speed --peers-folder $(VENV)/peers $(LINES)

# Compiled from the public index alone: no pip setting of this machine, and no address, gets into the files.
UV_LOCK := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --no-emit-index-url --no-emit-find-links

lock: setup  ## write both lock files anew from pyproject.toml (UPGRADE=--upgrade for newer releases)
	$(UV_LOCK) $(UPGRADE) --extra dev --output-file requirements.lock pyproject.toml
	echo uv | $(UV_LOCK) --constraint requirements.lock --output-file requirements-bootstrap.lock -

clean:  ## remove caches and build output (neither .venv nor mlruns)
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

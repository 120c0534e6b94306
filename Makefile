# Each target installs what it needs into .venv, again when pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: bot web-runtime test clean
.DELETE_ON_ERROR: # half a virtual environment is none

bot: $(VENV)/.bot      ## serve: the web page, and Discord if DISCORD_TOKEN is set
	$(PY) -m bot

web-runtime: $(VENV)/.bot ## install what browsers need to paint by themselves, with npm
	$(PY) -m bot web-runtime

test: $(VENV)/.test    ## install everything, then check and test everything
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PY) -m pytest --numprocesses logical --dist worksteal $(PYTEST_OPTIONS)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Irodori needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.bot: pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install --quiet --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install --quiet --editable '.[train,test,postgres,cluster]'
	@touch $(VENV)/.bot $@

clean:                 ## remove the virtual environment and all caches
	rm -rf $(VENV) .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# Pilotbed. `make demo` and `make test` each set up all they need on a fresh machine with Python 3.11, git and make.
.DEFAULT_GOAL := help
.PHONY: help setup demo up check test bench

ARGS ?=
WORKERS ?= 3
PYTHON := .venv/bin/python

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## Make .venv, install from the lock, find or install Mosquitto
	@sh pilotbed/setup.sh run

demo: setup  ## The whole platform with simulated pilots; ARGS="--once out" runs it to the end without a person
	@.venv/bin/pilotbed demo $(ARGS)

up: setup  ## The whole platform, empty
	@.venv/bin/pilotbed up $(ARGS)

check:  ## Format, lint, types, import directions
	@sh pilotbed/setup.sh dev
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

test:  ## All tests; ARGS="tests/unit -k window" for some, WORKERS=0 one after the other
	@sh pilotbed/setup.sh test
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

bench: setup  ## Measure this machine; ARGS="ingest" for one measurement
	@.venv/bin/pilotbed bench $(ARGS)

# make demo    the main job, from nothing, on this machine
# make run     the same parts, up until Ctrl-C
# make test    all tests        make lint   ruff, mypy, Bicep   make bench   benchmarks
# make soak    2,000 histories of chaos and 5,000 of the correlation, each from a seed
# make condense FILES="..."     the real correlation code on your own files
# make clean   remove everything that make made

.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests

.PHONY: help install demo run test soak lint format bench condense clean

help:
	@sed -n '/^# make/s/^# //p' $(MAKEFILE_LIST)

install: $(VENV)/.installed node_modules/.installed

$(VENV)/.installed: requirements.txt requirements-dev.txt local/find-python.sh
	@python=$$(PYTHON="$(PYTHON)" sh local/find-python.sh) && echo "Installing Python packages with $$python" && "$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	@echo "Installing Azurite"
	@npm ci --loglevel=error --no-fund --no-audit >/dev/null
	@touch $@

demo: install
	@$(BIN)/python -m local demo

run: install
	@$(BIN)/python -m local run

test: install
	@$(BIN)/python -m pytest -n auto --dist loadfile $(TESTS)

soak: install
	@$(BIN)/python -m pytest -n auto -q tests/chaos --seeds 2000
	@$(BIN)/python -m pytest -n auto -q tests/exactly_once --seeds 5000

lint: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@sh infra/lint.sh $(BIN)/python

format: install
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: install
	@$(BIN)/python -m benchmarks

condense: $(VENV)/.installed
	@$(BIN)/python -m local condense $(FILES)

clean:
	rm -rf $(VENV) .python node_modules build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

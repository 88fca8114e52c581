# The whole interface of the project; every target sets up what it needs in .venv.
#
#   make demo    Net 1 checked and drawn beside its plain twin; a network and its twin trained
#   make test    all tests but the slow ones
#   make slow    the slow tests
#   make check   formatting, lint, types, the layers of the architecture
#   make fast    the tests of the compiler: no torch, seconds
#   make bench   speed, as ratios within one run, kept in docs/performance.json and .md
#   make docs    the generated tables of the manual

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test slow check fast bench docs setup clean

setup: .venv/ready

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: setup
	$(BIN)/python examples/demo.py

# A process a core, each with one thread: small networks gain nothing from more.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -rs -m "not slow" -n auto --dist worksteal

slow: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -rs -m slow -n auto --dist worksteal

fast: setup
	$(BIN)/python -m pytest -q tests/compiler

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m pytest -q tests/benchmarks --benchmark-columns=median,iqr,rounds -s \
	  --keep-table docs/performance.json
	$(BIN)/python docs/performance.py

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv demo runs build *.egg-info

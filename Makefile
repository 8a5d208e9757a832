# Two commands: `make demo` shows it, `make test` proves it. Each sets up .venv by itself, with pinned versions.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

# One thread a process and no spinning at barriers: small models lose 10-100x otherwise on a busy machine.
export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY := PASSIVE
export MKL_NUM_THREADS := 1
# Rich folds long lines at the terminal's width; logs of CI stay readable.
export PYTHONWARNDEFAULTENCODING :=

.PHONY: demo test docs bench clean
.DELETE_ON_ERROR:

$(VENV)/pip: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	touch $@

$(VENV)/demo: $(VENV)/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[samples]"
	touch $@

$(VENV)/test: $(VENV)/demo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group test --group docs
	touch $@

$(VENV)/bench: $(VENV)/demo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group bench
	touch $@

demo: $(VENV)/demo  ## simulate events, train the chain, write tables and plots to demo/
	$(BIN)/tsunagu sample htautau demo/htautau.parquet --events 5000 --seed 1
	$(BIN)/tsunagu run examples/htautau/demo.yaml --out demo/run
	$(BIN)/tsunagu report demo/run

test: $(VENV)/test  ## everything that must hold: style, types, tests, doctests, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/repo-review .
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

docs: $(VENV)/test  ## the documentation site, in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/bench  ## the speed suite: ratios, taken alternating in one run; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .nox demo out docs/_build .mypy_cache .pytest_cache .ruff_cache

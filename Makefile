# Two commands: `make demo` shows it, `make test` proves it. Each sets up .venv by itself, with pinned versions.
PYTHON ?= $(shell for p in python3.11 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin

# One thread a process and no spinning at barriers: small models lose 10-100x otherwise on a busy machine.
export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY := PASSIVE
export MKL_NUM_THREADS := 1

.DEFAULT_GOAL := help
# `again` names no file, so what needs it is made anew.
.PHONY: again help demo test docs bench studies clean
.DELETE_ON_ERROR:

# A set-up that is cut off leaves this mark behind, and the next one starts from an empty .venv.
UNFINISHED := $(VENV)/unfinished
define install
	@touch $(UNFINISHED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt $(1)
	@rm $(UNFINISHED)
	@touch $@
endef

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(VENV)/pip: $(if $(wildcard $(UNFINISHED)),again)
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON), once: it holds all that is installed, and 'make clean' removes it."
	$(PYTHON) -m venv --clear $(VENV)
	@touch $(UNFINISHED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
	@rm $(UNFINISHED)
	@touch $@

$(VENV)/demo: $(VENV)/pip pyproject.toml constraints.txt
	@echo "Installing tsunagu with torch and Pythia 8: 1 to 5 minutes and about 2 GB, more with CUDA, without output."
	$(call install,--editable ".[samples]")

$(VENV)/test: $(VENV)/demo
	@echo "Installing the tools that test and document it: less than a minute."
	$(call install,--group test --group docs)

$(VENV)/bench: $(VENV)/demo
	@echo "Installing Lightning, which the speed suite is compared with: less than a minute."
	$(call install,--group bench)

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
	PYTHONWARNDEFAULTENCODING=1 $(BIN)/python -m pytest -n 2 --cov --cov-report=term
	@rm -f .coverage.*  # of the processes that the tests kill
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

docs: $(VENV)/test  ## the documentation site, in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(VENV)/bench  ## the speed suite: ratios, taken alternating in one run; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

# Studies whose tables and figures are pages of the documentation. A further one is a name here and four lines below. One alone, and smaller:
# make studies STUDIES=htautau-grid EVENTS=500 KEPT=out/kept CHANGES="--set seeds=2 --set train.epochs=1"
STUDIES ?= htautau-grid htautau-search htautau-candidates taujet-class-balance taujet-yoto-class-balance \
	taujet-yoto-multitask
EVENTS ?=
CHANGES ?=
KEPT ?= docs/studies

htautau-grid.file := examples/htautau/grid.yaml
htautau-grid.sample := htautau
htautau-grid.events := 10000
htautau-grid.kept := study.yaml results.csv chosen.csv $(patsubst %,figures/%.png,\
	overview violin_auc choices_calibrate choices_classify roc_score)

htautau-search.file := examples/htautau/search.yaml
htautau-search.sample := htautau
htautau-search.events := 10000
htautau-search.kept := study.yaml results.csv chosen.csv supernet.csv figures/methods.md $(patsubst %,figures/%.png,\
	violin_auc choices_calibrate choices_classify cost search_DARTS search_ASNG supernet_SPOS_pretrained)

htautau-candidates.file := examples/htautau/candidates.yaml
htautau-candidates.sample := htautau
htautau-candidates.events := 10000
htautau-candidates.kept := study.yaml results.csv chosen.csv figures/methods.md $(patsubst %,figures/%.png,\
	violin_auc choices_classify roc_score)

taujet-class-balance.file := examples/taujet/class_balance.yaml
taujet-class-balance.sample := taujet
taujet-class-balance.events := 10000
taujet-class-balance.kept := study.yaml results.csv figures/methods.md figures/scan_one_minus_beta.csv \
	$(patsubst %,figures/%.png,scan_one_minus_beta roc_logits)

taujet-yoto-class-balance.file := examples/taujet/yoto_class_balance.yaml
taujet-yoto-class-balance.sample := taujet
taujet-yoto-class-balance.events := 10000
taujet-yoto-class-balance.kept := study.yaml results.csv scan.csv figures/scan_one_minus_beta.csv figures/scan_one_minus_beta.png

taujet-yoto-multitask.file := examples/taujet/yoto_multitask.yaml
taujet-yoto-multitask.sample := taujet
taujet-yoto-multitask.events := 10000
taujet-yoto-multitask.kept := study.yaml results.csv scan.csv figures/pareto.csv figures/pareto.png

# How a sample says how many rows it has.
htautau.rows := --events
taujet.rows := --jets

events = $(or $(EVENTS),$($*.events))
table = out/$($*.sample)-$(events).parquet
studies: $(STUDIES:%=study-%)  ## the studies of the documentation, some three hours; tables and figures go to docs/studies/

.PHONY: $(STUDIES:%=study-%)
$(STUDIES:%=study-%): study-%: $(VENV)/demo
	$(BIN)/tsunagu sample $($*.sample) $(table) $($($*.sample).rows) $(events) --seed 1
	$(BIN)/tsunagu run $($*.file) --out out/$* --set executor=processes --set data.files=../../$(table) $(CHANGES)
	$(BIN)/tsunagu report out/$*
	@mkdir -p $(KEPT)/$*
	cp $(addprefix out/$*/,$($*.kept)) $(KEPT)/$*
	$(BIN)/python -c 'from benchmarks.results import machine; print(machine())' > $(KEPT)/$*/machine.txt

clean:  ## remove what was installed, made and cached
	rm -rf $(VENV) .nox demo out docs/_build .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache

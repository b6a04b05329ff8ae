# `make` alone lists the targets. Everything is installed in .venv; nothing outside this folder is changed.
PYTHON ?= python3
VENV   ?= .venv
CORES  ?= 2
CASES  ?= 100000
COMPARE ?= build/compare
REAL   ?= ../shared/real
REAL_WORK ?= ../avsieve-real
BIN    := $(VENV)/bin
# Without those that ask for a folder of some gigabytes, or for a GPU.
BENCHMARKS := $(filter-out $(addprefix benchmarks/,gpu.py made_up_run.py planning.py rehearsal.py review_server.py), \
	$(wildcard benchmarks/*.py))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo compare test fuzz kills lint bench real envs docs models clean

help:
	@echo "make demo     run the whole pipeline on the embedded corpus, and print the result"
	@echo "make compare  train encoders on the full and the cleansed list of a corpus with more wrong labels (COMPARE=where)"
	@echo "make test     run the tests"
	@echo "make fuzz     give each parser CASES (100,000) files that are nearly right; takes hours"
	@echo "make kills    kill each job of a run at its first writes, and compare with a run that went through"
	@echo "make lint     ruff, mypy, snakefmt, snakemake --lint"
	@echo "make bench    run the benchmarks against the usual alternatives"
	@echo "make real     run the whole pipeline on real faces and voices (REAL=folder, REAL_WORK=working folder,"
	@echo "              REAL_FLAGS='--faces DIR --voices DIR' for other people)"
	@echo "make envs     run every rule of a tiny run in an environment made of its own yaml (gigabytes, and long)"
	@echo "make docs     regenerate config/README.md and the schema from the code"
	@echo "make models   retrain the small models that ship with the package"
	@echo "make clean    remove results and caches (not .venv)"
	@echo "CORES=N sets the number of cores, PYTHON=... the Python (3.11 or newer) that .venv is made with"

# The stamp is written last, so an installation that was cut off is done again.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, found " + sys.version.split()[0] + "; make PYTHON=python3.11 ...")'
	@echo "Setting up $(VENV): this takes a minute or two, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

setup: $(VENV)/.installed

demo: setup
	@echo "Running the whole pipeline on the embedded corpus (config/config.yaml); results go to results/"
	@$(BIN)/snakemake --cores $(CORES) --quiet host reason
	@cat results/report/summary.txt

compare: setup
	@echo "Comparing encoders trained on both lists (config/compare.yaml); results go to $(COMPARE)/results/"
	@$(BIN)/snakemake --cores $(CORES) --quiet host reason --directory $(COMPARE) --configfile config/compare.yaml
	@cat $(COMPARE)/results/comparison/comparison.txt

test: setup
	$(BIN)/python -m pytest -n $(CORES) --dist loadgroup

fuzz: setup
	AVSIEVE_FUZZ=$(CASES) $(BIN)/python -m pytest -n $(CORES) tests/fuzz

kills: setup
	AVSIEVE_LONG=1 $(BIN)/python -m pytest -v tests/workflow/test_kills.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint
	$(BIN)/python -m avsieve.config.docs --check

bench: setup
	@for script in $(BENCHMARKS); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

real: setup
	@test -d $(REAL)/models || { echo "make real needs a folder with faces, voices, speech_train, video and models; there is none at $(REAL). Name one: make real REAL=folder"; exit 1; }
	@$(BIN)/avsieve real --real $(REAL) --work $(REAL_WORK) --cores $(CORES) $(REAL_FLAGS)

envs: setup
	AVSIEVE_ENVS=1 $(BIN)/python -m pytest -v tests/envs

docs: setup
	$(BIN)/python -m avsieve.config.docs --write

models: setup
	$(BIN)/snakemake --cores $(CORES) rebuild_models

clean:
	rm -rf results .snakemake build .pytest_cache .mypy_cache .ruff_cache

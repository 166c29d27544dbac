# Everything a fresh machine with Python >= 3.10, pip and make needs: `make demo` and `make test`.

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

.PHONY: demo test examples lint types bench wheel clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -c "open('$(VENV)/.installed', 'w').close()"

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@$(BIN)/python -c "open('$(VENV)/.dev', 'w').close()"

$(VENV)/.examples: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)" --group examples
	@$(BIN)/python -c "open('$(VENV)/.examples', 'w').close()"

demo: $(VENV)/.installed
	$(BIN)/exec_aigc_evals baseline/lexical BoolQ_match

test: $(VENV)/.dev
	$(BIN)/python -m pytest

# What the local models in examples/models need, so that `make test` runs them too: more than a gigabyte.
examples: $(VENV)/.examples

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

wheel: $(VENV)/.dev
	$(BIN)/python -m build --wheel --outdir dist .

clean:
	$(PYTHON) -c "import shutil; [shutil.rmtree(p, ignore_errors=True) for p in ('$(VENV)', 'dist', 'build')]"

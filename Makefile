# Everything a developer runs. Each target makes the virtual environment that it
# needs in .venv/ and makes it again when the Python, the pins or pyproject.toml
# change. Wanted from the machine: Python >= 3.11 (with venv), make, git.

PYTHON ?= python3
# A scikit-learn version to test against, as in `make test SKLEARN='1.8.*'`.
SKLEARN ?=
# Test processes: a number, or `logical` for one a core.
WORKERS ?= logical
PYTEST_ARGS ?=
RUFF := ruff==0.17.6

# One thread a process: the processes share the cores already.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
	VECLIB_MAXIMUM_THREADS=1 POLARS_MAX_THREADS=1
PYTEST := -m pytest -n $(WORKERS)
# Old versions warn about each other, so a warning fails only on the newest ones.
LENIENT := -W default

PY_TAG := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
SKLEARN_TAG := $(if $(SKLEARN),sklearn$(subst *,x,$(SKLEARN)),newest)

# Empty files that say an environment is complete, and of what it was made.
DEMO_READY := .venv/demo/ready-$(PY_TAG)
BENCH_READY := .venv/bench/ready-$(PY_TAG)
TEST_READY := .venv/test/ready-$(PY_TAG)-$(SKLEARN_TAG)
OLDEST_READY := .venv/oldest/ready-$(PY_TAG)
LINT_READY := .venv/lint/ready-$(PY_TAG)-$(RUFF)
DOCS_READY := .venv/docs/ready-$(PY_TAG)
BUILD_READY := .venv/build/ready-$(PY_TAG)

# Simulations are about the statistics, which versions do not change: `test` alone runs
# them. Nor does it take all parameters of a test to see that another version or
# installation breaks it: the others run the first and every third case of each test.
SHARE := -m "not slow" --every 3

# Only what gets imported is compiled, which halves the time of the set-up.
PIP_ARGS := -qq --disable-pip-version-check --no-compile

# $(call new_env,NAME,PIP ARGUMENTS)
define new_env
	@echo "Setting up .venv/$(1); this happens once and takes a minute or two."
	@rm -rf .venv/$(1)
	@$(PYTHON) -m venv .venv/$(1)
	@.venv/$(1)/bin/python -m pip install $(PIP_ARGS) $(2)
endef

.DEFAULT_GOAL := help
.PHONY: help demo test test-array-api test-oldest test-wheel lint format docs \
	html doctest bench browser clean python

help:  ## list the targets
	@echo "make <target> [PYTHON=python3.12] [SKLEARN='1.8.*'] [PYTEST_ARGS='-k bag']"
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{printf "  %-15s %s\n", $$1, $$2}'

demo: $(DEMO_READY)  ## see what the library does, on real data
	.venv/demo/bin/python benchmarks/demo.py

test: $(TEST_READY)  ## run the complete test suite
	$(ONE_THREAD) .venv/test/bin/python $(PYTEST) $(if $(SKLEARN),$(LENIENT)) $(PYTEST_ARGS)

test-array-api: $(TEST_READY)  ## run a share of the common checks with array-API support
	SCIPY_ARRAY_API=1 $(ONE_THREAD) .venv/test/bin/python $(PYTEST) \
		$(if $(SKLEARN),$(LENIENT)) $(SHARE) $(PYTEST_ARGS) tests/common

test-oldest: $(OLDEST_READY)  ## run a share of the tests on the oldest versions
	$(ONE_THREAD) .venv/oldest/bin/python $(PYTEST) $(LENIENT) $(SHARE) $(PYTEST_ARGS)

# The tests come from the sdist and the package from the wheel built of that sdist,
# in an environment with required packages only and a folder without the source.
test-wheel: $(BUILD_READY)  ## build sdist and wheel, run a share of the tests on them
	rm -rf dist .venv/wheel
	.venv/build/bin/python -m build --outdir dist . > /dev/null
	@$(PYTHON) -m venv .venv/wheel
	.venv/wheel/bin/python -m pip install $(PIP_ARGS) dist/*.whl \
		pytest pytest-xdist hypothesis
	@set -e; python=$$PWD/.venv/wheel/bin/python; work=$$(mktemp -d); \
	trap 'rm -rf "$$work"' EXIT; \
	tar -xzf dist/*.tar.gz -C "$$work" --strip-components=1; \
	test -f "$$work/LICENSE"; rm -r "$$work/genestimators"; cd "$$work"; \
	echo "Testing the installed wheel in $$work"; \
	$(ONE_THREAD) $$python $(PYTEST) $(SHARE) $(PYTEST_ARGS)

lint: $(LINT_READY)  ## check style and formatting
	.venv/lint/bin/ruff check .
	.venv/lint/bin/ruff format --check .

format: $(LINT_READY)  ## mend what lint can mend by itself
	.venv/lint/bin/ruff check --fix .
	.venv/lint/bin/ruff format .

# One failing does not hide what the other has to say.
docs: $(DOCS_READY)  ## build the documentation into docs/_build/html, run its examples
	rm -rf docs/_build docs/_generated docs/auto_examples docs/api/generated
	@$(MAKE) --no-print-directory --keep-going html doctest

html: $(DOCS_READY)
	.venv/docs/bin/python -m sphinx -W --keep-going -q docs docs/_build/html
	@echo "The pages are in docs/_build/html/index.html"

doctest: $(DOCS_READY)
	$(ONE_THREAD) .venv/docs/bin/python -m pytest --doctest-modules \
		--doctest-glob='*.md' --doctest-glob='*.rst' $(PYTEST_ARGS) \
		genestimators $(wildcard README.md docs/*.rst docs/user_guide/*.rst)

bench: $(BENCH_READY)  ## run every benchmark but the demo; tables go to benchmarks/results
	@set -e; for script in $(filter-out benchmarks/demo.py benchmarks/_%,$(wildcard benchmarks/*.py)); do \
		echo "== $$script"; \
		$(ONE_THREAD) .venv/bench/bin/python $$script; \
	done

# The tests of pages skip, and say why, where there is no browser.
browser:  ## install Chromium and its driver for the tests of pages (Debian, as root)
	@command -v chromedriver > /dev/null && command -v chromium > /dev/null || { \
		apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends chromium chromium-driver > /dev/null; } || \
		echo "Chromium cannot be installed here, so tests of pages will skip."

clean:  ## remove environments, builds and caches
	rm -rf .venv build dist docs/_build docs/_generated docs/auto_examples \
		docs/api/generated .pytest_cache .ruff_cache .hypothesis
	find genestimators tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		version=$$($(PYTHON) --version 2>&1) || version="not there"; \
		echo "genestimators needs Python 3.11 or newer, and '$(PYTHON)' is $$version. Name another, as in: make test PYTHON=python3.12"; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments. Install its venv module (on Debian and Ubuntu: apt install python3-venv)."; \
		exit 1; }

$(DEMO_READY): pyproject.toml | python
	$(call new_env,demo,-e '.[demo]')
	@touch $@

$(BENCH_READY): pyproject.toml | python
	$(call new_env,bench,-e '.[bench]')
	@touch $@

$(TEST_READY): pyproject.toml | python
	$(call new_env,test,-e '.[test$(comma)dask$(comma)plot]' $(if $(SKLEARN),'scikit-learn==$(SKLEARN)'))
	@touch $@

$(OLDEST_READY): pyproject.toml constraints/oldest.txt | python
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { \
		echo "The oldest supported versions have no wheels for Python $(PY_TAG). Use 3.11 or 3.12, as in: make test-oldest PYTHON=python3.12"; \
		exit 1; }
	$(call new_env,oldest,-c constraints/oldest.txt -e '.[test$(comma)dask$(comma)plot]')
	@touch $@

$(LINT_READY): | python
	$(call new_env,lint,$(RUFF))
	@touch $@

$(DOCS_READY): pyproject.toml | python
	$(call new_env,docs,-e '.[docs]')
	@touch $@

$(BUILD_READY): | python
	$(call new_env,build,build)
	@touch $@

comma := ,

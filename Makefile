# `make demo` and `make test` need nothing but Python 3.11 or newer: each makes .venv first.
# Another interpreter: make PYTHON=/path/to/python3.12 setup

PYTHON ?=
BIN := .venv/bin
STAMP := .venv/.blox-env-setup
OLDEST_STAMP := .venv-oldest/.blox-env-setup
CLIENT_TESTS := tests/clients tests/test_examples.py
# -q -q: errors only. Compiling all of the libraries would take longer than installing them; Python
# compiles what it loads, and keeps it unless the variable below says otherwise.
PIP_INSTALL := -m pip --disable-pip-version-check install -q -q --no-compile
unexport PYTHONDONTWRITEBYTECODE

# Tests and agents run one process a core; more threads in each of them only get in the way.
export OMP_NUM_THREADS ?= 1

.PHONY: help setup demo test test-oldest check check-rest format lint types spelling wheel \
        agents browser clients trainers faults fuzz jax protections hashes audit clean \
        docs notebooks pythons release-check

help:
	@echo 'make demo         compare three agents on the embedded benchmark (results in runs/demo)'
	@echo 'make test         the test suite'
	@echo 'make check        everything that has to pass before a commit'
	@echo 'make format       rewrite the sources in the house style'
	@echo 'make lint         check format and lint rules (ruff)'
	@echo 'make types        check types (mypy --strict)'
	@echo 'make spelling     check spelling (codespell)'
	@echo 'make test-oldest  the core tests with the lowest allowed versions of the core dependencies'
	@echo 'make wheel        build sdist and wheel, import the wheel outside the checkout'
	@echo 'make agents       an hour or more: tunes and judges every agent, writes docs/agents.md'
	@echo 'make clients      longer: other RL libraries on the environment'
	@echo 'make trainers     longer: those libraries, measured (writes docs/trainers.md)'
	@echo 'make docs         longer: the documentation site (docs/_site/index.html), checked; its code runs'
	@echo 'make release-check longer: what a release uploads, built twice, installed, checked; in dist/ (TAG=v1.2.3)'
	@echo 'make pythons      longer: the tests with each Python that is here (writes docs/platforms.md)'
	@echo 'make notebooks    longer: executes examples/notebooks, keeps their outputs'
	@echo 'make browser      longer: the page of a report in Chromium (apt install chromium chromium-driver)'
	@echo 'make faults       longer: kills, races, corrupt files, full disks, power failures'
	@echo 'make fuzz         longer: many random inputs'
	@echo 'make jax          longer: compiled environments and agents on many problems'
	@echo 'make protections longer: removes protections one by one; a test must notice each'
	@echo 'make hashes       write constraints-hashed.txt, the files of constraints.txt with their SHA-256'
	@echo 'make audit        longer: published vulnerabilities of what is installed and allowed (pip-audit)'
	@echo 'make clean        remove build products and caches (.venv stays)'

setup: $(STAMP)

# The suite with each Python that is found, in environments of their own; docs/platforms.md has what came of it.
PYTHONS ?= 3.11 3.12 3.13 3.14
pythons: $(STAMP)
	@failed=; for version in $(PYTHONS); do \
	    command -v python$$version >/dev/null || { echo "make pythons: no python$$version here"; continue; }; \
	    .ci/make-venv .venv-$$version python$$version && \
	    .venv-$$version/bin/python $(PIP_INSTALL) -e '.[all,dev]' -c constraints.txt && \
	    .venv-$$version/bin/python docs/platforms.py || failed="$$failed $$version"; \
	done; \
	if [ -n "$$failed" ]; then echo "make pythons: failed with$$failed" >&2; exit 1; fi

$(STAMP): pyproject.toml constraints.txt
	@.ci/make-venv .venv '$(PYTHON)'
	@echo 'Installing blox-env and its dependencies into .venv (a few minutes the first time) ...'
	@$(BIN)/python $(PIP_INSTALL) -e '.[all,dev]' -c constraints.txt
	@touch $@

$(OLDEST_STAMP): pyproject.toml constraints-oldest.txt
	@.ci/make-venv .venv-oldest '$(PYTHON)'
	@echo 'Installing the core with its lowest allowed versions into .venv-oldest ...'
	@.venv-oldest/bin/python $(PIP_INSTALL) -e . pytest hypothesis -c constraints-oldest.txt
	@touch $@

demo: setup
	$(BIN)/blox-env compare --agents random-search,regularized-evolution,ppo \
	    --benchmarks cifar10 --devices x86-ort-int8-1t --seeds 8 --budget 500 --out runs/demo

test: setup
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

test-oldest: $(OLDEST_STAMP)
	.venv-oldest/bin/python -m pytest -q --core-only

check: test check-rest

check-rest: lint types spelling test-oldest wheel

format: setup
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy blox_env tests $(wildcard examples/*.py perf/*.py docs/*.py) .ci/check_wheel.py .ci/check_site.py .ci/release_check.py docs/site/conf.py
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 blox_env

spelling: setup
	$(BIN)/codespell

wheel: setup
	$(BIN)/python .ci/check_wheel.py

agents: setup
	$(BIN)/python -m perf.agents $(if $(MACRO),--macro $(MACRO))

# Libraries that do not fit together have environments of their own. Each runs the tests of what it
# has; all of them run, then the target fails if one of them did.
clients: setup .venv-rllib/.blox-env-setup .venv-clients/.blox-env-setup .venv-gymnax/.blox-env-setup
	@failed=; for venv in .venv .venv-rllib .venv-clients .venv-gymnax; do \
	    echo "make clients: $$venv"; \
	    $$venv/bin/python -m pytest -m clients $(CLIENT_TESTS) || failed="$$failed $$venv"; \
	done; \
	if [ -n "$$failed" ]; then echo "make clients: failed in$$failed" >&2; exit 1; fi

# The table of docs/trainers.md: each environment measures what it has,
# .venv last, which has what rows without a library need.
trainers: setup .venv-rllib/.blox-env-setup .venv-clients/.blox-env-setup
	for venv in .venv-rllib .venv-clients .venv; do $$venv/bin/python perf/trainers.py || exit 1; done

.venv-rllib/.blox-env-setup: pyproject.toml constraints-rllib.txt
	@.ci/make-venv .venv-rllib '$(PYTHON)'
	@echo 'Installing RLlib into .venv-rllib ...'
	@.venv-rllib/bin/python $(PIP_INSTALL) -e '.[rllib]' pytest hypothesis -c constraints-rllib.txt
	@touch $@

.venv-clients/.blox-env-setup: pyproject.toml constraints-clients.txt
	@.ci/make-venv .venv-clients '$(PYTHON)'
	@echo 'Installing MO-Gymnasium, MORL-Baselines and TorchRL into .venv-clients ...'
	@.venv-clients/bin/python $(PIP_INSTALL) -e . torch mo-gymnasium morl-baselines torchrl nats-bench \
	    pytest hypothesis -c constraints-clients.txt
	@touch $@

.venv-gymnax/.blox-env-setup: pyproject.toml constraints-gymnax.txt
	@.ci/make-venv .venv-gymnax '$(PYTHON)'
	@echo 'Installing gymnax, rejax and evosax into .venv-gymnax ...'
	@.venv-gymnax/bin/python $(PIP_INSTALL) -e '.[gymnax,evosax]' rejax pytest hypothesis \
	    -c constraints-gymnax.txt
	@touch $@

# What the site and the notebooks need comes into .venv with the first of these targets.
DOCS_STAMP := .venv/.blox-env-docs
$(DOCS_STAMP): $(STAMP)
	@echo 'Installing what the documentation needs into .venv ...'
	@$(BIN)/python $(PIP_INSTALL) -e '.[all,dev,docs]' -c constraints.txt
	@touch $@

# Strict: a warning is a failure. No network: theme, fonts and search are in the site.
docs: $(DOCS_STAMP)
	rm -rf docs/_site
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d docs/_site/.trees -c docs/site . docs/_site
	@rm -rf docs/_site/.trees
	$(BIN)/python .ci/check_site.py docs/_site
	$(BIN)/python -m pytest -q -m 'site or not site' -o addopts=--import-mode=importlib tests/test_site.py \
	    tests/test_site_browser.py

notebooks: $(DOCS_STAMP)
	$(BIN)/python -m pytest -q -m notebooks -o addopts=--import-mode=importlib tests/test_notebooks.py

TAG ?=
release-check: .venv/.blox-env-release
	$(BIN)/python .ci/release_check.py $(if $(TAG),--tag '$(TAG)')

.venv/.blox-env-release: $(STAMP)
	@$(BIN)/python $(PIP_INSTALL) -e '.[all,dev,release]' -c constraints.txt
	@touch $@

# Suites that are too long for every change. pytest's status 5 means that nothing was collected.
browser faults fuzz jax: setup
	@$(BIN)/python -m pytest -m $@; status=$$?; \
	if [ $$status -eq 5 ]; then echo "make $@: no test carries the marker '$@' yet" >&2; fi; \
	exit $$status

protections: setup
	$(BIN)/python perf/protections.py

hashes: setup
	$(BIN)/python .ci/hash_constraints.py

# AUDIT=osv asks another service. Strict: what the service does not know is no success.
AUDIT ?= pypi
audit: setup
	@.ci/make-venv .venv-audit '$(PYTHON)'
	@.venv-audit/bin/python $(PIP_INSTALL) pip-audit
	.venv-audit/bin/pip-audit --strict -s $(AUDIT) --disable-pip --no-deps -r constraints-hashed.txt
	$(BIN)/python .ci/lower_bounds.py > .venv-audit/lowest.txt
	.venv-audit/bin/pip-audit --strict -s $(AUDIT) --disable-pip --no-deps -r .venv-audit/lowest.txt

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -path './.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything a developer or CI runs. Each target sets up what it needs, on a fresh machine too.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)

# .venv holds the tools and the sources as they are (editable, interpreted), .venv-compiled the
# tools and the compiled package, .venv-demo what a user would get: compiled if possible.
PIP := -m pip --disable-pip-version-check install
SOURCES := $(shell find src -name '*.py' -o -name py.typed)
PROJECT := pyproject.toml setup.py

.PHONY: help
help: ## Show the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 14

.PHONY: demo
demo: .venv-demo/.ready ## Trade a generated market on four venues, and show the result
	.venv-demo/bin/zvt-trading demo

.PHONY: test
test: interpreted-test compiled-test digest-test proof-test ## Run the tests against both builds, with coverage

# Minutes of trading against emulated exchanges in real time: `make live`, and part of `make prove`.
LIVE := tests/live tests/test_live_runs.py tests/cli/test_run_live.py tests/data/test_stream_live.py \
	tests/data/test_downloads_from_emulator.py
# Rooms that are never compiled.
INTERPRETED := tests/adapters tests/emulator tests/data tests/cli
without = $(addprefix --ignore=,$(1))

.PHONY: interpreted-test
interpreted-test: .venv/.ready no-compiled-sources
	.venv/bin/python tools/assert_compiled.py interpreted
	.venv/bin/python -m pytest --numprocesses auto $(call without,$(LIVE)) \
		--cov --cov-report=json:coverage.json
	.venv/bin/python tools/coverage_gate.py coverage.json

.PHONY: compiled-test
compiled-test: .venv-compiled/.ready
	.venv-compiled/bin/python tools/assert_compiled.py compiled
	.venv-compiled/bin/python -m pytest --numprocesses auto $(call without,$(LIVE) $(INTERPRETED))

.PHONY: digest-test
digest-test: .venv/.ready .venv-compiled/.ready no-compiled-sources
	.venv/bin/python tools/compare_digests.py .venv/bin/python .venv-compiled/bin/python

# Planted bugs replace methods, which only the interpreted build allows. See `prove` for the long form.
.PHONY: proof-test
proof-test: .venv/.ready no-compiled-sources
	.venv/bin/python -m proof --only failpoints,kills,deep,powercuts,damage,plants \
		--kills 300 --powercuts 100 --deep 12 --failpoint-steps 4 --damage-every 997

.PHONY: live
live: .venv/.ready no-compiled-sources ## Trade on the emulated exchanges: acceptance cards, faults, kills
	.venv/bin/python -m pytest --numprocesses auto $(LIVE)
	.venv/bin/python -m proof --only frames,live --frames 200 --live 2000 --live-kills 2

.PHONY: no-compiled-sources
no-compiled-sources:
	@found=$$(find src -name '*.so' -o -name '*.pyd'); test -z "$$found" || \
		{ echo "compiled modules would shadow the sources, remove them: $$found"; exit 1; }

.PHONY: check
check: .venv/.ready ## Check style, types, layers and the rules of the house
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	.venv/bin/python tools/tidy.py

.PHONY: bench
bench: .venv-compiled/.ready ## Measure every workload of benchmarks/, compiled
	.venv-compiled/bin/python -m benchmarks all

.PHONY: prove
prove: .venv-compiled/.ready .venv/.ready no-compiled-sources live ## Run the long proofs: many more seeds, kills and losses of power
	ZVT_PROVE=1 .venv-compiled/bin/python -m pytest -m prove
	.venv/bin/python -m proof --kills 10000 --powercuts 1000 --deep 300 --failpoint-steps 25 \
		--damage-every 1 --frames 1000 --live 25000 --live-kills 20

.PHONY: clean
clean: ## Remove everything that the other targets made
	rm -rf .venv .venv-compiled .venv-demo build dist src/*.egg-info
	rm -rf .coverage* coverage.json .hypothesis zvt-trading-demo.html
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	find src \( -name '*.so' -o -name '*.pyd' \) -delete

# A directory that looks ready but is not (an interrupted install) has no stamp and is made again.

.venv/.ready: $(PROJECT)
	@$(MAKE) new-venv VENV=.venv
	ZVT_TRADING_COMPILE=0 .venv/bin/python $(PIP) --quiet --editable '.[dev,research]'
	@touch $@

.venv-compiled/.tools: pyproject.toml
	@$(MAKE) new-venv VENV=.venv-compiled
	ZVT_TRADING_COMPILE=0 .venv-compiled/bin/python $(PIP) --quiet '.[dev,research]'
	@touch $@

# Without isolation: the tools are there already, so that only our own code is built.
.venv-compiled/.ready: .venv-compiled/.tools $(PROJECT) $(SOURCES)
	@echo "Compiling core and sim: about a minute"
	ZVT_TRADING_COMPILE=1 .venv-compiled/bin/python $(PIP) --quiet --no-build-isolation \
		--no-deps --force-reinstall .
	@touch $@

.venv-demo/.ready: $(PROJECT) $(SOURCES)
	@$(MAKE) new-venv VENV=.venv-demo
	@echo "Installing, and compiling if there is a C compiler: about two minutes"
	@.venv-demo/bin/python $(PIP) --verbose '.[research]' > .venv-demo/install.log 2>&1 || \
		{ tail -n 40 .venv-demo/install.log; exit 1; }
	@sed -n 's/^ *NOTICE: //p' .venv-demo/install.log # pip shows it only in its log
	@touch $@

.PHONY: new-venv
new-venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it: make PYTHON=..."; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "no venv (Debian, Ubuntu: apt-get install python3-venv)"; exit 1; }

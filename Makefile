# Every target makes .venv from requirements/dev.lock first, if it is not there or no longer right.
# A Python of your own choice: make PYTHON=/path/to/python3.12 test

SHELL := /bin/sh
BIN := .venv/bin
TYPED := mes_terminal hardware tests $(sort $(dir $(wildcard benchmarks/*.py)))
PYTEST := $(BIN)/python -m pytest
# Much of the tests waits: four workers, also on two processors, and as many as the
# pseudo-terminal tests stay punctual with.
PYTEST_WORKERS ?= 4
PARALLEL := --numprocesses=$(PYTEST_WORKERS) --dist=worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test check test-stories test-upstream test-long test-hil fuzz bench snapshots clean venv lock

help: ## Say what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

venv: ## Make .venv from the lock file (every other target does this by itself)
	@requirements/make-venv

demo: venv ## Watch a sample plant being scanned, on the real screens
	@$(BIN)/mes-terminal demo

test: check ## Everything that must be green: check, then the tests, but stories and long ones
	@$(PYTEST) $(PARALLEL) -m "not long and not hil and not story and not upstream"

check: venv ## Format, lint, types and layers; no tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(TYPED)
	@$(BIN)/lint-imports --no-cache

test-stories: venv ## Whole stories, a process a command: sign-off, loads, training, security, ...
	@$(PYTEST) $(PARALLEL) -m "story and not long"

test-upstream: venv ## The tests with real PostgreSQL, NATS, Mosquitto and Tryton servers
	@$(PYTEST) $(PARALLEL) -m "upstream and not long"

test-long: venv ## The tests that take longer: more random plants, more sequences
	@$(PYTEST) $(PARALLEL) -m long -o timeout=3600

# Each plug-in of pytest costs the slow machine seconds. What failed has a second chance: an emulated
# machine stands still at times, a defect fails twice. 69: no machine can be had; it has said why.
HIL := $(PYTEST) -p pytest_asyncio.plugin -p pytest_timeout -m hil tests/hil tests/contract
test-hil: venv ## The tests with real USB scanners, in a virtual machine where one can be had
	@$(BIN)/python -m tests.hil.machine env PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 \
		sh -c '$(HIL) || { [ $$? = 1 ] && $(HIL) --last-failed; }' || [ $$? = 69 ]

fuzz: venv ## Fuzz the codes: make fuzz TARGET=code|line|keys SECONDS=600 (installs atheris)
	@$(BIN)/python -m pip install --quiet atheris
	@$(BIN)/python -m tests.fuzz.fuzz $(or $(TARGET),code) $(or $(SECONDS),600)

bench: venv ## How long one close takes on this machine, against its floors
	@$(BIN)/mes-terminal bench close

snapshots: venv ## Take the pictures of the screens anew; look at the difference before committing
	@$(PYTEST) tests/tui --snapshot-update

clean: ## Remove what the targets made
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache snapshot_report.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## Write the lock files anew from pyproject.toml (needs uv on the PATH)
	@for name in dev site station; do \
		case $$name in \
			dev) groups="--group dev --extra site" ;; \
			site) groups="--extra site" ;; \
			station) groups= ;; \
		esac; \
		uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
			--no-annotate --no-emit-index-url --no-emit-find-links \
			--custom-compile-command "make lock" $$groups $(UPGRADE) \
			--output-file requirements/$$name.lock pyproject.toml || exit 1; \
	done
	@uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--no-annotate --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" $(UPGRADE) \
		--output-file requirements/tryton.lock requirements/tryton.in

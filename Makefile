# One sentence per task; `make` lists them. A new machine needs python3 and make, nothing else.

UV_VERSION := 0.13.9
UV := .tools/uv-$(UV_VERSION)/bin/uv
BIN := .venv/bin
READY := .venv/.ready
EDITOR_READY := tests/integration/editor/node_modules/.package-lock.json
NODE_FITS := command -v npm >/dev/null && node -e 'process.exit(+(parseInt(process.versions.node) < 18))'
WHOLE := aws/errors aws/retries aws_lambda/events engine/answers engine/cache engine/join engine/lookup \
  engine/partition engine/parts engine/quarantine engine/read engine/rows engine/settle engine/transform \
  problems/errors problems/problem storage/local storage/objects storage/s3 storage/s3_errors \
  storage/s3_store values/arrow_casts values/decode values/strict_json
WHOLE_FILES := $(WHOLE:%=framework/plait/%.py)
BUDGETED = $(shell grep -rlE "hypothesis|PLAIT_BUDGET|budget import" tests --include="test_*.py")
DEBIAN_ROOT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null
APT_INSTALL := echo "Installing packages of the system with apt-get …" && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends

export PATH := $(PATH):/usr/local/sbin:/usr/sbin
unexport UV_PROJECT_ENVIRONMENT VIRTUAL_ENV

.DELETE_ON_ERROR:
.PHONY: help setup system spark editor demo quick test lint format lines schema notebooks wheel bench figures reliability coverage mutation clean

help: ## List the tasks.
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 14

setup: $(READY) ## Make .venv with plait, its extras and its tools, at the versions of uv.lock.

system: ## Install what the tests need from the system: a MariaDB server, which is not started, and Node.js.
	@command -v mariadbd >/dev/null || { $(DEBIAN_ROOT) && $(INSTALL_MARIADB); } || { \
	  echo "The tests need mariadbd: install MariaDB's server (Debian, Ubuntu: apt-get install mariadb-server;" \
	    "Fedora: dnf install mariadb-server; macOS: brew install mariadb), then run make again." >&2; exit 1; }
	@$(NODE_FITS) || { $(DEBIAN_ROOT) && $(APT_INSTALL) nodejs npm && $(NODE_FITS); } || { \
	  echo "The tests need Node.js 18 or later with npm, for the language server of editors: install it (Debian 12:" \
	    "apt-get install nodejs npm; Fedora: dnf install nodejs; macOS: brew install node), then run make again." >&2; \
	  exit 1; }

spark: $(READY) ## Install Spark, and the Java that it runs on, for the tests: `make setup` and `make demo` do without.
	@command -v java >/dev/null || { $(DEBIAN_ROOT) && $(APT_INSTALL) openjdk-17-jre-headless; } || { \
	  echo "Spark needs Java 17: install it (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; Fedora: dnf" \
	    "install java-17-openjdk-headless; macOS: brew install openjdk@17), then run make again." >&2; exit 1; }
	@$(UV) sync --quiet --frozen --all-extras --inexact --group spark

editor: $(EDITOR_READY) ## Install the language server that the tests of the editor drive, at its locked version.

demo: setup ## Run the whole main job on a local AWS and MySQL with sample data.
	$(BIN)/plait demo

# Two workers, each with a file at a time: what a file sets up is set up once.
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder
quick: $(READY) ## Run the unit tests, in a minute or so.
	$(BIN)/pytest $(WORKERS) tests/unit

test: system spark setup editor lint ## Check everything: what continuous integration runs.
	$(BIN)/pytest $(WORKERS)

lint: $(READY) ## Check style, types and the direction of imports.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code and repair what ruff can repair.
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lines: ## Print the lines of each folder: Python, and the YAML, TOML and SQL beside it.
	@git ls-files -z '*.py' '*.yaml' '*.toml' '*.sql' | xargs -0 wc -l | awk '$$2 ~ "/" { \
	  n = split($$2, part, "/"); folder = part[1]; \
	  for (i = 2; i < n && i <= (part[1] == "framework" ? 3 : 2); i++) folder = folder "/" part[i]; \
	  if ($$2 ~ /[.]py$$/) python[folder] += $$1; else data[folder] += $$1; all[folder] } \
	  END { for (folder in all) printf "%-32s %7d %7d\n", folder, python[folder], data[folder] }' | sort | \
	  awk 'BEGIN { printf "%-32s %7s %7s\n", "folder", "Python", "data" } \
	  { print; python += $$2; data += $$3 } END { printf "%-32s %7d %7d\n", "all", python, data }'

schema: $(READY) ## Renew pipelines/pipeline.schema.json, which editors read, after a change of keys or options.
	$(BIN)/plait schema >pipelines/pipeline.schema.json

notebooks: $(READY) ## Run the notebooks in pipelines/ and keep what they show.
	PLAIT_UPDATE=1 $(BIN)/pytest -q tests/integration/test_notebooks.py

WHEELS := dist
wheel: $(READY) ## Build the wheel of plait into dist/, from which another repository installs it.
	@$(BIN)/hatchling build --target wheel --directory $(WHEELS)

# The other programs have an environment of their own: theirs is an older botocore.
PEERS := tests/benchmarks/peers
bench: system $(READY) ## Measure speed against the limits that we promise, for a quarter of an hour, ONLY=engine some of it; figures go to dist/bench.json.
	@echo "Installing the programs that plait is measured beside …"
	@UV_PROJECT_ENVIRONMENT=$(CURDIR)/.tools/peers $(UV) sync --quiet --frozen --project $(PEERS) --python $(BIN)/python
	PLAIT_RESULTS=dist $(BIN)/pytest --show-capture=no $(if $(ONLY),$(ONLY:%=tests/benchmarks/test_%.py),tests/benchmarks)

figures: $(READY) ## Show what `make bench` measured last in the README, as text and plots.
	@mkdir -p tests/benchmarks/figures
	cp dist/bench.json tests/benchmarks/figures/
	PLAIT_UPDATE=1 $(BIN)/pytest -q tests/docs/test_figures.py

reliability: system spark ## Try the guarantees with large budgets, for up to an hour; figures go to dist/reliability.json.
	@rm -rf dist/lanes
	@$(MAKE) --no-print-directory --keep-going --jobs=2 lane-services lane-laws; held=$$?; \
	  $(BIN)/python -P tests/reliability/results.py dist dist/lanes/*/reliability.json && exit $$held

# Two lanes side by side, of about the same length: a machine with two cores is busy with both.
LARGE = PLAIT_BUDGET=large PLAIT_RESULTS=dist/lanes/$(@:lane-%=%) $(BIN)/pytest --hypothesis-seed=$${PLAIT_SEED:-5}
SERVICES := soak kills interleavings
.PHONY: lane-services lane-laws
lane-services:
	$(LARGE) $(SERVICES:%=tests/reliability/test_%.py)
lane-laws:
	$(LARGE) tests/reliability $(BUDGETED) $(SERVICES:%=--ignore=tests/reliability/test_%.py)

coverage: system spark editor $(READY) $(WHOLE_FILES) ## Run all tests and fail where a branch of what moves data, or 5 % of all, was never taken.
	$(BIN)/coverage erase
	$(BIN)/coverage run $(BIN)/pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include="$$(echo $(WHOLE_FILES) | tr ' ' ,)"

MODULES ?= engine/join engine/partition aws_lambda/events engine/quarantine engine/transform
mutation: $(READY) ## Change the code in each small way, and see that tests notice; survivors go to dist/mutation.txt.
	@$(UV) sync --quiet --frozen --all-extras --inexact --group mutation
	$(BIN)/python tests/reliability/mutation/mutate.py $(MODULES)

clean: ## Remove what these tasks made.
	rm -rf .venv .tools tests/integration/editor/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage* dist

$(READY): uv.lock pyproject.toml | $(UV)
	@echo "Making .venv with plait and its tools (about a minute the first time) …"
	@$(UV) sync --quiet --frozen --all-extras || { $(UV) python find >/dev/null 2>&1 || \
	  echo "plait needs Python 3.11, 3.12 or 3.13, and uv could not fetch one: install it, then run make again." >&2; \
	  exit 1; }
	@ln -sf ../../$(UV) $(BIN)/uv
	@$(BIN)/python -m ensurepip --default-pip >/dev/null 2>&1 || $(UV) pip install --quiet --python $(BIN)/python pip
	@touch $@
	@echo "Made .venv."

$(EDITOR_READY): tests/integration/editor/package-lock.json | system
	@echo "Fetching the language server for the tests of the editor …"
	@npm ci --silent --prefix tests/integration/editor
	@touch $@

$(UV):
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { $(DEBIAN_ROOT) && $(APT_INSTALL) python3-venv; } || { \
	  echo "Setup needs python3 with venv: install it (Debian, Ubuntu: apt-get install python3-venv)," \
	    "then run make again." >&2; exit 1; }
	@echo "Fetching uv $(UV_VERSION), which sets the project up, into .tools …"
	@mkdir -p .tools && echo '*' >.tools/.gitignore
	@python3 -m venv --clear .tools/uv-$(UV_VERSION)
	@$(@D)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Debian starts a server when it is installed, unless policy-rc.d says no.
POLICY := /usr/sbin/policy-rc.d
define INSTALL_MARIADB
{ [ -e $(POLICY) ] || { trap 'rm -f $(POLICY)' EXIT; printf '#!/bin/sh\nexit 101\n' >$(POLICY); chmod +x $(POLICY); }; \
  $(APT_INSTALL) mariadb-server; }
endef

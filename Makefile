# Everything starts here. Needs make and a Python 3.11 or newer; all else goes into .venv.
# Plain `make` lists the targets.

VENV := .venv
BIN := $(VENV)/bin
# An interpreter is judged by running it, never by its name; PY=/path/to/python chooses one.
PY ?=
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Test processes at once, and what else pytest should be told: make test ARGS="-k consent"
JOBS ?= 2
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-sqlite test-postgres check bench format requirements clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## run everything with invented data (RESET=1 starts afresh, PORT=8000, CONTACTS=100000)
	@exec $(BIN)/python manage.py demo $(if $(PORT),--port $(PORT)) $(if $(CONTACTS),--contacts $(CONTACTS)) \
	  $(if $(filter-out 0,$(RESET)),--reset)

test: test-sqlite test-postgres ## the whole suite on SQLite, then again on PostgreSQL

# Tables come from the models here, from the migrations on PostgreSQL and in the demo: that saves each process 7 s.
test-sqlite: $(VENV)/.dev ## the whole suite on SQLite
	@echo "The suite on SQLite:"
	@DATABASE_URL=sqlite:///var/test.sqlite3 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --nomigrations $(ARGS)

test-postgres: $(VENV)/.dev ## what a database is behind, on PostgreSQL (DATABASE_URL, else one is started for it)
	@echo "The suite on PostgreSQL:"
	@$(BIN)/python tests/postgres.py $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

check: $(VENV)/.dev ## style, formatting, types, Django's checks, migrations, import directions
	@$(BIN)/python tests/checks.py

bench: $(VENV)/.dev ## the figures, with the machine they were measured on (also var/bench.json)
	@$(BIN)/python -m bench $(ARGS)

format: $(VENV)/.dev ## put the code into shape
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format .

requirements: $(VENV)/.dev ## write requirements*.txt anew from requirements*.in
	@for name in requirements requirements-dev; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate $$name.in -o $$name.txt || exit 1; \
	done

clean: ## remove the virtual environment, caches and the demo's data
	rm -rf $(VENV) var static-root .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment -------------------------------------------------------------------
# The stamps make a second run instant: .run has what the application needs, .dev the tools as well.

$(VENV)/.run: requirements.txt
	@$(call install,requirements.txt)

$(VENV)/.dev: requirements-dev.txt
	@$(call install,requirements-dev.txt)
	@touch $(VENV)/.run

FIT := import sys, venv, ensurepip, sqlite3; sys.exit(sys.version_info < (3, 11))

define install
set -e; \
if ! $(BIN)/python -c '$(FIT)' 2>/dev/null; then \
  for python in $(or $(PY),python3 python3.13 python3.12 python3.11 python /usr/bin/python3); do \
    if "$$python" -c '$(FIT)' >/dev/null 2>&1; then found=$$python; break; fi; \
  done; \
  if [ -z "$$found" ]; then \
    echo "Almoner needs Python 3.11 or newer with its venv module, and found none." >&2; \
    echo "Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name it:" >&2; \
    echo "  make $(MAKECMDGOALS) PY=/path/to/python3" >&2; \
    exit 1; \
  fi; \
  echo "Making $(VENV) with $$("$$found" --version)."; \
  rm -rf $(VENV); \
  "$$found" -m venv $(VENV); \
fi; \
echo "Installing $(1) into $(VENV)."; \
if $(BIN)/python -m pip install -q uv 2>/dev/null && $(BIN)/uv pip install -q -p $(BIN)/python -r $(1); then :; \
else $(BIN)/python -m pip install -q -r $(1); fi; \
touch $@
endef

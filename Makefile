# make demo    everything on this machine, and a season played through it; MIDOFFICE=tina with that mid-office
# make test    the tests
# make hostile hostile input with a hundred times the examples
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
NAME ?=
ONLY ?=
CASE ?=
JOBS ?=
SEED ?= 7
SECONDS ?= 120
SEEDS ?=
MIDOFFICE ?=

.PHONY: demo demo-once up test hostile faults chaos check bench lock histories coverage-page translations screenshots compose-check production-check clean

demo: $(VENV)/.runtime
	$(BIN)/bookings demo $(addprefix --midoffice ,$(MIDOFFICE))

demo-once: $(VENV)/.runtime
	$(BIN)/bookings demo --once $(addprefix --midoffice ,$(MIDOFFICE))

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# Every fault at every external call of every lifecycle; goes on where it was interrupted. ONLY=scenario, CASE='id', JOBS=n.
faults: $(VENV)/.dev
	$(BIN)/python -m faults $(addprefix --only ,$(ONLY)) $(if $(CASE),--case '$(CASE)') $(addprefix --jobs ,$(JOBS)) \
		$(if $(ONLY)$(CASE),,--write)

# Seasons in which everything breaks at once: SEED=7 SECONDS=120, or SEEDS=1..200.
chaos: $(VENV)/.dev
	$(BIN)/python -m faults.chaos $(if $(SEEDS),--seeds $(SEEDS),--seed $(SEED) --seconds $(SECONDS))
hostile: $(VENV)/.dev
	BOOKINGS_HOSTILE=deep $(BIN)/python -m pytest -n auto --dist loadfile tests/hostile

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(NAME)

# The deployment's files against the compose specification and against what they name.
compose-check: $(VENV)/.dev
	$(BIN)/python -m pytest tests/deploy -q

# The topology of docker-compose.yml as plain processes: PostgreSQL, a real Temporal cluster, two workers a queue; a season, and kills.
production-check: $(VENV)/.dev
	$(BIN)/python -m tests.production

# Record the histories that tests/replay replays anew (after a deliberate change of workflow code).
histories: $(VENV)/.dev
	$(BIN)/python -m tests.replay.record

# Write docs/coverage-giav.md, docs/coverage-payments.md and the table of docs/integrations/midoffice.md anew from the marks of the tests.
coverage-page: $(VENV)/.dev
	$(BIN)/python -m tests.coverage_giav
	$(BIN)/python -m tests.coverage_midoffice
	$(BIN)/python -m tests.coverage_payments

# Collect the console's texts into its catalogues, and list what is not translated.
translations: $(VENV)/.dev
	$(BIN)/python -m starter.console.translating

# Take the pictures of docs/images from a console on which a season was played.
screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.console.screenshots

# Pin every dependency anew, with hashes and without naming an index.
LOCK := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --extra build
lock: $(VENV)/.dev
	$(LOCK) --output-file requirements/runtime.txt pyproject.toml
	$(LOCK) --extra dev --output-file requirements/dev.txt pyproject.toml

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	touch $@

clean:
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# make demo   from source to marks on a sample class (ASSIGNMENT=ex1)
# make test   the tests; test-isolation, test-attacks, test-faults, test-chaos, attacks, lint, release, benchmark: see below
# Everything is set up in .venv on first use; Python 3.11, make and git are enough.

PYTHON ?= python3
ASSIGNMENT ?= ex1
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test test-isolation test-attacks test-faults test-chaos attacks lint release benchmark clean
.DEFAULT_GOAL := test

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else \
	    "Python 3.11 is needed, this is " + sys.version.split()[0] + "; call make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	@touch $@

demo: $(READY)
	@$(BIN)/fairmark demo $(ASSIGNMENT)

test: $(READY) lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# The same marks with isolation and without: every case of ex1 in a kernel of its own.
test-isolation: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 -m slow tests/same_marks

# Every attack against ours, and one of each kind against stock nbgrader.
test-attacks: $(READY)
	$(BIN)/python -m pytest -m attacks tests/attacks

# Every attack against stock nbgrader and against ours, as a table; fails where ours loses one.
attacks: $(READY)
	$(BIN)/python -m tests.attacks

# Runs that are stopped or fail half way, schedulers and database servers that come and go.
test-faults: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m faults tests/autograde

# Every mark once, while workers and the coordinator are killed at random.
test-chaos: $(READY)
	$(BIN)/python -m pytest -m chaos tests/autograde

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Writes release/ anew from source/, without touching a gradebook.
release: $(READY)
	$(BIN)/nbgrader generate_assignment $(ASSIGNMENT) --force --no-db

# Writes docs/benchmarks.md anew: stock nbgrader, otter, ours, and ten thousand submissions.
benchmark: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv demo build *.egg-info .pytest_cache .ruff_cache .hypothesis

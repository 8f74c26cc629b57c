# The chores, one word each. `just` alone lists them.

_list:
    @just --list

# Install everything, for work on the project
install:
    pip install -c constraints.txt -e '.[dev]'

# Serve the chat; builds the store of the sample blog first if there is none
serve:
    python app.py

# Run the tests, or some of them: just test tests/test_repository.py
test *WHICH:
    pytest {{ WHICH }}

# Lint, formatting and types
check:
    ruff check
    ruff format --check
    mypy

# Repair what can be repaired by a machine
fix:
    ruff check --fix
    ruff format

# Measure quality and speed, or some of it: just bench wikiqa
bench *WHICH:
    python app.py bench {{ WHICH }}

# Build the store of the sample blog anew
store:
    rm -rf store
    python app.py index ingest/sample --store store

# All that must hold before a change lands, in an environment of its own
ci:
    .ci/run

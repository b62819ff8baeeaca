# Everything a contributor or a newcomer runs. Needs git, make and Python 3.11 or newer; sets the rest up itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The tests of a file stay together, because they share what they have set up.
ON_ALL_CORES := --numprocesses auto --dist loadfile

.PHONY: help demo test golden docs site check workloads bench-rules bench-design bench-engine bench-stress bench-digest bench-load nightly setup engine clean

help:  ## show this list
	@sed -n "s/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p" $(MAKEFILE_LIST)

setup: $(READY)  ## the private environment .venv from the locked requirements

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "ddbmig needs Python 3.11 or newer: make PYTHON=python3.11 ..."; exit 2; }
	@$(PYTHON) -c "import ensurepip" || { echo "the module venv is missing: apt-get install python3-venv"; exit 2; }
	@echo "setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

engine: $(READY)  ## fetch DynamoDB Local into the cache, once
	@$(BIN)/python scripts/fetch_dynamodb_local.py

demo: engine  ## analyse the example from logs to contract
	$(BIN)/ddbmig analyze examples/bookshop --approve all

test: engine  ## all tests but those of nightly
	$(BIN)/pytest -m "not slow" $(ON_ALL_CORES)

check: $(READY)  ## style, types, room rules, lock file, generated docs, installed wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python scripts/check_lock.py
	$(BIN)/python scripts/generate_docs.py --check
	$(BIN)/python scripts/check_wheel.py

golden: $(READY)  ## write the golden reports anew; read what it changes
	$(BIN)/pytest tests/reporters --golden

docs: $(READY)  ## write the generated documentation anew
	$(BIN)/python scripts/generate_docs.py

site: $(READY)  ## the documentation as a site, in build/site
	rm -rf build/site
	$(BIN)/python -m zensical build --strict --clean

workloads: engine  ## the recorded applications, measured (DDBMIG_CORPUS)
	$(BIN)/python scripts/workloads.py

bench-rules: $(READY)  ## how fast rules are evaluated, beside peers; what the commands take
	$(BIN)/python benchmarks/bench_rules.py

bench-design: $(READY)  ## what our designs cost beside published ones of experts (DDBMIG_CORPUS)
	$(BIN)/python benchmarks/bench_design.py

bench-engine: $(READY)  ## how long designs of made-up applications take to find, beside another solver
	PYTHONPATH=tests $(BIN)/python benchmarks/bench_engine.py

bench-stress: $(READY)  ## how long the partition simulator takes
	$(BIN)/python benchmarks/bench_stress.py

bench-digest: $(READY)  ## how fast query logs are read, beside pt-query-digest
	$(BIN)/python benchmarks/bench_digest.py

bench-load: $(READY)  ## how fast rows become DynamoDB-JSON parts, beside mysqldump
	PYTHONPATH=tests $(BIN)/python benchmarks/bench_load.py

nightly: engine  ## everything that takes long
	$(BIN)/pytest $(ON_ALL_CORES)
	$(BIN)/python scripts/workloads.py

clean:  ## remove what make made here; the cache of fetched engines stays
	rm -rf $(VENV) build dist migration examples/bookshop/migration .mypy_cache .ruff_cache .pytest_cache .hypothesis

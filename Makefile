# make demo   compares four kinds of signal control on a real network and writes a report
# make test   static checks and all tests
# Both set up a virtual environment of their own first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo
# Tests of kernels that also run without compilation: there an index out of range is an error.
UNCOMPILED := $(addprefix tests/engine/test_,city_engine.py estimation.py lanes.py plan_search.py strategies.py)

.PHONY: demo test bench proto proto-release format clean
.DELETE_ON_ERROR:

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[sumo,networks]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.run

demo: $(VENV)/.run
	$(BIN)/ampelwerk compare cologne8 --control native --control actuated \
	  --control max-pressure --control rolling-horizon --seeds 1:4 --output $(DEMO)
	$(BIN)/ampelwerk report $(DEMO) --force
	@echo "The report: $(DEMO)/report.html"

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses 2 --dist worksteal --benchmark-disable
	NUMBA_DISABLE_JIT=1 $(BIN)/pytest --quiet $(UNCOMPILED)

bench: $(VENV)/.dev
	$(BIN)/pytest benchmarks --benchmark-only

# Messages and stubs from proto/v1/*.proto. `proto-release` renews the descriptor set that a test
# compares with: what is in it may be added to and never changed.
proto: $(VENV)/.dev
	rm -rf build/proto && mkdir -p build/proto
	$(BIN)/python -m grpc_tools.protoc -Iampelwerk/proto=proto --python_out=build/proto \
	  --pyi_out=build/proto --grpc_python_out=build/proto \
	  $(patsubst proto/%,ampelwerk/proto/%,$(wildcard proto/v1/*.proto))
	cp build/proto/ampelwerk/proto/v1/* proto/v1/

proto-release: $(VENV)/.dev
	$(BIN)/python -m grpc_tools.protoc -Iampelwerk/proto=proto \
	  --descriptor_set_out=proto/v1/released.binpb \
	  $(patsubst proto/%,ampelwerk/proto/%,$(wildcard proto/v1/*.proto))

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

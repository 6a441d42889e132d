# `make run` and `make test` need nothing but a Python: each makes .venv first. PYTHON=python3.12 chooses the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin

.PHONY: run test clean

run: $(VENV)/installed
	$(BIN)/cotenant run examples/robot.yaml

test: $(VENV)/installed-test
	PATH="$(BIN):$$PATH" scripts/check

$(VENV)/installed: pyproject.toml scripts/install
	scripts/install "$(PYTHON)" $(VENV) .
	touch $@

$(VENV)/installed-test: pyproject.toml scripts/install
	scripts/install "$(PYTHON)" $(VENV) ".[test]"
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

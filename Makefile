# One recipe for each thing one does here; hooks and CI call the same ones.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PY := .venv/bin/python
# One more than cores: tests wait for the servers and processes that they start. A file's tests stay together, since
# they share what is slow to make, and the slow files come first (`testpaths`), so that the workers end together.
PYTEST_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
TOGETHER := --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | while IFS=$$'\t' read -r name text; do printf '  %-18s %s\n' "$$name" "$$text"; done

.PHONY: setup demo test coverage check lint types format bench-pipeline bench-memory bench-delta bench-registry bench-data docs lock wheel clean
setup: ## make .venv with everything for development
	@./setup.sh dev

demo: ## set up, then run the main job on real data and verify its attestation
	@./setup.sh run
	@$(PY) examples/demo.py

test: setup ## run all tests, the documentation's code blocks among them
	@$(PY) -m pytest -n $(PYTEST_WORKERS) $(TOGETHER)

coverage: setup ## run all tests, and show which lines they reach (at least 90 % of them; a few minutes longer)
	@$(PY) -m pytest -n $(PYTEST_WORKERS) $(TOGETHER) --cov --cov-report=term --cov-fail-under=90

check: lint types ## format, lint, import layers, strict types

lint: setup ## format, lint, import layers
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@.venv/bin/lint-imports --no-cache

types: setup ## strict types
	@$(PY) -m mypy

format: setup ## rewrite the code in the house format
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench-pipeline: setup ## the dry run against an empty flow, and the cost of importing the flow
	@$(PY) benchmarks/bench_pipeline.py

bench-memory: setup ## a real run with 1,000,000 contributed rows: time, and memory against the loaded data
	@$(PY) benchmarks/bench_memory.py

bench-delta: setup ## comparison, decision, credit, attestation: what they cost, how often they are fooled (10 minutes)
	@$(PY) benchmarks/bench_delta.py

bench-registry: setup ## the registry beside MLflow, on SQLite and PostgreSQL (about half an hour)
	@$(PY) benchmarks/bench_registry.py

bench-data: setup ## data integration: 1.5 GB of CSV and Parquet, the dataset hash, personal data (about an hour)
	@$(PY) benchmarks/bench_data.py

docs: setup ## the API reference, as HTML in build/docs
	@$(PY) -m pdoc --output-directory build/docs hokusai
	@echo "Open build/docs/index.html"

wheel: setup ## build the wheel into dist/
	@$(PY) -m uv build --wheel --no-build-isolation --python $(PY) --out-dir dist hokusai-ml-platform

lock: setup ## resolve the lock files again
	@COMPILE="$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links"; \
	$$COMPILE -o requirements-dev.txt hokusai-ml-platform/pyproject.toml requirements-build.in --extra dev; \
	$$COMPILE -o requirements.txt hokusai-ml-platform/pyproject.toml requirements-build.in --extra ml --extra data -c requirements-dev.txt; \
	echo uv | $$COMPILE -o requirements-uv.txt -

clean: ## remove what builds and tests leave behind (not .venv, not your data)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*

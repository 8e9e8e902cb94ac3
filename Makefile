# Everything goes through one virtual environment, .venv, made once by whatever target comes first.

PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/ready
PAGE := render/player/page
PLAYER := render/player/dist/player.html
PACKAGES := flame_model render metrics tools

.DEFAULT_GOAL := help
.PHONY: help setup player player-if-npm demo gallery bench test test-slow lint format clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) player-if-npm ## make .venv with everything pinned (about 7 GB: torch is a CUDA build)

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "needs Python 3.11: install it, or make setup PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) has no venv: on Debian, apt-get install python3.11-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[metrics2d,dev]'
	@touch $@

player: $(PLAYER) ## build the page that make_player.py fills; needs Node 18 or newer with npm

player-if-npm:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(PLAYER) || echo "the player's page is not built: npm failed"; \
	else echo "the player's page is not built: no npm here (Node 18 or newer, then make player)"; fi

$(PLAYER): $(wildcard $(PAGE)/src/*) $(addprefix $(PAGE)/,index.html package.json vite.config.js)
	@command -v npm >/dev/null || { echo "needs npm with Node 18 or newer: on Debian, apt-get install nodejs npm"; exit 2; }
	cd $(PAGE) && npm install --no-package-lock --no-audit --no-fund --loglevel=error && npm run --silent build -- --logLevel=warn

demo: $(READY) ## sing, render and show: demo/*.mp4 with sound and a sheet of stills
	$(BIN)/python tools/make_demo.py --out demo

gallery: $(READY) ## every option as a picture: docs/gallery
	$(BIN)/python tools/make_gallery.py

bench: $(READY) ## speed, memory and quality beside the ways of others: benchmarks/*.json (an hour on a quiet machine)
	$(BIN)/python benchmarks/bench_render.py
	$(BIN)/python benchmarks/bench_split.py
	$(BIN)/python benchmarks/bench_metrics.py
	$(BIN)/python benchmarks/bench_metrics_2d.py

test: $(READY) player-if-npm ## the whole test suite
	$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile

test-slow: $(READY) player-if-npm ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: $(READY) .typing/singinghead ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.typing $(BIN)/mypy $(PACKAGES:%=-p singinghead.%)
	MYPYPATH=.typing:benchmarks $(BIN)/mypy benchmarks/*.py

format: $(READY) ## put the code into its style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# mypy does not follow the package-dir map of an editable install; links show it the names that are imported.
.typing/singinghead:
	mkdir -p $@
	for package in $(PACKAGES); do ln -sfn ../../$$package $@/$$package; done

clean: ## remove what was made, the environment too
	rm -rf .venv .typing demo build dist $(dir $(PLAYER)) $(PAGE)/node_modules *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

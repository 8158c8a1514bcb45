# Two commands do all of it: `make book` builds and serves the book, `make test` tests it.
# Without make (on Windows, say), type the recipes below by hand, or see the README.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PORT ?= 8000
# The conditions the chapters are compared in: no progress bars in stored outputs, one thread, and
# the instructions that every x86 processor of the last ten years has (see DECISIONS.md).
QUIET := TQDM_DISABLE=1 OMP_NUM_THREADS=1 \
  ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_CBWR=COMPATIBLE
CHAPTER ?= notebooks/*.ipynb

.PHONY: install book build offline pdf film handout test check prove notebooks figure lint lint-figures benchmarks results headline \
	curvature weights kernel sample font repository lock clean

book: build
	@echo
	@echo "The book is at http://localhost:$(PORT)  (Ctrl+C stops serving it)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html >/dev/null 2>&1 || \
	  echo "Port $(PORT) is taken: make book PORT=8001, or open _build/html/index.html"

build: .venv/ready
	$(BIN)/jupyter-book build . -W --keep-going -n --all
	chmod -R a+rX _build/html  # a web server of another user may read it, whatever the umask is

# The whole book as one file, beside the built one: _build/book.zip opens from disk with every figure
# alive, _build/book.pdf is for paper.
offline: build
	$(BIN)/python book/take_along.py zip

pdf: build
	$(BIN)/python book/take_along.py pdf

# For a class: each chapter without its solutions, and with notes for whoever teaches.
handout: .venv/ready
	$(BIN)/python book/handout.py

# The moving picture of the README.
film: build
	$(BIN)/python book/film.py

install: .venv/ready

test: .venv/ready
	$(QUIET) $(BIN)/python -m pytest --numprocesses=auto $(PYTEST)

# Before a commit: style, types, and the tests of the rooms that differ from SINCE.
SINCE ?= HEAD
check: lint
	$(QUIET) $(BIN)/python -m pytest --numprocesses=auto --since=$(SINCE)

# The longest: more kills, more runs measured again, every word of every page.
prove: .venv/ready
	$(QUIET) $(BIN)/python -m pytest --numprocesses=auto -m prove

notebooks: .venv/ready
	$(QUIET) $(BIN)/jupyter nbconvert --to notebook --execute --inplace \
	  --ExecutePreprocessor.store_widget_state=False \
	  --ExecutePreprocessor.record_timing=False \
	  --ExecutePreprocessor.timeout=600 $(CHAPTER)

# make figure NAME=my_figure: a folder with all a new figure needs, and its test. It works at once.
figure: .venv/ready
	@test -n "$(NAME)" || { echo "expected a name: make figure NAME=my_figure"; exit 1; }
	$(BIN)/python -m cnnlesson.widgets $(NAME)

lint: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-figures; else \
	  echo "npm is not there: the figures' JavaScript and style were NOT checked"; fi

# Biome and TypeScript, pinned in package-lock.json; nothing of them runs in a page.
lint-figures: node_modules/.package-lock.json
	npm run --silent lint

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	touch $@

benchmarks: build
	$(BIN)/python tests/benchmarks/import_time.py
	$(BIN)/python tests/benchmarks/training_speed.py
	$(BIN)/python tests/benchmarks/figure_speed.py
	$(BIN)/python tests/benchmarks/lab_speed.py
	$(BIN)/python tests/benchmarks/page_speed.py

# Goes on where it was interrupted. One study alone: make results STUDIES=map
results: .venv/ready
	$(BIN)/python -m cnnlesson.experiments runs $(STUDIES)

# How near each order and scale of the digits comes to the losses that the original printed.
headline: .venv/ready
	$(BIN)/python -m cnnlesson.experiments headline

# The curvature along some of these trainings: half an hour on one core. Goes on likewise.
curvature: .venv/ready
	$(BIN)/python -m cnnlesson.experiments curvature

# The network that DigitReader runs: some minutes on one core. Its weights are committed.
weights: .venv/ready
	$(QUIET) $(BIN)/python -m cnnlesson.widgets.digit_reader

# The 8,000 digits that come with the package and into the page, from MNIST's verified files.
sample: .venv/ready
	$(BIN)/python -m cnnlesson._support.sample

# What trains in the page, from C to WebAssembly: the compiler is fetched for this alone.
LAB := cnnlesson/widgets/training_lab
kernel: .venv/ready
	$(BIN)/python -m pip install --quiet --requirement $(LAB)/compiler.txt
	$(BIN)/python -m cnnlesson.widgets.training_lab

# The font of the formulas, cut out of STIX Two Math.
font: .venv/ready node_modules/.package-lock.json
	$(BIN)/python book/_ext/font.py

# make repository NAME=you/cnnlesson: for a fork, in the configuration, the README and the chapters.
REPOSITORY := $(shell sed -n 's|^  url: https://github.com/||p' _config.yml)
repository:
	@test -n "$(NAME)" || { echo "expected a name: make repository NAME=you/cnnlesson"; exit 1; }
	sed -i.bak "s|$(REPOSITORY)|$(NAME)|g" _config.yml README.md notebooks/*.ipynb
	sed -i.bak "s|https://[a-z0-9-]*\.github\.io/[^/]*/|https://$(firstword $(subst /, ,$(NAME))).github.io/$(lastword $(subst /, ,$(NAME)))/|" README.md
	rm -f _config.yml.bak README.md.bak notebooks/*.ipynb.bak

# Every package with its hashes, for each Python and for Binder. PyTorch itself is left out: which of
# its builds fits depends on the machine, and they lie in several places (see DECISIONS.md).
UV ?= $(BIN)/uv
LOCK = $(UV) pip compile --quiet --universal --generate-hashes --no-annotate \
  --custom-compile-command "make lock" --no-emit-package torch
lock: pyproject.toml requirements.txt binder/requirements.in
	$(LOCK) requirements.txt --python-version 3.11 --output-file locks/python3.11.txt
	$(LOCK) requirements.txt --python-version 3.12 --output-file locks/python3.12.txt
	$(LOCK) requirements.txt --python-version 3.13 --output-file locks/python3.13.txt
	$(LOCK) binder/requirements.in --python-version 3.11 --constraint locks/python3.11.txt \
	  --constraint requirements.txt --output-file binder/requirements.txt

# Installed once, and again whenever the pinned versions change.
VERSION = $(shell $(PYTHON) -c "import sys; print('{}.{}'.format(*sys.version_info))")
.venv/ready: requirements.txt pyproject.toml $(wildcard locks/*.txt)
	$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 14) else \
	  f'expected Python 3.11, 3.12 or 3.13, found {v.major}.{v.minor}: make PYTHON=python3.12 …')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement locks/python$(VERSION).txt
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf _build .venv node_modules

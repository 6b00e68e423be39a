# make book                                   the book on the embedded wardrobe (profile tiny)
# make book PROFILE=sample DATA=folder        the same notebooks on a folder in H&M's layout; LONGER=folder: purchases of a longer time
# make test                                   layout and lint, the tests, every notebook at profile smoke, a strict build
# make test-all                               and each notebook with one value of each list among its parameters
# make bench                                  the benchmarks that weren't measured yet; ONLY="scores vbpr": these
# make keep PROFILE=sample                    keep a run's numbers in data/measured, so that the book shows them
# make bundle                                 a run's notebooks and results in one archive, _build/fashion-captioned.zip
# make site BUNDLE=file                       the pages from such an archive, nothing executed
# make student                                the chapters without and with solutions, in _build/class; OUT=folder
# make slides PROFILE=tiny                    a deck of slides a chapter, from a finished run, in _build/slides; OUT=folder
# make links                                  the book, and whether every link and anchor of its pages leads somewhere
# make sphinx9                                the book, and its pages once more by plain Sphinx 9, without jupyter-book
# make pdf                                    the book, and all of its pages as one document, _build/fashion-captioned.pdf
# make release                                the book and its archive, with the archive's checksum beside it
# make pretrain                               make the wardrobe's pretrained minis again (an hour and a half on one core)
PYTHON ?= python3
PROFILE ?= tiny
DATA ?=
LONGER ?=
CORES ?= 2
ONLY ?=
BUNDLE ?=
OUT ?=
# PyTorch's build: cpu, cu126 and the like come from its own index, which uv knows; empty takes PyPI's, on Linux CUDA's.
TORCH ?= $(shell test "$$(uname)" != Linux || nvidia-smi >/dev/null 2>&1 || echo cpu)
# More for Snakemake: --executor slurm --jobs 8 (book/cluster.md).
CLUSTER ?=

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Where the home can't be written, caches and Jupyter's files lie beside the run.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export HOME := $(shell mkdir -p _run/home)$(CURDIR)/_run/home
endif
ifeq ($(filter colab paper,$(PROFILE)),)
export HF_HUB_OFFLINE ?= 1
# bitsandbytes asks torch to compile as soon as it is imported: a second and 40 MB a notebook.
export TORCHDYNAMO_DISABLE ?= 1
endif
export TOKENIZERS_PARALLELISM ?= false
export PYDEVD_DISABLE_FILE_VALIDATION ?= 1
# Notebooks run side by side: with two threads each they spin for one another's cores (a caption took 100 times as long).
export OMP_NUM_THREADS ?= 1
# glibc gives large blocks that were freed back at once: 100 to 250 MB less at a notebook's peak.
export MALLOC_ARENA_MAX ?= 2
export MALLOC_MMAP_THRESHOLD_ ?= 4194304
SNAKEMAKE = snakemake --quiet rules host reason progress --cores $(CORES) --rerun-incomplete --resources gpu=1 --max-checksum-file-size 2000000000 $(CLUSTER)

.PHONY: book links sphinx9 pdf bundle site student slides release test test-all bench keep pretrain clean

book: .venv/ready
	@$(SNAKEMAKE) --config profile=$(PROFILE) data="$(DATA)" longer="$(LONGER)"
	@fashionlib summary --profile $(PROFILE)
	@echo && echo "Open _build/html/index.html"

links: book
	@python tests/links.py _build/html

# So that the pages outlive jupyter-book, which holds Sphinx at 7.
PLAIN = book/plain_sphinx
SPHINX9 = PYTHONPATH="$(CURDIR)" uv run --quiet --isolated --no-project --python .venv/bin/python --with-requirements $(PLAIN)/requirements.lock \
	python -m sphinx -q -W -n --keep-going --conf-dir _run/$(PROFILE)/book/$(PLAIN)
sphinx9: book
	@$(SPHINX9) _run/$(PROFILE)/book _build/sphinx9
	@python tests/links.py _build/sphinx9

# Sphinx writes the single page into its root document's folder, and its addresses for the folder above.
# Chromium gives root, a container's user, no sandbox.
CHROMIUM ?= chromium
PDF = _build/fashion-captioned.pdf
pdf: book
	@command -v $(CHROMIUM) >/dev/null || { echo "No $(CHROMIUM) to print with: install it, or name yours: make pdf CHROMIUM=google-chrome" >&2; false; }
	@$(SPHINX9) -b singlehtml _run/$(PROFILE)/book _build/single
	@mv _build/single/book/intro.html _build/single/book.html
	@$(CHROMIUM) --headless $(if $(filter 0,$(shell id -u)),--no-sandbox) --disable-gpu --no-pdf-header-footer --virtual-time-budget=60000 \
		--print-to-pdf=$(PDF).part "file://$(CURDIR)/_build/single/book.html"
	@mv $(PDF).part $(PDF) && echo "Open $(PDF)"

test: .venv/ready
	ruff format --check --quiet .
	ruff check .
	pytest

test-all: test
	pytest -m all

bench: .venv/ready
	@python -m benchmarks $(ONLY)

bundle: .venv/ready
	@fashionlib bundle --profile $(PROFILE)

site: .venv/ready
	@fashionlib site $(if $(BUNDLE),--bundle "$(BUNDLE)",--profile $(PROFILE))

student: .venv/ready
	@fashionlib student --out "$(or $(OUT),_build/class)"

slides: .venv/ready
	@fashionlib slides --profile $(PROFILE) --out "$(or $(OUT),_build/slides)"

release: book
	@fashionlib bundle --profile $(PROFILE)

keep: .venv/ready
	fashionlib keep --profile $(PROFILE)

pretrain: .venv/ready
	python -m wardrobe.pretraining

define CHECK
import ctypes, platform, shutil, sys
if not (3, 11) <= sys.version_info < (3, 15):
    sys.exit(f"Python 3.11 to 3.14 is needed, this is {platform.python_version()}: make book PYTHON=python3.13")
if (sys.version_info >= (3, 14) or platform.machine() == "aarch64") and not shutil.which("cc"):
    sys.exit("Python 3.14, and any Python on arm64 Linux, needs a C++ compiler and Python's headers, which are not here")
try:
    sys.platform == "linux" and [ctypes.CDLL(name) for name in ("libEGL.so.1", "libGL.so.1")]
except OSError as error:
    sys.exit(f"Skia, which draws the wardrobe, needs a library of the system ({error}): apt-get install libegl1 libgl1")
endef
export CHECK
INSTALL = uv pip install --quiet --python .venv
PINNED = $$(grep -o '^$(1)==[^;]*' requirements.lock)

# An install that was cut off starts again from an empty .venv; what was fetched lies in uv's cache.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c "$$CHECK"
	test -e $@ || $(PYTHON) -m venv --clear .venv
	rm -f $@
	python -m pip install --quiet $(call PINNED,uv)
	python -m pip install --quiet --no-index --no-deps $(call PINNED,torch) 2>/dev/null || $(INSTALL) $(TORCH:%=--torch-backend=%) $(call PINNED,torch) || \
		{ echo "No PyTorch '$(TORCH)': make book TORCH= takes PyPI's, which on Linux brings CUDA (2.7 GB)" >&2; false; }
	$(INSTALL) --requirements requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf _run _build .snakemake

# make book                                   the book on the embedded wardrobe (profile tiny)
# make book PROFILE=sample DATA=folder        the same notebooks on a folder in H&M's layout
# make test                                   layout and lint, the tests, every notebook at profile smoke, a strict build
# make keep PROFILE=sample                    keep a run's numbers in data/measured, so that the book shows them
# make pretrain                               make the wardrobe's pretrained minis again (an hour and a half on one core)
PYTHON ?= python3
PROFILE ?= tiny
DATA ?=
CORES ?= 2
TORCH_ARGS ?=

export PATH := $(CURDIR)/.venv/bin:$(PATH)
ifeq ($(filter colab paper,$(PROFILE)),)
export HF_HUB_OFFLINE ?= 1
endif
export TOKENIZERS_PARALLELISM ?= false
export PYDEVD_DISABLE_FILE_VALIDATION ?= 1
# Notebooks run side by side: with two threads each they spin for one another's cores (a caption took 100 times as long).
export OMP_NUM_THREADS ?= 1
SNAKEMAKE = snakemake --quiet rules host reason progress --cores $(CORES) --resources gpu=1 --max-checksum-file-size 2000000000

.PHONY: book test keep pretrain clean

book: .venv/ready
	@$(SNAKEMAKE) --config profile=$(PROFILE) data="$(DATA)"
	@fashionlib summary --profile $(PROFILE)
	@echo && echo "Open _build/html/index.html"

test: .venv/ready
	ruff format --check --quiet .
	ruff check .
	pytest

keep: .venv/ready
	fashionlib keep --profile $(PROFILE)

pretrain: .venv/ready
	python -m wardrobe.pretraining

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version) if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .venv
	pip install --quiet $(TORCH_ARGS) $$(grep '^torch==' requirements.lock)
	pip install --quiet -r requirements.lock
	pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf _run _build .snakemake

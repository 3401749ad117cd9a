# make demo    the main job, from nothing, on this machine
# make run     the same parts, up until Ctrl-C
# make test    all tests        make lint   ruff, mypy, Bicep, kernel   make bench   benchmarks
# make kernel  what reads the capture files, compiled anew from kernel/
# make soak    2,000 histories of chaos and 5,000 of the correlation, each from a seed
# make fuzz    the decoder, led by coverage, FUZZ_SECONDS for each target (60)
# make condense FILES="..."     the real correlation code on your own files
# make clean   remove everything that make made

.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
FUZZ_SECONDS ?= 60
FUZZ := build/fuzz
FUZZ_TARGETS := file body
KERNEL := build/kernel
WASM := shared/capture/kernel.wasm

.PHONY: help install demo run test soak fuzz fuzz-keep kernel lint format bench condense clean

help:
	@sed -n '/^# make/s/^# //p' $(MAKEFILE_LIST)

install: $(VENV)/.installed node_modules/.installed

$(VENV)/.installed: requirements.txt requirements-dev.txt local/find-python.sh
	@python=$$(PYTHON="$(PYTHON)" sh local/find-python.sh) && echo "Installing Python packages with $$python" && "$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	@echo "Installing Azurite"
	@npm ci --loglevel=error --no-fund --no-audit >/dev/null
	@touch $@

demo: install
	@$(BIN)/python -m local demo

run: install
	@$(BIN)/python -m local run

test: install
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(TESTS)

soak: install
	@$(BIN)/python -m pytest -n auto -q tests/chaos --seeds 2000
	@$(BIN)/python -m pytest -n auto -q tests/exactly_once --seeds 5000

# The fuzzer is large and needs a compiler where no wheel fits, so that nothing else depends on it.
$(FUZZ)/.installed: $(VENV)/.installed requirements.txt requirements-fuzz.txt
	@echo "Installing the fuzzer"
	@$(BIN)/python -m venv $(FUZZ)/venv
	@$(FUZZ)/venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.txt
	@touch $@

# What it finds first goes to $(FUZZ)/<target>; what fails is left in $(FUZZ).
fuzz: $(FUZZ)/.installed
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p $(FUZZ)/$$target && \
		$(FUZZ)/venv/bin/python -m tests.fuzz $$target $(FUZZ)/$$target tests/fuzz/corpus/$$target \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=20 -rss_limit_mb=1024 \
			-dict=tests/fuzz/words.dict -artifact_prefix=$(FUZZ)/$$target- -print_final_stats=1 || exit 1; \
	done

# Takes into the tests what reaches lines or branches that nothing in them reaches.
fuzz-keep: $(FUZZ)/.installed
	@for target in $(FUZZ_TARGETS); do \
		$(FUZZ)/venv/bin/python -m tests.fuzz $$target -merge=1 -use_counters=0 -max_len=4096 \
			tests/fuzz/corpus/$$target $(FUZZ)/$$target || exit 1; \
	done

# The compiler is large, so that only who changes or checks the kernel needs it; to run the app takes none.
$(KERNEL)/.installed: requirements-kernel.txt | $(VENV)/.installed
	@echo "Installing the kernel's compiler"
	@$(BIN)/python -m venv $(KERNEL)/venv
	@$(KERNEL)/venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-kernel.txt
	@touch $@

$(KERNEL)/kernel.wasm: $(KERNEL)/.installed kernel/build.sh $(wildcard kernel/*.zig)
	@sh kernel/build.sh $(KERNEL)/venv/bin/python $@

kernel: $(KERNEL)/kernel.wasm
	@install -m 644 $< $(WASM)

lint: install $(KERNEL)/kernel.wasm
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@sh infra/lint.sh $(BIN)/python
	@$(KERNEL)/venv/bin/python -m ziglang fmt --check kernel || { echo "Not formatted: run make format" >&2; exit 1; }
	@cmp -s $(KERNEL)/kernel.wasm $(WASM) || { echo "$(WASM) is not what kernel/ gives: run make kernel" >&2; exit 1; }
	@echo "Kernel: formatted, and $(WASM) is what it gives"

format: install $(KERNEL)/.installed
	@$(BIN)/ruff format .
	@$(KERNEL)/venv/bin/python -m ziglang fmt kernel
	@$(BIN)/ruff check --fix .

bench: install
	@$(BIN)/python -m benchmarks

condense: $(VENV)/.installed
	@$(BIN)/python -m local condense $(FILES)

clean:
	rm -rf $(VENV) .python node_modules build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

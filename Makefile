# Two commands for a newcomer: `make demo` and `make test`. Both set up, build and run.
BUILD := build/release
JOBS ?= $(shell nproc)

.PHONY: all setup build demo test clean
all: build

setup:
	@scripts/setup

build: setup
	@cmake --preset release > /dev/null
	@cmake --build --preset release --parallel $(JOBS)

# The whole main job on simulated sounds; with FILES="a.wav b.flac" those are tagged instead.
demo: build
	@scripts/demo $(FILES)

test: build
	@ctest --preset release --parallel $(JOBS)

clean:
	rm -rf build demo

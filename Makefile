# make test is what has to pass; make help lists the rest.

SHELL         := /bin/bash
.SHELLFLAGS   := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null)

build_vars := monitor/modules/telemetry
ldflags    := -s -w \
	-X $(build_vars).version=$(VERSION) \
	-X $(build_vars).commit=$(COMMIT) \
	-X $(build_vars).date=$(DATE)

# Tools have a module of their own, so that what they need stays out of the
# program's go.mod.
tool := go tool -modfile=tools/go.mod

.PHONY: help test setup vet lint floors cross faults tests build run bench generate

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

test: setup vet lint floors cross faults tests ## everything that has to pass, in the order of what fails fastest

setup: ## bring or name PostgreSQL, Redis, Chromium and gcc
	@tools/setup.sh

vet:
	go vet ./...
	@if [ -n "$$(cd tools && go list ./... 2>/dev/null)" ]; then cd tools && go vet ./...; fi

lint: ## golangci-lint on both modules
	$(tool) golangci-lint run
	@if [ -n "$$(cd tools && go list ./... 2>/dev/null)" ]; then cd tools && go tool golangci-lint run --config ../.golangci.yml; fi

floors: ## the floor test alone
	go test ./modules/archtest

cross: ## build for every system that the program is meant for
	@tools/crossbuild.sh

faults: ## kill, pause, cut and empty every part, and compare (FAULTS=-long: all of it, FAULTS=-help: more)
	CGO_ENABLED=0 go build -trimpath -tags faults -o bin/monitor-faults .
	cd tools && go run ./faults -binary ../bin/monitor-faults $(FAULTS)

tests: ## all tests of both modules with the race detector
	@$(tool) gotestsum --format pkgname --raw-command -- tools/tests.sh

build: ## bin/monitor: static, stripped, reproducible
	CGO_ENABLED=0 go build -trimpath -ldflags '$(ldflags)' -o bin/monitor .

run: ## the program on the embedded default
	go run . serve

bench: build ## what a check costs, beside a bare loop (BENCH="-runs 5 -json now.json", BENCH=-help: more)
	cd tools && go run ./bench $(BENCH)

generate: ## write again what is generated from the code
	go generate ./...

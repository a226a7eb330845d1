#!/usr/bin/env bash
# Runs the tests of both modules, one after the other, as one stream of go test's
# JSON events: gotestsum reads it and gives one summary over both.
set -uo pipefail
cd "$(dirname "$0")/.."

# The race detector needs cgo; the program itself is built without it.
export CGO_ENABLED=1

status=0
go test -json -race -timeout 20m ./... || status=$?
cd tools
if [ -n "$(go list ./... 2>/dev/null)" ]; then
	go test -json -race -timeout 20m ./... || status=$?
fi
exit "$status"

#!/usr/bin/env bash
# Brings what the tests need besides Go: PostgreSQL, Redis, Chromium, and a C
# compiler for the race detector. On Debian and its kin it installs what is
# missing, as root or by sudo without a password; elsewhere it names it and fails.
set -euo pipefail

has() { command -v "$1" >/dev/null 2>&1; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || { has postgres && has initdb; }; }
has_chromium() { has chromium || has chromium-browser || has google-chrome; }

missing=()
look() {
	missing=()
	has_postgres || missing+=(postgresql)
	has redis-server || missing+=(redis-server)
	has_chromium || missing+=(chromium fonts-liberation)
	has gcc || missing+=(gcc libc6-dev)
}

look
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	as_root=(sudo -n)
fi
if has apt-get && { [ ${#as_root[@]} -eq 0 ] || { has sudo && sudo -n true 2>/dev/null; }; }; then
	echo "setup: installing ${missing[*]}"
	"${as_root[@]}" apt-get update -qq
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
	look
fi

if [ ${#missing[@]} -gt 0 ]; then
	echo "setup: the tests need these programs (Debian package names): ${missing[*]}" >&2
	echo "setup: install them, then run make test again" >&2
	exit 1
fi

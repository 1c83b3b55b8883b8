#!/usr/bin/env bash
# Takes a fresh clone to its first kernels: installs what is missing, builds, runs the quickstart job, prints the result.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/quickstart.sh

  1. scripts/setup.sh                             installs what is missing
  2. scripts/build.sh                             builds the programs into build/bin/
  3. build/bin/kevolve run config/quickstart.json searches for faster kernels on this machine's processor
  4. build/bin/kevolve best layernorm             shows the best layernorm found

It takes no arguments and asks no questions. Run it again to continue the same search. No GPU is needed.
TEXT
}

case ${1:-} in
  --help | -h) usage; exit 0 ;;
  '') ;;
  *) echo "quickstart: unknown argument '$1'; see scripts/quickstart.sh --help" >&2; exit 1 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
lap() { printf '\nquickstart: %s (%d min %02d s so far)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }

lap "1/4 set-up"
scripts/setup.sh </dev/null
lap "2/4 build"
scripts/build.sh
lap "3/4 search: build/bin/kevolve run config/quickstart.json"
build/bin/kevolve run config/quickstart.json
lap "4/4 result: build/bin/kevolve best layernorm"
build/bin/kevolve best layernorm
lap "done"

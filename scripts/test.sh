#!/usr/bin/env bash
# Runs everything that a change must pass: formatting, warnings as errors, sanitizers, all tests.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/test.sh [--no-sanitizers]

  1. scripts/setup.sh --test     installs what is missing
  2. clang-format 14             checks every tracked .cpp and .hpp
  3. ASan and UBSan              builds and runs all unit tests (preset asan)
  4. build                       programs and their tests; warnings are errors (preset ci)
  5. ctest                       runs the tests of whole programs and the checks of the sources; its
                                 summary is the last output

  --no-sanitizers  build and run the unit tests without sanitizers, in steps 4 and 5
  --help           print this text

No GPU is needed. The exit code is 0 only if everything passed.
TEXT
}

sanitizers=yes
case ${1:-} in
  --no-sanitizers) sanitizers=no ;;
  --help | -h) usage; exit 0 ;;
  '') ;;
  *) echo "test: unknown argument '$1'; see scripts/test.sh --help" >&2; exit 1 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
lap() { printf '\ntest: %s (%d min %02d s so far)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }

clang_format() {  # prints a clang-format of the version that formats the sources
  local program
  for program in clang-format-14 clang-format .deps/clang-format/clang-format; do
    if "$program" --version 2>/dev/null | grep -q 'version 14\.'; then
      echo "$program"
      return
    fi
  done
}

check_format() {
  local program
  program=$(clang_format)
  # safe.directory: in a container the checkout may belong to another user.
  if ! git -c safe.directory='*' ls-files -z -- '*.cpp' '*.hpp' | xargs -0 -r "$program" --dry-run --Werror --ferror-limit=3; then
    echo "test: the files above are not formatted; run: git ls-files '*.cpp' '*.hpp' | xargs $program -i" >&2
    exit 1
  fi
}

run_sanitized() {
  scripts/build.sh --preset asan unit_tests
  ctest --test-dir build-asan --output-on-failure --no-tests=error -j "$jobs"
}

jobs=$(nproc)
if [ "$jobs" -gt 4 ]; then jobs=4; fi

lap "1/5 set-up"
scripts/setup.sh --test </dev/null
lap "2/5 format"
check_format
if [ $sanitizers = yes ]; then
  lap "3/5 unit tests under ASan and UBSan"
  run_sanitized
  tests=programs
else
  lap "3/5 ASan and UBSan: skipped"
  tests=all
fi
lap "4/5 build, warnings are errors"
KEVOLVE_TESTS=$tests scripts/build.sh --preset ci all
lap "5/5 tests of whole programs"
exec ctest --test-dir build --output-on-failure --no-tests=error -j "$jobs"

#!/usr/bin/env bash
# Everything that a change must pass: formatting, warnings as errors, sanitizers, all tests.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/test.sh [--no-sanitizers]

  1. scripts/setup.sh --test     installs what is missing
  2. clang-format 14             over every tracked .cpp and .hpp
  3. build                       preset ci: warnings are errors
  4. ASan and UBSan              over the unit tests that need no LibTorch
  5. ctest                       all tests; its summary is the last output

  --no-sanitizers  leave step 4 out
  --help           this text

No GPU is needed. Exit code 0 only when all of it passed.
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

clang_format() {  # the program, of the one version that the sources are formatted with
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
  # safe.directory: a checkout may belong to somebody else in a container.
  if ! git -c safe.directory='*' ls-files -z -- '*.cpp' '*.hpp' | xargs -0 -r "$program" --dry-run --Werror --ferror-limit=3; then
    echo "test: the files above are not formatted; run: git ls-files '*.cpp' '*.hpp' | xargs $program -i" >&2
    exit 1
  fi
}

run_sanitized() {  # modules whose unit tests are quick to build and link no LibTorch
  local module modules=() targets=()
  for module in core/model core/process core/gates core/search archive llm_client/http; do
    if [ -f "tests/unit/$module/CMakeLists.txt" ]; then
      modules+=("$module")
      targets+=("tests/unit/$module/all")
    fi
  done
  scripts/build.sh --preset asan "${targets[@]}"
  for module in "${modules[@]}"; do
    echo "test: sanitized unit tests of $module"
    ctest --test-dir "build-asan/tests/unit/$module" --output-on-failure --no-tests=error -L unit -j "$jobs"
  done
}

jobs=$(nproc)
if [ "$jobs" -gt 4 ]; then jobs=4; fi

lap "1/5 set-up"
scripts/setup.sh --test </dev/null
lap "2/5 format"
check_format
lap "3/5 build, warnings are errors"
scripts/build.sh --preset ci all
if [ $sanitizers = yes ]; then
  lap "4/5 ASan and UBSan"
  run_sanitized
else
  lap "4/5 ASan and UBSan: left out"
fi
lap "5/5 all tests"
exec ctest --test-dir build --output-on-failure --no-tests=error -j "$jobs"

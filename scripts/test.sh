#!/usr/bin/env bash
# Runs everything that a change must pass: formatting, warnings as errors, sanitizers, all tests.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/test.sh [--no-sanitizers]

  1. scripts/setup.sh --test     installs what is missing
  2. clang-format 14             checks every tracked .cpp and .hpp
  3. build                       preset ci: warnings are errors
  4. ASan and UBSan              unit tests of model, process, gates, search, archive and llm_client
  5. ctest                       runs all tests; its summary is the last output

  --no-sanitizers  skip step 4
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

run_sanitized() {  # modules whose unit tests build quickly and do not link LibTorch
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
  lap "4/5 ASan and UBSan: skipped"
fi
lap "5/5 all tests"
exec ctest --test-dir build --output-on-failure --no-tests=error -j "$jobs"

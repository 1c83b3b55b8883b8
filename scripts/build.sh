#!/usr/bin/env bash
# Configures and builds kevolve with CMake and Ninja; the programs end up in build/bin/.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/build.sh [--preset release|ci|dev|asan|tsan] [--jobs N] [TARGET ...]

  --preset NAME  release (default): for users; ci: warnings are errors; dev: builds quickly,
                 runs slowly, in build-dev/; asan, tsan: sanitizers, in build-asan/ and build-tsan/
  --jobs N       compile N files at a time (default: one per core, fewer when memory is short)
  TARGET         Ninja targets; default 'programs': everything in build/bin/. 'all' adds the tests.
  --help         print this text

Run scripts/setup.sh first. Uses ccache when it is installed.
TEXT
}

preset=release
jobs=
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --jobs) jobs=${2:?--jobs needs a number}; shift ;;
    --help | -h) usage; exit 0 ;;
    -*) echo "build: unknown option '$1'; see scripts/build.sh --help" >&2; exit 1 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
case $preset in
  release | ci) folder=build ;;
  dev) folder=build-dev ;;
  asan | tsan) folder=build-$preset ;;
  *) echo "build: unknown preset '$preset'; expected release, ci, dev, asan or tsan" >&2; exit 1 ;;
esac
[ ${#targets[@]} -gt 0 ] || targets=(programs)

cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "$jobs" ]; then  # a file that includes LibTorch or Boost.Beast takes up to 2.3 GB to compile
  by_memory=$(awk '/^MemAvailable/ { print int($2 / 2300000) }' /proc/meminfo)
  jobs=$(nproc)
  if [ "$by_memory" -lt "$jobs" ]; then jobs=$((by_memory > 0 ? by_memory : 1)); fi
fi

options=()
if command -v ccache >/dev/null; then
  export CCACHE_BASEDIR=$PWD CCACHE_SLOPPINESS=pch_defines,time_macros
  options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
if [ -n "${KEVOLVE_TESTS:-}" ]; then options+=("-DKEVOLVE_TESTS=$KEVOLVE_TESTS"); fi
if [ -n "${KEVOLVE_TORCH_DIR:-}" ]; then options+=("-DKEVOLVE_TORCH_DIR=$KEVOLVE_TORCH_DIR"); fi

echo "build: configuring (preset $preset, folder $folder/)"
if ! log=$(cmake --preset "$preset" "${options[@]}" 2>&1); then
  printf '%s\n' "$log" >&2
  echo "build: FAILED: cmake could not configure. If something is missing, run scripts/setup.sh." >&2
  exit 1
fi
echo "build: compiling ${targets[*]}, $jobs at a time"
NINJA_STATUS='[%f/%t, %es] ' ninja -C "$folder" -j "$jobs" "${targets[@]}"
echo "build: done; the programs are in $folder/bin/"

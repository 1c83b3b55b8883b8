#!/usr/bin/env bash
# Fuzzes the parsers of foreign text: scripts/fuzz.sh [seconds per target] [target ...]
#
# Builds build-fuzz with clang, AddressSanitizer and UBSan, then runs two targets at a time. The committed inputs are
# those of tests/fuzz/corpus/TARGET.zst, unpacked into build-fuzz/corpus/TARGET, and the named regressions in
# tests/fuzz/corpus/TARGET/. What is found is kept in build-fuzz/found/TARGET, and later runs build upon it; an input that
# fails lands in build-fuzz/failures.
#   scripts/fuzz.sh --keep [target ...]   adds to the bundle the few found inputs that reach code which no input there reaches
#   scripts/fuzz.sh --unpack [target ...] only unpacks
#   scripts/fuzz.sh --pack [target ...]   makes the bundle of what is in build-fuzz/corpus/TARGET, so that inputs can be
#                                         added or removed by hand
# To give a regression a name, put it into tests/fuzz/corpus/TARGET/ and call --pack: the bundle leaves it out.
set -euo pipefail
cd "$(dirname "$0")/.."

verb=fuzz
case ${1:-} in --keep | --pack | --unpack) verb=${1#--}; shift ;; esac
seconds=60
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then seconds=$1; shift; fi
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(ideas candidates header expression http events job worker_line cuda_text)
dictionary() { case $1 in ideas | candidates) echo replies ;; *) echo "$1" ;; esac; }
max_len() { case $1 in expression) echo 300 ;; *) echo 6000 ;; esac; }

mkdir -p build-fuzz/failures
cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER="${CLANGXX:-clang++}" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" -DKEVOLVE_FUZZ=ON \
  -DKEVOLVE_SANITIZE=fuzzer-no-link,address,undefined >build-fuzz/cmake.log 2>&1 || { cat build-fuzz/cmake.log; exit 1; }
case $verb in pack | unpack) build=fuzz_corpus ;; *) build=fuzzers ;; esac
ninja -C build-fuzz -j"${JOBS:-2}" "$build"

unpack() { rm -rf "build-fuzz/corpus/$1"; build-fuzz/fuzz/fuzz_corpus unpack "tests/fuzz/corpus/$1.zst" "build-fuzz/corpus/$1"; }
pack() { build-fuzz/fuzz/fuzz_corpus pack "tests/fuzz/corpus/$1.zst" "build-fuzz/corpus/$1" "tests/fuzz/corpus/$1"; }

run_one() {
  local target=$1 found=build-fuzz/found/$1 corpus=build-fuzz/corpus/$1 named=tests/fuzz/corpus/$1
  mkdir -p "$found" "$named"
  if [[ $verb == pack ]]; then pack "$target"; return; fi
  unpack "$target"
  if [[ $verb == unpack ]]; then return; fi
  if [[ $verb == keep ]]; then
    build-fuzz/fuzz/"fuzz_$target" -merge=1 -use_counters=0 -max_len="$(max_len "$target")" "$corpus" "$named" "$found" \
      >"build-fuzz/$target.log" 2>&1
    echo "$target: $(pack "$target"), $(stat -c %s "tests/fuzz/corpus/$target.zst") bytes"
    return
  fi
  if build-fuzz/fuzz/"fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
      -max_len="$(max_len "$target")" -artifact_prefix="build-fuzz/failures/$target-" \
      -dict="tests/fuzz/$(dictionary "$target").dict" -print_final_stats=1 \
      "$found" "$corpus" "$named" >"build-fuzz/$target.log" 2>&1; then
    echo "$target: no failure; $(grep -o 'number_of_executed_units: *[0-9]*' "build-fuzz/$target.log" | tr -s ' ')"
  else
    echo "$target: FAILED, see build-fuzz/$target.log and build-fuzz/failures"
    tail -n 40 "build-fuzz/$target.log"
    return 1
  fi
}

status=0
for ((i = 0; i < ${#targets[@]}; i += 2)); do
  pids=()
  for target in "${targets[@]:i:2}"; do run_one "$target" & pids+=($!); done
  for pid in "${pids[@]}"; do wait "$pid" || status=1; done
done
exit $status

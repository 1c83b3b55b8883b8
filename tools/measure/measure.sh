#!/usr/bin/env bash
# Measures kevolve's judge on a GPU. Raw results, one file or two for each part, go to a folder; a summary is printed.
set -uo pipefail

usage() {
  cat <<'TEXT'
usage: tools/measure/measure.sh FOLDER PART ...

  packages     torch.compile's packages of all operators at benchmark size (what `compile` is timed with)
  speed        200 candidates of layernorm at benchmark size beside an incumbent; the same with half of them spoilt
  itself       a kernel of 12 us beside itself, 40 fresh pairs of runners, 600 pairs each; 1000 promotions drawn of them
  times        a short, a medium and a long kernel, by kevolve and by a plain event loop, three processes each
  bad          six candidates that misbehave in a row, then an honest one
  tests        the judge's kernels and the profiler on kernels whose regime is beyond doubt
  seeds        every seed at `small`
  benchmark    every seed at `benchmark`, default tunables, beside eager and torch.compile; attention also at `kernelbench`
  attention    attention's tensor-core kernels at `benchmark` with many values of their tunables
  adversarial  the adversarial suite
  models       the kernels of config/replay_demo.jsonl

KEVOLVE_BIN: folder of the programs (build/bin). KEVOLVE_TESTS: folder of the test programs (build/tests). Programs that
are not there are left out, and said so. Needs Python 3; `times` also cupy.
TEXT
}

[ $# -ge 2 ] || { usage; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$1
shift
mkdir -p "$out"
bin=${KEVOLVE_BIN:-build/bin}
tests=${KEVOLVE_TESTS:-build/tests}
operators=$(ls kernels/seed)

requests() { python3 tools/measure/make_requests.py "$@"; }

judge() {  # judge NAME < requests: replies to NAME.jsonl, log to NAME.log, and how long it took
  local began
  began=$(date +%s.%N)
  "$bin/kevolve-worker" --device cuda:0 >"$out/$1.jsonl" 2>"$out/$1.log"
  local code=$?
  echo "== $1: exit code $code, $(wc -l <"$out/$1.jsonl") lines, $(awk -v from="$began" -v to="$(date +%s.%N)" 'BEGIN { printf "%.1f", to - from }') s with the worker's start"
}

summary() { python3 tools/measure/summary.py "$out/$1.jsonl" "${@:2}"; }

watched() {  # watched NAME COMMAND...: with the GPU's use beside it
  nvidia-smi -i "${CUDA_VISIBLE_DEVICES:-0}" --query-gpu=timestamp,utilization.gpu,clocks.sm,power.draw --format=csv,noheader,nounits -lms 200 >"$out/$1.smi" &
  local watcher=$!
  "${@:2}"
  kill $watcher
  wait $watcher 2>/dev/null
  awk -F, '{ use += $2; clock += $3; power += $4 } END { if (NR) printf "   GPU in use %.1f %% of the time, SM clock %.0f MHz, %.0f W, means of %d readings\n", use / NR, clock / NR, power / NR, NR }' "$out/$1.smi"
}

packages() {
  local operator
  for operator in $operators; do
    python3 scripts/compiled_baseline.py "kernels/seed/$operator" benchmark >"$out/package_$operator.log" 2>&1 &
  done
  wait
  tail -qn 1 "$out"/package_*.log
}

speed() {
  requests layernorm benchmark --count 200 --incumbent vector_strips.cu >"$out/l200.requests"
  watched l200 judge l200 <"$out/l200.requests"
  summary l200 --quiet
  requests layernorm benchmark --count 200 --incumbent vector_strips.cu --wrong 0.5 >"$out/l200w.requests"
  watched l200w judge l200w <"$out/l200w.requests"
  summary l200w --quiet
  rm -f "$out"/l200*.requests
}

itself() {
  requests rmsnorm small --files row_on_chip.cu --incumbent row_on_chip.cu --fresh-draws --repeat 40 --min-samples 600 \
    --max-samples 600 --max-seconds 60 | judge itself
  "$bin/aa_comparisons" "$out/itself.jsonl"
}

times() {
  local operator workload file
  while read -r operator workload file; do
    for _ in 1 2 3; do
      python3 tools/measure/plain_timing.py "$operator" "$workload" "$file" | tee -a "$out/plain_timing.txt"
      requests "$operator" "$workload" --files "$file" --min-samples 100 --max-samples 100 | judge "time_$operator" >/dev/null
      summary "time_$operator" | grep '^[a-z]*/' | cut -d' ' -f1-6 | tee -a "$out/kevolve_timing.txt"
    done
  done <<'LIST'
gelu small vector_loads.cu
rmsnorm benchmark row_on_chip.cu
matmul benchmark block_tile.cu
LIST
}

bad() {
  python3 tools/measure/bad_candidates.py | judge bad
  summary bad
}

tests() {
  local program
  for program in gpu_memory_test profiler_probe; do
    if [ -x "$tests/$program" ]; then "$tests/$program" >"$out/$program.txt" 2>&1; tail -n 25 "$out/$program.txt"
    else echo "$program: not built, left out"; fi
  done
}

every() {  # every NAME WORKLOAD OPTIONS...: all seeds of all operators
  local operator
  for operator in $operators; do requests "$operator" "$2" "${@:3}"; done | judge "$1"
  summary "$1"
}

seeds() { every small small --baselines eager | grep -v '^[a-z0-9_]*/.* passed '; }

benchmark() {
  every benchmark benchmark --baselines eager compile
  requests attention_fp16 kernelbench --baselines eager | judge kernelbench
  summary kernelbench
}

attention() {
  local operator
  for operator in attention_fp16 attention_causal_fp16; do
    requests $operator benchmark --files wgmma_flash.cu mma_flash.cu --count "${ATTENTION_COUNT:-40}" --baselines eager
  done | judge attention
  requests attention_fp16 kernelbench --files wide_heads.cu --count 3 --baselines eager | judge wide_heads
  summary attention
  summary wide_heads
}

adversarial() {
  if [ ! -x "$tests/adversarial_test" ]; then echo "adversarial_test: not built, left out"; return; fi
  KEVOLVE_TEST_DEVICE=cuda:0 "$tests/adversarial_test" >"$out/adversarial.txt" 2>&1
  grep -A4 'FAILED' "$out/adversarial.txt"
  tail -n 3 "$out/adversarial.txt"
}

models() {
  python3 tools/measure/recorded_requests.py config/replay_demo.jsonl | judge models
  summary models
}

for part in "$@"; do
  printf '\n---- %s (%(%H:%M:%S)T)\n' "$part" -1
  "$part"
done

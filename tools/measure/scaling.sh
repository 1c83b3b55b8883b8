#!/usr/bin/env bash
# How the work grows with GPUs: the same 200 candidates on 1, 2, … GPUs of this machine, from an empty cache each time.
#
#   tools/measure/scaling.sh [--operator layernorm] [--workload benchmark] [--count 200] [--out FOLDER] GPUS …
#   tools/measure/scaling.sh 1 2                  for a machine with two
#
# Prints a line for each run: GPUs, replies, seconds from hello to the last reply, candidates a second, and how many
# each GPU judged. Replies and logs stay in the folder. Every run uses --gpus, so that one GPU pays for the process in
# front, too. Each run compiles with all cores of the machine: say how many there are beside the figures.
set -euo pipefail

operator=layernorm
workload=benchmark
count=200
out=scaling
gpus=()
while [ $# -gt 0 ]; do
  case $1 in
    --operator) operator=$2; shift ;;
    --workload) workload=$2; shift ;;
    --count) count=$2; shift ;;
    --out) out=$2; shift ;;
    [0-9]*) gpus+=("$1") ;;
    *) sed -n '2,9p' "$0" >&2; exit 1 ;;
  esac
  shift
done
[ ${#gpus[@]} -gt 0 ] || { sed -n '2,9p' "$0" >&2; exit 1; }

root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$out"
python3 "$root/tools/measure/make_requests.py" "$operator" "$workload" --count "$count" --baselines eager >"$out/requests.jsonl"
echo "$(wc -l <"$out/requests.jsonl") requests, $(nproc) cores"
"$root/build/bin/kevolve-worker" --list-gpus

for n in "${gpus[@]}"; do
  rm -rf "$out/cache"
  "$root/build/bin/kevolve-worker" --gpus "$n" --cache "$out/cache" <"$out/requests.jsonl" 2>"$out/$n.log" |
    while IFS= read -r line; do printf '%s %s\n' "$EPOCHREALTIME" "$line"; done >"$out/$n.stamped"
  cut -d' ' -f2- "$out/$n.stamped" >"$out/$n.jsonl"
  awk -v n="$n" 'NR == 1 { from = $1 } { to = $1 }
    END { printf "%d GPUs: %d replies in %.1f s, %.2f a second\n", n, NR - 1, to - from, (NR - 1) / (to - from) }' \
    "$out/$n.stamped"
  grep -o 'event=evaluated .* gpu=[0-9]*$' "$out/$n.log" | grep -o 'gpu=[0-9]*$' | sort | uniq -c || true
  grep -c '"type":"error"' "$out/$n.jsonl" | sed 's/^/  errors: /' || true
done

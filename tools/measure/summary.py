#!/usr/bin/env python3
"""One line for each reply of kevolve-worker, then totals. summary.py replies.jsonl [--quiet]"""
import collections
import json
import statistics
import sys

outcomes, gates = collections.Counter(), collections.defaultdict(list)
for line in open(sys.argv[1]):
    reply = json.loads(line)
    if reply["type"] == "error":
        outcomes["error"] += 1
        print("ERROR", reply["id"], reply["message"][:300])
    if reply["type"] != "evaluation":
        continue
    e = reply["evaluation"]
    verdict = e["verdict"]
    outcomes[f"{verdict['gate']}: {verdict['outcome']}"] += 1
    for gate, ms in e.get("gate_ms", {}).items():
        gates[gate].append(ms)
    if "--quiet" not in sys.argv:
        times = {m["subject"]: round(m["median_us"], 2) for m in e.get("measurements", [])}
        profile = e.get("profile") or {}
        print(reply["id"], verdict["gate"], verdict["outcome"], times, f"{e.get('speedup', 0):.3f} x",
              f"floor {e.get('floor_us', 0):.1f}", e.get("precision", ""), profile.get("regime", ""),
              profile.get("source", "") if profile.get("source") != "counters" else "", verdict["evidence"][:240])
for outcome, count in outcomes.most_common():
    print(f"{count:5d} {outcome}")
for gate, ms in gates.items():
    print(f"{gate:12s} n={len(ms):4d} median {statistics.median(ms):7.1f} ms, mean {statistics.mean(ms):7.1f} ms, sum {sum(ms) / 1e3:7.1f} s")

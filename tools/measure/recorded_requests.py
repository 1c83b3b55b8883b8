#!/usr/bin/env python3
"""Requests for kevolve-worker from recorded exchanges with models: every candidate file that a reply holds, beside the
operator's naive seed. recorded_requests.py RECORDING.jsonl [DEVICE] > requests.jsonl"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
device = sys.argv[2] if len(sys.argv) > 2 else "cuda:0"
for line in open(sys.argv[1]):
    exchange = json.loads(line)
    if "/way-" not in exchange["slot"]:
        continue
    files = [block for block in re.findall(r"```\w*\n(.*?)```", exchange["text"], re.S) if "/*kevolve" in block]
    folder = ROOT / "kernels/seed" / exchange["operator"]
    operator = json.loads((folder / "operator.json").read_text())
    shared = [folder / path for path in operator.get("playbook", []) if path.endswith("/naive.cu")]
    naive = (shared or [folder / "naive.cu"])[0].read_text()
    for source in files[-1:]:
        print(json.dumps({
            "type": "evaluate", "id": f"{exchange['operator']}/round-{exchange['round']}/{exchange['slot']}",
            "device": device, "operator": operator,
            "workload": exchange["workload"], "source": source, "baselines": ["eager"],
            "compare_with": [{"name": "naive", "source": naive, "tunables": {}}]}))

#!/usr/bin/env python3
"""A job with 64 requests under way at a server that takes 30 s for each, interrupted: threads, memory, time to end.

interrupted_job.py KEVOLVE, from the root of the source tree.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

IDEAS = ["Vectorise loads with float4.", "Use an online softmax in a single pass.", "Split each row across blocks.",
         "Keep the row in registers between passes.", "Approximate the exponential by a polynomial.",
         "Write results with streaming stores.", "Persist blocks and loop over rows.",
         "Fuse normalisation and store through tiles in shared memory."]
REQUESTS = 8 * len(IDEAS)


def prepare(folder, port):
    models = {"endpoints": {"e": {"api": "openai", "url": f"http://127.0.0.1:{port}/all-slow:ok,wait=30000+ok/v1",
                                  "concurrency": REQUESTS}},
              "models": {"m": {"endpoint": "e", "model": "x"}}}
    job = {"name": "interrupted", "operators": ["softmax"], "models": "models.json",
           "idea_sources": [{"kind": "llm", "models": ["m"]}],
           "policy": {"rounds": 1, "ideas_per_round": len(IDEAS), "implementations_per_idea": 8},
           "timing": {"min_samples": 3, "max_samples": 5, "max_seconds": 0.5}}
    (folder / "models.json").write_text(json.dumps(models))
    (folder / "job.json").write_text(json.dumps(job))


def state(process):
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: int(line.split()[1]) for line in lines for name in ("VmRSS", "Threads") if line.startswith(name)}


def main(kevolve):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        answers = folder / "answers.jsonl"
        text = json.dumps([{"idea": idea, "bottleneck": "x", "predicted_us": 100} for idea in IDEAS])
        answers.write_text(json.dumps({"match": f"Propose {len(IDEAS)}", "text": text}))
        server = subprocess.Popen([sys.executable, "tests/fault_server/fault_server.py", "--answers", answers],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(server.stdout.readline().split()[1])
        prepare(folder, port)
        run = subprocess.Popen([kevolve, "run", folder / "job.json", "--archive", folder / "a.db", "--lines"],
                               stdout=subprocess.DEVNULL)
        before, asked = {}, 0
        while asked < 1 + REQUESTS:
            time.sleep(0.2)
            log = urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/log?all-slow")
            asked = len(json.load(log))
            before = before if asked else state(run)
        print("before the first request:", before)
        print(f"with {REQUESTS} under way:   ", state(run))
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        print(f"Ctrl-C: exit code {run.wait()} after {time.monotonic() - began:.2f} s")
        server.kill()


if __name__ == "__main__":
    main(sys.argv[1])

#!/usr/bin/env python3
"""What a worker costs through srun, against a direct child: from its start to its hello, and a request's round trip.

launch_bench.py WORKER [--starts N] [--requests M]   (from the root of the source tree, as root)

The request is one that stops at the policy gate, so that nothing is compiled or run. Direct and srun take turns.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, "tests/integration/slurm")
import cluster  # noqa: E402

OPERATOR = pathlib.Path("kernels/seed/gelu")


def request(number):
    return json.dumps({"type": "evaluate", "id": str(number), "device": "cpu", "workload": "small", "last_gate": "policy",
                       "operator": json.loads((OPERATOR / "operator.json").read_text()),
                       "source": (OPERATOR / "naive.cu").read_text()}) + "\n"


def one_life(command, environment, requests):
    """(seconds to hello, [seconds of each request], seconds from the end of input to the end) of one worker."""
    began = time.monotonic()
    worker = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    hello = json.loads(worker.stdout.readline())
    to_hello, trips = time.monotonic() - began, []
    assert hello["type"] == "hello", hello
    for number in range(requests):
        line, sent = request(number), time.monotonic()
        worker.stdin.write(line)
        worker.stdin.flush()
        reply = json.loads(worker.stdout.readline())
        trips.append(time.monotonic() - sent)
        assert reply["id"] == str(number) and reply["evaluation"]["verdict"]["gate"] == "policy", reply
    ending = time.monotonic()
    worker.stdin.close()
    if code := worker.wait(timeout=60):
        sys.exit(f"{command} ended with {code}")
    return to_hello, trips, time.monotonic() - ending


def in_words(seconds):
    ordered = sorted(seconds)
    return f"{statistics.median(ordered) * 1e3:8.1f} {ordered[0] * 1e3:8.1f} {ordered[-1] * 1e3:8.1f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("worker", type=os.path.abspath)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--requests", type=int, default=50, help="of each worker")
    arguments = parser.parse_args()
    if why := cluster.why_not():
        sys.exit(f"cannot measure: {why}")
    cluster.end_in_order_by_signals()
    command = [arguments.worker, "--device", "cpu"]
    with tempfile.TemporaryDirectory(prefix="kevolve-slurm-") as folder, cluster.Cluster(folder, gpus=2) as slurm:
        print(f"Slurm was ready after {slurm.seconds_to_start:.1f} s; {arguments.starts} starts and "
              f"{arguments.starts * arguments.requests} requests each")
        ways = {"direct": command, "srun": cluster.SRUN + command}
        lives = {way: [] for way in ways}
        for _ in range(arguments.starts):
            for way in ways:
                lives[way].append(one_life(ways[way], slurm.environment, arguments.requests))
    print("milliseconds              median    least     most")
    for way, found in lives.items():
        print(f"{way:6}  start to hello {in_words([life[0] for life in found])}")
        print(f"{way:6}  round trip     {in_words([trip for life in found for trip in life[1]])}")
        print(f"{way:6}  end of input   {in_words([life[2] for life in found])}")


if __name__ == "__main__":
    main()

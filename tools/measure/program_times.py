#!/usr/bin/env python3
"""How long whole programs take on an archive: `kevolve` commands, from fork to exit, and kevolved, until it serves.

program_times.py KEVOLVE ARCHIVE [--times N] [--load]   (an archive of archive_scale; kevolved beside KEVOLVE)

Each command is called once, then N times; the first call and the median, the worst, of the others are told. --load
prints the machine's load beside each: where others work on it, times are upper bounds.
"""

import argparse
import json
import os
import pathlib
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time


def commands(archive):
    db = sqlite3.connect(f"file:{archive}?mode=ro", uri=True)
    newest = db.execute("SELECT max(id) FROM candidates WHERE id <= (SELECT max(child) FROM lineage)").fetchone()[0]
    far = db.execute("SELECT id, candidate_hash FROM candidates WHERE id <= ? ORDER BY id DESC LIMIT 1",
                     (newest // 2,)).fetchone()
    child = db.execute("SELECT max(child) FROM lineage").fetchone()[0]
    parent = db.execute("SELECT parent FROM lineage WHERE child = ?", (child,)).fetchone()[0]
    other = db.execute("SELECT max(child) FROM lineage WHERE child <= ?", (child // 2,)).fetchone()[0]
    job, op = db.execute("SELECT name FROM jobs LIMIT 1").fetchone()[0], "op1"
    exchange = db.execute("SELECT max(x.id) FROM exchanges x JOIN rounds r ON r.id = x.round JOIN jobs j ON j.id = r.job"
                          " WHERE j.name = ?", (job,)).fetchone()[0]
    db.close()
    return [["--version"], ["best", op], ["best", op, "--top", "10"], ["show", far[1]], ["lineage", f"#{child}"],
            ["lineage", f"#{child}", "--generations", "1000"], ["diff", f"#{child}", f"#{parent}"],
            ["diff", f"#{child}", f"#{other}"], ["ideas", "warps", "shared"], ["ideas", "warps", "--operator", op],
            ["ideas", "variant", "4711"], ["failures"], ["failures", op], ["costs"], ["costs", "--job", job],
            ["exchanges", job], ["exchanges", job, "--show", str(exchange)], ["archive", "info"], ["status"],
            ["query", "SELECT name, state FROM jobs"],
            ["query", f"SELECT gate, outcome FROM evaluations WHERE candidate = {child}"], ["report", job]]


def seconds(command, environment):
    began = time.perf_counter()
    result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    took = time.perf_counter() - began
    if result.returncode != 0:
        raise SystemExit(f"{command} ended with {result.returncode}: {result.stderr}")
    return took


def until_it_serves(kevolved, config):
    """Until its HTTP API listens and its jobs are taken up: the later of the two lines in its log."""
    began = time.perf_counter()
    process = subprocess.Popen([kevolved, "--config", config], stderr=subprocess.PIPE, text=True)
    missing = {"event=listening", "event=service_started"}
    for line in process.stderr:
        missing -= {event for event in missing if event in line}
        if not missing:
            break
    took = time.perf_counter() - began
    process.send_signal(signal.SIGTERM)
    process.stderr.read()
    if process.wait() != 0 or missing:
        raise SystemExit(f"kevolved ended with {process.returncode}, without {missing or 'a complaint'}")
    return took


def tell(what, times, load):
    first, others = times[0], times[1:] or times
    beside = f"   load {os.getloadavg()[0]:.1f}" if load else ""
    print(f"{what:<58} first {first * 1e3:8.1f} ms; median {statistics.median(others) * 1e3:8.1f}, "
          f"worst {max(others) * 1e3:8.1f}{beside}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kevolve")
    parser.add_argument("archive")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--load", action="store_true")
    arguments = parser.parse_args()
    kevolve, archive = os.path.abspath(arguments.kevolve), os.path.abspath(arguments.archive)
    environment = {**os.environ, "KEVOLVE_ARCHIVE": archive}
    for command in commands(archive):
        times = [seconds([kevolve, *command], environment) for _ in range(arguments.times + 1)]
        tell("kevolve " + " ".join(command)[:50], times, arguments.load)
    with tempfile.TemporaryDirectory() as name:
        config = pathlib.Path(name) / "kevolved.json"
        config.write_text(json.dumps({"archive": archive, "http": {"port": 0}, "summaries": name}))
        kevolved = pathlib.Path(kevolve).with_name("kevolved")
        tell("kevolved, until it serves", [until_it_serves(kevolved, config) for _ in range(4)], arguments.load)


if __name__ == "__main__":
    main()

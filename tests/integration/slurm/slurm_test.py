#!/usr/bin/env python3
"""A job over two workers that Slurm places, one of them cancelled on the way, against the same job without Slurm.

slurm_test.py KEVOLVE [--rounds R] [--folder F]   (from the root of the source tree, as root)

Starts a Slurm of one node with two fake GPUs (cluster.py); the workers get one each, and judge on the cpu device. The
job is the deterministic one of tools/soak/kill_test.py. Ends with code 77 where Slurm is missing.
"""

import argparse
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "tools" / "soak"))
import cluster
import kill_test

SKIPPED = 77


def evaluations(archive):
    try:
        with sqlite3.connect(f"file:{archive}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM evaluations").fetchone()[0]
    except sqlite3.OperationalError:  # no file or no tables yet
        return 0


def start(kevolve, folder, job, archive, environment):
    with open(folder / f"{archive.stem}.log", "w") as log:
        return subprocess.Popen([kevolve, "run", job, "--archive", archive, "--lines"], stdout=log, stderr=log,
                                env={**environment, "XDG_CACHE_HOME": str(folder)})


def over_slurm(slurm, folder, kevolve, total):
    """The job over srun; in its middle the job in Slurm of one worker is cancelled. Problems, in words."""
    job = json.loads((folder / "job2.json").read_text())
    (folder / "slurm.json").write_text(json.dumps({**job, "launcher": cluster.SRUN}))
    archive, problems = folder / "slurm.db", []
    process = start(kevolve, folder, folder / "slurm.json", archive, slurm.environment)
    try:
        cancelled, at_once = None, {}
        while process.poll() is None:
            running = slurm.jobs()
            if len(running) > len(at_once):
                at_once = running
            if cancelled is None and len(running) == 2 and evaluations(archive) >= total // 3:
                cancelled, done = max(running), evaluations(archive)
                slurm.ask("scancel", str(cancelled))
                print(f"cancelled job {cancelled} of Slurm after {done} of {total} evaluations", flush=True)
            time.sleep(0.05)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    print(f"jobs at once, and their GPUs: {at_once}")
    if sorted(sum(at_once.values(), [])) != ["0", "1"]:
        problems.append("the two workers did not have one GPU each")
    if process.returncode != 0:
        problems.append(f"kevolve ended with {process.returncode}")
    if cancelled is None:
        problems.append("the job ended before one of its workers could be cancelled")
    log = (folder / "slurm.log").read_text()
    for words in ("was lost", "was replaced"):
        if words not in log:
            problems.append(f"the log of kevolve does not say that a worker {words}")
    if still := slurm.wait_until_empty(5):
        problems.append(f"kevolve has ended, but Slurm still holds its workers' places: {still}")
    return problems


def test(arguments, folder):
    kill_test.prepare(folder, arguments.rounds)
    code = start(arguments.kevolve, folder, folder / "job1.json", folder / "direct.db", os.environ).wait()
    if code != 0:
        sys.exit(f"the job without Slurm ended with {code}:\n{(folder / 'direct.log').read_text()}")
    expected = kill_test.contents(folder / "direct.db")
    print(f"without Slurm: {len(expected['evaluations'])} evaluations, {len(expected['standings'])} standings")
    (folder / "slurm").mkdir()
    with cluster.Cluster(folder / "slurm", gpus=2) as slurm:
        offer = slurm.ask("sinfo", "--noheader", "--format=%G").strip()
        print(f"Slurm was ready after {slurm.seconds_to_start:.1f} s and offers {offer}")
        problems = [] if offer == "gpu:2" else [f"Slurm offers '{offer}', expected gpu:2"]
        problems += over_slurm(slurm, folder, arguments.kevolve, len(expected["evaluations"]))
        if problems:
            problems += [slurm.log("slurmctld"), slurm.log("slurmd")]
    problems += [f"process {pid} outlived its Slurm" for pid in slurm.left()]
    return problems + kill_test.differences(expected, kill_test.contents(folder / "slurm.db"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kevolve", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", help="kept; must not be there yet; default: a temporary one")
    arguments = parser.parse_args()
    if why := cluster.why_not():
        print(f"SKIPPED: {why}")
        sys.exit(SKIPPED)
    cluster.end_in_order_by_signals()
    with tempfile.TemporaryDirectory(prefix="kevolve-slurm-") as name:
        folder = pathlib.Path(name)
        if arguments.folder:
            folder = pathlib.Path(arguments.folder).absolute()
            folder.mkdir(parents=True)
        problems = test(arguments, folder)
    for problem in problems[:16]:
        print(problem)
    if problems:
        sys.exit(1)
    print("the job ended with the candidates, verdicts and champions of the one without Slurm")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A night of the service in minutes: does kevolved leak memory, descriptors or processes, or lose an event?

soak.py BIN [--evaluations N] [--seed S] [--every SECONDS] [--folder F] [--samples FILE]   (from the root of the source
tree; BIN is the folder of the programs)

Starts a kevolved of its own: pools of simulated workers, which crash, garble and err; models behind the fault-injecting
server, which fails in all its ways. Jobs are submitted, paused, resumed, cancelled and given other priorities, workers
killed, questions asked, until N evaluations are in the archive. Two followers count events; one hangs up now and then.
At the end: what is left when the service has nothing to do; a drain by SIGTERM; events against rows.
"""

import argparse
import collections
import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import soak_verdict
from soak_follower import Follower
from soak_models import OPERATORS, Models
from soak_watch import Watch, holdings, marked

TOKEN = "a-token-for-the-soak-only"
ENOUGH = 20000  # evaluations to judge memory by
AT_ONCE = 8  # jobs that are neither at their end nor paused
QUESTIONS = ["/v1/status", "/v1/jobs", "/v1/workers", "/metrics", "/v1/best?operator=gelu", "/v1/jobs/{job}/report",
             "/v1/jobs/{job}/costs", "/v1/jobs/{job}"]


def die_with_parent():
    """In a child, before exec: it is killed when this program is. Its workers end with their input."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Soak:
    def __init__(self, arguments, folder):
        self.bin, self.folder, self.random = pathlib.Path(arguments.bin).absolute(), folder, random.Random(arguments.seed)
        self.mark = f"KEVOLVE_SOAK={folder}"
        self.environment = {**os.environ, "KEVOLVE_SOAK": str(folder)}
        self.problems, self.actions = [], collections.Counter()
        self.jobs, self.outage = 0, False
        self.models = Models(folder, self.random, self.environment)
        with socket.create_server(("127.0.0.1", 0)) as unused:
            self.port = unused.getsockname()[1]

    def configure(self):
        def pool(name, device, workers):
            launcher = [str(self.bin / "simulated-worker"), "--device", device, "--jitter-ms", "2", "--crash", "0.001",
                        "--garbage", "0.0005", "--error", "0.003", "--"]
            return {"name": name, "device": device, "workers": workers, "idle_seconds": 5, "launcher": launcher}
        (self.folder / "token").write_text(TOKEN)
        os.chmod(self.folder / "token", 0o600)
        (self.folder / "kevolved.json").write_text(json.dumps({
            "archive": "archive.db", "max_running": 4, "models": "models.json", "worker_cache": "cache",
            "pools": [pool("cpus", "cpu", 3), pool("gpus", "cuda:0", 2)],
            "http": {"port": self.port, "token_file": "token"}}))

    def start(self):
        self.configure()
        with open(self.folder / "log", "w") as log:
            self.service = subprocess.Popen([self.bin / "kevolved", "--config", self.folder / "kevolved.json"],
                                            stdout=log, stderr=log, env=self.environment, preexec_fn=die_with_parent)
        until = time.monotonic() + 30
        while "event=listening" not in (self.folder / "log").read_text():
            if self.service.poll() is not None or time.monotonic() > until:
                sys.exit(f"kevolved does not listen:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    # ------------------------------------------------------------------------------------------- asking

    def ask(self, method, path, body=None, allowed=(200, 201)):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        if reply.status not in allowed:
            self.problems.append(f"{method} {path}: {reply.status} {text[:300]}")
        return json.loads(text) if text.startswith("{") else {}

    def evaluations(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/archive.db?mode=ro", uri=True)) as db:
            return db.execute("SELECT coalesce(max(id), 0) FROM evaluations").fetchone()[0]

    def by_state(self):
        found = collections.defaultdict(list)
        for job in self.ask("GET", "/v1/jobs")["jobs"]:
            found[job["state"]].append(job["name"])
        return found

    # ------------------------------------------------------------------------------------------- acting

    def submit(self):
        self.jobs += 1
        pick = self.random.choice
        weights = pick([(1, 4), (1, 1), (0, 1), (1, 0)])
        sources = [{"kind": "playbook", "weight": weights[0]},
                   {"kind": "llm", "weight": weights[1], "models": [f"model-{name}" for name in (
                       "all-open", "all-anthropic", "all-frail")]}]
        job = {"name": f"job-{self.jobs}", "device": pick(["cpu", "cpu", "cuda:0"]), "seed": self.jobs,
               "operators": self.random.sample(OPERATORS, pick([1, 2])),
               "idea_sources": [source for source in sources if source["weight"] > 0],
               "policy": {"kind": pick(["evolve", "evolve", "refine", "sample"]), "rounds": pick([1, 2, 3]),
                          "ideas_per_round": 5, "implementations_per_idea": 2, "tunings": 6, "plateau_rounds": 9},
               "timing": {"min_samples": 3, "max_samples": 5, "max_seconds": 0.1}}
        self.ask("POST", "/v1/jobs", {"job": job, "priority": pick(range(-5, 6))})

    def act(self, states):
        """One thing that somebody might do. A job may have ended meanwhile: 409."""
        alive = states["running"] + states["queued"]
        kind = self.random.choices(["pause", "resume", "cancel", "priority", "kill", "ask", "reload", "fail"],
                                   [3, 4, 1, 2, 2, 8, 1, 3])[0]
        self.actions[kind] += 1
        if kind in ("pause", "cancel") and alive:
            self.ask("POST", f"/v1/jobs/{self.random.choice(alive)}/{kind}", {}, (200, 409))
        elif kind == "resume" and states["paused"]:
            self.ask("POST", f"/v1/jobs/{self.random.choice(states['paused'])}/resume", {}, (200, 409))
        elif kind == "priority" and alive:
            self.ask("PUT", f"/v1/jobs/{self.random.choice(alive)}/priority", {"priority": self.random.randint(-5, 5)})
        elif kind == "kill":
            workers = [w["process"] for pool in self.ask("GET", "/v1/workers")["pools"] for w in pool["workers"]]
            if workers := [pid for pid in workers if pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.random.choice(workers), signal.SIGKILL)
        elif kind == "ask":
            self.ask("GET", self.random.choice(QUESTIONS).format(job=f"job-{self.random.randint(1, self.jobs)}"),
                     allowed=(200, 404))
        elif kind == "reload":
            self.ask("POST", "/v1/reload", {})
        elif kind == "fail":
            self.outage = not self.outage and self.random.randrange(4) == 0
            self.models.fail_anew(self.outage)

    def work(self, wanted):
        told = time.monotonic()
        while (done := self.evaluations()) < wanted and self.service.poll() is None:
            states = self.by_state()
            for _ in range(AT_ONCE - len(states["running"] + states["queued"])):
                self.submit()
            self.act(states)
            time.sleep(self.random.uniform(0, 0.4))
            if time.monotonic() > told + 30:
                told = time.monotonic()
                print(f"  {done} evaluations, {self.jobs} jobs", flush=True)

    def rest(self):
        """Nothing to do: all jobs ended, workers gone."""
        self.models.fail_anew(False)
        for name in (names := self.by_state())["queued"] + names["running"] + names["paused"]:
            self.ask("POST", f"/v1/jobs/{name}/cancel", {}, (200, 409))
        until = time.monotonic() + 120
        while time.monotonic() < until:
            workers = [w["state"] for pool in self.ask("GET", "/v1/workers")["pools"] for w in pool["workers"]]
            if set(workers) == {"off"} and not self.by_state()["running"]:
                break
            time.sleep(0.5)
        else:
            self.problems.append(f"120 s after the last job was cancelled: {self.by_state()}, workers {workers}")
        time.sleep(3)  # connections that were closed are gone

    def drain(self, followers):
        """SIGTERM while jobs run."""
        before = followers[0].last
        for follower in followers:
            follower.settle()
        for _ in range(4):
            self.submit()
        until = time.monotonic() + 60
        while min(follower.last for follower in followers) < before + 100 and time.monotonic() < until:
            time.sleep(0.05)
        self.service.send_signal(signal.SIGTERM)
        try:
            code = self.service.wait(timeout=120)
        except subprocess.TimeoutExpired:
            self.service.kill()
            code = "no end within 120 s"
        if code != 0:
            self.problems.append(f"kevolved ended after SIGTERM with {code}")
        for follower in followers:
            follower.join(timeout=30)
            if not follower.service_ended:
                self.problems.append(f"follower {follower.name} has not seen the end, only event {follower.last}")
                follower.give_up = True


def soak(test, arguments):
    test.start()
    followers = [Follower("steady", test.port), Follower("fickle", test.port, random.Random(arguments.seed), stays=800)]
    for follower in followers:
        follower.start()
    for question in QUESTIONS[:5]:  # what is opened once, and kept
        test.ask("GET", question, allowed=(200, 404))
    time.sleep(1)
    start = holdings(test.service.pid)
    watch = Watch(test.service.pid, lambda: {"evaluations": test.evaluations(), "events": followers[0].last},
                  arguments.every)
    watch.start()
    began = time.monotonic()
    test.work(arguments.evaluations)
    seconds, done = time.monotonic() - began, test.evaluations()
    watch.stop()
    watch.write(arguments.samples or test.folder / "samples.csv")
    if test.service.poll() is not None:
        test.problems.append(f"kevolved ended by itself with {test.service.returncode}")
        return
    test.rest()
    end = holdings(test.service.pid)
    test.drain(followers)
    print(f"{done} evaluations of {test.jobs} jobs in {seconds:.0f} s: {done / seconds:.1f} a second")
    print("done to it:", ", ".join(f"{count} {kind}" for kind, count in test.actions.most_common()))
    print("its events:", ", ".join(f"{count} {kind}" for kind, count in followers[0].types.most_common()))
    print("requests to models by fate:", ", ".join(
        f"{count} {words}" for words, count in sorted(test.models.requests().items(), key=lambda item: -item[1])))
    if arguments.evaluations >= ENOUGH:
        test.problems += soak_verdict.memory(watch.samples, arguments.most)
    else:
        print(f"memory: not judged below {ENOUGH} evaluations")
    test.problems += soak_verdict.holdings(start, end)
    test.problems += soak_verdict.archive(test.bin / "kevolve", test.folder / "archive.db")
    test.problems += soak_verdict.events(followers, test.folder / "archive.db")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--evaluations", type=int, default=40000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two samples")
    parser.add_argument("--most", type=float, default=100, help="bytes of memory that an evaluation may cost for good")
    parser.add_argument("--samples", help="the file for the samples; default: in the folder")
    parser.add_argument("--folder", help="kept; must not be there yet; default: a temporary one")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with tempfile.TemporaryDirectory(prefix="kevolve-soak-") as name:
        folder = pathlib.Path(arguments.folder or name).absolute()
        if arguments.folder:
            folder.mkdir(parents=True)
        test = Soak(arguments, folder)
        try:
            soak(test, arguments)
        finally:
            test.models.stop()
            time.sleep(1)
            left = marked(test.mark)
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        print(f"processes left: {len(left)}")
        test.problems += [f"process {pid} was left" for pid in left]
        for problem in test.problems[:20]:
            print(problem)
    print(f"NOT sound: {len(test.problems)} problems" if test.problems else "sound")
    sys.exit(1 if test.problems else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Kills a running job again and again, lets it go on to its end, and compares with one that nobody disturbed.

kill_test.py KEVOLVE [--kills N] [--seed S] [--rounds R] [--workers W] [--service] [--folder F]
(from the root of the source tree)

The job is deterministic, on the cpu device, with ideas of the playbook and of a recording. Each kill (SIGKILL, at a
random moment) hits the engine, a worker, or a process below a worker: a runner, a compiler, their sandbox. The engine is
`kevolve run`, and the same command goes on with the job; with --service it is `kevolved`, to which the job is submitted
once, and which goes on by itself when it is started again. After each kill of the engine `kevolve archive check` must
pass. A job that has ended is compared with the undisturbed one, of `kevolve run`; then a fresh one takes its place, until
N kills are done.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

OPERATORS = {"gelu": "vector_loads", "sum": None}
IDEAS = ["Let each thread take many contiguous elements.", "Persist a few warps and stride through the tensor.",
         "Stage tiles in shared memory before they are used.", "Unroll the innermost loop eight times by hand.",
         "Prefetch the following vector while this one is computed.", "Give every warp a contiguous stretch of memory."]


def fenced(source):
    return f"Here it is:\n\n```cuda\n{source}\n```\n"


def recording(rounds):
    """A model that proposes one idea a round; its code is wrong, corrected, and then made no faster."""
    lines = []
    for name, entry in OPERATORS.items():
        folder = pathlib.Path("kernels/seed") / name
        naive = (folder / "naive.cu").read_text()
        right = (folder / f"{entry}.cu").read_text() if entry else naive
        for number in range(1, rounds + 1):
            def says(slot, text):
                lines.append(json.dumps({"operator": name, "workload": "small", "round": number, "slot": slot,
                                         "model": "m", "input_tokens": 10, "output_tokens": 10, "text": text}))
            idea = {"idea": IDEAS[number % len(IDEAS)] + f" Variant {number}.", "bottleneck": "memory",
                    "predicted_us": 100}
            says("ideas", json.dumps([idea]))
            says("ideas-2", "Nothing else.")
            mark = f"// round {number}\n"
            says("idea-1/way-1", fenced(naive.replace("__global__ void", "__global__ viod") + mark))
            says("idea-1/way-1/repair-1", fenced(right + mark))
            says("idea-1/way-1/improve-1", fenced(naive + mark))
    return "\n".join(lines) + "\n"


def prepare(folder, rounds):
    (folder / "recording.jsonl").write_text(recording(rounds))
    for workers in (1, 2):
        job = {"name": "kill", "operators": list(OPERATORS), "seed": 7, "workers": workers,
               "idea_sources": [{"kind": "playbook", "weight": 2}, {"kind": "replay", "file": "recording.jsonl"}],
               "policy": {"deterministic": True, "rounds": rounds, "ideas_per_round": 3, "plateau_rounds": rounds,
                          "implementations_per_idea": 1, "repair_turns": 1, "improve_turns": 1, "tunings": 1},
               "timing": {"min_samples": 3, "max_samples": 3, "max_seconds": 0.1}}
        (folder / f"job{workers}.json").write_text(json.dumps(job))


def contents(path):
    """What has to be the same whatever happened on the way."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    ask = lambda sql: sorted(db.execute(sql).fetchall(), key=repr)
    found = {
        "verdicts": ask("""SELECT o.name, r.workload, r.number, c.candidate_hash, e.gate, e.outcome FROM candidates c
                           JOIN rounds r ON r.id = c.round JOIN operators o ON o.id = c.operator
                           LEFT JOIN evaluations e ON e.id = c.evaluation"""),
        "evaluations": ask("""SELECT o.name, e.workload, c.candidate_hash, e.purpose, e.gate, e.outcome
                              FROM evaluations e JOIN candidates c ON c.id = e.candidate
                              JOIN operators o ON o.id = e.operator"""),
        "standings": ask("""SELECT o.name, r.workload, r.precision, r.yardstick, s.candidate_hash, s.state, s.figure
                            FROM standings s JOIN rankings r ON r.id = s.ranking JOIN operators o ON o.id = r.operator"""),
        "champions": ask("""SELECT o.name, h.workload, r.number, c.candidate_hash FROM champions h
                            JOIN candidates c ON c.id = h.candidate JOIN operators o ON o.id = h.operator
                            LEFT JOIN rounds r ON r.id = h.round"""),
        "rounds": ask("""SELECT o.name, r.workload, r.number, r.state FROM rounds r
                         JOIN operators o ON o.id = r.operator"""),
        "ideas": ask("""SELECT o.name, r.number, i.source, i.key, i.text FROM ideas i
                        JOIN operators o ON o.id = i.operator LEFT JOIN rounds r ON r.id = i.round"""),
        # Each reply once. What brought none (the recording lacks it) costs nothing, and may be asked again.
        "replies": ask("""SELECT o.name, r.number, x.slot FROM exchanges x JOIN rounds r ON r.id = x.round
                          JOIN operators o ON o.id = r.operator WHERE x.outcome = 'replied'"""),
        "slots": ask("""SELECT DISTINCT o.name, r.number, x.slot FROM exchanges x JOIN rounds r ON r.id = x.round
                        JOIN operators o ON o.id = r.operator"""),
        "lineage": ask("""SELECT c.candidate_hash, p.candidate_hash, l.relation FROM lineage l
                          JOIN candidates c ON c.id = l.child JOIN candidates p ON p.id = l.parent"""),
        "job": ask("SELECT name, state FROM jobs"),
    }
    db.close()
    return found


def ended(archive):
    db = sqlite3.connect(f"file:{archive}?mode=ro", uri=True)
    try:
        return db.execute("SELECT state FROM jobs").fetchall() == [("finished",)]
    except sqlite3.OperationalError:  # killed before it had tables
        return False
    finally:
        db.close()


def differences(expected, found):
    texts = []
    for what, rows in expected.items():
        lost = collections.Counter(rows) - collections.Counter(found[what])
        gained = collections.Counter(found[what]) - collections.Counter(rows)
        texts += [f"{what}: missing {row}" for row in lost.elements()]
        texts += [f"{what}: too many {row}" for row in gained.elements()]
    return texts


def descendants(root):
    """(pid, name) of all processes below `root`, by their parents in /proc."""
    children, names = collections.defaultdict(list), {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = pathlib.Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        children[int(rest[1])].append(int(entry))
        names[int(entry)] = name
    found, todo = [], [root]
    while todo:
        for child in children[todo.pop()]:
            found.append((child, names[child]))
            todo.append(child)
    return found


class Foreground:
    """`kevolve run`: ends with its job."""
    name = "kevolve run"

    def __init__(self, kevolve, folder, archive, workers):
        self.archive = archive
        log = open(folder / "log", "a")
        cache = archive.with_suffix(".cache")  # of its own, so that compilers have work, and can be killed
        cache.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [kevolve, "run", folder / f"job{workers}.json", "--archive", archive, "--lines"],
            stdout=log, stderr=log, env={**os.environ, "XDG_CACHE_HOME": str(cache)})

    def wait(self, seconds):
        """Its exit code, once the job has ended; TimeoutExpired when it has not within that time."""
        return self.process.wait(timeout=seconds)


class Service:
    """`kevolved`: goes on with jobs that were submitted to it, and is ended when they have ended."""
    name = "kevolved"

    def __init__(self, kevolve, folder, archive, workers):
        self.archive = archive
        fresh = not archive.exists()
        token = archive.with_suffix(".token")  # who submits must give one; found by the service's file
        token.write_text("the-token-of-this-test\n")
        config = archive.with_suffix(".json")
        config.write_text(json.dumps({
            "archive": str(archive), "worker_cache": str(archive.with_suffix(".cache")),
            "http": {"port": 0, "token_file": str(token)},
            "pools": [{"name": "cpu", "device": "cpu", "workers": workers}]}))
        log = open(folder / "log", "a")
        self.process = subprocess.Popen([pathlib.Path(kevolve).with_name("kevolved"), "--config", config],
                                        stdout=log, stderr=log)
        if fresh:
            self.submit(kevolve, folder / f"job{workers}.json")

    def submit(self, kevolve, job):
        address = pathlib.Path(f"{self.archive}.service")
        until = time.monotonic() + 20
        while not address.exists() and time.monotonic() < until and self.process.poll() is None:
            time.sleep(0.01)
        subprocess.run([kevolve, "submit", job, "--archive", self.archive], check=True, stdout=subprocess.DEVNULL)

    def wait(self, seconds):
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            if ended(self.archive):
                self.process.terminate()
                return self.process.wait(timeout=60)
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("kevolved", seconds)
            time.sleep(0.02)
        return f"{self.process.returncode} before its job's end"


class Test:
    def __init__(self, arguments, folder):
        self.kevolve, self.folder = arguments.kevolve, folder
        self.random = random.Random(arguments.seed)
        self.workers = arguments.workers
        self.longest = arguments.longest
        self.engine = Service if arguments.service else Foreground
        self.kills = collections.Counter()
        self.problems = []

    def start(self, archive):
        return self.engine(self.kevolve, self.folder, archive, self.workers)

    def undisturbed(self):
        began = time.monotonic()
        code = Foreground(self.kevolve, self.folder, self.folder / "undisturbed.db", 1).wait(1800)
        if code != 0:
            sys.exit(f"the undisturbed run ended with {code}; see {self.folder}/log")
        found = contents(self.folder / "undisturbed.db")
        if not any("improve" in slot for _, _, slot in found["replies"]):
            sys.exit("the recording was not used: its slots are not those that this kevolve asks for")
        counts = ", ".join(f"{len(rows)} {what}" for what, rows in found.items() if what != "job")
        print(f"undisturbed: {counts}, {time.monotonic() - began:.0f} s", flush=True)
        return found

    def victim(self, process):
        """Whom to kill, and as what it counts; a process below a worker is waited for a moment."""
        kind = self.random.choice(("engine", "worker", "below"))
        until = time.monotonic() + 3
        while kind != "engine" and time.monotonic() < until and process.poll() is None:
            below = descendants(process.pid)
            workers = [pid for pid, name in below if name.startswith("kevolve-worke")]
            others = [(pid, name) for pid, name in below if pid not in workers]
            if kind == "worker" and workers:
                return self.random.choice(workers), "worker"
            if kind == "below" and others:
                return self.random.choice(others)
            time.sleep(0.01)
        return process.pid, self.engine.name

    def check(self, archive):
        result = subprocess.run([self.kevolve, "archive", "check", "--archive", archive], capture_output=True, text=True)
        if result.returncode != 0:
            self.problems.append(f"after kill {sum(self.kills.values())}: {result.stdout}{result.stderr}")

    def disturbed(self, archive, kills):
        """One job from beginning to end, killed up to so often. How often it was started."""
        starts, done = 1, 0
        engine = self.start(archive)
        while True:
            wait = self.random.uniform(0.05, self.longest) if done < kills else 1800
            try:
                code = engine.wait(wait)
            except subprocess.TimeoutExpired:
                if done == kills:
                    self.problems.append("a job did not end within 1800 s")
                    engine.process.kill()
                    return starts
                pid, name = self.victim(engine.process)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                done += 1
                self.kills[name] += 1
                if name == self.engine.name:
                    engine.process.wait()
                    if pathlib.Path(archive).exists():
                        self.check(archive)
                        if ended(archive):  # it was killed behind its end: another run would search further rounds
                            return starts
                    engine = self.start(archive)
                    starts += 1
                continue
            if code != 0:
                self.problems.append(f"a run ended with {code}; see {self.folder}/log")
            return starts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kevolve")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1, choices=(1, 2), help="of the disturbed jobs")
    parser.add_argument("--longest", type=float, default=6.0, help="seconds between two kills at most")
    parser.add_argument("--service", action="store_true", help="the engine is kevolved")
    parser.add_argument("--folder", help="kept; default: a temporary one")
    arguments = parser.parse_args()
    arguments.kevolve = os.path.abspath(arguments.kevolve)
    with tempfile.TemporaryDirectory(prefix="kevolve-kill-") as name:
        folder = pathlib.Path(arguments.folder or name).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder, arguments.rounds)
        test = Test(arguments, folder)
        expected = test.undisturbed()
        number = 0
        while sum(test.kills.values()) < arguments.kills and not test.problems:
            number += 1
            archive, began = folder / f"disturbed-{number}.db", time.monotonic()
            before = sum(test.kills.values())
            starts = test.disturbed(archive, arguments.kills - before)
            test.check(archive)
            test.problems += differences(expected, contents(archive))
            print(f"job {number}: {sum(test.kills.values()) - before} kills, {starts} starts, "
                  f"{time.monotonic() - began:.0f} s, {'the same' if not test.problems else 'NOT THE SAME'}", flush=True)
        print(f"{sum(test.kills.values())} kills:", ", ".join(f"{n} of {who}" for who, n in test.kills.most_common()))
        for problem in test.problems[:12]:
            print(problem)
        if test.problems:
            print("the log ends:", *(folder / "log").read_text().splitlines()[-20:], sep="\n  ")
            sys.exit(1)
        print("every job ended as the undisturbed one did; every check of the archive passed")


if __name__ == "__main__":
    main()

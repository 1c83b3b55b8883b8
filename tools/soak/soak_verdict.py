"""What a soak says at its end. Each function prints what it found, and returns what is wrong with it, in words."""

import collections
import contextlib
import sqlite3
import subprocess

from soak_watch import slope

KEPT_EVENTS = 16384  # of the service (docs/http_api.md): its memory grows until there are so many


def memory(samples, most):
    """`most`: bytes that an evaluation may cost for good. The warm-up is a fifth, and until all events are kept."""
    steady = [s for s in samples if s["evaluations"] >= 0.2 * samples[-1]["evaluations"] and s["events"] >= KEPT_EVENTS]
    if len(steady) < 10:
        return [f"only {len(steady)} samples after the warm-up: too few for a slope; it takes more evaluations"]
    print(f"memory: {samples[0]['rss_bytes'] / 1e6:.1f} MB at the start, {steady[0]['rss_bytes'] / 1e6:.1f} MB after the "
          f"warm-up ({steady[0]['evaluations']} evaluations), {samples[-1]['rss_bytes'] / 1e6:.1f} MB at the end")
    problems = []
    for what in ("rss_bytes", "anon_bytes"):
        each = slope([(s["evaluations"], s[what]) for s in steady])
        hourly = slope([(s["seconds"], s[what]) for s in steady]) * 3600
        print(f"slope of {what} after the warm-up: {each:+.1f} bytes per evaluation, {hourly / 1e6:+.2f} MB per hour")
        if each > most:
            problems.append(f"{what} grows by {each:.0f} bytes per evaluation; {most:.0f} are allowed")
    return problems


def holdings(start, end):
    problems = []
    for what in ("fds", "threads", "children", "zombies"):
        print(f"{what}: {start[what]} at the start, {end[what]} with nothing left to do")
        if end[what] > start[what]:
            problems.append(f"{end[what] - start[what]} {what} more than at the start")
    return problems


def archive(kevolve, file):
    result = subprocess.run([kevolve, "archive", "check", "--archive", file], capture_output=True, text=True)
    print(f"kevolve archive check: exit code {result.returncode}: {result.stdout.strip()}")
    return [result.stdout + result.stderr] if result.returncode else []


def events(followers, file):
    """Each event once for each follower; an event for each row of a candidate, and a row for each such event."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        rows = collections.Counter(db.execute("""
            SELECT j.name, o.name, c.candidate_hash FROM evaluations e JOIN runs r ON r.id = e.run
            JOIN jobs j ON j.id = r.job JOIN operators o ON o.id = e.operator
            JOIN candidates c ON c.id = e.candidate JOIN ideas i ON i.id = c.idea
            WHERE e.purpose = 'search' AND i.source <> 'seed'""").fetchall())
        purposes = db.execute("""SELECT CASE WHEN i.source = 'seed' THEN 'seed' ELSE e.purpose END, count(*)
            FROM evaluations e JOIN candidates c ON c.id = e.candidate JOIN ideas i ON i.id = c.idea GROUP BY 1""")
        print("rows: " + ", ".join(f"{count} {purpose}" for purpose, count in purposes))
    problems = [problem for follower in followers for problem in follower.problems]
    for follower in followers:
        for what, lost in (("rows without an event", rows - follower.evaluated),
                           ("events without a row", follower.evaluated - rows)):
            if lost:
                problems.append(f"follower {follower.name}: {lost.total()} {what}, as {next(iter(lost))}")
        print(f"follower {follower.name}: events 1 to {follower.last} in {follower.connections} connections, "
              f"{follower.types['evaluated']} of them evaluated, for {rows.total()} rows of candidates")
    if len({follower.last for follower in followers}) > 1:
        problems.append("the followers saw different ends")
    return problems

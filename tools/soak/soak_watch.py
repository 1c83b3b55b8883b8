"""What a process holds, by /proc: memory, descriptors, threads, children; and how a series of it grows."""

import csv
import os
import pathlib
import threading
import time

COLUMNS = ["seconds", "evaluations", "events", "rss_bytes", "anon_bytes", "fds", "threads", "children", "zombies"]


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":", 1) for line in lines)


def children_of(pid):
    """(all, zombies)"""
    found, zombies = 0, 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            state, parent = pathlib.Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid:
            found += 1
            zombies += state == "Z"
    return found, zombies


def holdings(pid):
    status = status_of(pid)
    children, zombies = children_of(pid)
    return {"rss_bytes": int(status["VmRSS"].split()[0]) * 1024, "anon_bytes": int(status["RssAnon"].split()[0]) * 1024,
            "fds": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(status["Threads"]), "children": children,
            "zombies": zombies}


def marked(mark):
    """Processes whose environment holds the words `mark`, but this one."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and int(entry) != os.getpid() and mark.encode() in pathlib.Path(
                    f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                found.append(int(entry))
        except OSError:
            pass
    return found


def slope(points):
    """Least squares of (x, y): y for each x."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_x, mean_y = (sum(p[i] for p in points) / count for i in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


class Watch(threading.Thread):
    """Samples `pid` every so many seconds until stop(). `counts` says how many evaluations and events there were."""

    def __init__(self, pid, counts, every):
        super().__init__(daemon=True)
        self.pid, self.counts, self.every = pid, counts, every
        self.samples = []
        self.ended = threading.Event()
        self.began = time.monotonic()

    def run(self):
        while not self.ended.wait(self.every):
            self.samples.append({"seconds": round(time.monotonic() - self.began, 2), **self.counts(), **holdings(self.pid)})

    def stop(self):
        self.ended.set()
        self.join()

    def write(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.samples)

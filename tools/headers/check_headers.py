#!/usr/bin/env python3
"""Compiles every header alone, so that each includes what it uses: unity builds would not notice.

check_headers.py [--changed COMMIT] [HEADER ...]      default: all headers of archive, core, daemon and llm_client

CTest runs it as headers_test with --changed HEAD~3, since all headers cost minutes of processor time. Most headers
include nlohmann/json.hpp, which costs seconds each time. Such a header is compiled with a precompiled form of that
one include in front. This hides nothing: whatever the include brings, the header gets from it anyway, and every
header in between is itself compiled alone. A header that does not reach the include is compiled without it.
"""
import argparse
import concurrent.futures
import functools
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ("archive", "core", "daemon", "llm_client")
# What a candidate's compiler sees, and a piece of a CUDA source that CMake puts together: no headers of our programs.
APART = ("core/devices/cpu/simt/include/", "core/devices/cuda/kernels/")
PRELUDES = (("nlohmann/json.hpp", "boost/asio/io_context.hpp"), ("nlohmann/json.hpp",))


@functools.lru_cache(maxsize=None)
def includes(header):
    """(rooted includes, third-party and standard ones) of one of our headers."""
    text = (ROOT / header).read_text()
    return (re.findall(r'^#include "([^"]+)"', text, re.M), re.findall(r"^#include <([^>]+)>", text, re.M))


def reached(header):
    """All <includes> that a header reaches through ours."""
    seen, pending, found = {header}, [header], set()
    while pending:
        ours, theirs = includes(pending.pop())
        found.update(theirs)
        for name in ours:
            if name not in seen and (ROOT / name).exists():
                seen.add(name)
                pending.append(name)
    return found


def changed(commit):
    """The files of our modules that differ from a commit; None where git does not know (a shallow clone, no clone)."""
    command = ["git", "-c", "safe.directory=*", "diff", "--name-only", "--diff-filter=d", commit, "--", *MODULES]
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    return done.stdout.split() if done.returncode == 0 else None


def chosen(arguments):
    names = changed(arguments.changed) if arguments.changed else arguments.headers or None
    if names is None:
        names = [str(path.relative_to(ROOT)) for module in MODULES for path in (ROOT / module).rglob("*.hpp")]
    return sorted(name for name in names if name.endswith(".hpp") and not name.startswith(APART))


class Compiler:
    def __init__(self, arguments, folder):
        self.command = [arguments.compiler, "-std=c++20", "-O0", "-w", "-I", str(ROOT)]
        for path in arguments.system:
            self.command += ["-isystem", path]
        self.folder = pathlib.Path(folder)
        self.preludes = []

    def run(self, *words):
        return subprocess.run([*self.command, *words], cwd=ROOT, text=True, stderr=subprocess.PIPE, check=False)

    def precompile(self, headers):
        for number, names in enumerate(PRELUDES):
            if sum(set(names) <= reached(header) for header in headers) < 4:
                continue
            prelude = self.folder / f"prelude{number}.hpp"
            prelude.write_text("".join(f"#include <{name}>\n" for name in names))
            if self.run("-x", "c++-header", str(prelude), "-o", f"{prelude}.gch").returncode == 0:
                self.preludes.append((set(names), ["-Winvalid-pch", "-include", str(prelude)]))

    def check(self, header):
        """The compiler's words, or nothing when the header compiles alone."""
        prelude = next((words for names, words in self.preludes if names <= reached(header)), [])
        done = self.run(*prelude, "-fsyntax-only", "-x", "c++", header)
        return "" if done.returncode == 0 else done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("headers", nargs="*", metavar="HEADER", help="from the root of the source tree")
    parser.add_argument("--changed", metavar="COMMIT", help="only the headers that differ from COMMIT, all where git cannot tell")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--system", action="append", default=[], metavar="FOLDER", help="third-party headers")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    headers = chosen(arguments)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        compiler = Compiler(arguments, folder)
        compiler.precompile(headers)
        failed = {header: words for header, words in zip(headers, pool.map(compiler.check, headers)) if words}
    for header, words in failed.items():
        print(f"{header} does not compile alone:\n{words}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{len(headers)} headers, {len(failed)} do not compile alone; {used.ru_utime + used.ru_stime:.0f} s of CPU")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

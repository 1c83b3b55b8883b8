#!/usr/bin/env python3
"""Writes requests for kevolve-worker, one JSON object a line, from the seed operators' candidate files.

make_requests.py OPERATOR WORKLOAD [--device cuda:0] [--count 200] [--wrong 0.5] [--files a.cu b.cu] [--gate timing]

Distinct candidates are made by choosing different values of their tunables. With --wrong a share
of them is spoilt: a store is moved by one element or scaled, which the correctness gate must notice.
"""
import argparse
import itertools
import json
import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def header(source):
    return json.loads(re.search(r"/\*kevolve\s*(\{.*?\n\})\s*\*/", source, re.S).group(1))


def choices(tunables):
    names = sorted(tunables)
    for values in itertools.product(*(tunables[name] for name in names)):
        yield dict(zip(names, values))


def applies(operator, workload, head, tunables):
    """Whether the constraints hold; a plan whose scratch or grid cannot be is left to the worker."""
    names = dict(operator["workloads"][workload]["axes"], **{n: v[0] for n, v in head.get("tunables", {}).items()})
    names.update({n: scalar["value"] for n, scalar in operator.get("scalars", {}).items()})
    names.update(tunables, num_sms=132, min=min, max=max, ceil_div=lambda a, b: -(-a // b))
    text = [c.replace("/", "//").replace("&&", " and ").replace("||", " or ") for c in head.get("constraints", [])]
    return all(eval(c, {}, names) for c in text)


def spoil(source, rng):
    """The same kernel, wrong: the body's last assignment to an output is scaled a little."""
    head, body = source.split("*/", 1)
    stores = list(re.finditer(r"=\s*([^=;]+);\s*$", body, re.M))
    if not stores:
        return None
    at = stores[-1]
    return head + "*/" + body[: at.start(1)] + f"1.0{rng.randint(1, 9)}f * (" + at.group(1) + ")" + body[at.end(1):]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operator")
    parser.add_argument("workload")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--count", type=int, default=0, help="0: one of each file, with its default tunables")
    parser.add_argument("--wrong", type=float, default=0)
    parser.add_argument("--files", nargs="*", default=[])
    parser.add_argument("--gate", default="timing")
    parser.add_argument("--incumbent", help="a file to compare each candidate with")
    parser.add_argument("--baselines", nargs="*", default=[], help="of PyTorch, to time beside each: eager compile")
    parser.add_argument("--min-samples", type=int, default=30)
    parser.add_argument("--max-samples", type=int, default=40)
    parser.add_argument("--max-seconds", type=float, default=2.0)
    parser.add_argument("--fresh-draws", action="store_true", help="as for a promotion: draws and runners of its own")
    parser.add_argument("--repeat", type=int, default=1, help="the whole list so many times")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    folder = ROOT / "kernels/seed" / options.operator
    operator = json.loads((folder / "operator.json").read_text())
    kernels = {path.name: path 
               for path in [*folder.glob("*.cu"), *(folder / shared for shared in operator.get("playbook", []))]}
    files = [kernels[name] for name in options.files] or [kernels[name] for name in sorted(kernels)]
    pool = []
    for file in files:
        source = file.read_text()
        every = list(choices(header(source).get("tunables", {})))
        if options.count == 0:
            every = [{}]
        every = [t for t in every if applies(operator, options.workload, header(source), t)]
        pool += [(file.stem, source, tunables) for tunables in every]
    rng.shuffle(pool)
    if options.count:
        pool = pool[: options.count]
    compare = []
    if options.incumbent:
        compare = [{"name": "incumbent", "source": kernels[options.incumbent].read_text(), "tunables": {}}]
    pool *= options.repeat
    for number, (name, source, tunables) in enumerate(pool):
        if options.wrong and number < options.wrong * len(pool):
            source = spoil(source, rng) or source
            name += "-wrong"
        print(json.dumps({
            "type": "evaluate", "id": f"{options.operator}/{name}/{number}", "device": options.device,
            "operator": operator, "workload": options.workload, "source": source, "tunables": tunables,
            "last_gate": options.gate, "compare_with": compare, "baselines": options.baselines,
            "fresh_draws": options.fresh_draws,
            "timing": {"min_samples": options.min_samples, "max_samples": options.max_samples, "max_seconds": options.max_seconds}}))


if __name__ == "__main__":
    sys.exit(main())

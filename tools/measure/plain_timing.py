#!/usr/bin/env python3
"""Times seed kernels with nothing of kevolve's: cupy compiles and launches them, events around each launch, L2
flushed before. To be compared with kevolve's own figures, and to be run under ncu.

plain_timing.py OPERATOR WORKLOAD FILE [--other-process] [NAME=VALUE ...]      tunables that differ from the defaults

--other-process: before each flush another process uses the GPU, as kevolve's judge does before each timed run: the GPU
changes contexts, and instruction caches and address translations are cold afterwards.
"""
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys

import cupy

ROOT = pathlib.Path(__file__).resolve().parents[2]
OTHER = "import cupy, sys\nx = cupy.zeros(1 << 20)\nfor line in sys.stdin:\n x.fill(1); cupy.cuda.Device().synchronize(); print(flush=True)"
other_process = "--other-process" in sys.argv
operator_name, workload, file, *chosen = [word for word in sys.argv[1:] if word != "--other-process"]
folder = ROOT / "kernels/seed" / operator_name
operator = json.loads((folder / "operator.json").read_text())
kernels = {path.name: path for path in [*folder.glob("*.cu"), *(folder / shared for shared in operator.get("playbook", []))]}
source = kernels[file].read_text()
header = json.loads(re.search(r"/\*kevolve\s*(\{.*?\n\})\s*\*/", source, re.S).group(1))

names = dict(operator["workloads"][workload]["axes"])
names.update({name: values[0] for name, values in header.get("tunables", {}).items()})
names.update((name, int(value)) for name, value in (pair.split("=") for pair in chosen))
device = cupy.cuda.Device()
scope = dict(names, num_sms=device.attributes["MultiProcessorCount"], min=min, max=max,
             ceil_div=lambda a, b: -(-a // b))


def value(expression):
    text = str(expression).replace("/", "//").replace("&&", " and ").replace("||", " or ")
    return int(eval(text, {}, scope))


def extent(values):
    return tuple([value(v) for v in values] + [1] * (3 - len(values)))


macros = [f"-D{name}={number}" for name, number in names.items()]
macros += [f"-D{name}={float(s['value'])}f" for name, s in operator.get("scalars", {}).items()]
module = cupy.RawModule(code=source, options=("--std=c++17", "-DNDEBUG", *macros),
                        name_expressions=[launch["kernel"] for launch in header["launches"]])
types = {"f32": cupy.float32, "f64": cupy.float64, "f16": cupy.float16, "i32": cupy.int32, "i64": cupy.int64}
buffers = {}
for name, tensor in {**operator["inputs"], **operator["outputs"]}.items():
    shape = [value(e) for e in tensor["shape"]]
    buffers[name] = cupy.random.standard_normal(math.prod(shape), dtype=cupy.float32).astype(types[tensor["dtype"]])
for name, scratch in header.get("scratch", {}).items():
    buffers[name] = cupy.zeros(value(scratch["elements"]), dtype=types[scratch["dtype"]])


def argument(a):
    return buffers[a] if isinstance(a, str) else cupy.int32(value(next(iter(a.values()))))


calls = []
for launch in header["launches"]:
    kernel = module.get_function(launch["kernel"])
    shared = value(launch.get("shared_bytes", 0))
    if shared > 48 * 1024:
        kernel.max_dynamic_shared_size_bytes = shared
    calls.append((kernel, extent(launch["grid"]), extent(launch["block"]), [argument(a) for a in launch["args"]], shared))

flush = cupy.zeros(64 << 20, dtype=cupy.int32)
zeroed = [buffers[name] for name, scratch in header.get("scratch", {}).items() if scratch.get("init") == "zero"]
other = None
if other_process:
    other = subprocess.Popen([sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
samples = []
for _ in range(60):
    if other:
        print(file=other.stdin, flush=True)
        other.stdout.readline()
    for buffer in zeroed:
        buffer.fill(0)
    flush.max()  # reads 256 MB: L2 then holds nothing else, and nothing dirty
    flush.max()
    begin, end = cupy.cuda.Event(), cupy.cuda.Event()
    begin.record()
    for kernel, grid, block, arguments, shared in calls:
        kernel(grid, block, arguments, shared_mem=shared)
    end.record()
    end.synchronize()
    samples.append(1e3 * cupy.cuda.get_elapsed_time(begin, end))
print(f"{operator_name}/{workload}/{file} {' '.join(chosen)}: median {statistics.median(samples[10:]):.2f} us of 50, "
      f"plain event loop{', another process in between' if other else ''}")
if other:
    other.stdin.close()

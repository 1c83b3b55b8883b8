#!/usr/bin/env python3
"""Compiles an operator's PyTorch reference with torch.compile's compiler, as a baseline for kernels to beat.

Needs Python with torch, the version that kevolve's own LibTorch has, and on a GPU triton. Exports the
reference at one workload's sizes, compiles it ahead of time (AOTInductor), and puts the package where
kevolve-worker looks for the baseline "compile", with a JSON file beside it that says what it was made
of. The judge loads no package whose facts differ from what it is about to judge: another reference,
other sizes, another torch, another GPU.

  scripts/compiled_baseline.py kernels/seed/layernorm benchmark
"""

import argparse
import ast
import hashlib
import json
import os
import pathlib
import platform
import re
import struct
import sys
import tempfile
import time
import typing

FORMAT = 1
STRICT = ("exact", "strict_fp32", "compensated")  # PyTorch's TF32 is off in these; core/judge/judge.cpp


def fail(message):
    sys.exit(f"compiled_baseline: {message}")


try:
    import torch
except ImportError as error:
    fail(f"this Python ({sys.executable}) has no torch: {error}")

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64,
          "i32": torch.int32, "i64": torch.int64, "u8": torch.uint8, "bool": torch.bool}


# --- the operator ------------------------------------------------------------------------------------------


def read_operator(folder):
    path = pathlib.Path(folder) / "operator.json"
    try:
        operator = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(operator["reference"], dict):
            operator["reference"] = (path.parent / operator["reference"]["file"]).read_text(encoding="utf-8")
        return operator
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")


def text_of(text_or_lines):
    """As core/model/operator.cpp reads it: the hash is of this text."""
    return text_or_lines if isinstance(text_or_lines, str) else "".join(line + "\n" for line in text_or_lines)


def evaluate(expression, axes):
    """An integer expression of sizes (core/model/expression.hpp): names, numbers, + - * / %, min, max, ceil_div."""
    functions = {"min": min, "max": max, "ceil_div": lambda a, b: -(-a // b)}

    def value(node):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.Name) and node.id in axes:
            return axes[node.id]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
            return functions[node.func.id](*map(value, node.args))
        if isinstance(node, ast.BinOp):
            a, b = value(node.left), value(node.right)
            for kind, result in ((ast.Add, a + b), (ast.Sub, a - b), (ast.Mult, a * b)):
                if isinstance(node.op, kind):
                    return result
            return a // b if isinstance(node.op, ast.Div) else a % b
        fail(f"size '{expression}': not understood here")

    return value(ast.parse(str(expression), mode="eval").body)


def inputs_of(operator, axes):
    return [{"name": name, "dtype": spec["dtype"], "shape": [evaluate(size, axes) for size in spec["shape"]]}
            for name, spec in operator["inputs"].items()]


class TorchScriptNames:
    """`torch` as TorchScript text sees it: operators that Python keeps elsewhere (torch.gelu) are there too."""

    def __getattr__(self, name):
        return getattr(torch, name) if hasattr(torch, name) else getattr(torch.ops.aten, name)


def forward_of(reference):
    namespace = {name: getattr(typing, name) for name in ("Any", "Dict", "List", "Optional", "Tuple", "Union")}
    namespace.update(torch=TorchScriptNames(), Tensor=torch.Tensor)
    exec(compile(reference, "reference", "exec"), namespace)  # an operator's folder is trusted, as the judge does
    return namespace["forward"]


class Reference(torch.nn.Module):
    """forward with its scalars and axes closed over: takes exactly the operator's inputs, in order."""

    def __init__(self, operator, axes):
        super().__init__()
        self.function = forward_of(text_of(operator["reference"]))
        self.names = list(operator["inputs"])
        parameters = self.function.__code__.co_varnames[:self.function.__code__.co_argcount]
        constants = dict(axes)
        for name, scalar in operator.get("scalars", {}).items():
            value = scalar["value"]
            if scalar["dtype"] == "f32":  # what candidates see
                value = struct.unpack("f", struct.pack("f", value))[0]
            constants[name] = value if scalar["dtype"].startswith(("f", "bf")) else int(value)
        self.constants = {name: constants[name] for name in parameters if name not in self.names}

    def forward(self, *inputs):
        return self.function(**dict(zip(self.names, inputs)), **self.constants)


def example(spec, device):
    dtype = DTYPES[spec["dtype"]]
    if dtype.is_floating_point:
        return torch.randn(spec["shape"], device=device).to(dtype)
    return torch.zeros(spec["shape"], dtype=dtype, device=device)


# --- where, and for what machine ---------------------------------------------------------------------------


def processor_model():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown processor"


def machine_of(device, threads):
    """Model and architecture in the words of kevolve's DeviceInfo."""
    if device.type == "cpu":
        return (f"{processor_model()}, {threads} thread{'' if threads == 1 else 's'}", platform.machine())
    major, minor = torch.cuda.get_device_capability(device)
    return torch.cuda.get_device_name(device), f"sm_{major}{minor}{'a' if major >= 9 else ''}"


def facts_of(operator, axes, device, threads):
    """Everything the judge compares before it loads the package (core/judge/package_facts.cpp)."""
    model, architecture = machine_of(device, threads)
    return {"format": FORMAT,
            "operator": operator["name"],
            "reference_sha256": hashlib.sha256(text_of(operator["reference"]).encode()).hexdigest(),
            "axes": axes,
            "scalars": {name: scalar["value"] for name, scalar in operator.get("scalars", {}).items()},
            "inputs": inputs_of(operator, axes),
            "tf32": operator["precision"] not in STRICT,
            "torch": torch.__version__.split("+")[0],
            "device": device.type,
            "model": model,
            "architecture": architecture}


def default_cache():
    """Where kevolve-worker keeps its cache (core/worker/main.cpp)."""
    for variable, below in (("XDG_CACHE_HOME", "kevolve"), ("HOME", ".cache/kevolve")):
        folder = os.environ.get(variable)
        if folder and os.path.isdir(folder):
            return pathlib.Path(folder) / below
    return pathlib.Path(tempfile.gettempdir()) / f"kevolve-cache-{os.getuid()}"


def path_of(facts, cache):
    """<cache>/baselines/layernorm/L=4194304,ROWS=16/NVIDIA_H200-sm_90a-torch-2.11.0.pt2"""
    sizes = ",".join(f"{name}={facts['axes'][name]}" for name in sorted(facts["axes"]))
    machine = re.sub(r"[^A-Za-z0-9.+]+", "_", facts["model"])
    name = f"{machine}-{facts['architecture']}-torch-{facts['torch']}.pt2"
    return cache / "baselines" / facts["operator"] / sizes / name


# --- compiling -----------------------------------------------------------------------------------------------


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def compile_package(operator, facts, device, path):
    allow_tf32(facts["tf32"])
    with torch.no_grad():
        inputs = tuple(example(spec, device) for spec in facts["inputs"])
        program = torch.export.export(Reference(operator, facts["axes"]), inputs)
        del inputs
        # The judge has LibTorch loaded already; a package that asks for libtorch.so would load a second one.
        torch._inductor.aoti_compile_and_package(program, package_path=str(path),
                                                 inductor_configs={"aot_inductor.link_libtorch": False})


def make(operator, facts, device, path):
    """Package first, facts last, each put in place whole: a judge that looks meanwhile finds no pair."""
    path.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    partial = path.with_name(f"partial-{os.getpid()}.pt2")
    try:
        compile_package(operator, facts, device, partial)
        digest = hashlib.sha256(partial.read_bytes()).hexdigest()
        os.replace(partial, path)
        notes = {"package_sha256": digest, "torch_build": torch.__version__,
                 "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        partial.write_text(json.dumps({**facts, **notes}, indent=2) + "\n", encoding="utf-8")
        os.replace(partial, path.with_suffix(".json"))
    finally:
        partial.unlink(missing_ok=True)
    return time.monotonic() - started


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operator", metavar="OPERATOR_FOLDER")
    parser.add_argument("workload", metavar="WORKLOAD")
    parser.add_argument("--device", default="cuda:0", help="cuda:0 or cpu (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="of the cpu device, as the worker's (default: %(default)s)")
    parser.add_argument("--cache", type=pathlib.Path, default=default_cache(),
                        help="kevolve-worker's cache folder (default: %(default)s)")
    parser.add_argument("--out", type=pathlib.Path, help="package file (default: where the worker looks for it)")
    return parser.parse_args()


def main():
    options = arguments()
    operator = read_operator(options.operator)
    if options.workload not in operator["workloads"]:
        fail(f"operator {operator['name']} has no workload '{options.workload}'; "
             f"it has {', '.join(operator['workloads'])}")
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        fail(f"{options.device}: torch {torch.__version__} sees no GPU here; --device cpu compiles for the processor")
    torch.set_num_threads(options.threads)
    facts = facts_of(operator, operator["workloads"][options.workload]["axes"], device, options.threads)
    path = options.out or path_of(facts, options.cache)
    if path.suffix != ".pt2":
        fail(f"--out {path}: expected a name that ends with .pt2")
    seconds = make(operator, facts, device, path)
    print(f"{operator['name']} {options.workload} for {facts['model']}, torch {facts['torch']}: {seconds:.0f} s")
    print(path)


if __name__ == "__main__":
    main()

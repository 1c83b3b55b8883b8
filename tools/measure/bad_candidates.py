#!/usr/bin/env python3
"""Requests of six candidates that misbehave in a row, then an honest one: each must get its verdict, and the last
must pass. bad_candidates.py | kevolve-worker --device cuda:0"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
operator = json.loads((ROOT / "kernels/seed/gelu/operator.json").read_text())
HEADER = """/*kevolve
{ "idea": "%s",%s
  "launches": [ { "kernel": "f", "grid": ["ceil_div(ROWS * COLS, 256)"], "block": [256], "args": ["x", "y"%s] } ] }
*/
__global__ void f(const float* x, float* y%s) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= (long long)ROWS * COLS) return;
  %s
  y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752440f));
}
"""
PLAIN = ("", "", "")
CASES = [
    ("writes to an input", "const_cast<float*>(x)[i] = 0.0f;", *PLAIN),
    ("reads past an output", "if (i == 0 && y[(long long)ROWS * COLS + 3] == 1.0f) y[1] = 2.0f;", *PLAIN),
    ("spins for ever", "while (*(volatile float*)(y + i) != 12345.0f) {}", *PLAIN),
    ("traps", "if (i == 4711) __trap();", *PLAIN),
    ("exhausts memory", "", ' "scratch": { "big": { "dtype": "f64", "elements": "100000000000" } },', ', "big"',
     ", double* big"),
    ("keeps a value in a table of the mathematics library",
     'if (sinf(1e9f * x[i]) > -2.0f && i == 0) asm volatile("st.global.u32 [__cudart_i2opi_f], %0;" ::"r"(7) : "memory");',
     *PLAIN),
    ("honest", "", *PLAIN),
]
device = sys.argv[1] if len(sys.argv) > 1 else "cuda:0"
for name, body, scratch, argument, parameter in CASES:
    print(json.dumps({"type": "evaluate", "id": name, "device": device, "operator": operator, "workload": "small",
                      "source": HEADER % (name, scratch, argument, parameter, body), "baselines": []}))

"""The models of the soak: the fault-injecting server of tests/, taught to invent, and told to fail in ever new ways."""

import json
import pathlib
import subprocess
import sys
import urllib.request

SEEDS = pathlib.Path("kernels/seed")
OPERATORS = ["gelu", "layernorm", "rmsnorm", "softmax", "sum"]
ENDPOINTS = {"all-open": "openai", "all-anthropic": "anthropic", "all-frail": "openai"}

# What a request may meet (tests/fault_server), and how often one in so many does.
PASSING = ["status=500", "status=502+html", "status=503", "status=529+ms=1", "status=429+ms=5", "status=408", "status=409",
           "truncated+json", "reset", "reset-mid", "partial", "empty", "sse-error", "sse-cut", "error-200+json", "stall",
           "hang"]
HARMLESS = ["ok+gzip", "ok+wrong-type", "ok+comments+crlf", "ok+json", "ok+parts+json", "ok+no-usage", "bytes", "wait=30+ok"]
LASTING = ["no-text", "length", "status=400", "status=401"]
ONE_IN = {"PASSING": 5, "HARMLESS": 4, "LASTING": 100}


def fenced(source):
    return f"Here it is:\n\n```cuda\n{source}\n```\n"


def answers():
    """New ideas for every question; code that is a playbook's, but never the same twice: "@N@" becomes a word of the
    prompt's own."""
    found = []
    for name in OPERATORS:
        ideas = [{"idea": " ".join(f"@{8 * i + k}@" for k in range(8)) + ".", "bottleneck": "memory", "predicted_us": 100}
                 for i in range(8)]
        found.append({"match": f"optimisation ideas for {name} at", "text": json.dumps(ideas)})
    for name in OPERATORS:
        source = next(path for path in sorted((SEEDS / name).glob("*.cu")) if path.stem != "naive").read_text()
        found.append({"match": f"The task: operator {name} at",
                      "text": fenced(source + "\nconstexpr int variant_@0@_@1@ = 1;")})
    return found


class Models:
    """The server, a process of its own, and the models file that names it."""

    def __init__(self, folder, random, environment):
        self.random = random
        (folder / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers()))
        self.process = subprocess.Popen(
            [sys.executable, "-B", "tests/fault_server/fault_server.py", "--answers", folder / "answers.jsonl"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.port = int(self.process.stdout.readline().split()[1])
        (folder / "models.json").write_text(json.dumps({
            "endpoints": {name: {"api": api, "url": f"http://127.0.0.1:{self.port}/{name}/v1", "max_retries": 30,
                                 "timeouts": {"first_byte_seconds": 1, "stall_seconds": 1}}
                          for name, api in ENDPOINTS.items()},
            "models": {f"model-{name}": {"endpoint": name, "model": "served", "price": {"input": 1, "output": 2}}
                       for name in ENDPOINTS}}))

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, timeout=60) as reply:
            return json.loads(reply.read())

    def one_fate(self):
        for kinds, names in (("LASTING", LASTING), ("PASSING", PASSING), ("HARMLESS", HARMLESS)):
            if self.random.randrange(ONE_IN[kinds]) == 0:
                return self.random.choice(names)
        return "ok"

    def fail_anew(self, outage):
        """Other fates for the next 60 requests of each endpoint; in an outage the frail one resets all connections."""
        for name in ENDPOINTS:
            fates = [self.one_fate() for _ in range(60)] + ["ok"]
            self.ask("/admin/script", {"name": name, "script": "reset" if outage and name == "all-frail"
                                       else ",".join(fates)})

    def requests(self):
        """{words: requests that met them}."""
        return self.ask("/admin/fates")

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

#!/usr/bin/env python3
"""Serves what Anthropic's API once really answered, as public projects recorded it, to `kevolve models --try`.

replay_recordings.py KEVOLVE FOLDER_WITH_CASSETTES...: VCR cassettes (YAML), such as tests/cassettes/test_anthropic of
github.com/simonw/llm-anthropic. Every recorded answer to POST /v1/messages is served once, with its own status and
content type, and what kevolve makes of it is compared with the text, the reasoning, the end and the tokens that the
recording holds. Needs the package PyYAML.
"""

import gzip
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading

import yaml


def answers(folder):
    for file in sorted(pathlib.Path(folder).glob("*.yaml")):
        for number, interaction in enumerate(yaml.safe_load(file.read_text())["interactions"]):
            request, response = interaction["request"], interaction["response"]
            if not request["uri"].split("?")[0].endswith("/v1/messages"):
                continue
            body = response.get("body", {}).get("string", response.get("content", ""))
            body = body if isinstance(body, bytes) else body.encode()
            if body[:2] == b"\x1f\x8b":
                body = gzip.decompress(body)
            status = response["status"]["code"] if isinstance(response.get("status"), dict) else response["status_code"]
            yield f"{file.stem}#{number}", status, body


def expected(body):
    """(text, reasoning, stop reason, input tokens, output tokens), read independently of kevolve."""
    if body.lstrip().startswith(b"{"):
        message = json.loads(body)
        if "content" not in message:
            return None
        blocks, usage, stop = message["content"], message["usage"], message["stop_reason"]
        text = "".join(b.get("text", "") for b in blocks if b["type"] == "text")
        thought = "".join(b.get("thinking", "") for b in blocks if b["type"] == "thinking")
    else:
        text = thought = ""
        usage, stop = {}, None
        for line in body.decode().splitlines():
            if not line.startswith("data:"):
                continue
            event = json.loads(line[5:])
            if event["type"] == "message_start":
                usage.update(event["message"]["usage"])
            elif event["type"] == "content_block_delta":
                text += event["delta"].get("text", "")
                thought += event["delta"].get("thinking", "")
            elif event["type"] == "message_delta":
                stop = event["delta"]["stop_reason"]
                usage.update({k: v for k, v in event["usage"].items() if v})
    tokens = sum(usage.get(k) or 0 for k in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))
    return text, thought, stop, tokens, usage.get("output_tokens", 0)


class Server(http.server.BaseHTTPRequestHandler):
    status, body = 200, b""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        stream = not Server.body.lstrip().startswith(b"{")
        self.send_response(Server.status)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header("Content-Length", str(len(Server.body)))
        self.end_headers()
        self.wfile.write(Server.body)

    def log_message(self, *_):
        pass


STOPS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "refusal": "content_filter"}


def main(kevolve, folders):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    models = {"endpoints": {"a": {"api": "anthropic", "url": f"http://127.0.0.1:{server.server_port}/v1",
                                  "max_retries": 0}},
              "models": {"m": {"endpoint": "a", "model": "recorded"}}}
    same = different = 0
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(models, file)
        file.flush()
        for name, Server.status, Server.body in (a for folder in folders for a in answers(folder)):
            run = subprocess.run([kevolve, "models", "m", "--models", file.name, "--try", "--json"], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            got = json.loads(run.stdout)[0]
            wanted = expected(Server.body)
            if wanted is None:
                print(f"{name}: status {Server.status}: {got.get('error', 'NO ERROR')}")
                continue
            if not wanted[0]:  # a call of a tool, which kevolve never asks for, or nothing at all
                print(f"{name}: no text in the recording; kevolve: {got.get('text', got.get('error'))!r}")
                continue
            seen = (got.get("text"), got.get("reasoning"), got.get("finish"), got.get("input_tokens"), got.get("output_tokens"))
            wanted = (wanted[0], wanted[1], STOPS.get(wanted[2], "unknown"), wanted[3], wanted[4])
            ok = seen == wanted
            same, different = same + ok, different + (not ok)
            print(f"{name}: {'same' if ok else f'DIFFERENT: {seen} instead of {wanted}'}"
                  f" ({len(wanted[0])} characters, {len(wanted[1])} of reasoning, {wanted[3]} + {wanted[4]} tokens)")
    print(f"{same} recorded answers read as recorded, {different} not")
    return different != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

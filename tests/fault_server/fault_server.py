#!/usr/bin/env python3
"""A language model's server that fails as it is told to. Standard library only; a process of its own.

Prints "port N" and serves 127.0.0.1 until its standard input ends. The script of an endpoint is in its address:

    http://127.0.0.1:N/SCRIPT/v1/chat/completions       SCRIPT/v1/messages for Anthropic's shape

SCRIPT is NAME:WORDS,WORDS,...: what becomes of the first, second, ... request of the same prompt; the last counts
for all that follow. With NAME beginning with "all-", of the first, second, ... request altogether. WORDS is
word+word=value+...; the words are in faults.py and shapes.py. "only=TEXT" leaves other prompts healthy. NAME alone is healthy unless POST /admin/script
{"name": NAME, "script": "..."} said otherwise, at any time.

GET /admin/log?NAME: every request of it: prompt's id, words, headers, body, whether it was answered.
GET /admin/fates: how many requests met which words, all endpoints together.
POST /admin/answers: a JSON list [{"match", "text", "reasoning"}], also read from --answers FILE (JSON lines). "@N@" in a
text becomes a word that follows from the prompt and N, so that no two prompts get the same.
"""

import argparse
import asyncio
import collections
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import urllib.parse

import faults
import shapes


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.headers, self.raw = method, headers, body
        self.path = urllib.parse.unquote(path)
        _, self.script, *rest = self.path.split("/") + [""]
        self.tail = "/" + "/".join(rest).rstrip("/")
        self.question = None


class Server:
    def __init__(self, answers):
        self.answers = answers
        self.scripts = {}  # name -> script set by /admin/script
        self.counts = {}   # (name, prompt id or "") -> requests so far
        self.fates = collections.Counter()
        self.log = []
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while (request := await read_request(reader)) is not None:
                keep = await self.respond(request, writer)
                await writer.drain()
                if not keep:
                    break
        except (ConnectionError, ValueError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def respond(self, request, writer):
        if request.script == "admin":
            return self.administer(request, writer)
        name, _, script = request.script.partition(":")
        script = script or self.scripts.get(name, "ok")
        request.question = shapes.Question(request.path, json.loads(request.raw or b"{}"), self.answers)
        counted = (name, "" if name.startswith("all-") else request.question.id)
        count = self.counts[counted] = self.counts.get(counted, 0) + 1
        steps = script.split(",")
        words = faults.parse_words(steps[min(count, len(steps)) - 1])
        if words.get("only", "") not in request.question.prompt:
            words = {"ok": ""}
        self.fates["+".join(word + (f"={value}" if value else "") for word, value in words.items())] += 1
        entry = {"name": name, "prompt": request.question.id, "words": words, "headers": request.headers,
                 "path": request.tail, "body": json.loads(request.raw or b"{}"), "answered": False}
        self.log.append(entry)
        if "reset" in words or "reset-mid" in words:  # what is aborted is reset, not closed in order
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        entry["answered"], keep = await faults.answer(words, request, writer)
        return keep

    def administer(self, request, writer):
        path, _, query = request.path.partition("?")
        result = {}
        if path == "/admin/script":
            order = json.loads(request.raw)
            self.scripts[order["name"]] = order["script"]
            self.counts = {key: count for key, count in self.counts.items() if key[0] != order["name"]}
        elif path == "/admin/answers":
            self.answers[:0] = json.loads(request.raw)
        elif path == "/admin/log":
            result = [entry for entry in self.log if not query or entry["name"] == query]
        elif path == "/admin/fates":
            result = self.fates
        elif path == "/admin/connections":
            result = self.connections
        data = json.dumps(result).encode()
        writer.write(faults.head(200, {"Content-Type": "application/json"}, len(data)) + data)
        return False


async def read_request(reader):
    line = await reader.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = {}
    while (line := (await reader.readline()).decode("latin-1").strip()):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def self_signed(folder):
    certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--answers", help="JSON lines of {match, text, reasoning}")
    parser.add_argument("--tls", action="store_true", help="with a self-signed certificate, whose file is printed")
    options = parser.parse_args()
    answers = []
    if options.answers:
        with open(options.answers, encoding="utf-8") as lines:
            answers = [json.loads(line) for line in lines if line.strip()]
    with tempfile.TemporaryDirectory() as folder:
        context, certificate = self_signed(folder) if options.tls else (None, "")
        server = await asyncio.start_server(Server(answers).serve, "127.0.0.1", options.port, ssl=context,
                                            limit=1 << 26, backlog=512)
        print("port", server.sockets[0].getsockname()[1], certificate, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
        os._exit(0) if not options.tls else None


if __name__ == "__main__":
    asyncio.run(main())

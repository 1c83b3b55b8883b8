"""What a server does with one request: a dict of words from the script, and the bytes that follow from them."""

import asyncio
import email.utils
import gzip
import json
import time

import shapes

REASONS = {200: "OK", 307: "Temporary Redirect", 400: "Bad Request", 429: "Too Many Requests"}


def parse_words(text):
    """ "wait=50+ok+gzip" -> {"wait": "50", "ok": "", "gzip": ""} """
    words = {}
    for word in text.split("+"):
        name, _, value = word.partition("=")
        words[name] = value
    return words


def head(status, headers, length=None):
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def error_body(words, status, request):
    """(headers, body bytes) of a status that is no 200."""
    headers = {"Content-Type": "application/json"}
    message, extra = f"status {status} by script", {}
    if "field" in words:
        extra = {"param": words["field"], "code": "unsupported_parameter"}
        message = f"Unsupported parameter: '{words['field']}' is not supported with this model."
    if "names" in words:  # in the message only
        message = f"Unrecognized request argument supplied: {words['names']}"
    if "echo" in words:
        key = request.headers.get("authorization", request.headers.get("x-api-key", "")).replace("Bearer ", "")
        message = f"Incorrect API key provided: {key} (also {key[:9]}********{key[-4:]} and {key[3:20]})."
    if "quota" in words:
        message, extra = "You exceeded your current quota, please check your plan.", {"code": "insufficient_quota"}
    if "ms" in words:
        headers["Retry-After-Ms"] = words["ms"]
    if "after" in words:
        headers["Retry-After"] = words["after"]
    if "date" in words:
        headers["Retry-After"] = email.utils.formatdate(time.time() + float(words["date"]), usegmt=True)
    if "refill" in words:
        headers["x-ratelimit-remaining-requests"] = "0"
        headers["x-ratelimit-reset-requests"] = words["refill"]
    if "to" in words:
        headers["Location"] = "http://127.0.0.1:1/elsewhere" if words["to"] == "other" else "/ok" + request.tail
    if "html" in words:
        headers["Content-Type"] = "text/html"
        return headers, b"<html><head><title>Bad gateway</title></head><body><h1>The proxy is sad</h1></body></html>"
    return headers, json.dumps({"error": {"message": message, "type": "scripted", **extra}}).encode()


def stream_bytes(question, words):
    end = "\r\n" if "crlf" in words else "\n"
    lines = []
    for name, data in shapes.events(question, words):
        if "comments" in words:
            lines += [": keep-alive", "", "id: 7", "retry: 10"]
        lines += ([f"event: {name}"] if name else []) + [f"data: {data}", ""]
    return (end.join(lines) + end).encode()


async def answer(words, request, writer):
    """Writes the answer. Returns (answered, keep the connection)."""
    if "wait" in words:
        await asyncio.sleep(float(words["wait"]) / 1000)
    if "hang" in words:
        await asyncio.sleep(3600)
    if "reset" in words:
        writer.transport.abort()  # with SO_LINGER 0: a reset
        return False, False
    if "empty" in words:
        return False, False
    if "status" in words:
        status = int(words["status"])
        headers, data = error_body(words, status, request)
        writer.write(head(status, headers, len(data)) + data)
        return False, True
    if "huge" in words:
        return await huge(words, writer)
    question = request.question
    if question.stream and "json" not in words:
        return await stream(words, question, writer)
    return await body(words, question, writer)


async def huge(words, writer):
    megabytes = int(words["huge"])
    if "bomb" in words:
        data = gzip.compress(b" " * (megabytes << 20))
        writer.write(head(200, {"Content-Encoding": "gzip"}, len(data)) + data)
        return False, False
    writer.write(head(200, {"Content-Type": "application/json", "Connection": "close"}))
    for _ in range(megabytes):
        writer.write(b" " * (1 << 20))
        await writer.drain()
    return False, False


async def body(words, question, writer):
    data = json.dumps(shapes.whole(question, words)).encode()
    headers = {"Content-Type": "text/plain" if "wrong-type" in words else "application/json"}
    if "error-200" in words:
        data = json.dumps({"error": {"message": "failed behind the gateway", "code": int(words["error-200"] or 502)}}).encode()
    if "html" in words:
        data = b"<!DOCTYPE html><html><body>Please log in to the corporate proxy</body></html>"
    if "truncated" in words:
        data = data[:len(data) // 2]
    if "gzip" in words:
        headers["Content-Encoding"] = "gzip"
        data = gzip.compress(data)
    cut = any(word in words for word in ("partial", "reset-mid"))
    writer.write(head(200, headers, len(data)) + (data[:len(data) // 2] if cut else data))
    await writer.drain()
    if "reset-mid" in words:
        await asyncio.sleep(0.05)
        writer.transport.abort()
    return not cut and "truncated" not in words, not cut


async def stream(words, question, writer):
    data = stream_bytes(question, words)
    kind = "application/json" if "wrong-type" in words else "text/event-stream"
    headers = {"Content-Type": kind, "Transfer-Encoding": "chunked"}
    if "gzip" in words:
        headers["Content-Encoding"] = "gzip"
        data = gzip.compress(data)
    writer.write(head(200, headers))
    if "stall" in words:
        writer.write(chunk(data[:len(data) // 2]))
        await asyncio.sleep(3600)
    if "reset-mid" in words or "partial" in words:
        writer.write(chunk(data[:len(data) // 2]))
        await writer.drain()
        await asyncio.sleep(0.05)
        if "reset-mid" in words:
            writer.transport.abort()
        return False, False
    size = 1 if "bytes" in words else int(words.get("pieces") or len(data))
    for at in range(0, len(data), size):
        writer.write(chunk(data[at:at + size]))
        if "drip" in words:
            await writer.drain()
            await asyncio.sleep(float(words["drip"]) / 1000)
    writer.write(chunk(b""))
    return not any(word in words for word in ("sse-error", "sse-cut", "no-text")), True


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"

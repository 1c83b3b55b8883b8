"""What a healthy server says: OpenAI's and Anthropic's shapes, as one body or as the events of a stream."""

import hashlib
import json
import re


class Question:
    """A request, and the answer that it always gets."""

    def __init__(self, path, body, answers):
        self.anthropic = path.endswith("/messages")
        self.stream = bool(body.get("stream"))
        self.model = str(body.get("model"))
        self.wants_usage = self.anthropic or body.get("stream_options", {}).get("include_usage", False)
        texts = [_text(m.get("content")) for m in body.get("messages", [])]
        self.prompt = "\n".join([_text(body.get("system"))] * self.anthropic + texts)
        self.id = hashlib.sha256(self.prompt.encode()).hexdigest()[:12]
        self.reasoning = ""
        self.text = f"echo {self.id} of {len(texts)} messages: {texts[-1][:200] if texts else ''}"
        for answer in answers:
            if answer.get("match", "") in self.prompt:
                self.text = re.sub("@[0-9]+@", lambda mark: self.word(mark.group()), answer["text"])
                self.reasoning = answer.get("reasoning", "")
                break
        self.input = max(1, len(self.prompt) // 4)
        self.cached = self.input // 2

    def word(self, mark):
        """Seven letters that follow from prompt and mark."""
        digest = hashlib.sha256(f"{self.id} {mark}".encode()).digest()
        return "".join(chr(ord("a") + byte % 26) for byte in digest[:7])


def _text(content):
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return "" if content is None else str(content)


def _pieces(text, count=5):
    size = max(1, -(-len(text) // count))
    return [text[i:i + size] for i in range(0, len(text), size)]


def _finish(words):
    return "length" if "length" in words else "stop"


def _texts(question, words):
    text = "" if "no-text" in words else question.text
    reasoning = "thinking it over" if "no-text" in words else question.reasoning
    return (text[:len(text) // 2] if "length" in words else text), reasoning


def openai_usage(question, words):
    text, reasoning = _texts(question, words)
    thought = len(reasoning) // 4
    return {"prompt_tokens": question.input, "completion_tokens": len(text) // 4 + thought,
            "total_tokens": question.input + len(text) // 4 + thought,
            "prompt_tokens_details": {"cached_tokens": question.cached},
            "completion_tokens_details": {"reasoning_tokens": thought}}


def anthropic_usage(question, words):
    text, reasoning = _texts(question, words)
    return {"input_tokens": question.input - question.cached, "cache_read_input_tokens": question.cached,
            "cache_creation_input_tokens": 0, "output_tokens": (len(text) + len(reasoning)) // 4}


def whole(question, words):
    text, reasoning = _texts(question, words)
    if question.anthropic:
        content = [{"type": "thinking", "thinking": reasoning, "signature": "x"}] if reasoning else []
        content += [{"type": "text", "text": text}] if text else []
        body = {"id": "msg_1", "type": "message", "role": "assistant", "model": question.model + "-served",
                "content": content, "stop_reason": "max_tokens" if "length" in words else "end_turn",
                "usage": anthropic_usage(question, words)}
    else:
        content = [{"type": "text", "text": piece} for piece in _pieces(text)] if "parts" in words else text
        message = {"role": "assistant", "content": content}
        if reasoning:
            message["reasoning_content"] = reasoning
        body = {"id": "1", "object": "chat.completion", "model": question.model + "-served",
                "choices": [{"index": 0, "message": message, "finish_reason": _finish(words)}],
                "usage": openai_usage(question, words)}
    if "no-usage" in words:
        del body["usage"]
    return body


def events(question, words):
    """(event name or None, data) pairs. With the word sse-error the last ones are an error, with sse-cut missing."""
    made = list(_anthropic_events(question, words) if question.anthropic else _openai_events(question, words))
    if "sse-error" in words:
        kind = words["sse-error"] or "overloaded_error"
        error = {"type": "error", "error": {"type": kind, "message": "Overloaded in the middle"}}
        return made[:max(1, len(made) // 2)] + [("error", json.dumps(error))]
    return made[:len(made) // 2] if "sse-cut" in words else made


def _openai_events(question, words):
    text, reasoning = _texts(question, words)

    def chunk(delta, finish=None):
        return None, json.dumps({"object": "chat.completion.chunk", "model": question.model + "-served",
                                 "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    for piece in _pieces(reasoning):
        yield chunk({"reasoning": piece} if "reasoning" in words else {"reasoning_content": piece})
    for piece in _pieces(text):
        yield chunk({"content": piece})
    yield chunk({}, _finish(words))
    if question.wants_usage and "no-usage" not in words:
        yield None, json.dumps({"choices": [], "usage": openai_usage(question, words)})
    yield None, "[DONE]"


def _anthropic_events(question, words):
    text, reasoning = _texts(question, words)
    usage = {} if "no-usage" in words else anthropic_usage(question, words)

    def event(kind, **fields):
        return kind, json.dumps({"type": kind, **fields})

    yield event("message_start", message={"model": question.model + "-served", "content": [],
                                          "usage": {**usage, "output_tokens": 1} if usage else {}})
    yield event("ping")
    index = 0
    for kind, field, all_of_it in (("thinking", "thinking", reasoning), ("text", "text", text)):
        if not all_of_it:
            continue
        yield event("content_block_start", index=index, content_block={"type": kind, field: ""})
        for piece in _pieces(all_of_it):
            yield event("content_block_delta", index=index, delta={"type": kind + "_delta", field: piece})
        yield event("content_block_stop", index=index)
        index += 1
    stop = "max_tokens" if "length" in words else "end_turn"
    yield event("message_delta", delta={"stop_reason": stop},
                usage={"output_tokens": usage["output_tokens"]} if usage else {})
    yield event("message_stop")

#!/usr/bin/env python3
"""Writes a tiny language model with random weights, for a real llama.cpp server: tiny_model.py FILE.gguf

It answers any prompt with random bytes of ASCII, as fast as a server can. Needs the packages gguf and numpy.
"""

import sys

import gguf
import numpy

EMBEDDING, HEADS, FEED_FORWARD, LAYERS, CONTEXT = 64, 4, 128, 2, 32768


def tokens():
    """SentencePiece's three special tokens, then one token a byte."""
    names = [b"<unk>", b"<s>", b"</s>"] + [f"<0x{byte:02X}>".encode() for byte in range(256)]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [gguf.TokenType.BYTE] * 256
    return names, [0.0] * len(names), kinds


def main(file):
    random = numpy.random.default_rng(1)
    names, scores, kinds = tokens()
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name("tiny random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_vocab_size(len(names))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(names)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: ")

    def add(name, *shape):
        writer.add_tensor(name, random.normal(0, 0.05, shape).astype(numpy.float32))

    vocabulary = len(names)
    add("token_embd.weight", vocabulary, EMBEDDING)
    output = random.normal(0, 0.05, (vocabulary, EMBEDDING)).astype(numpy.float32)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", numpy.ones(EMBEDDING, numpy.float32))
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        writer.add_tensor(block + "attn_norm.weight", numpy.ones(EMBEDDING, numpy.float32))
        writer.add_tensor(block + "ffn_norm.weight", numpy.ones(EMBEDDING, numpy.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"{block}{name}.weight", EMBEDDING, EMBEDDING)
        add(f"{block}ffn_gate.weight", FEED_FORWARD, EMBEDDING)
        add(f"{block}ffn_up.weight", FEED_FORWARD, EMBEDDING)
        add(f"{block}ffn_down.weight", EMBEDDING, FEED_FORWARD)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])

#pragma once
// The wire of OpenAI's chat completions, as OpenAI, OpenRouter, vLLM, SGLang, llama.cpp and Ollama speak it.

#include "llm_client/http/wire.hpp"

namespace kevolve::llm {

extern const Wire kOpenAiWire;

}  // namespace kevolve::llm

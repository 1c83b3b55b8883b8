#pragma once
// The wire of Anthropic's messages.

#include "llm_client/http/wire.hpp"

namespace kevolve::llm {

extern const Wire kAnthropicWire;

}  // namespace kevolve::llm

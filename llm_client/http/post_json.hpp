#pragma once
// Posts JSON to a URL, once, and waits: for notifications. Any thread but one that must not block.

#include <chrono>
#include <string>

#include "core/text/result.hpp"

namespace kevolve::llm {

/// http or https; no redirects are followed. Errors say what failed, never the URL: it may hold a secret.
Result<void> post_json(const std::string& url, const std::string& body, std::chrono::milliseconds timeout);

}  // namespace kevolve::llm

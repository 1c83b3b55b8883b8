#pragma once
// SHA-256, the content address of sources, binaries and documents. Pure.

#include <string>
#include <string_view>

namespace kevolve {

/// SHA-256 of bytes as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace kevolve

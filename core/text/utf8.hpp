#pragma once
// Foreign text made fit to be sent as JSON and to be read: valid UTF-8 without control characters. Pure.

#include <cstddef>
#include <string>
#include <string_view>

namespace kevolve {

/// `text` with every byte that is not UTF-8 replaced by U+FFFD, CR LF and CR as LF, and other control
/// characters but tab left out (terminal colours lose their ESC).
std::string readable(std::string_view text);

/// The largest n <= `most` at which valid UTF-8 may be cut without splitting a character.
std::size_t utf8_boundary(std::string_view text, std::size_t most);

}  // namespace kevolve

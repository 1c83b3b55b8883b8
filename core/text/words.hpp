#pragma once
// How figures, names and foreign words become text, and small helpers on text. Pure; letters are ASCII
// letters.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace kevolve {

enum class Letters { ascii, unicode };

/// "9.31 us", "1.234 ms", "2.10 s"; "-" for 0. In Unicode: "9.31 µs" and "–".
std::string in_time(double microseconds, Letters letters = Letters::ascii);

/// "512 B", "32.8 kB", "1.5 MB", "2.00 GB": powers of 1000.
std::string in_bytes(double bytes);
/// "512 bytes", "1.25 MiB": powers of 1024, for the sizes of caches and tensors.
std::string in_binary_bytes(double bytes);

/// "BLOCK=256 SPLIT=8"; "" for none.
std::string in_tunables(const std::map<std::string, std::int64_t>& values);
/// The same in a sentence: "BLOCK = 256, SPLIT = 8".
std::string in_equations(const std::map<std::string, std::int64_t>& values);

/// Readable text on one line (see utf8.hpp), each run of blanks and line ends as one space. A text longer
/// than `most` bytes ends in "…", after a sentence or a word where that leaves at least half.
std::string one_line(std::string_view text, std::size_t most);

/// The text before the first line end.
std::string_view first_line(std::string_view text);

/// Without the blanks and line ends at both ends.
std::string_view trimmed(std::string_view text);

char lower(char c);
std::string lower(std::string_view text);

/// RFC 3986: everything but unreserved characters as %XX.
std::string percent_encoded(std::string_view text);

/// The C++ name of a symbol of a binary; `symbol` itself where it is not a mangled name.
std::string demangled(std::string_view symbol);

}  // namespace kevolve

#include "archive/packing.hpp"

#include <sqlite3.h>
#include <zstd.h>

namespace kevolve::archive {
namespace {

constexpr int kLevel = 9;  ///< docs/archive_schema.md, "sources"
constexpr std::size_t kShortest = 256;
constexpr unsigned long long kLongest = 1ULL << 30;  ///< of a text; SQLite's own limit is near

std::string_view bytes(sqlite3_value* value) {
  const void* data = sqlite3_value_blob(value);
  return {static_cast<const char*>(data),
          data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void sql_pack(sqlite3_context* context, int, sqlite3_value** values) {
  const std::optional<std::string> frame = pack(bytes(values[0]));
  if (!frame) return sqlite3_result_null(context);
  sqlite3_result_blob64(context, frame->data(), frame->size(), SQLITE_TRANSIENT);
}

void sql_unpack(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return sqlite3_result_value(context, values[1]);
  const std::optional<std::string> text = unpack(bytes(values[0]));
  if (!text) return sqlite3_result_error(context, "a packed text is damaged", -1);
  sqlite3_result_text64(context, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

std::optional<std::string> pack(std::string_view text) {
  if (text.size() < kShortest) return std::nullopt;
  std::string frame(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compress(frame.data(), frame.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(size) != 0 || size > text.size() - text.size() / 8) return std::nullopt;
  frame.resize(size);
  return frame;
}

std::optional<std::string> unpack(std::string_view frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kLongest)
    return std::nullopt;
  std::string text(static_cast<std::size_t>(size), '\0');
  if (ZSTD_decompress(text.data(), text.size(), frame.data(), frame.size()) != text.size())
    return std::nullopt;
  return text;
}

int add_packing_functions(sqlite3* handle) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  const int code = sqlite3_create_function_v2(handle, "kevolve_pack", 1, kFlags, nullptr, sql_pack, nullptr,
                                              nullptr, nullptr);
  if (code != SQLITE_OK) return code;
  return sqlite3_create_function_v2(handle, "kevolve_unpack", 2, kFlags, nullptr, sql_unpack, nullptr,
                                    nullptr, nullptr);
}

}  // namespace kevolve::archive

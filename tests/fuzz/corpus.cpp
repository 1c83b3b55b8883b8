#include "tests/fuzz/corpus.hpp"

#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>

#include "core/text/json.hpp"

namespace kevolve::fuzz {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr int kLevel = 19;
constexpr unsigned long long kLongest = 1ULL << 24;  ///< of a bundle, unpacked

std::string packed(const std::string& bundle) {
  std::string frame(ZSTD_compressBound(bundle.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), bundle.data(), bundle.size(), kLevel));
  return frame;
}

std::optional<std::string> unpacked(const std::string& frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size > kLongest) return std::nullopt;  // unknown and damaged sizes are the largest numbers
  std::string bundle(static_cast<std::size_t>(size), '\0');
  const std::size_t read = ZSTD_decompress(bundle.data(), bundle.size(), frame.data(), frame.size());
  if (read != bundle.size()) return std::nullopt;
  return bundle;
}

void append(std::string& bundle, const std::string& input) {
  for (std::size_t i = 0; i < kLengthBytes; ++i) bundle += static_cast<char>(input.size() >> (8 * i) & 0xff);
  bundle += input;
}

std::size_t length_at(std::string_view bundle) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    length |= static_cast<std::size_t>(static_cast<unsigned char>(bundle[i])) << (8 * i);
  return length;
}

}  // namespace

Result<std::vector<std::string>> read_bundle(const std::filesystem::path& file) {
  TRY(const std::string frame, read_text_file(file));
  const std::optional<std::string> bundle = unpacked(frame);
  if (!bundle) return failure(file.string() + " is damaged.");
  std::vector<std::string> inputs;
  for (std::string_view rest = *bundle; !rest.empty();) {
    if (rest.size() < kLengthBytes || rest.size() - kLengthBytes < length_at(rest))
      return failure(file.string() + " ends within an input.");
    inputs.emplace_back(rest.substr(kLengthBytes, length_at(rest)));
    rest.remove_prefix(kLengthBytes + inputs.back().size());
  }
  if (inputs.empty()) return failure(file.string() + " holds no inputs.");
  return inputs;
}

Result<> write_bundle(const std::filesystem::path& file, std::vector<std::string> inputs) {
  if (inputs.empty()) return failure("There are no inputs for " + file.string() + ".");
  std::sort(inputs.begin(), inputs.end());
  inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
  std::string bundle;
  for (const std::string& input : inputs) append(bundle, input);
  std::ofstream out(file, std::ios::binary);
  out << packed(bundle);
  if (!out.flush()) return failure("cannot write " + file.string());
  return {};
}

Result<std::vector<std::string>> read_folder(const std::filesystem::path& folder) {
  std::error_code none;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  for (const std::filesystem::path& file : files) {
    TRY(std::string input, read_text_file(file));
    inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace kevolve::fuzz

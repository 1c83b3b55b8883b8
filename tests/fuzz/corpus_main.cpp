// fuzz_corpus unpack BUNDLE FOLDER: one file for each input, for libFuzzer, which reads folders.
// fuzz_corpus pack BUNDLE FOLDER [NAMED]: a bundle of a folder's files, without those that NAMED, a folder,
// holds too.

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "tests/fuzz/corpus.hpp"

namespace {

using namespace kevolve;

Result<> unpack_to(const std::filesystem::path& bundle, const std::filesystem::path& folder) {
  TRY(const auto inputs, fuzz::read_bundle(bundle));
  std::filesystem::create_directories(folder);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::ofstream out(folder / std::to_string(i), std::ios::binary);
    out << inputs[i];
    if (!out.flush()) return failure("cannot write to " + folder.string());
  }
  std::printf("%zu inputs\n", inputs.size());
  return {};
}

Result<> pack_from(const std::filesystem::path& bundle, const std::filesystem::path& folder,
                   const char* named) {
  TRY(auto inputs, fuzz::read_folder(folder));
  if (named != nullptr) {
    TRY(const auto apart, fuzz::read_folder(named));
    std::erase_if(inputs, [&apart](const std::string& input) {
      return std::find(apart.begin(), apart.end(), input) != apart.end();
    });
  }
  std::printf("%zu inputs\n", inputs.size());
  return fuzz::write_bundle(bundle, std::move(inputs));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 3 ? argv[1] : "";
  const Result<> done = verb == "unpack" ? unpack_to(argv[2], argv[3])
                        : verb == "pack" ? pack_from(argv[2], argv[3], argc > 4 ? argv[4] : nullptr)
                                         : failure("usage: fuzz_corpus unpack|pack BUNDLE FOLDER [NAMED]");
  if (done) return 0;
  std::fprintf(stderr, "fuzz_corpus: %s\n", done.error().message.c_str());
  return 1;
}

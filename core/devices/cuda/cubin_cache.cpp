#include "core/devices/cuda/cubin_cache.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::cuda {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kBegunPrefix = ".begun-";

bool intact(const fs::path& folder, const Manifest& manifest) {
  for (const auto& cubin : manifest.cubins) {
    const auto bytes = read_text_file(folder / cubin.file);
    if (!bytes || sha256_hex(*bytes) != cubin.sha256) return false;
  }
  return true;
}

}  // namespace

Result<CubinCache> CubinCache::open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return failure("cannot create the folder for cubins '" + folder.string() + "': " + error.message());
  const fs::path absolute = fs::canonical(folder, error);
  if (error) return failure("cannot use the folder for cubins '" + folder.string() + "': " + error.message());
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
  for (const auto& entry : fs::directory_iterator(absolute, error)) {
    std::error_code ignored;
    if (entry.path().filename().string().rfind(kBegunPrefix, 0) == 0 &&
        entry.last_write_time(ignored) < yesterday)
      fs::remove_all(entry.path(), ignored);
  }
  return CubinCache(absolute);
}

fs::path CubinCache::manifest_path(const std::string& key) const {
  return folder_ / key.substr(0, 2) / key / "manifest.json";
}

std::optional<Manifest> CubinCache::find(const std::string& key) const {
  const fs::path path = manifest_path(key);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  auto manifest = read_manifest(path);
  if (!manifest || !intact(path.parent_path(), *manifest)) return std::nullopt;
  manifest->report.cached = true;
  return std::move(*manifest);
}

Result<fs::path> CubinCache::begin() const {
  std::string name = (folder_ / (std::string(kBegunPrefix) + "XXXXXX")).string();
  if (mkdtemp(name.data()) == nullptr)
    return failure("cannot create a folder in '" + folder_.string() +
                   "': " + std::error_code(errno, std::generic_category()).message());
  return fs::path(name);
}

Result<void> CubinCache::commit(const fs::path& begun, const std::string& key,
                                const Manifest& manifest) const {
  std::ofstream file(begun / "manifest.json");
  file << to_json(manifest).dump(1) << "\n";
  file.close();
  if (!file) return failure("cannot write '" + (begun / "manifest.json").string() + "'; is the disk full?");
  const fs::path entry = manifest_path(key).parent_path();
  std::error_code error;
  fs::create_directories(entry.parent_path(), error);
  if (!find(key)) fs::remove_all(entry, error);  // a damaged one
  fs::rename(begun, entry, error);
  if (!error || find(key)) return {};
  return failure("cannot make '" + entry.string() + "': " + error.message());
}

}  // namespace kevolve::cuda

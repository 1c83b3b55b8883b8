#pragma once
// CubinCache: compiled candidates on disk by content address. One folder an entry, which appears complete or
// not at all: it is filled under another name and then renamed. Several processes may share a cache.
// Thread-safe.

#include <filesystem>
#include <optional>
#include <string>

#include "core/devices/cuda/manifest.hpp"

namespace kevolve::cuda {

class CubinCache {
 public:
  /// Creates the folder where needed, and removes what killed processes left half done more than a day ago.
  static Result<CubinCache> open(const std::filesystem::path& folder);

  /// The entry, its files checked against their hashes; nullopt when absent or damaged.
  [[nodiscard]] std::optional<Manifest> find(const std::string& key) const;
  [[nodiscard]] std::filesystem::path manifest_path(const std::string& key) const;

  /// A fresh folder to compile into, on the cache's own file system.
  [[nodiscard]] Result<std::filesystem::path> begin() const;
  /// Writes the manifest into a begun folder and makes it the entry. An equal entry of another process stays.
  [[nodiscard]] Result<void> commit(const std::filesystem::path& begun, const std::string& key,
                                    const Manifest& manifest) const;

 private:
  explicit CubinCache(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace kevolve::cuda

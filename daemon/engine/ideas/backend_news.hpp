#pragma once
// BackendNews: what backends tell from their threads, kept for the engine's. Every function may be called
// from any thread.

#include <mutex>
#include <string>
#include <vector>

#include "llm_client/backend.hpp"

namespace kevolve::engine {

class BackendNews {
 public:
  struct Item {
    enum class Kind { outage_began, outage_ended, noted } kind = Kind::noted;
    std::string endpoint, text;
  };
  /// Events that end up here. The news must outlive the backend.
  llm::BackendEvents events();
  std::vector<Item> take();

 private:
  void add(Item item);
  std::mutex mutex_;
  std::vector<Item> items_;
};

}  // namespace kevolve::engine

#pragma once
// A question put to a backend, and its answer waited for.

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "llm_client/backend.hpp"
#include "tests/catch.hpp"

namespace kevolve {

inline llm::Question question(const std::string& slot, const std::string& text = "Layernorm, please.") {
  return {{"layernorm", "small", 1, slot},
          {{llm::Role::system, "You write kernels."}, {llm::Role::user, text}}};
}

inline std::future<llm::ChatResult> ask(llm::Backend& backend, llm::Question asked) {
  auto promise = std::make_shared<std::promise<llm::ChatResult>>();
  backend.ask(std::move(asked), [promise](llm::ChatResult result) { promise->set_value(std::move(result)); });
  return promise->get_future();
}

inline llm::ChatResult answer(std::future<llm::ChatResult> future) {
  REQUIRE(future.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  return future.get();
}

inline std::filesystem::path fresh_folder(const std::string& name) {
  auto folder = std::filesystem::temp_directory_path() / (name + "_" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace kevolve

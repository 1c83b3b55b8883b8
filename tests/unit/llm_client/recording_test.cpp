#include "llm_client/recording.hpp"

#include <fstream>
#include <vector>

#include "tests/unit/llm_client/asking.hpp"

using namespace kevolve;
using namespace kevolve::llm;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Answers at once, from the caller's thread: enough for a recorder.
class EchoBackend final : public Backend {
 public:
  [[nodiscard]] std::string name() const override { return "llm"; }
  void ask(Question question, AnswerHandler handler) override {
    ChatReply reply;
    reply.text = "on " + question.messages.back().text;
    reply.model = "echo";
    reply.finish = Finish::length;
    reply.usage = {10, 4, 20, 5};
    reply.cost_usd = 0.5;
    handler(reply);
  }
  void stop() override {}
};

std::unique_ptr<RecordingBackend> recorder(const std::filesystem::path& file) {
  auto recording = RecordingBackend::open(file, std::make_unique<EchoBackend>());
  REQUIRE(recording);
  return std::move(*recording);
}

}  // namespace

TEST_CASE("what was recorded is replayed, at no cost") {
  const auto folder = fresh_folder("kevolve_recording");
  const auto file = folder / "a.jsonl";
  {
    auto backend = recorder(file);
    CHECK(backend->name() == "llm");
    CHECK(answer(ask(*backend, question("ideas", "line one\nline two \xff")))->cost_usd == 0.5);
    answer(ask(*backend, question("idea-1/way-1")));
  }
  recorder(file);  // appends: what is there stays
  std::vector<std::string> notes;
  BackendEvents events;
  events.noted = [&](std::string_view what) { notes.emplace_back(what); };
  auto replay = ReplayBackend::open(file, events);
  REQUIRE(replay);
  const ChatResult reply = answer(ask(**replay, question("idea-1/way-1")));
  REQUIRE(reply);
  CHECK(reply->text == "on Layernorm, please.");
  CHECK(reply->model == "echo");
  CHECK(reply->finish == Finish::length);
  CHECK(reply->usage == TokenUsage{10, 4, 20, 5});
  CHECK(reply->cost_usd == 0.0);
  CHECK(notes.empty());
  CHECK(answer(ask(**replay, question("ideas", "another prompt"))));
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes[0], ContainsSubstring("another than when it was recorded"));
  const ChatResult unknown = answer(ask(**replay, question("idea-9/way-1")));
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ChatError::Kind::refused);
  CHECK_THAT(unknown.error().message, ContainsSubstring("layernorm/small/round-1/idea-9/way-1"));
  (*replay)->stop();
  CHECK(answer(ask(**replay, question("ideas"))).error().kind == ChatError::Kind::cancelled);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a line that is no exchange is named") {
  const auto folder = fresh_folder("kevolve_recording_bad");
  std::ofstream(folder / "a.jsonl") << "\n{\"operator\": \"x\"}\n";
  const auto loaded = load_recording(folder / "a.jsonl");
  REQUIRE_FALSE(loaded);
  CHECK_THAT(loaded.error().message, ContainsSubstring("a.jsonl:2: not a recorded exchange"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("the prompt's hash tells roles and texts apart") {
  CHECK(prompt_hash({{Role::user, "ab"}, {Role::user, "c"}}) !=
        prompt_hash({{Role::user, "a"}, {Role::user, "bc"}}));
  CHECK(prompt_hash({{Role::user, "a"}}) != prompt_hash({{Role::system, "a"}}));
  CHECK(prompt_hash({{Role::user, "a", true}}) == prompt_hash({{Role::user, "a", false}}));
}

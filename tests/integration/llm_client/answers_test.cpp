// Healthy servers, in all the ways that they answer.

#include "tests/integration/llm_client/fixture.hpp"

namespace kevolve::testing {
namespace {

TEST_CASE("a question is answered, streamed and whole, by both APIs") {
  for (const char* api : {"openai", "anthropic"}) {
    for (const bool stream : {false, true}) {
      Client client =
          Client::of("ok", {}, {{"stream", stream}, {"price", {{"input", 1}, {"output", 1}}}}, api);
      const ChatResult reply = client.get("what is two and two?");
      INFO(api << " stream " << stream);
      if (!reply) FAIL(reply.error().message);
      CHECK(reply->text.find("messages: what is two and two?") != std::string::npos);
      CHECK(reply->finish == Finish::stop);
      CHECK(reply->model == "m");
      CHECK(reply->served_by == "served-served");
      CHECK(reply->attempts == 1);
      CHECK_FALSE(reply->usage_estimated);
      CHECK(reply->usage.input > 5);
      CHECK(reply->usage.cached_input == reply->usage.input / 2);
      CHECK(*reply->cost_usd == Approx(static_cast<double>(reply->usage.input + reply->usage.output) / 1e6));
    }
  }
}

}  // namespace
}  // namespace kevolve::testing

// Servers that answer, in all the ways that they do.

#include "tests/integration/llm_client/fixture.hpp"

namespace kevolve::testing {
using namespace llm;
namespace {

const Json kWhole = {{"stream", false}};

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
      CHECK(client.told->all().empty());
    }
  }
}

TEST_CASE("however a stream is cut and dressed, its text is the same") {
  const ChatResult plain = Client::of("ok").get("the same");
  REQUIRE(plain);
  for (const char* words :
       {"bytes", "bytes+crlf+comments", "pieces=7+crlf", "gzip", "gzip+bytes", "wrong-type", "json",
        "json+gzip", "json+wrong-type", "json+parts", "drip=5+pieces=100"}) {
    for (const char* api : {"openai", "anthropic"}) {
      INFO(words << " " << api);
      const ChatResult reply = Client::of(std::string("dressed:") + words, {}, {}, api).get("the same");
      if (!reply) FAIL(reply.error().message);
      // The id of the prompt differs, as Anthropic's system is put in front.
      CHECK(reply->text.substr(reply->text.find(" of ") + 6) ==
            plain->text.substr(plain->text.find(" of ") + 6));
      CHECK(reply->usage.output > 0);
      CHECK(reply->attempts == 1);
    }
  }
}

TEST_CASE("a reply that runs into its limit says so") {
  for (const char* api : {"openai", "anthropic"}) {
    CHECK(Client::of("length:length", {}, {}, api).reply().finish == Finish::length);
    CHECK(Client::of("length:length", {}, kWhole, api).reply().finish == Finish::length);
  }
}

TEST_CASE("usage that a server does not tell is estimated, and said to be") {
  for (const char* api : {"openai", "anthropic"}) {
    const ChatResult reply = Client::of("quiet:no-usage", {}, {}, api).get();
    REQUIRE(reply);
    CHECK(reply->usage_estimated);
    CHECK(reply->usage.input > 0);
    CHECK(reply->usage.output > 5);
    CHECK_FALSE(reply->cost_usd);
  }
}

TEST_CASE("a reply without a text is asked for again, and paid each time") {
  Client client = Client::of("mute:no-text,ok", {}, {{"price", {{"input", 1}, {"output", 1}}}});
  const ChatResult reply = client.get();
  REQUIRE(reply);
  CHECK_FALSE(reply->text.empty());
  CHECK(reply->attempts == 2);
  CHECK(reply->usage.input == 2 * Client::of("ok").reply().usage.input);
  CHECK(client.told->all().find("a reply without a text") != std::string::npos);

  const ChatResult empty = Client::of("mute:no-text").get("always mute");
  REQUIRE(empty);
  CHECK(empty->text.empty());
  CHECK(empty->reasoning == "thinking it over");
  CHECK(empty->attempts == 3);
}

TEST_CASE("a field that a 400 names is left out, once for all questions") {
  Client client =
      Client::of("all-drops:status=400+field=max_completion_tokens,status=400+names=temperature,ok", {},
                 {{"temperature", 0.5}, {"seed", true}});
  REQUIRE(client.reply("first").attempts == 3);
  REQUIRE(client.reply("second").attempts == 1);
  const Json log = server().log("all-drops");
  CHECK(log[0]["body"]["max_completion_tokens"] == 16384);
  CHECK(log[1]["body"]["max_tokens"] == 16384);
  CHECK_FALSE(log[1]["body"].contains("max_completion_tokens"));
  CHECK(log[1]["body"]["temperature"] == 0.5);
  CHECK_FALSE(log[2]["body"].contains("temperature"));
  CHECK(log[2]["body"]["seed"] == 1);
  CHECK_FALSE(log[3]["body"].contains("temperature"));
  CHECK_FALSE(log[3]["body"].contains("max_completion_tokens"));
  const std::string told = client.told->all();
  CHECK(told.find("refuses the field max_completion_tokens") != std::string::npos);
  CHECK(told.find("refuses the field temperature") == told.rfind("refuses the field temperature"));
}

}  // namespace
}  // namespace kevolve::testing

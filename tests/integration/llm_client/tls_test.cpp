// TLS: verified always; a certificate that is not trusted is given up with advice, a ca_file makes it
// trusted.

#include "tests/integration/llm_client/fixture.hpp"

namespace kevolve::testing {
using namespace llm;
namespace {

TEST_CASE("a certificate is trusted with its authority and refused without") {
  const FaultServer tls(true);
  Client distrusting = Client::at(endpoint(tls.url("ok")));
  const std::string error = distrusting.refusal(ChatError::Kind::refused);
  INFO(error);
  CHECK(error.find("its certificate is not trusted (curl 60: SSL certificate problem") != std::string::npos);
  CHECK(error.find("name its PEM file as the endpoint's 'ca_file'") != std::string::npos);

  Client trusting = Client::at(endpoint(tls.url("ok"), "openai", {{"ca_file", tls.certificate()}}));
  CHECK(trusting.get());
  CHECK(trusting.get("again"));

  Client misled = Client::at(endpoint(tls.url("ok"), "openai", {{"ca_file", "/nonexistent.pem"}}));
  CHECK(misled.refusal(ChatError::Kind::refused).find("check that /nonexistent.pem holds the authority") !=
        std::string::npos);
}

TEST_CASE("a server that speaks no TLS is not asked forever") {
  std::string url = server().url("ok");
  url.replace(0, 4, "https");
  Client client = Client::at(endpoint(url, "openai", {{"max_retries", 1}}));
  const std::string error = client.refusal(ChatError::Kind::exhausted);
  CHECK(error.find("TLS could not be agreed on") != std::string::npos);
}

}  // namespace
}  // namespace kevolve::testing

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "archive/process_identity.hpp"
#include "daemon/http/client.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::http;
namespace fs = std::filesystem;

namespace {

struct ServiceFolder {
  ServiceFolder() {
    std::string name = (fs::temp_directory_path() / "kevolve-service-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
    ::unsetenv("KEVOLVE_TOKEN");
    ::unsetenv("KEVOLVE_TOKEN_FILE");
  }
  ~ServiceFolder() { fs::remove_all(path); }
  ServiceFolder(const ServiceFolder&) = delete;
  ServiceFolder& operator=(const ServiceFolder&) = delete;
  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return path / name;
  }
  fs::path path;
};

const std::string kFileToken = "0123456789abcdef";

}  // namespace

TEST_CASE("addresses of services are read, and nothing else") {
  const auto plain = parse_service_address("127.0.0.1:7421");
  REQUIRE(plain);
  CHECK(plain->host == "127.0.0.1");
  CHECK(plain->port == 7421);
  CHECK(parse_service_address("http://gpu-box.example:80/")->host == "gpu-box.example");
  CHECK(parse_service_address("[::1]:1")->host == "::1");
  for (const char* text : {"", "localhost", "localhost:", ":80", "localhost:0", "localhost:65536",
                           "localhost:8o", "https://h:1", "h:1/path", "a b:1", "h\r\nX:1"}) {
    INFO(text);
    CHECK_FALSE(parse_service_address(text));
  }
}

TEST_CASE("a service is found beside its archive while it runs") {
  const ServiceFolder folder;
  const fs::path archive = folder.path / "a.db";
  CHECK_FALSE(running_service(archive));
  ServiceAddress address;
  address.host = "::1";
  address.port = 4711;
  address.token_file = folder.path / "token";
  REQUIRE(write_service_file(archive, address));
  const auto found = running_service(archive);
  REQUIRE(found);
  CHECK(found->host == "::1");
  CHECK(found->port == 4711);
  CHECK(found->process == process_identity());
  CHECK(found->token_file == address.token_file);
  remove_service_file(archive);
  CHECK_FALSE(running_service(archive));
}

TEST_CASE("a file that a killed service left, or that is none, is no service") {
  const ServiceFolder folder;
  const fs::path archive = folder.path / "a.db";
  const std::string dead = R"({"address": "127.0.0.1:7421", "pid": 1, "process": "another-boot/1/1"})";
  folder.write("a.db.service", dead);
  CHECK_FALSE(running_service(archive));
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string(10'000, ' ')}) {
    folder.write("a.db.service", text);
    CHECK_FALSE(running_service(archive));
  }
}

TEST_CASE("the token is found in the environment, then in files, and only sent to this machine") {
  const ServiceFolder folder;
  ServiceAddress local, remote;
  remote.host = "gpu.example";
  local.token_file = remote.token_file = folder.write("token", kFileToken + "\n");
  CHECK(find_token(local) == kFileToken);
  CHECK(find_token(remote) == "");  // whoever wrote the service file is not to choose what goes out
  local.token_file = folder.path / "absent";
  CHECK(find_token(local) == "");
  const fs::path other = folder.write("other", "fedcba9876543210");
  ::setenv("KEVOLVE_TOKEN_FILE", other.c_str(), 1);
  CHECK(find_token(remote) == "fedcba9876543210");
  ::setenv("KEVOLVE_TOKEN", "a-token-from-the-environment", 1);
  CHECK(find_token(remote) == "a-token-from-the-environment");
  ::setenv("KEVOLVE_TOKEN", "a-token-with\r\nX-Header: y", 1);
  CHECK_FALSE(find_token(remote));
  ::unsetenv("KEVOLVE_TOKEN");
  ::unsetenv("KEVOLVE_TOKEN_FILE");
}

TEST_CASE("what is no token is not taken for one") {
  const ServiceFolder folder;
  CHECK(read_token(folder.write("a", kFileToken)) == kFileToken);
  CHECK_FALSE(read_token(folder.write("b", "")));
  CHECK_FALSE(read_token(folder.write("c", "-----BEGIN KEY-----\nabcdefghijklmnop\n")));
  CHECK_FALSE(read_token(folder.write("d", "short")));
  CHECK_FALSE(read_token(folder.path / "absent"));
}

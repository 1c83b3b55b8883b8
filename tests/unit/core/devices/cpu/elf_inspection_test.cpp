#include "core/devices/cpu/elf_inspection.hpp"

#include <stdlib.h>

#include <filesystem>

#include "core/process/command.hpp"
#include "core/text/json.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace cpu;
using namespace process;
namespace {

constexpr const char* kEntry =
    "extern \"C\" __attribute__((visibility(\"default\"))) void kevolve_entry_0() {}\n";

/// The shared object that g++ makes of `source`, with flags like the cpu device's.
std::string shared_object(const std::string& source, const std::vector<std::string>& more_flags = {}) {
  char name[] = "/tmp/kevolve_elf_XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  std::vector<std::string> argv{"g++",
                                "-O2",
                                "-fPIC",
                                "-shared",
                                "-nostdlib",
                                "-fno-threadsafe-statics",
                                "-fno-use-cxa-atexit",
                                "-ftls-model=initial-exec",
                                "-Wl,-z,now,-z,relro",
                                "-x",
                                "c++",
                                "-",
                                "-o",
                                (folder / "a.so").string()};
  argv.insert(argv.end(), more_flags.begin(), more_flags.end());
  const auto result = run_command(argv, kEntry + source, {});
  REQUIRE(result);
  INFO(result->err);
  REQUIRE(result->exit_code == 0);
  const auto bytes = read_text_file(folder / "a.so");
  std::filesystem::remove_all(folder);
  REQUIRE(bytes);
  return *bytes;
}

std::string violation(const std::string& source, const std::vector<std::string>& flags = {}) {
  const auto result = inspect_shared_object(shared_object(source, flags), 1);
  REQUIRE(result);
  return result->value_or("");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

#define EXPORTED "__attribute__((visibility(\"default\"))) "

TEST_CASE("an honest binary passes: constants, mathematics, the runtime's symbols, relocated tables") {
  CHECK(violation(
            "extern \"C\" float expf(float); extern \"C\" void* memcpy(void*, const void*, unsigned long);"
            "extern \"C\" int kevolve_simt_block_barrier(int, int); extern __thread int kevolve_simt_block;"
            "static const float table[4] = {1, 2, 3, 4};" EXPORTED
            "float f(int i, void* p) { memcpy(p, table, i); return expf(table[i & 3]) +"
            " kevolve_simt_block_barrier(i, kevolve_simt_block); }" EXPORTED
            "extern float (*const functions[])(float); float (*const functions[])(float) = {expf, expf};")
            .empty());
}

TEST_CASE("writable globals are named") {
  const std::string text = violation(EXPORTED "int counter[4]; " EXPORTED "int f() { return ++counter[1]; }");
  CHECK(contains(
      text, "Writable __device__ global 'counter' (16 bytes): state that survives a launch is forbidden"));
  CHECK(contains(violation("static int hidden = 7; " EXPORTED "int f() { return ++hidden; }"), "hidden"));
  CHECK(contains(
      violation("namespace ns { static float seen; } " EXPORTED "float f(float x) { return ns::seen += x; }"),
      "ns::seen"));
  CHECK(contains(violation(EXPORTED "int f() { static int calls; return ++calls; }"), "calls"));
}

TEST_CASE("writable bytes without a name are found too") {
  const std::string text =
      violation("static int hidden = 7; " EXPORTED "int f() { return ++hidden; }", {"-s"});
  CHECK(contains(text, "4 writable bytes in section .data"));
}

TEST_CASE("thread-local storage is state") {
  CHECK(contains(violation(EXPORTED "thread_local int mine; " EXPORTED "int f() { return ++mine; }"),
                 "Thread-local variable 'mine'"));
}

TEST_CASE("constructors and destructors are named") {
  CHECK(contains(violation("int g(); __attribute__((constructor)) static void begin() { asm(\"\"); }"),
                 "constructor 'begin()'"));
  CHECK(contains(violation("extern \"C\" float kevolve_simt_x(); " EXPORTED
                           "extern const float e; const float e = kevolve_simt_x();"),
                 "runs code when it is loaded"));
  CHECK(contains(violation("__attribute__((destructor)) static void end() { asm(\"\"); }"), ".fini_array"));
  CHECK(contains(violation("", {"-Wl,-init,kevolve_entry_0"}), "runs code when it is loaded"));
}

TEST_CASE("foreign functions are named") {
  CHECK(contains(
      violation("extern \"C\" int open(const char*, int); " EXPORTED "int f() { return open(\"x\", 0); }"),
      "calls 'open'"));
  CHECK(contains(violation(EXPORTED "float* f() { return new float[100]; }"),
                 "'operator new[](unsigned long)': allocation in device code"));
  CHECK(contains(violation("extern \"C\" int printf(const char*, ...); " EXPORTED
                           "int f(int i) { return printf(\"%d\", i); }"),
                 "output from device code"));
  for (const char* name :
       {"syscall", "mmap", "pthread_create", "dlopen", "dlsym", "fesetround", "signgam", "environ", "rand"})
    CHECK(contains(violation("extern \"C\" int " + std::string(name) + "(); " EXPORTED "int f() { return " +
                             name + "(); }"),
                   name));
}

TEST_CASE("ifuncs and executable stacks are refused") {
  CHECK(contains(violation("extern \"C\" { static int one() { return 1; } static void* choose() { return "
                           "(void*)one; } " EXPORTED "int f() __attribute__((ifunc(\"choose\"))); }"),
                 "ifunc"));
  CHECK(contains(violation("", {"-Wl,-z,execstack"}), "writable and executable"));
}

TEST_CASE("each launch needs its entry") {
  const auto result = inspect_shared_object(shared_object(""), 2);
  REQUIRE(result);
  CHECK(contains(result->value_or(""), "no entry for launch 1"));
}

TEST_CASE("truncated and damaged files are errors or findings, never crashes") {
  const std::string bytes = shared_object("static int hidden = 7; " EXPORTED "int f() { return ++hidden; }");
  for (std::size_t size = 0; size < bytes.size(); size += 7)
    CHECK_FALSE(inspect_shared_object(bytes.substr(0, size), 1));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(~damaged[at]);
    (void)inspect_shared_object(damaged, 1);
  }
}

TEST_CASE("loaded bytes do not depend on names of local symbols") {
  const auto a = loaded_bytes(
      shared_object("static const int one[2] = {1, 2}; " EXPORTED "int f(int i) { return one[i]; }"));
  const auto b = loaded_bytes(
      shared_object("static const int two[2] = {1, 2}; " EXPORTED "int f(int i) { return two[i]; }"));
  const auto c = loaded_bytes(
      shared_object("static const int two[2] = {1, 3}; " EXPORTED "int f(int i) { return two[i]; }"));
  REQUIRE((a && b && c));
  CHECK(*a == *b);
  CHECK(*a != *c);
}

}  // namespace
}  // namespace kevolve

#include "core/devices/cuda/cubin.hpp"

#include "core/text/words.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/devices/cuda/elf_builder.hpp"

namespace kevolve {
using namespace cuda;
namespace {

constexpr auto kWritable = SHF_WRITE | SHF_ALLOC;

}  // namespace

TEST_CASE("entry functions are the kernels, other functions are not") {
  ElfBuilder elf;
  elf.kernel("b");
  elf.kernel("a");
  elf.symbol("helper", STT_FUNC, STB_LOCAL, 1, 16);
  const auto cubin = read_cubin(elf.bytes());
  REQUIRE(cubin);
  CHECK(cubin->kernels == std::vector<std::string>{"a", "b"});
  CHECK(cubin->globals.empty());
  CHECK(cubin->foreign_symbols.empty());
}

TEST_CASE("writable data is found, zeroed or initialised, named or not") {
  ElfBuilder elf;
  elf.kernel("k");
  const auto zeroed = elf.section(".nv.global", SHT_NOBITS, kWritable, "", 8);
  const auto initialised = elf.section(".nv.global.init", SHT_PROGBITS, kWritable, "abcdefgh");
  elf.section(".nv.odd", SHT_PROGBITS, kWritable, "xyz");
  elf.symbol("counter", STT_OBJECT, STB_LOCAL, zeroed, 8);
  elf.symbol("table", STT_OBJECT, STB_LOCAL, initialised, 4, 4);
  const auto cubin = read_cubin(elf.bytes());
  REQUIRE(cubin);
  REQUIRE(cubin->globals.size() == 3);
  CHECK(cubin->globals[0].symbol == "counter");
  CHECK(cubin->globals[0].content.empty());
  CHECK(cubin->globals[1].symbol == "table");
  CHECK(cubin->globals[1].content == "efgh");
  CHECK(cubin->globals[2].symbol == ".nv.odd");
  CHECK(cubin->globals[2].size_bytes == 3);
}

TEST_CASE("constant banks and shared memory are no writable globals") {
  ElfBuilder elf;
  elf.kernel("k");
  elf.section(".nv.constant3", SHT_PROGBITS, SHF_ALLOC, "1234");
  elf.section(".nv.shared.k", SHT_NOBITS, kWritable, "", 1024);
  elf.section(".nv.shared.reserved.0", SHT_NOBITS, kWritable, "", 0);
  const auto cubin = read_cubin(elf.bytes());
  REQUIRE(cubin);
  CHECK(cubin->globals.empty());
}

TEST_CASE("undefined functions are foreign, what the loader defines is not") {
  ElfBuilder elf;
  elf.kernel("k");
  elf.symbol("vprintf", STT_FUNC, STB_GLOBAL, SHN_UNDEF);
  elf.symbol("data", STT_OBJECT, STB_GLOBAL, SHN_UNDEF, 4);
  elf.symbol(".nv.reservedSmem.offset0", STT_OBJECT, STB_WEAK, SHN_UNDEF, 4);
  const auto cubin = read_cubin(elf.bytes());
  REQUIRE(cubin);
  CHECK(cubin->foreign_symbols == std::vector<std::string>{"data", "vprintf"});
}

TEST_CASE("the normalised hash sees code and constants, not notes or debug information") {
  const auto hash = [](const std::string& code, const std::string& constant, const std::string& note) {
    ElfBuilder elf;
    elf.kernel("k", code);
    elf.section(".nv.constant3", SHT_PROGBITS, SHF_ALLOC, constant);
    elf.section(".note.nv.tkinfo", SHT_NOTE, 0, note);
    elf.section(".debug_frame", SHT_PROGBITS, 0, note);
    return read_cubin(elf.bytes())->normalised_hash;
  };
  CHECK(hash("code", "1", "one") == hash("code", "1", "two"));
  CHECK(hash("code", "1", "one") != hash("edoc", "1", "one"));
  CHECK(hash("code", "1", "one") != hash("code", "2", "one"));
}

TEST_CASE("foreign bytes are refused with the reason") {
  ElfBuilder elf;
  elf.kernel("k");
  CHECK(read_cubin("").error().message == "not a 64-bit ELF file");
  CHECK(read_cubin(std::string(1000, 'x')).error().message == "not a 64-bit ELF file");
  CHECK(read_cubin(elf.bytes(62)).error().message.find("expected 190 (CUDA)") != std::string::npos);
}

TEST_CASE("a cubin cut or corrupted anywhere does no harm") {
  ElfBuilder elf;
  elf.kernel("k");
  const auto init = elf.section(".nv.global.init", SHT_PROGBITS, kWritable, "abcdefgh");
  elf.symbol("table", STT_OBJECT, STB_LOCAL, init, 8);
  const std::string whole = elf.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(read_cubin(whole.substr(0, size)));
  std::size_t read = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = '\xff';
    read += read_cubin(damaged).has_value() ? 1 : 0;  // either answer is fine; sanitizers watch
  }
  CHECK(read < whole.size());
}

TEST_CASE("names are shown as they stand in the source") {
  CHECK(demangled("_Z4rowsILi4EEvPf") == "void rows<4>(float*)");
  CHECK(demangled("plain") == "plain");
  CHECK(demangled("g") == "g");
}

}  // namespace kevolve

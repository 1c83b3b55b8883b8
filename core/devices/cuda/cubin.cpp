#include "core/devices/cuda/cubin.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::cuda {
namespace {

constexpr unsigned kMachineCuda = 190;          // EM_CUDA
constexpr unsigned char kEntryFunction = 0x10;  // STO_CUDA_ENTRY, in st_other

struct Section {
  std::string name;
  Elf64_Shdr header{};
  std::string_view data;  // empty for SHT_NOBITS
};

template <class T>
std::optional<T> read_at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::string text_at(std::string_view strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  const auto end = strings.find('\0', offset);
  return std::string(strings.substr(offset, end == std::string_view::npos ? end : end - offset));
}

Result<std::vector<Section>> read_sections(std::string_view bytes) {
  const auto header = read_at<Elf64_Ehdr>(bytes, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
    return failure("not a 64-bit ELF file");
  if (header->e_machine != kMachineCuda)
    return failure("an ELF file for machine " + std::to_string(header->e_machine) + ", expected 190 (CUDA)");
  if (header->e_shentsize != sizeof(Elf64_Shdr)) return failure("section headers of an unknown size");
  std::vector<Section> sections(header->e_shnum);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const auto shdr = read_at<Elf64_Shdr>(bytes, header->e_shoff + i * sizeof(Elf64_Shdr));
    if (!shdr) return failure("section header " + std::to_string(i) + " lies outside the file");
    sections[i].header = *shdr;
    if (shdr->sh_type == SHT_NOBITS || shdr->sh_type == SHT_NULL) continue;
    if (shdr->sh_offset > bytes.size() || shdr->sh_size > bytes.size() - shdr->sh_offset)
      return failure("section " + std::to_string(i) + " lies outside the file");
    sections[i].data = bytes.substr(shdr->sh_offset, shdr->sh_size);
  }
  if (header->e_shstrndx >= sections.size()) return failure("there is no table of section names");
  for (auto& section : sections)
    section.name = text_at(sections[header->e_shstrndx].data, section.header.sh_name);
  return sections;
}

/// Memory that outlives a launch: all that may be written except shared memory, which does not.
bool is_writable_global(const Section& section) {
  constexpr auto kWritable = SHF_WRITE | SHF_ALLOC;
  return (section.header.sh_flags & kWritable) == kWritable && section.header.sh_size > 0 &&
         section.name.rfind(".nv.shared.", 0) != 0;
}

struct Symbol {
  std::string name;
  Elf64_Sym entry{};
};

std::vector<Symbol> read_symbols(const std::vector<Section>& sections) {
  std::vector<Symbol> symbols;
  for (const auto& table : sections) {
    if (table.header.sh_type != SHT_SYMTAB || table.header.sh_link >= sections.size()) continue;
    const auto strings = sections[table.header.sh_link].data;
    for (std::uint64_t at = sizeof(Elf64_Sym); at + sizeof(Elf64_Sym) <= table.data.size();
         at += sizeof(Elf64_Sym)) {
      const auto entry = *read_at<Elf64_Sym>(table.data, at);
      symbols.push_back({text_at(strings, entry.st_name), entry});
    }
  }
  return symbols;
}

/// The section's objects. ptxas gives each a symbol; a section without any counts under its own name.
void add_globals(const Section& section, std::size_t index, const std::vector<Symbol>& symbols,
                 Cubin& cubin) {
  std::uint64_t covered = 0;
  for (const auto& symbol : symbols) {
    const auto& entry = symbol.entry;
    if (entry.st_shndx != index || ELF64_ST_TYPE(entry.st_info) == STT_SECTION || entry.st_size == 0)
      continue;
    WritableGlobal global{symbol.name, entry.st_size, {}};
    if (entry.st_value <= section.data.size() && entry.st_size <= section.data.size() - entry.st_value)
      global.content = std::string(section.data.substr(entry.st_value, entry.st_size));
    covered += entry.st_size;
    cubin.globals.push_back(std::move(global));
  }
  if (covered == 0) cubin.globals.push_back({section.name, section.header.sh_size, {}});
}

std::string normalised_hash(const std::vector<Section>& sections) {
  std::vector<const Section*> relevant;
  for (const auto& section : sections)
    if ((section.header.sh_flags & SHF_ALLOC) != 0 || section.name.rfind(".nv.info", 0) == 0)
      if (section.header.sh_type != SHT_NOTE) relevant.push_back(&section);
  std::sort(relevant.begin(), relevant.end(), [](auto* a, auto* b) { return a->name < b->name; });
  std::string text;
  for (const Section* section : relevant) {
    text += section->name + '\0' + std::to_string(section->header.sh_size) + '\0';
    text += section->data;
  }
  return sha256_hex(text);
}

}  // namespace

Result<Cubin> read_cubin(std::string_view bytes) {
  const auto sections = read_sections(bytes);
  if (!sections) return failure(sections.error());
  const auto symbols = read_symbols(*sections);
  if (symbols.empty()) return failure("it has no symbols");
  Cubin cubin;
  for (std::size_t i = 0; i < sections->size(); ++i)
    if (is_writable_global((*sections)[i])) add_globals((*sections)[i], i, symbols, cubin);
  for (const auto& [name, entry] : symbols) {
    const auto type = ELF64_ST_TYPE(entry.st_info);
    const bool defined = entry.st_shndx != SHN_UNDEF;
    if (defined && type == STT_FUNC && (entry.st_other & kEntryFunction) != 0) cubin.kernels.push_back(name);
    // The loader itself defines what is undefined and weak, such as .nv.reservedSmem.offset0.
    const bool required = type == STT_FUNC || ELF64_ST_BIND(entry.st_info) == STB_GLOBAL;
    if (!defined && required && !name.empty()) cubin.foreign_symbols.push_back(name);
  }
  std::sort(cubin.kernels.begin(), cubin.kernels.end());
  std::sort(cubin.foreign_symbols.begin(), cubin.foreign_symbols.end());
  cubin.normalised_hash = normalised_hash(*sections);
  return cubin;
}

namespace {

struct LibraryTable {
  const char* symbol;
  std::string_view sha256;
};
constexpr std::array<LibraryTable, 3> kLibraryTables{{
    {"__cudart_i2opi_f", "af58a7804afd16e4e7a715bd29412e82374ac0eb2196ae5f00fbd5835af8006d"},
    {"__cudart_i2opi_d", "7ede62875c004cc8c2847b487cb377f75c153593f45bab10b272128e31690cde"},
    {"__cudart_sin_cos_coeffs", "bf6a9587812432cf5649f28013165faa5a19d2ad0f66fd69cbf13096c2ea4263"},
}};

}  // namespace

bool is_library_table(const WritableGlobal& global) {
  return std::any_of(kLibraryTables.begin(), kLibraryTables.end(), [&](const LibraryTable& table) {
    return global.symbol == table.symbol && sha256_hex(global.content) == table.sha256;
  });
}

std::array<const char*, 3> library_table_names() {
  return {kLibraryTables[0].symbol, kLibraryTables[1].symbol, kLibraryTables[2].symbol};
}

}  // namespace kevolve::cuda

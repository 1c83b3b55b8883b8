#include "core/devices/cpu/elf_image.hpp"

#include <algorithm>

namespace kevolve::cpu {
namespace {

tl::unexpected<Error> malformed(const char* what) {
  return failure(std::string("not a well-formed x86-64 shared object: ") + what);
}

/// bytes[offset, offset + size), or nullopt-like empty view with `ok` false.
bool slice(std::string_view bytes, std::uint64_t offset, std::uint64_t size, std::string_view& result) {
  if (offset > bytes.size() || size > bytes.size() - offset) return false;
  result = bytes.substr(offset, size);
  return true;
}

bool text_at(std::string_view table, std::uint64_t offset, std::string_view& result) {
  if (offset >= table.size()) return offset == 0;
  const std::size_t end = table.find('\0', offset);
  if (end == std::string_view::npos) return false;
  result = table.substr(offset, end - offset);
  return true;
}

}  // namespace

Result<ElfImage> ElfImage::parse(std::string_view bytes) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header) return malformed("shorter than an ELF header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64 || header.e_type != ET_DYN)
    return malformed("wrong magic, class, machine or type");
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_phentsize != sizeof(Elf64_Phdr))
    return malformed("unknown size of table entries");

  ElfImage image;
  std::string_view table;
  if (!slice(bytes, header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), table))
    return malformed("segments lie outside the file");
  image.segments_ = array<Elf64_Phdr>(table);
  if (!slice(bytes, header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), table))
    return malformed("sections lie outside the file");
  const auto headers = array<Elf64_Shdr>(table);
  if (header.e_shstrndx >= headers.size()) return malformed("no section names");
  std::string_view names;
  if (!slice(bytes, headers[header.e_shstrndx].sh_offset, headers[header.e_shstrndx].sh_size, names))
    return malformed("section names lie outside the file");
  for (const Elf64_Shdr& h : headers) {
    ElfSection section{h, {}, {}};
    if (!text_at(names, h.sh_name, section.name)) return malformed("a section's name lies outside the file");
    if (h.sh_type != SHT_NOBITS && h.sh_type != SHT_NULL &&
        !slice(bytes, h.sh_offset, h.sh_size, section.contents))
      return malformed("a section lies outside the file");
    image.sections_.push_back(section);
  }
  return image;
}

const ElfSection* ElfImage::section(std::string_view name) const {
  const auto found =
      std::find_if(sections_.begin(), sections_.end(), [&](const ElfSection& s) { return s.name == name; });
  return found == sections_.end() ? nullptr : &*found;
}

Result<std::vector<ElfSymbol>> ElfImage::symbols(std::string_view table) const {
  std::vector<ElfSymbol> result;
  const ElfSection* section = this->section(table);
  if (section == nullptr) return result;
  if (section->header.sh_link >= sections_.size()) return malformed("a symbol table without names");
  const std::string_view names = sections_[section->header.sh_link].contents;
  for (const Elf64_Sym& entry : array<Elf64_Sym>(section->contents)) {
    ElfSymbol symbol{entry, {}};
    if (!text_at(names, entry.st_name, symbol.name))
      return malformed("a symbol's name lies outside the file");
    result.push_back(symbol);
  }
  return result;
}

}  // namespace kevolve::cpu

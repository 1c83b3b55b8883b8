#pragma once
// Builds small cubins byte by byte, so that their inspection is tested without a compiler.

#include <elf.h>

#include <cstring>
#include <string>
#include <vector>

namespace kevolve {

class ElfBuilder {
 public:
  /// Returns the section's index.
  std::uint16_t section(const std::string& name, std::uint32_t type, std::uint64_t flags, std::string data,
                        std::uint64_t size_of_nobits = 0) {
    sections_.push_back({name, type, flags, std::move(data), size_of_nobits});
    return static_cast<std::uint16_t>(sections_.size());  // 0 is the null section
  }

  void symbol(const std::string& name, unsigned char type, unsigned char bind, std::uint16_t index,
              std::uint64_t size = 0, std::uint64_t value = 0, unsigned char other = 0) {
    Elf64_Sym entry{};
    entry.st_name = static_cast<Elf64_Word>(names_.size());
    names_ += name + '\0';
    entry.st_info = static_cast<unsigned char>(ELF64_ST_INFO(bind, type));
    entry.st_other = other;
    entry.st_shndx = index;
    entry.st_size = size;
    entry.st_value = value;
    symbols_.append(reinterpret_cast<const char*>(&entry), sizeof(entry));
  }

  void kernel(const std::string& name, const std::string& code = "code") {
    const auto text = section(".text." + name, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code);
    symbol(name, STT_FUNC, STB_GLOBAL, text, code.size(), 0, 0x10);
  }

  [[nodiscard]] std::string bytes(std::uint16_t machine = 190) const {
    auto all = sections_;
    all.push_back({".strtab", SHT_STRTAB, 0, names_, 0});
    const auto strtab = static_cast<Elf64_Word>(all.size());
    all.push_back({".symtab", SHT_SYMTAB, 0, std::string(sizeof(Elf64_Sym), '\0') + symbols_, 0});
    std::string section_names(1, '\0');
    std::string body;
    std::vector<Elf64_Shdr> headers(1);
    all.push_back({".shstrtab", SHT_STRTAB, 0, "", 0});
    for (auto& section : all) {
      Elf64_Shdr header{};
      header.sh_name = static_cast<Elf64_Word>(section_names.size());
      section_names += section.name + '\0';
      if (&section == &all.back()) section.data = section_names;
      header.sh_type = section.type;
      header.sh_flags = section.flags;
      header.sh_offset = sizeof(Elf64_Ehdr) + body.size();
      header.sh_size = section.type == SHT_NOBITS ? section.size_of_nobits : section.data.size();
      header.sh_link = section.type == SHT_SYMTAB ? strtab : 0;
      body += section.data;
      headers.push_back(header);
    }
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_machine = machine;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = static_cast<Elf64_Half>(headers.size());
    header.e_shstrndx = static_cast<Elf64_Half>(headers.size() - 1);
    header.e_shoff = sizeof(header) + body.size();
    std::string result(reinterpret_cast<const char*>(&header), sizeof(header));
    result += body;
    result.append(reinterpret_cast<const char*>(headers.data()), headers.size() * sizeof(Elf64_Shdr));
    return result;
  }

 private:
  struct Section {
    std::string name;
    std::uint32_t type;
    std::uint64_t flags;
    std::string data;
    std::uint64_t size_of_nobits;
  };
  std::vector<Section> sections_;
  std::string names_ = std::string(1, '\0');
  std::string symbols_;
};

}  // namespace kevolve

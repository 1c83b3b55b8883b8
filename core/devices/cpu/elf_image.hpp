#pragma once
// ElfImage: bounds-checked reading of a 64-bit little-endian ELF file. Borrows the bytes. Immutable;
// thread-safe.

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/text/result.hpp"

namespace kevolve::cpu {

struct ElfSection {
  Elf64_Shdr header{};
  std::string_view name;
  std::string_view contents;  ///< empty for SHT_NOBITS
};

struct ElfSymbol {
  Elf64_Sym entry{};
  std::string_view name;
};

class ElfImage {
 public:
  static Result<ElfImage> parse(std::string_view bytes);

  [[nodiscard]] const std::vector<ElfSection>& sections() const { return sections_; }
  [[nodiscard]] const std::vector<Elf64_Phdr>& segments() const { return segments_; }
  [[nodiscard]] const ElfSection* section(std::string_view name) const;
  /// `table`: ".symtab" or ".dynsym"; empty when there is none.
  [[nodiscard]] Result<std::vector<ElfSymbol>> symbols(std::string_view table) const;

  /// The array of T that `contents` holds; an incomplete last element is ignored.
  template <class T>
  static std::vector<T> array(std::string_view contents) {
    std::vector<T> result(contents.size() / sizeof(T));
    if (!result.empty()) std::memcpy(result.data(), contents.data(), result.size() * sizeof(T));
    return result;
  }

 private:
  std::vector<ElfSection> sections_;
  std::vector<Elf64_Phdr> segments_;
};

}  // namespace kevolve::cpu

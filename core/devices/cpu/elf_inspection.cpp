#include "core/devices/cpu/elf_inspection.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "core/devices/cpu/elf_image.hpp"
#include "core/text/words.hpp"

namespace kevolve::cpu {
namespace {

using Violation = std::optional<std::string>;

/// Functions of the mathematics library without a memory: no floating-point environment, no signgam. Each
/// also with the suffix f.
constexpr std::array kMathematics{
    "acos",      "acosh", "asin",   "asinh",     "atan",   "atan2",  "atanh",    "cbrt",      "ceil",
    "copysign",  "cos",   "cosh",   "erf",       "erfc",   "exp",    "exp10",    "exp2",      "expm1",
    "fabs",      "fdim",  "floor",  "fma",       "fmax",   "fmin",   "fmod",     "frexp",     "hypot",
    "ilogb",     "j0",    "j1",     "jn",        "ldexp",  "lgamma", "lgamma_r", "llrint",    "llround",
    "log",       "log10", "log1p",  "log2",      "logb",   "lrint",  "lround",   "modf",      "nearbyint",
    "nextafter", "pow",   "pow10",  "remainder", "remquo", "rint",   "round",    "roundeven", "scalbln",
    "scalbn",    "sin",   "sincos", "sinh",      "sqrt",   "tan",    "tanh",     "tgamma",    "trunc",
    "y0",        "y1",    "yn",
};

/// Compilers call these on their own.
constexpr std::array kCompilerRuntime{
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "__cxa_finalize",
    "__gmon_start__",
    "_ITM_deregisterTMCloneTable",
    "_ITM_registerTMCloneTable",
    "__stack_chk_fail",
    "__memcpy_chk",
    "__memset_chk",
    "__memmove_chk",
};

bool may_call(std::string_view name) {
  static const std::set<std::string, std::less<>> allowed = [] {
    std::set<std::string, std::less<>> names(kCompilerRuntime.begin(), kCompilerRuntime.end());
    for (const std::string function : kMathematics) {
      names.insert(function);
      names.insert(function + "f");
      names.insert(std::string("__").append(function).append("_finite"));
    }
    names.insert({"lgammaf_r", "__isnan", "__isinf", "__finite", "__isnanf", "__isinff", "__finitef"});
    return names;
  }();
  return allowed.count(name) != 0 || name.starts_with(kRuntimePrefix);
}

std::string foreign_function(std::string_view name) {
  static const std::set<std::string_view> heap{
      "malloc", "calloc", "realloc", "free",   "_Znwm",
      "_Znam",  "_ZdlPv", "_ZdlPvm", "_ZdaPv", "__cxa_throw_bad_array_new_length"};
  static const std::set<std::string_view> output{"printf", "puts", "putchar", "vprintf", "fprintf"};
  const std::string what = "The binary calls '" + demangled(name) + "'";
  if (heap.count(name) != 0)
    return what + ": allocation in device code is forbidden; declare scratch in the header.";
  if (output.count(name) != 0) return what + ": output from device code is forbidden.";
  return what +
         ", which is neither a mathematical function nor one that the SIMT header provides. Device code may "
         "call nothing else.";
}

Violation foreign_symbols(const std::vector<ElfSymbol>& dynamic) {
  for (const ElfSymbol& symbol : dynamic) {
    if (symbol.name.empty()) continue;
    if (symbol.entry.st_shndx == SHN_UNDEF && !may_call(symbol.name)) return foreign_function(symbol.name);
  }
  return std::nullopt;
}

Violation missing_entries(const std::vector<ElfSymbol>& dynamic, std::size_t entries) {
  for (std::size_t i = 0; i < entries; ++i) {
    const std::string name = "kevolve_entry_" + std::to_string(i);
    const bool found = std::any_of(dynamic.begin(), dynamic.end(), [&](const ElfSymbol& symbol) {
      return symbol.name == name && symbol.entry.st_shndx != SHN_UNDEF;
    });
    if (!found)
      return "The binary exports no entry for launch " + std::to_string(i) +
             ": the source swallows what follows it (an unfinished comment, string or #if), or redefines the "
             "entry macro.";
  }
  return std::nullopt;
}

Violation special_symbols(const std::vector<ElfSymbol>& symbols) {
  for (const ElfSymbol& symbol : symbols) {
    const auto type = ELF64_ST_TYPE(symbol.entry.st_info);
    if (type == STT_GNU_IFUNC)
      return std::string("'").append(demangled(symbol.name)) +
             "' is resolved by code that runs when the binary is loaded (ifunc), which is forbidden.";
    if (type == STT_TLS && symbol.entry.st_shndx != SHN_UNDEF)
      return "Thread-local variable '" + demangled(symbol.name) +
             "': state that survives a launch is forbidden.";
  }
  return std::nullopt;
}

bool is_writable_data(const ElfSection& section) {
  if ((section.header.sh_flags & SHF_WRITE) == 0 || (section.header.sh_flags & SHF_ALLOC) == 0) return false;
  // Made read-only by the dynamic linker before anything of the candidate runs (full RELRO), or reported by
  // name.
  static const std::set<std::string_view> other{
      ".dynamic",           ".got",        ".got.plt",    ".data.rel.ro",
      ".data.rel.ro.local", ".init_array", ".fini_array", ".preinit_array"};
  return other.count(section.name) == 0;
}

Violation writable_globals(const ElfImage& image, const std::vector<ElfSymbol>& symbols) {
  for (std::size_t i = 0; i < image.sections().size(); ++i) {
    const ElfSection& section = image.sections()[i];
    if (!is_writable_data(section) || section.header.sh_size == 0) continue;
    for (const ElfSymbol& symbol : symbols) {
      const auto type = ELF64_ST_TYPE(symbol.entry.st_info);
      if (symbol.entry.st_shndx != i || type == STT_SECTION || symbol.entry.st_size == 0) continue;
      return "Writable __device__ global '" + demangled(symbol.name) + "' (" +
             std::to_string(symbol.entry.st_size) +
             " bytes): state that survives a launch is forbidden. Use a scratch buffer of the header, or "
             "make it const.";
    }
    return "The binary has " + std::to_string(section.header.sh_size) + " writable bytes in section " +
           std::string(section.name) + ": state that survives a launch is forbidden.";
  }
  return std::nullopt;
}

/// The function whose address the loader would call: the relocation of the array's first slot.
std::string constructor_name(const ElfImage& image, const std::vector<ElfSymbol>& symbols,
                             const ElfSection& array) {
  const ElfSection* relocations = image.section(".rela.dyn");
  if (relocations == nullptr) return "";
  for (const auto& r : ElfImage::array<Elf64_Rela>(relocations->contents)) {
    if (r.r_offset < array.header.sh_addr || r.r_offset >= array.header.sh_addr + array.header.sh_size)
      continue;
    for (const ElfSymbol& symbol : symbols)
      if (ELF64_ST_TYPE(symbol.entry.st_info) == STT_FUNC &&
          symbol.entry.st_value == static_cast<Elf64_Addr>(r.r_addend))
        return std::string(" '").append(demangled(symbol.name)).append("'");
  }
  return "";
}

Violation code_at_load(const ElfImage& image, const std::vector<ElfSymbol>& symbols) {
  for (const ElfSection& section : image.sections()) {
    const bool runs = section.header.sh_type == SHT_INIT_ARRAY || section.header.sh_type == SHT_FINI_ARRAY ||
                      section.header.sh_type == SHT_PREINIT_ARRAY || section.name == ".init" ||
                      section.name == ".fini" || section.name == ".ctors" || section.name == ".dtors";
    if (runs && section.header.sh_size > 0)
      return "The binary runs code when it is loaded or unloaded: constructor" +
             constructor_name(image, symbols, section) + " in section " + std::string(section.name) +
             ". Globals must be constants.";
  }
  if (const ElfSection* dynamic = image.section(".dynamic"); dynamic != nullptr) {
    for (const auto& entry : ElfImage::array<Elf64_Dyn>(dynamic->contents))
      if (entry.d_tag == DT_INIT || entry.d_tag == DT_FINI || entry.d_tag == DT_INIT_ARRAY ||
          entry.d_tag == DT_FINI_ARRAY || entry.d_tag == DT_PREINIT_ARRAY || entry.d_tag == DT_TEXTREL)
        return "The binary runs code when it is loaded or unloaded, or patches its own code: forbidden.";
  }
  for (const ElfSection& section : image.sections()) {
    if (section.header.sh_type != SHT_RELA) continue;
    for (const auto& r : ElfImage::array<Elf64_Rela>(section.contents))
      if (ELF64_R_TYPE(r.r_info) == R_X86_64_IRELATIVE)
        return "The binary resolves functions by code at load time (ifunc): forbidden.";
  }
  return std::nullopt;
}

Violation odd_segments(const ElfImage& image) {
  for (const Elf64_Phdr& segment : image.segments()) {
    if (segment.p_type == PT_TLS)
      return "The binary has thread-local storage: state that survives a launch is forbidden.";
    if ((segment.p_type == PT_LOAD || segment.p_type == PT_GNU_STACK) && (segment.p_flags & PF_X) != 0 &&
        (segment.p_flags & PF_W) != 0)
      return "The binary asks for memory that is writable and executable: forbidden.";
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<std::string>> inspect_shared_object(std::string_view bytes, std::size_t entries) {
  const auto image = ElfImage::parse(bytes);
  if (!image) return failure(image.error());
  const auto dynamic = image->symbols(".dynsym");
  if (!dynamic) return failure(dynamic.error());
  auto all = image->symbols(".symtab");
  if (!all) return failure(all.error());
  all->insert(all->end(), dynamic->begin(), dynamic->end());

  if (auto violation = missing_entries(*dynamic, entries)) return violation;
  if (auto violation = foreign_symbols(*dynamic)) return violation;
  if (auto violation = special_symbols(*all)) return violation;
  if (auto violation = code_at_load(*image, *all)) return violation;
  if (auto violation = writable_globals(*image, *all)) return violation;
  return odd_segments(*image);
}

Result<std::string> loaded_bytes(std::string_view bytes) {
  const auto image = ElfImage::parse(bytes);
  if (!image) return failure(image.error());
  std::string result;
  for (const ElfSection& section : image->sections())
    if ((section.header.sh_flags & SHF_ALLOC) != 0) result.append(section.name).append(section.contents);
  return result;
}

}  // namespace kevolve::cpu

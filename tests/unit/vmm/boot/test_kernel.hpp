// Kernel files for tests, made byte by byte.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace twinbox::vmm::boot {

// An ELF kernel with one segment of text at 1 MiB, of `code_size` bytes 'k' and as much bss again.
struct TestKernel {
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};
  std::vector<std::uint32_t> note;  // a PVH note, when not empty
  std::size_t code_size = 0x2345;   // ends in the middle of a page

  static constexpr std::uint64_t load_address = 0x10'0000;
  static constexpr std::uint64_t code_offset = 0x1000;

  TestKernel() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_machine = EM_X86_64;
    header.e_entry = load_address + 0x10;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof segment;
    header.e_phnum = 1;
    segment.p_type = PT_LOAD;
    segment.p_offset = code_offset;
    segment.p_paddr = load_address;
    segment.p_filesz = code_size;
    segment.p_memsz = 2 * code_size;
  }

  void add_pvh_note(std::uint32_t entry) { note = {4, 4, 18, 0x006e'6558, entry}; }

  std::string file() const {
    auto head = header;
    Elf64_Phdr note_segment{};
    if (!note.empty()) {
      head.e_phnum = 2;
      note_segment.p_type = PT_NOTE;
      note_segment.p_offset = 0x400;
      note_segment.p_filesz = note.size() * 4;
    }
    std::string text(code_offset + code_size, 'k');
    std::memcpy(text.data(), &head, sizeof head);
    std::memcpy(text.data() + sizeof head, &segment, sizeof segment);
    std::memcpy(text.data() + sizeof head + sizeof segment, &note_segment, sizeof note_segment);
    if (!note.empty()) std::memcpy(text.data() + 0x400, note.data(), note.size() * 4);
    return text;
  }
};

}  // namespace twinbox::vmm::boot

#include "guest-images/agent/huge_program.hpp"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

// Linux 6.1; older headers lack it.
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace twinbox::agent {
namespace {

constexpr std::uintptr_t huge_page = 2U << 20;

struct Code {
  std::byte* start = nullptr;
  std::size_t size = 0;      // of what the file has
  std::size_t reserved = 0;  // in whole huge pages
};

// Of the running program; empty where it may not be moved.
Code find_code() {
  const auto* const headers = reinterpret_cast<const Elf64_Phdr*>(::getauxval(AT_PHDR));
  Code code;
  for (const auto& header : std::span(headers, ::getauxval(AT_PHNUM))) {
    if (header.p_type != PT_LOAD) continue;
    if ((header.p_flags & PF_X) != 0) {
      code = {reinterpret_cast<std::byte*>(header.p_vaddr), header.p_memsz,
              (header.p_memsz + huge_page - 1) / huge_page * huge_page};
    } else if (code.start == nullptr ||
               header.p_vaddr < reinterpret_cast<std::uintptr_t>(code.start + code.reserved)) {
      return {};
    }
  }
  return reinterpret_cast<std::uintptr_t>(code.start) % huge_page == 0 ? code : Code{};
}

}  // namespace

void move_program_to_huge_pages() {
  static Code code = find_code();
  if (code.start == nullptr) return;
  // Some of it is only to find a place at a multiple of a huge page.
  const auto space = code.reserved + huge_page;
  void* const found =
      ::mmap(nullptr, space, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (found == MAP_FAILED) return;
  const auto misplaced = reinterpret_cast<std::uintptr_t>(found) % huge_page;
  auto* const copy = static_cast<std::byte*>(found) + (huge_page - misplaced);
  std::memcpy(copy, code.start, code.size);
  // The system's advice about huge pages does not matter to it, and nobody looks through the memory
  // from time to time to merge more, as after MADV_HUGEPAGE.
  //
  // mremap then puts the copy where the code is, this function and the C library's call among it.
  // That is safe: the kernel takes the old pages away and moves the new ones within the one call,
  // under the lock that page faults wait for, so no thread runs while there are neither; and it
  // returns to the same bytes at the same addresses. They cannot differ, for nothing writes to code
  // and constants, and all that is written to lies beyond (see find_code). Only a kernel that has
  // no memory left for its own records between the two steps would leave nothing to return to.
  if (::madvise(copy, code.reserved, MADV_COLLAPSE) == 0 &&
      ::mprotect(copy, code.reserved, PROT_READ | PROT_EXEC) == 0 &&
      ::mremap(copy, code.reserved, code.reserved, MREMAP_MAYMOVE | MREMAP_FIXED, code.start) !=
          MAP_FAILED) {
    code = {};  // once is enough
  }
  ::munmap(found, space);
}

}  // namespace twinbox::agent

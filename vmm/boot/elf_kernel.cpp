#include "vmm/boot/elf_kernel.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "vmm/boot/file_window.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint32_t pvh_note_type = 18;  // XEN_ELFNOTE_PHYS32_ENTRY
constexpr std::uint64_t max_notes = 0x1'0000;

// A kernel file that is being read: every error names it.
class KernelFile {
 public:
  explicit KernelFile(const std::string& path)
      : path_(path), fd_(base::open_file(path, O_RDONLY)), size_(file_size(fd_.get())) {}

  int fd() const { return fd_.get(); }

  [[noreturn]] void fail(std::string_view what, std::string_view hint = {}) const {
    throw Error(ErrorKind::usage, fmt::format("the kernel {} {}", path_, what), std::string(hint));
  }

  // Every read and mapping lies inside the file.
  void require(std::uint64_t offset, std::uint64_t length) const {
    std::uint64_t end = 0;
    if (__builtin_add_overflow(offset, length, &end) || end > size_) {
      fail(fmt::format("is truncated: it has {} bytes, and promises more", size_),
           "fetch or copy the kernel again");
    }
  }

  void read(std::uint64_t offset, std::span<std::byte> out) const {
    require(offset, out.size());
    base::pread_exact(fd(), out, offset);
  }

 private:
  std::string path_;
  base::Fd fd_;
  std::uint64_t size_;
};

Elf64_Ehdr read_header(const KernelFile& file) {
  Elf64_Ehdr header{};
  file.read(0, std::as_writable_bytes(std::span(&header, 1)));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    file.fail("is no ELF file", "give twinbox boot a vmlinux or a bzImage");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) {
    file.fail("is not for a 64-bit x86 processor");
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0) {
    file.fail("has no program headers, so it cannot be loaded");
  }
  return header;
}

std::vector<Elf64_Phdr> read_segments(const KernelFile& file, const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  file.read(header.e_phoff, std::as_writable_bytes(std::span(segments)));
  return segments;
}

// Returns the segment's end in guest memory.
GuestAddress load_segment(const KernelFile& file, const Elf64_Phdr& segment,
                          const GuestMemory& memory) {
  if (segment.p_filesz > segment.p_memsz) file.fail("has a segment larger than its memory");
  file.require(segment.p_offset, segment.p_filesz);
  const GuestAddress start{segment.p_paddr};
  if (start.value < layout::high_ram) {
    file.fail(fmt::format("wants to be loaded at {:#x}, below 1 MiB", start.value));
  }
  if (!memory.slice(start, segment.p_memsz)) {
    file.fail(
        fmt::format("needs {} at {:#x}, and the machine has {}", base::format_size(segment.p_memsz),
                    start.value, base::format_size(memory.size())),
        "give the machine more memory");
  }
  // Copied, not mapped: the kernel patches nearly every page of itself while it boots, so a mapping
  // would be a fault to read and another to write each of them, in small pages only. The rest of
  // the segment, the bss, is fresh memory and so is zero already.
  file.read(segment.p_offset, *memory.slice(start, segment.p_filesz));
  return GuestAddress{start.value + segment.p_memsz};
}

constexpr std::uint64_t padded(std::uint64_t size) { return (size + 3) / 4 * 4; }

// Looks through a PT_NOTE segment (System V ABI, "Note Section") for the address of the PVH entry.
std::optional<GuestAddress> find_pvh_note(std::span<const std::byte> notes) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note{};
    std::memcpy(&note, notes.data(), sizeof note);
    const std::uint64_t name_at = sizeof note;
    const std::uint64_t value_at = name_at + padded(note.n_namesz);
    const std::uint64_t next = value_at + padded(note.n_descsz);
    if (next > notes.size()) return std::nullopt;
    const bool is_xen = note.n_namesz == 4 && std::memcmp(notes.data() + name_at, "Xen", 4) == 0;
    if (is_xen && note.n_type == pvh_note_type && note.n_descsz >= 4) {
      std::uint64_t value = 0;
      std::memcpy(&value, notes.data() + value_at, std::min<std::size_t>(note.n_descsz, 8));
      return GuestAddress{value};
    }
    notes = notes.subspan(next);
  }
  return std::nullopt;
}

std::optional<GuestAddress> read_pvh_entry(const KernelFile& file, const Elf64_Phdr& segment) {
  std::vector<std::byte> notes(std::min<std::uint64_t>(segment.p_filesz, max_notes));
  file.read(segment.p_offset, notes);
  return find_pvh_note(notes);
}

// A wrong entry would be a triple fault without a word.
void check_entry(const KernelFile& file, std::span<const Elf64_Phdr> segments, GuestAddress entry) {
  const bool inside = std::ranges::any_of(segments, [&](const Elf64_Phdr& segment) {
    return segment.p_type == PT_LOAD && entry.value >= segment.p_paddr &&
           entry.value - segment.p_paddr < segment.p_filesz;
  });
  if (!inside)
    file.fail(fmt::format("has its entry at {:#x}, outside of what it loads", entry.value));
}

}  // namespace

LoadedKernel load_elf_kernel(const std::string& path, const GuestMemory& memory) {
  const KernelFile file(path);
  const Elf64_Ehdr header = read_header(file);
  const auto segments = read_segments(file, header);
  LoadedKernel kernel{.entry = GuestAddress{header.e_entry}, .pvh_entry = {}, .end = {}};
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD && segment.p_memsz > 0) {
      kernel.end = std::max(kernel.end, load_segment(file, segment, memory));
    } else if (segment.p_type == PT_NOTE && !kernel.pvh_entry) {
      kernel.pvh_entry = read_pvh_entry(file, segment);
    }
  }
  check_entry(file, segments, kernel.pvh_entry.value_or(kernel.entry));
  return kernel;
}

}  // namespace twinbox::vmm::boot

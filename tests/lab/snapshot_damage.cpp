// Damages the file of a snapshot in one way, where that can be found out only by what it is about:
// the checksums that cover it are made right again. snapshot_damage FILE
// truncated|flipped|endless|version|kernel|processor.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/kvm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "vmm/snapshot/archive.hpp"
#include "vmm/snapshot/format.hpp"

namespace twinbox {
namespace {

using vmm::snapshot::Header;

class File {
 public:
  explicit File(const char* path) : file_(base::open_file(path, O_RDWR)) {
    base::pread_exact(file_.get(), std::as_writable_bytes(std::span(&header, 1)), 0);
  }

  void write_header() {
    header.header_checksum = vmm::snapshot::checksum(header);
    base::pwrite_all(file_.get(), std::as_bytes(std::span(&header, 1)), 0);
  }
  void truncate(std::uint64_t size) const {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) base::throw_errno("cannot cut");
  }
  std::vector<std::byte> state() const {
    std::vector<std::byte> bytes(header.state_size);
    base::pread_exact(file_.get(), bytes, header.state_offset);
    return bytes;
  }
  void write_state(std::span<const std::byte> bytes) {
    base::pwrite_all(file_.get(), bytes, header.state_offset);
    header.state_checksum = vmm::snapshot::checksum(bytes);
    write_header();
  }
  void flip(std::uint64_t at) const {
    std::byte byte{};
    base::pread_exact(file_.get(), std::span(&byte, 1), at);
    byte ^= std::byte{1};
    base::pwrite_all(file_.get(), std::span(&byte, 1), at);
  }

  Header header;

 private:
  base::Fd file_;
};

// In the middle of the memory.
void flip_memory(const File& file) {
  const auto state = file.state();
  vmm::StateReader reader(state);
  const auto extents = reader.get_list<vmm::snapshot::Extent>();
  const auto& extent = extents.at(extents.size() / 2);
  file.flip(vmm::snapshot::memory_offset + extent.offset + extent.size / 2);
}

// Gives the machine a processor with every feature that leaf 7 can name.
void change_processor(File& file) {
  auto state = file.state();
  constexpr std::uint32_t features = 7;
  for (std::size_t at = 0; at + sizeof(kvm_cpuid_entry2) <= state.size(); ++at) {
    kvm_cpuid_entry2 entry{};
    std::memcpy(&entry, state.data() + at, sizeof entry);
    const bool is_leaf = entry.function == features && entry.index == 0 &&
                         entry.flags == KVM_CPUID_FLAG_SIGNIFCANT_INDEX && entry.ebx != 0 &&
                         entry.padding[0] == 0;
    if (!is_leaf) continue;
    entry.ebx = entry.ecx = ~0U;
    std::memcpy(state.data() + at, &entry, sizeof entry);
    return file.write_state(state);
  }
  throw base::Error(base::ErrorKind::system, "there is no such leaf in it");
}

// State of 8 TiB, which the file has, as a hole.
void make_endless(File& file) {
  file.header.state_size = std::uint64_t{8} << 40U;
  file.truncate(file.header.state_offset + file.header.state_size);
  file.write_header();
}

void damage(const char* path, std::string_view how) {
  File file(path);
  if (how == "truncated") return file.truncate(file.header.state_offset);
  if (how == "flipped") return flip_memory(file);
  if (how == "processor") return change_processor(file);
  if (how == "endless") return make_endless(file);
  if (how == "version") ++file.header.version;
  if (how == "kernel") file.header.host_kernel[0] = '9';
  file.write_header();
}

}  // namespace
}  // namespace twinbox

int main(int argc, char** argv) {
  try {
    if (argc != 3) return 2;
    twinbox::damage(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "snapshot_damage: {}\n", error.what());
    return 1;
  }
}

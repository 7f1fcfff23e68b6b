#include "compare/engines/kernel_facts.hpp"

#include <cstdlib>
#include <fstream>
#include <system_error>

#include "image/digest.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

// As the engine chooses: the tuned kernel where it is built, and QEMU's machines have no bus of
// its.
std::string chosen(const std::string& choice, bool tuned_fits) {
  if (!choice.empty()) return choice;
  const char* const wish = std::getenv("TWINBOX_KERNEL");
  if (wish != nullptr && *wish != '\0') return wish;
  std::error_code failed;
  const bool tuned =
      tuned_fits && fs::exists(sandbox::data_root() / "kernels/tuned/vmlinux", failed);
  return tuned ? "tuned" : "stock";
}

fs::path file_of(const std::string& choice) {
  const auto kernels = sandbox::data_root() / "kernels";
  if (choice == "stock") return kernels / "stock/vmlinuz";
  if (choice == "tuned") return kernels / "tuned/vmlinux";
  return choice;
}

std::string digest_or_unknown(const fs::path& file) {
  std::error_code failed;
  return fs::is_regular_file(file, failed) ? image::digest_of_file(file) : "unknown";
}

}  // namespace

std::string kernel_format(const fs::path& file) {
  // The ELF magic; and, of a bzImage, "HdrS" at 0x202 (Linux x86 boot protocol).
  std::string head(0x206, '\0');
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(head.data(), static_cast<std::streamsize>(head.size()))) return "unknown";
  if (head.starts_with("\x7f"
                       "ELF")) {
    return "vmlinux";
  }
  return head.substr(0x202, 4) == "HdrS" ? "bzImage" : "unknown";
}

void add_kernel_facts(Engine& engine, const std::string& choice, bool tuned_fits) {
  const auto name = chosen(choice, tuned_fits);
  engine.settings.push_back({"kernel", name});
  // Whatever the file, our engines boot an unpacked ELF, which they keep.
  engine.settings.push_back({"kernel format", "vmlinux"});
  engine.settings.push_back({"kernel digest", digest_or_unknown(file_of(name))});
}

void add_kernel_file_facts(Engine& engine, const fs::path& file) {
  engine.settings.push_back({"kernel", file.string()});
  engine.settings.push_back({"kernel format", kernel_format(file)});
  engine.settings.push_back({"kernel digest", digest_or_unknown(file)});
}

}  // namespace twinbox::compare

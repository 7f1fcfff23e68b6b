#include "guest-images/kernel_modules.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::guest_images {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view signature_magic = "~Module signature appended~\n";
// The kernel's struct module_signature: its last field is the signature's length, big-endian.
constexpr std::size_t signature_info_size = 12;

// modprobe's rule: '-' and '_' are the same in a module's name.
std::string module_name(const fs::path& file) {
  auto name = file.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class Resolver {
 public:
  explicit Resolver(const fs::path& directory) : directory_(directory) {
    if (!fs::is_directory(directory / "kernel")) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("there are no kernel modules in {}", directory.string()),
                        "run guest-images/fetch-kernel");
    }
    for (const auto& entry : fs::recursive_directory_iterator(directory / "kernel")) {
      if (entry.path().extension() == ".ko") files_[module_name(entry.path())] = entry.path();
    }
    const auto list = base::read_file(directory / "modules.builtin");
    for (std::size_t start = 0; start < list.size();) {
      const auto end = std::min(list.find('\n', start), list.size());
      builtin_.insert(module_name(list.substr(start, end - start)));
      start = end + 1;
    }
  }

  void add(const std::string& name) {
    if (builtin_.contains(name) || !seen_.insert(name).second) return;
    const auto file = files_.find(name);
    if (file == files_.end()) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("the kernel in {} has no module {}", directory_.string(), name),
                        "give it a kernel with this driver");
    }
    for (const auto& dependency : module_dependencies(base::read_file(file->second))) {
      add(dependency);
    }
    order_.push_back(file->second);
  }

  std::vector<fs::path> take() { return std::move(order_); }

 private:
  fs::path directory_;
  std::map<std::string, fs::path> files_;
  std::set<std::string> builtin_;
  std::set<std::string> seen_;
  std::vector<fs::path> order_;
};

}  // namespace

std::vector<std::string> module_dependencies(std::string_view module) {
  constexpr std::string_view key{"\0depends=", 9};
  const auto start = module.find(key);
  if (start == std::string_view::npos) return {};
  auto list = module.substr(start + key.size());
  list = list.substr(0, list.find('\0'));
  std::vector<std::string> result;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    result.push_back(module_name(list.substr(0, end)));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return result;
}

std::string_view without_signature(std::string_view module) {
  const auto trailer = signature_magic.size() + signature_info_size;
  if (!module.ends_with(signature_magic) || module.size() < trailer) return module;
  std::size_t length = 0;
  const auto field = module.substr(module.size() - signature_magic.size() - 4, 4);
  for (const char c : field) length = length << 8 | static_cast<unsigned char>(c);
  if (length > module.size() - trailer) return module;
  return module.substr(0, module.size() - trailer - length);
}

std::vector<fs::path> resolve_modules(const fs::path& directory,
                                      const std::vector<std::string>& wanted) {
  Resolver resolver(directory);
  for (const auto& name : wanted) resolver.add(name);
  return resolver.take();
}

}  // namespace twinbox::guest_images

#include "vmm/snapshot/host.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <string_view>

#include "base/error.hpp"

namespace twinbox::vmm::snapshot {
namespace {

template <std::size_t Size>
void store(std::array<char, Size>& field, std::string_view text) {
  std::ranges::copy(text.substr(0, Size - 1), field.begin());
}

template <std::size_t Size>
std::string_view text_of(const std::array<char, Size>& field) {
  return {field.data(), static_cast<std::size_t>(std::ranges::find(field, '\0') - field.begin())};
}

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw base::Error(base::ErrorKind::unsupported, fmt::format("the snapshot {} was {}", path, what),
                    "take it again from a machine that runs here");
}

}  // namespace

Header header_of_this_host() {
  utsname names{};
  ::uname(&names);
  Header header;
  header.magic = magic;
  header.version = format_version;
  store(header.host_kernel, names.release);
  store(header.monitor_version, TWINBOX_VERSION);
  return header;
}

void check_host(const Header& header, const std::string& path) {
  const Header here = header_of_this_host();
  if (header.version != here.version || header.monitor_version != here.monitor_version) {
    refuse(path, fmt::format("written in format {} by twinbox {}, and this is twinbox {} with "
                             "format {}",
                             header.version, text_of(header.monitor_version),
                             text_of(here.monitor_version), here.version));
  }
  if (header.host_kernel != here.host_kernel) {
    refuse(path, fmt::format("taken under Linux {}, and this host runs Linux {}",
                             text_of(header.host_kernel), text_of(here.host_kernel)));
  }
}

}  // namespace twinbox::vmm::snapshot

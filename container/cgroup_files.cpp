#include "container/cgroup_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"

namespace twinbox::container {

namespace fs = std::filesystem;

void write_control(const fs::path& path, std::string_view value) {
  try {
    base::write_all(base::open_file(path, O_WRONLY).get(), value);
  } catch (const base::Error& error) {
    throw base::Error(error.kind(),
                      fmt::format("cannot write '{}' to the control group file {}: {}", value,
                                  path.string(), error.message()));
  }
}

bool write_control_if_there(const fs::path& path, std::string_view value) {
  if (::access(path.c_str(), W_OK) != 0) return false;
  write_control(path, value);
  return true;
}

std::string read_control(const fs::path& path) {
  try {
    return base::read_file(path);
  } catch (const base::Error&) {
    return {};  // removed, or a controller that is not there
  }
}

std::uint64_t read_counter(const fs::path& path, std::string_view key) {
  for (const auto& line : base::split(read_control(path), '\n')) {
    const auto fields = base::words(line);
    if (fields.size() == 2 && fields[0] == key) {
      return base::parse_number<std::uint64_t>(fields[1]).value_or(0);
    }
  }
  return 0;
}

std::optional<std::uint64_t> read_number(const fs::path& path) {
  const auto fields = base::words(read_control(path));
  return fields.empty() ? std::nullopt : base::parse_number<std::uint64_t>(fields.front());
}

}  // namespace twinbox::container

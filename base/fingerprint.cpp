#include "base/fingerprint.hpp"

#include <sys/stat.h>

#include <cstdint>

#include "base/error.hpp"

namespace twinbox::base {

std::string fingerprint(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) throw_errno("cannot find {}", file.string());
  // The time of its content anybody can set; that of its status only who sets the clock.
  return fmt::format("{}:{}:{}:{}:{}.{}:{}.{}", file.string(), status.st_dev, status.st_ino,
                     status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

std::string short_name(std::string_view inputs) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : inputs) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format("{:016x}", hash);
}

}  // namespace twinbox::base

#include "image/import_source.hpp"

#include <array>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "image/compression.hpp"
#include "image/unpack.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;
using base::ErrorKind;

constexpr auto import_hint = "give a directory, or a tar of a root file system";

}  // namespace

std::optional<std::time_t> told_time() {
  const char* const told = std::getenv("SOURCE_DATE_EPOCH");
  if (told == nullptr) return std::nullopt;
  constexpr std::time_t last = 253'402'300'799;  // of the year 9999
  const auto seconds = base::parse_number<std::time_t>(told);
  if (!seconds || *seconds < 0 || *seconds > last) {
    throw base::Error(ErrorKind::usage,
                      fmt::format("SOURCE_DATE_EPOCH: '{}' is no number of seconds", told),
                      "give seconds since 1970, or unset it");
  }
  return *seconds;
}

std::string as_rfc3339(std::time_t time) {
  tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

fs::path import_directory(const fs::path& source, const fs::path& work) {
  if (!fs::exists(source)) {
    throw base::Error(ErrorKind::not_found, fmt::format("there is no {}", source.string()),
                      import_hint);
  }
  if (fs::is_directory(source)) return source;
  const auto directory = work / "import";
  base::make_directories(directory);
  Decompressor input(source);
  try {
    unpack_tar([&] { return input.read(); }, directory,
               {.whiteouts = UnpackOptions::Whiteouts::drop});
  } catch (const base::Error& error) {
    throw base::Error(error.kind(),
                      fmt::format("cannot import {}: {}", source.string(), error.message()),
                      error.hint().empty() ? import_hint : error.hint(), error.number());
  }
  return directory;
}

void check_is_outside(const fs::path& root, const fs::path& source) {
  const auto inside = fs::weakly_canonical(root).lexically_relative(fs::canonical(source));
  if (!inside.empty() && *inside.begin() != "..") {
    throw base::Error(ErrorKind::usage,
                      fmt::format("{} contains twinbox's own data", source.string()),
                      "import a directory that holds nothing but the image");
  }
}

}  // namespace twinbox::image

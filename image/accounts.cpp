#include "image/accounts.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>

#include "base/error.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_table = base::mebibyte;

// It may grow meanwhile: no more is read than what is too long.
std::string read_bounded(int fd, const struct stat& status, const char* file) {
  std::string text;
  std::array<char, 4096> piece;
  while (text.size() <= longest_table && status.st_size <= static_cast<off_t>(longest_table)) {
    const auto count = base::read_some(fd, std::as_writable_bytes(std::span(piece))).value_or(0);
    if (count == 0) return text;
    text.append(piece.data(), count);
  }
  throw base::Error(
      base::ErrorKind::unsupported,
      fmt::format("the image's /{} is longer than {}", file, base::format_size(longest_table)));
}

// The lines of the topmost layer's FILE, each cut at its colons. Opened below the layer's root
// only: the image may have made a symbolic link of it.
std::vector<std::vector<std::string>> read_table(const std::vector<fs::path>& layers,
                                                 const char* file) {
  for (const auto& layer : layers | std::views::reverse) {
    const auto root = base::open_file(layer, O_PATH | O_DIRECTORY);
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const base::Fd fd(static_cast<int>(::syscall(SYS_openat2, root.get(), file, &how, sizeof how)));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const auto text = read_bounded(fd.get(), status, file);
    std::vector<std::vector<std::string>> rows;
    for (const auto line : text | std::views::split('\n')) {
      rows.emplace_back();
      for (const auto field : line | std::views::split(':')) {
        rows.back().emplace_back(field.begin(), field.end());
      }
    }
    return rows;
  }
  return {};
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return value;
}

// The row whose third field (the number) is `wanted`, or whose name is where that is no number.
const std::vector<std::string>* find_row(const std::vector<std::vector<std::string>>& rows,
                                         std::string_view wanted) {
  const auto is_number = number(wanted).has_value();
  const auto found = std::ranges::find_if(rows, [&](const std::vector<std::string>& row) {
    return row.size() > 2 && row[is_number ? 2 : 0] == wanted;
  });
  return found == rows.end() ? nullptr : &*found;
}

[[noreturn]] void throw_unknown(std::string_view kind, std::string_view name) {
  throw base::Error(base::ErrorKind::usage, fmt::format("the image has no {} '{}'", kind, name),
                    fmt::format("give a number, or a name of the image's /etc/{}",
                                kind == "user" ? "passwd" : "group"));
}

std::uint32_t id_of(const std::vector<std::string>* row, std::string_view name,
                    std::string_view kind) {
  const auto id = row != nullptr ? number((*row)[2]) : number(name);
  if (!id) throw_unknown(kind, name);
  return *id;
}

// The groups that list the user as a member.
std::vector<std::uint32_t> memberships(const std::vector<fs::path>& layers,
                                       const std::string& user) {
  std::vector<std::uint32_t> gids;
  for (const auto& row : read_table(layers, "etc/group")) {
    if (row.size() < 4 || !number(row[2])) continue;
    for (const auto member : row[3] | std::views::split(',')) {
      if (std::string(member.begin(), member.end()) == user) gids.push_back(*number(row[2]));
    }
  }
  return gids;
}

}  // namespace

std::uint32_t find_group(const std::vector<fs::path>& layers, std::string_view wanted) {
  const auto groups = read_table(layers, "etc/group");
  return id_of(find_row(groups, wanted), wanted, "group");
}

Account find_account(const std::vector<fs::path>& layers, std::string_view wanted) {
  const auto colon = wanted.find(':');
  const auto name = wanted.empty() ? std::string_view("0") : wanted.substr(0, colon);
  const auto users = read_table(layers, "etc/passwd");
  const auto* const row = find_row(users, name);
  Account account;
  account.user.uid = id_of(row, name, "user");
  if (row != nullptr && row->size() > 5) {
    account.user.gid = number((*row)[3]).value_or(0);
    account.home = (*row)[5].empty() ? "/" : (*row)[5];
  }
  if (colon != std::string_view::npos) {
    const auto group = wanted.substr(colon + 1);
    account.user.gid = find_group(layers, group);
  } else if (row != nullptr) {
    account.user.additional_gids = memberships(layers, row->front());
  }
  return account;
}

}  // namespace twinbox::image

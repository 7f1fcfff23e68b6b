#include "supervise/names.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "supervise/record.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

constexpr std::array adjectives{"agile",  "amber", "brave", "bright", "brisk",  "calm",  "clever",
                                "cosmic", "eager", "fair",  "fine",   "gentle", "happy", "keen",
                                "kind",   "lucid", "merry", "modest", "nimble", "noble", "patient",
                                "proud",  "quick", "quiet", "sharp",  "sober",  "stoic", "sunny",
                                "swift",  "vivid", "warm",  "wise"};
constexpr std::array surnames{
    "babbage", "bell",    "codd",      "creasy",   "dijkstra", "engelbart", "goldberg",  "gray",
    "hamming", "hoare",   "hopper",    "huffman",  "iverson",  "kay",       "kernighan", "knuth",
    "lamport", "liskov",  "lovelace",  "mccarthy", "moore",    "naur",      "perlis",    "popek",
    "ritchie", "shannon", "tanenbaum", "thompson", "torvalds", "turing",    "wilkes",    "wirth"};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Held while a name changes hands.
base::Fd lock(const fs::path& names) {
  base::make_directories(names);
  auto directory = base::open_file(names, O_RDONLY | O_DIRECTORY);
  if (::flock(directory.get(), LOCK_EX) != 0) base::throw_errno("cannot lock {}", names.string());
  return directory;
}

std::string target_of(const fs::path& link) {
  std::error_code missing;
  return fs::read_symlink(link, missing).string();
}

bool is_there(const fs::path& path) {
  std::error_code unknown;
  return fs::exists(path, unknown);
}

std::string made_up(std::uint64_t bits) {
  return fmt::format("{}_{}", adjectives[bits % adjectives.size()],
                     surnames[bits / adjectives.size() % surnames.size()]);
}

}  // namespace

void check_name(std::string_view name, std::string_view thing) {
  const auto allowed = [](char c) {
    return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
  };
  if (name.size() >= 2 && name.size() <= 255 && is_letter_or_digit(name.front()) &&
      std::ranges::all_of(name, allowed)) {
    return;
  }
  throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is no name for a {}", name, thing),
                    "use two or more letters, digits, '_', '.' and '-', a letter or digit first");
}

Names::Names(fs::path boxes) : boxes_(std::move(boxes)), names_(boxes_.parent_path() / "names") {}

// Under the lock, as what follows.
bool Names::in_use(const std::string& name) const {
  const auto holder = target_of(names_ / name);
  if (holder.empty() || !is_there(boxes_ / holder)) return false;
  // Without a record it is being made, and has the name already.
  const auto record = read_record(boxes_ / holder);
  return !record || record->name == name;
}

bool Names::link(const std::string& name, const std::string& id) const {
  if (in_use(name)) return false;
  const auto path = names_ / name;
  ::unlink(path.c_str());
  if (::symlink(id.c_str(), path.c_str()) == 0) return true;
  base::throw_errno("cannot write {}", path.string());
}

bool Names::try_claim(const std::string& name, const std::string& id) const {
  const auto directory = lock(names_);
  return link(name, id);
}

void Names::refuse(const std::string& name) const {
  throw base::Error(
      base::ErrorKind::conflict,
      fmt::format("the name {} is already in use by box {}", name, target_of(names_ / name)),
      "remove that box, rename it, or choose another name");
}

void Names::claim(const std::string& name, const std::string& id) const {
  check_name(name, "box");
  if (!try_claim(name, id)) refuse(name);
}

// All under one lock, so that nobody meets a name that its box does not say yet. Killed in between,
// it leaves a link that the record does not agree with, which is worth nothing.
void Names::move(const std::string& from, const std::string& to, const std::string& id,
                 const std::function<void()>& write_down) const {
  check_name(to, "box");
  const auto directory = lock(names_);
  if (!link(to, id)) refuse(to);
  try {
    write_down();
  } catch (...) {
    ::unlink((names_ / to).c_str());
    throw;
  }
  if (target_of(names_ / from) == id) ::unlink((names_ / from).c_str());
}

std::string Names::claim_any(const std::string& id) const {
  // The id is random already.
  auto bits = std::stoull(id, nullptr, 16);
  for (int attempt = 0; attempt < 20; ++attempt, bits = bits * 6364136223846793005U + 1) {
    const auto name = made_up(bits >> 8);
    if (try_claim(name, id)) return name;
  }
  const auto name = made_up(bits >> 8) + "_" + id;
  claim(name, id);
  return name;
}

void Names::release(const std::string& name, const std::string& id) const noexcept {
  try {
    const auto directory = lock(names_);
    if (target_of(names_ / name) == id) ::unlink((names_ / name).c_str());
  } catch (const std::exception&) {
    // The link leads nowhere once the box is gone, and so the name is free all the same.
  }
}

void Names::tidy(std::size_t boxes) const noexcept {
  try {
    const auto links = base::names_in(names_);
    if (links.size() == boxes) return;
    const auto directory = lock(names_);
    for (const auto& name : links) {
      if (!in_use(name)) ::unlink((names_ / name).c_str());
    }
  } catch (const std::exception&) {
    // Such a link is worth nothing anyway.
  }
}

std::optional<std::string> Names::find(std::string_view name) const {
  if (name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  auto id = target_of(names_ / name);
  return id.empty() ? std::nullopt : std::optional(std::move(id));
}

}  // namespace twinbox::supervise

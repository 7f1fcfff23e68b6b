#include "compare/procfs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace twinbox::compare {
namespace {

// Calls `consume` for each line, without its newline.
template <typename Consumer>
void for_each_line(std::string_view text, Consumer consume) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    consume(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Cuts the first blank-separated word off.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

std::optional<std::uint64_t> number(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || result.ec != std::errc()) return std::nullopt;
  return value;
}

// "  12 kB" in bytes.
std::uint64_t kilobytes(std::string_view text) {
  return number(take_word(text)).value_or(0) * 1024;
}

// "7f00-7fff rw-p 00000000 00:00 0   [anon:name]".
std::optional<MappingEntry> parse_header(std::string_view line) {
  const auto dash = line.find('-');
  const auto blank = line.find(' ');
  if (dash == std::string_view::npos || blank == std::string_view::npos || dash > blank) return {};
  const auto start = number(line.substr(0, dash), 16);
  const auto end = number(line.substr(dash + 1, blank - dash - 1), 16);
  if (!start || !end) return {};
  MappingEntry entry;
  entry.start = *start;
  entry.end = *end;
  line.remove_prefix(blank);
  entry.permissions = take_word(line);
  for (int skipped = 0; skipped < 3; ++skipped) take_word(line);
  entry.name = trim(line);
  return entry;
}

void add_field(MappingEntry& entry, std::string_view key, std::string_view value) {
  auto& footprint = entry.footprint;
  if (key == "Size") footprint.virtual_size = kilobytes(value);
  if (key == "Rss") footprint.rss = kilobytes(value);
  if (key == "Pss") footprint.pss = kilobytes(value);
  if (key == "Private_Clean" || key == "Private_Dirty" || key == "Private_Hugetlb") {
    footprint.uss += kilobytes(value);
  }
  if (key == "Anonymous") entry.anonymous = kilobytes(value);
  if (key == "VmFlags") {
    const auto flags = fmt::format(" {} ", value);
    entry.no_reserve = flags.find(" nr ") != std::string::npos;
    entry.not_forked = flags.find(" dc ") != std::string::npos;
  }
}

bool can_be_guest_ram(const MappingEntry& entry) {
  return (entry.no_reserve || entry.not_forked) && entry.permissions.starts_with("rw");
}

// QEMU reserves its guest's memory and keeps it from its children; without reservation are only the
// heaps of its threads.
bool is_likelier(const MappingEntry& one, const MappingEntry& other) {
  return std::pair(one.not_forked, one.footprint.virtual_size) >
         std::pair(other.not_forked, other.footprint.virtual_size);
}

std::vector<MappingEntry>::const_iterator find_guest_ram(const std::vector<MappingEntry>& all) {
  const auto named = std::find_if(all.begin(), all.end(), [](const MappingEntry& entry) {
    return entry.name.find("twinbox-guest-ram") != std::string::npos;
  });
  if (named != all.end()) return named;
  auto likeliest = all.end();
  for (auto entry = all.begin(); entry != all.end(); ++entry) {
    if (!can_be_guest_ram(*entry) || !entry->name.empty()) continue;
    if (likeliest == all.end() || is_likelier(*entry, *likeliest)) likeliest = entry;
  }
  return likeliest;
}

}  // namespace

std::vector<MappingEntry> parse_smaps(std::string_view text) {
  std::vector<MappingEntry> mappings;
  for_each_line(text, [&](std::string_view line) {
    if (auto header = parse_header(line)) {
      mappings.push_back(std::move(*header));
      return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || mappings.empty()) return;
    add_field(mappings.back(), line.substr(0, colon), line.substr(colon + 1));
  });
  return mappings;
}

Footprint total(const std::vector<MappingEntry>& mappings) {
  Footprint sum;
  for (const auto& mapping : mappings) sum += mapping.footprint;
  return sum;
}

std::vector<MappingEntry> guest_ram(const std::vector<MappingEntry>& mappings) {
  const auto found = find_guest_ram(mappings);
  if (found == mappings.end()) return {};
  auto first = found;
  while (first != mappings.begin() && std::prev(first)->end == first->start &&
         can_be_guest_ram(*std::prev(first))) {
    --first;
  }
  auto last = found;
  while (std::next(last) != mappings.end() && std::next(last)->start == last->end &&
         can_be_guest_ram(*std::next(last))) {
    ++last;
  }
  return {first, std::next(last)};
}

std::vector<MappingEntry> guest_image(const std::vector<MappingEntry>& mappings) {
  std::vector<MappingEntry> image;
  for (const auto& entry : mappings) {
    if (entry.permissions == "r--p" && entry.name.ends_with(".erofs")) image.push_back(entry);
  }
  return image;
}

std::map<std::string, std::uint64_t> parse_meminfo(std::string_view text) {
  std::map<std::string, std::uint64_t> fields;
  for_each_line(text, [&](std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !line.ends_with(" kB")) return;
    fields[std::string(line.substr(0, colon))] = kilobytes(line.substr(colon + 1));
  });
  return fields;
}

std::optional<pid_t> parse_parent(std::string_view stat) {
  const auto bracket = stat.rfind(')');
  if (bracket == std::string_view::npos) return std::nullopt;
  auto rest = stat.substr(bracket + 1);
  take_word(rest);  // the state
  const auto parent = number(take_word(rest));
  return parent ? std::optional(static_cast<pid_t>(*parent)) : std::nullopt;
}

std::vector<pid_t> descendants(const std::map<pid_t, pid_t>& parent_of, pid_t root) {
  std::vector<pid_t> found{root};
  for (std::size_t next = 0; next < found.size(); ++next) {
    for (const auto& [pid, parent] : parent_of) {
      if (parent == found[next]) found.push_back(pid);
    }
  }
  return found;
}

}  // namespace twinbox::compare

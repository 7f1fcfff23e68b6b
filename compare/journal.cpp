#include "compare/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "compare/environment.hpp"
#include "compare/plan_json.hpp"
#include "compare/provenance.hpp"
#include "compare/result_parts.hpp"

namespace twinbox::compare {
namespace {

template <typename T>
void add(std::vector<T>& into, const std::vector<T>& part) {
  into.insert(into.end(), part.begin(), part.end());
}

void write_durably(int file, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const auto count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) base::throw_errno("cannot write {}", path.string());
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fdatasync(file) != 0) base::throw_errno("cannot sync {}", path.string());
}

base::Json write(const std::vector<Fact>& facts) {
  base::Json json = base::Json::array();
  for (const auto& [name, value] : facts) json.push_back({{"name", name}, {"value", value}});
  return json;
}

base::Json write(const JournalHead& head) {
  return {{"plan", write_plan(head.plan)},
          {"provenance", write(head.provenance)},
          {"measured_at", head.measured_at},
          {"facts", write(head.facts)}};
}

std::vector<Fact> read_facts(const base::JsonView& view, std::string_view key) {
  std::vector<Fact> facts;
  const auto member = view.find(key);
  if (!member) return facts;
  for (const auto& element : member->elements()) {
    facts.push_back({element.get<std::string>("name"), element.get<std::string>("value")});
  }
  return facts;
}

}  // namespace

void add_samples(Result& into, const Result& part) {
  add(into.starts, part.starts);
  add(into.measurements, part.measurements);
  add(into.memory, part.memory);
  add(into.density, part.density);
  add(into.exits, part.exits);
  add(into.failures, part.failures);
}

Result samples_of(const Result& from, const std::vector<std::string>& engines) {
  Result part;
  add_samples(part, from);
  const auto keep = [&](auto& items) {
    std::erase_if(items, [&](const auto& item) {
      return std::ranges::find(engines, item.engine) == engines.end();
    });
  };
  keep(part.starts);
  keep(part.measurements);
  keep(part.memory);
  keep(part.density);
  keep(part.exits);
  keep(part.failures);
  return part;
}

std::string part_line(const Result& part) {
  return write_samples(part).dump(-1, ' ', false, base::Json::error_handler_t::replace) + "\n";
}

void read_part(std::string_view line, std::string_view source, Result& into) {
  const auto json = base::parse_json(line, source);
  read_samples(base::JsonView(json, std::string(source)), into);
}

void Journal::append(const Result& part) {
  if (keep_) keep_(part_line(part));
  add_samples(finished_, part);
}

void Journal::append_line(std::string_view line) {
  Result part;
  read_part(line, "journal", part);
  append(part);
}

void JournalHead::date(Result& result) const {
  for (auto& host : result.hosts) {
    if (host.kind != HostKind::native) continue;
    auto meanwhile = std::exchange(host.facts, facts);
    std::erase_if(meanwhile, [](const Fact& fact) { return fact.name != stolen_meanwhile; });
    host.facts.insert(host.facts.end(), meanwhile.begin(), meanwhile.end());
  }
  // The lab has a clock of its own, which begins anew with each.
  const bool by_this_host = !result.hosts.empty() && result.hosts[0].kind == HostKind::native;
  if (by_this_host) result.measured_at = measured_at;
}

JournalFile::JournalFile(std::filesystem::path path, JournalHead head)
    : path_(std::move(path)),
      file_(base::open_file(path_.c_str(), O_RDWR | O_CREAT | O_APPEND)),
      head_(std::move(head)) {
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("another comparison writes {}", path_.string()),
                      "wait for its end, or choose another directory with --out");
  }
  read();
}

void JournalFile::read() {
  const auto text = base::read_file(path_);
  const auto whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  if (::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0) {
    base::throw_errno("cannot cut {}", path_.string());
  }
  size_ = whole;
  if (whole == 0) {
    write_line(write(head_).dump() + "\n");
    return;
  }
  std::size_t number = 0;
  for (std::size_t from = 0; from < whole; ++number) {
    const auto end = text.find('\n', from);
    const auto line = std::string_view(text).substr(from, end - from);
    from = end + 1;
    const auto source = fmt::format("{}, line {}", path_.string(), number + 1);
    if (number == 0) {
      go_on_from(line, source);
    } else {
      read_part(line, source, finished_);
      ++parts_;
    }
  }
}

// Of a comparison that was begun with this head.
void JournalFile::go_on_from(std::string_view line, std::string_view source) {
  const auto json = base::parse_json(line, source);
  const base::JsonView begun(json, std::string(source));
  auto differing = differences(read_facts(begun, "provenance"), head_.provenance);
  if (begun.at("plan").value() != write_plan(head_.plan))
    differing.insert(differing.begin(), "another plan");
  if (!differing.empty()) {
    throw base::Error(
        base::ErrorKind::conflict,
        fmt::format("{} is of an interrupted comparison that differs from this one ({}): samples "
                    "of both cannot be mixed",
                    path_.string(), fmt::join(differing, "; ")),
        "finish it as it was begun, choose another directory with --out, or remove the file");
  }
  head_.measured_at = begun.get_or<std::string>("measured_at", "");
  head_.facts = read_facts(begun, "facts");
}

void JournalFile::append(const std::string& line) {
  write_line(line);
  ++parts_;
}

void JournalFile::write_line(const std::string& line) {
  try {
    write_durably(file_.get(), line, path_);
    size_ += line.size();
  } catch (const base::Error& error) {
    // What was written of it must not stand before a line that follows. Where this fails too, the
    // next one that reads the file cuts it.
    static_cast<void>(!::ftruncate(file_.get(), static_cast<off_t>(size_)));
    throw base::Error(error.kind(),
                      fmt::format("finished samples cannot be kept: {}", error.message()),
                      "what was kept before is whole: with room again, the same command goes on");
  }
}

void JournalFile::remove() {
  std::error_code gone;
  std::filesystem::remove(path_, gone);
}

}  // namespace twinbox::compare

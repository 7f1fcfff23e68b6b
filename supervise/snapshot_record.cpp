#include "supervise/snapshot_record.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"

namespace twinbox::supervise {
namespace {

// Raised when a record means another thing to those who read it by this one's rules.
constexpr unsigned format_version = 1;

}  // namespace

std::string to_json(const SnapshotRecord& record) {
  base::JsonWriter json(base::JsonWriter::NotUtf8::replaced);
  json.object([&] {
    json.member("version", format_version);
    json.member("id", record.id);
    json.member("name", record.name);
    json.member("created", record.created);
    json.member_as_it_is("box", to_json(record.box));
    json.member_as_it_is("spec", sandbox::to_json(record.spec));
  });
  return json.text();
}

SnapshotRecord snapshot_record_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const base::JsonView view(json, std::string(source));
  const auto version = view.get<unsigned>("version");
  if (version != format_version) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("{} has version {}, and this twinbox reads version {}", source,
                                  version, format_version),
                      "use the twinbox that wrote it, or take the snapshot again");
  }
  return {.id = view.get<std::string>("id"),
          .name = view.get<std::string>("name"),
          .created = view.get<std::int64_t>("created"),
          .box = record_from_json(view.at("box").value().dump(), source),
          .spec = sandbox::spec_from_json(view.at("spec"))};
}

}  // namespace twinbox::supervise

// The boxes of this host: one directory each below boxes_directory(), which outlives the box's
// processes until the box is removed.
//
//   BOXES/<id>/box.json      the record, always replaced as a whole
//   BOXES/<id>/config.json   the workload (sandbox::Spec)
//   BOXES/<id>/log           what it printed (log.hpp)
//   BOXES/<id>/control.sock  the supervisor's, while it runs
//   BOXES/<id>/...           the engine's own
//
// A box that runs is owned by its supervisor: a lock that the kernel drops with that process.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/owned_directory.hpp"
#include "sandbox/spec.hpp"
#include "supervise/record.hpp"

namespace twinbox::supervise {

// The calling process's hold on a box: nobody else starts or removes it meanwhile. Letting go
// leaves the box as its record says.
class OwnedBox {
 public:
  OwnedBox(OwnedBox&&) = default;
  OwnedBox& operator=(OwnedBox&&) = delete;
  ~OwnedBox();

  const std::filesystem::path& path() const { return directory_.path(); }
  const BoxRecord& record() const { return record_; }
  sandbox::Spec spec() const;
  // Changes the record, in one step for readers; nothing is written where nothing changes.
  void change(const std::function<void(BoxRecord&)>& change);
  // The same for what has happened already: a full disk has the room that the record takes, and
  // where it cannot be written down all the same, that is a warning, and false.
  bool note(const std::function<void(BoxRecord&)>& change);
  void write_spec(const sandbox::Spec& spec);
  void rename(std::string_view new_name);
  // The directory and the name are gone after it. Throws base::Error naming the path where that
  // cannot be done.
  void remove();

 private:
  friend class BoxStore;
  OwnedBox(sandbox::OwnedDirectory directory, BoxRecord record)
      : directory_(std::move(directory)), record_(std::move(record)) {}
  bool overwrite_record();

  sandbox::OwnedDirectory directory_;
  BoxRecord record_;
  std::optional<sandbox::Spec> spec_;  // as written by this process
  std::string written_;                // the record's text, as this process wrote it last
  bool kept_ = true;
};

class BoxStore {
 public:
  explicit BoxStore(std::filesystem::path boxes) : boxes_(std::move(boxes)) {}

  // Finishes a box's record and workload, which know its id and name, before anybody sees them.
  using Complete = std::function<void(BoxRecord& record, sandbox::Spec& spec)>;
  // A new box with status `created`. An empty name gets one like docker's ("brave_turing"). Throws
  // base::Error (conflict) when the name is taken, (usage) when it is no name
  // ([a-zA-Z0-9][a-zA-Z0-9_.-]+), (system) naming the path that cannot be written.
  OwnedBox create(std::string_view name, const BoxSettings& settings, sandbox::Spec spec,
                  const Complete& complete = {});
  // Throws base::Error (conflict) when another process owns it; one that is about to let go is
  // waited for.
  OwnedBox own(const std::string& id);

  std::vector<BoxRecord> list() const;  // newest first
  // By id, by name, or by the unambiguous beginning of an id, in this order, as docker does. Throws
  // base::Error (not_found): "no such box: NAME".
  BoxRecord find(std::string_view reference) const;
  std::filesystem::path directory(const std::string& id) const;
  sandbox::Spec spec(const std::string& id) const;
  void rename(const std::string& id, std::string_view new_name);

  // Repairs what killed processes left: a box whose record says that it runs and that has no owner
  // is cleaned up after and becomes `exited` with status 137 and a reason, or is removed where it
  // was to be (--rm); half-made boxes are removed. Each command begins with it.
  using CleanUp = std::function<void(const std::string& engine, const std::string& id,
                                     const std::filesystem::path& directory)>;
  void sweep(const CleanUp& clean_up);

 private:
  std::vector<BoxRecord> begin_with(std::string_view text) const;
  static void sweep_one(const std::filesystem::path& path, const CleanUp& clean_up);
  static void repair(OwnedBox& box, const CleanUp& clean_up);

  std::filesystem::path boxes_;
};

}  // namespace twinbox::supervise

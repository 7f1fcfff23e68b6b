// The running boxes of this host: one directory each, which outlives a killed owner until swept.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/owned_directory.hpp"

namespace twinbox::sandbox {

// What box.json tells about a box.
struct BoxRecord {
  std::string id;
  std::string engine;
  std::string image;
  pid_t pid = 0;             // the process that owns it
  std::int64_t created = 0;  // seconds since the epoch
};

// A box's own directory, held for as long as this object lives.
class BoxDirectory {
 public:
  // Makes BOXES/<id> with its record.
  static BoxDirectory create(const std::filesystem::path& boxes, std::string_view engine,
                             std::string_view image);

  std::string id() const { return directory_.name(); }
  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  explicit BoxDirectory(OwnedDirectory directory) : directory_(std::move(directory)) {}

  OwnedDirectory directory_;
};

// Where the boxes of this host are recorded: data_root()/boxes.
std::filesystem::path boxes_directory();

std::vector<BoxRecord> list_boxes(const std::filesystem::path& boxes);

// Undoes what a box of `engine` left behind, as Engine::clean_up. An empty name: its record is
// lost, any engine's box it may have been.
using CleanUp = std::function<void(const std::string& engine, const std::string& id,
                                   const std::filesystem::path& directory)>;

// Cleans up after every box whose owner is dead. Each command that touches boxes begins with it;
// with nothing to do it costs one directory read.
void sweep_boxes(const std::filesystem::path& boxes, const CleanUp& clean_up);

}  // namespace twinbox::sandbox

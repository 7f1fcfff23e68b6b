// The names of boxes: each a symbolic link NAMES/<name> -> <id>, beside the directory of boxes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace twinbox::supervise {

// Safe with any number of processes at once. A name whose box is gone is free.
class Names {
 public:
  explicit Names(std::filesystem::path boxes);

  // Throws base::Error: usage for what is no name, conflict when another box has it.
  void claim(const std::string& name, const std::string& id) const;
  // A name made up for `id`, as docker's are.
  std::string claim_any(const std::string& id) const;
  // Does nothing when another box has it by now.
  void release(const std::string& name, const std::string& id) const noexcept;
  // All names of a box whose record is lost.
  void release_all(const std::string& id) const;
  std::optional<std::string> find(std::string_view name) const;

 private:
  bool try_claim(const std::string& name, const std::string& id) const;

  std::filesystem::path boxes_;
  std::filesystem::path names_;
};

}  // namespace twinbox::supervise

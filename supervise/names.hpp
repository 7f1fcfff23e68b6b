// The names of boxes: each a symbolic link NAMES/<name> -> <id>, beside the directory of boxes.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace twinbox::supervise {

// Throws base::Error (usage) unless `name` may be one of a `thing` ("box").
void check_name(std::string_view name, std::string_view thing);

// Safe with any number of processes at once. The record has the last word: a name whose box is
// gone, or has another name, is free.
class Names {
 public:
  explicit Names(std::filesystem::path boxes);

  // Throws base::Error: usage for what is no name, conflict when another box has it.
  void claim(const std::string& name, const std::string& id) const;
  // A name made up for `id`, as docker's are.
  std::string claim_any(const std::string& id) const;
  // Gives the box another name; `write_down` puts it into the record. Errors as claim().
  void move(const std::string& from, const std::string& to, const std::string& id,
            const std::function<void()>& write_down) const;
  // Does nothing when another box has it by now.
  void release(const std::string& name, const std::string& id) const noexcept;
  // Removes links that lead to no box, where there are not as many links as `boxes`.
  void tidy(std::size_t boxes) const noexcept;
  // The id that it leads to, for the caller to see whether that box agrees.
  std::optional<std::string> find(std::string_view name) const;

 private:
  bool try_claim(const std::string& name, const std::string& id) const;
  bool in_use(const std::string& name) const;
  bool link(const std::string& name, const std::string& id) const;
  [[noreturn]] void refuse(const std::string& name) const;

  std::filesystem::path boxes_;
  std::filesystem::path names_;
};

}  // namespace twinbox::supervise

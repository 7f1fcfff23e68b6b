// Flags of a verb: one declaration gives parsing, help and error texts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::cli {

// Declares flags bound to variables, then parses them.
//
//   std::string memory;
//   bool read_only = false;
//   Options options("run [flags] IMAGE [COMMAND...]", "Runs IMAGE in a new box.");
//   options.value("memory", "SIZE", "limit of memory", memory);
//   options.flag("read-only", "make the root read-only", read_only);
//   const auto rest = options.parse(arguments);
//   if (options.help_shown()) return 0;
//
// Flags end at the first argument that is none (or at "--"): everything from there on is returned
// as it is, so that a command's own flags stay its own.
class Options {
 public:
  // `usage` is the line after "twinbox ", its first word the verb.
  Options(std::string usage, std::string purpose);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // "name" or "name,n" with a one-letter form.
  void flag(const std::string& name, const std::string& help, bool& target);
  void value(const std::string& name, const std::string& placeholder, const std::string& help,
             std::string& target);
  // May be given again and again.
  void values(const std::string& name, const std::string& placeholder, const std::string& help,
              std::vector<std::string>& target);

  // The arguments after the flags. Throws base::Error (usage) naming what is wrong. With --help
  // among the flags it prints the help and sets help_shown().
  std::vector<std::string> parse(const std::vector<std::string>& arguments);
  bool help_shown() const { return help_shown_; }

  // "see: twinbox help run".
  std::string see_help() const;

 private:
  struct Description;
  std::vector<std::string>::const_iterator end_of_flags(
      const std::vector<std::string>& arguments) const;

  std::string usage_;
  std::string purpose_;
  std::unique_ptr<Description> description_;
  bool help_shown_ = false;
};

}  // namespace twinbox::cli

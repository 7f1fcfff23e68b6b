// Flags of a verb: one declaration gives parsing, help and error texts.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/flag_scanner.hpp"

namespace twinbox::cli {

// Declares flags bound to variables, then parses them.
//
//   std::string memory;
//   bool read_only = false;
//   Options options("run [FLAGS] IMAGE [COMMAND...]", "Runs IMAGE in a new box.");
//   options.group("Limits");
//   options.value("memory,m", "SIZE", "limit of memory", memory);
//   options.flag("read-only", "make the root read-only", read_only);
//   const auto rest = options.parse(arguments);
//   if (options.help_shown()) return 0;
//
// As docker's: one-letter flags combine (-it, -dit, -eA=1), a value follows its flag or '=' and may
// begin with '-' or be empty, a flag without a value may be turned off (--sig-proxy=false). Flags
// end at the first argument that is none (or at "--"): everything from there on is returned as it
// is, so that a command's own flags stay its own; or, for verbs that take no command, they may
// stand anywhere before a "--".
class Options {
 public:
  // `usage` is the line after "twinbox ", its first word the verb.
  Options(std::string usage, std::string purpose);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // The flags declared from here on stand below `title` in the help.
  void group(const char* title);
  // "name" or "name,n" with a one-letter form. `target` keeps its value where the flag is not
  // given. The texts are kept as they are, and must outlive this.
  void flag(const char* name, const char* help, bool& target);
  void value(const char* name, const char* placeholder, const char* help, std::string& target);
  // Where an empty value is another thing than none.
  void value(const char* name, const char* placeholder, const char* help,
             std::optional<std::string>& target);
  // May be given again and again.
  void values(const char* name, const char* placeholder, const char* help,
              std::vector<std::string>& target);

  // The arguments that are no flags. Throws base::Error (usage) naming what is wrong. With --help
  // among the flags it prints the help and sets help_shown().
  std::vector<std::string> parse(const std::vector<std::string>& arguments,
                                 FlagPlace place = FlagPlace::before_words);
  bool help_shown() const { return help_shown_; }

  // The long names of the flags that were given.
  const std::set<std::string>& given() const { return given_; }
  // "see: twinbox help run".
  std::string see_help() const;

 private:
  struct Description;
  void store(const std::vector<ScannedFlag>& flags);
  void print_help() const;

  std::string usage_;
  std::string purpose_;
  std::unique_ptr<Description> description_;
  std::set<std::string> given_;
  bool help_shown_ = false;
};

}  // namespace twinbox::cli

// Finished samples, kept as they come: what is interrupted goes on from there.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

// What is finished, and where more of it goes. A part holds the samples of one run, or of one
// growth; it is finished as a whole or not at all.
class Journal {
 public:
  using Keeper = std::function<void(const std::string& line)>;

  Journal() = default;  // keeps nothing
  Journal(Result finished, Keeper keep) : finished_(std::move(finished)), keep_(std::move(keep)) {}

  // The samples so far; nothing else of it is set.
  const Result& finished() const { return finished_; }
  // Returns when the part is kept for good.
  void append(const Result& part);
  // A part that was written by another journal.
  void append_line(std::string_view line);

 private:
  Result finished_;
  Keeper keep_;
};

// A file of lines: the plan, then one part each. A last line that is not whole was being written
// when its process ended, and is dropped.
class JournalFile {
 public:
  // Makes it, or goes on with it. Throws base::Error (conflict) when it is of another plan, or when
  // another comparison writes it.
  JournalFile(std::filesystem::path path, const Plan& plan);

  const Result& finished() const { return finished_; }
  void append(const std::string& line);
  // How many parts are in it.
  int parts() const { return parts_; }
  // Removes the file: the report holds everything now.
  void remove();

 private:
  void read(const Plan& plan);

  std::filesystem::path path_;
  base::Fd file_;
  Result finished_;
  int parts_ = 0;
};

// The lines of a journal, one for each part.
std::string part_line(const Result& part);
void read_part(std::string_view line, std::string_view source, Result& into);

// Adds the samples of `part`.
void add_samples(Result& into, const Result& part);
// The samples of these engines.
Result samples_of(const Result& from, const std::vector<std::string>& engines);

}  // namespace twinbox::compare

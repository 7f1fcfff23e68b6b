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
  // Returns when the part is kept for good. Throws base::Error where it cannot be, and has not got
  // it then: that is the end of a comparison, and not the fault of what was measured.
  void append(const Result& part);
  // A part that was written by another journal.
  void append_line(std::string_view line);

 private:
  Result finished_;
  Keeper keep_;
};

// The first line of a journal: what its samples are of, and when they were begun.
struct JournalHead {
  Plan plan{};
  std::vector<Fact> provenance{};  // see provenance.hpp
  std::string measured_at{};       // as in a Result
  std::vector<Fact> facts{};       // of this host before the first run

  // Of a report whose later runs were measured after an interruption: the beginning is what counts.
  void date(Result& result) const;
};

// A file of lines: the head, then one part each. A last line that is not whole was being written
// when its process ended, and is dropped.
class JournalFile {
 public:
  // Makes it, or goes on with it. Throws base::Error (conflict) when it is of another plan or other
  // provenance, which cannot be mixed, or when another comparison writes it.
  JournalFile(std::filesystem::path path, JournalHead head);

  const Result& finished() const { return finished_; }
  // As the comparison was begun.
  const JournalHead& head() const { return head_; }
  // Throws base::Error when it cannot be kept; of what was kept before nothing is lost.
  void append(const std::string& line);
  // How many parts are in it.
  int parts() const { return parts_; }
  // Removes the file: the report holds everything now.
  void remove();

 private:
  void read();
  void write_line(const std::string& line);
  void go_on_from(std::string_view line, std::string_view source);

  std::filesystem::path path_;
  base::Fd file_;
  JournalHead head_;
  Result finished_;
  std::size_t size_ = 0;  // of the whole lines
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

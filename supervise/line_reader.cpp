#include "supervise/line_reader.hpp"

#include <unistd.h>

#include <utility>

#include "base/error.hpp"

namespace twinbox::supervise {

LineReader::LineReader(base::Fd file, std::uint64_t offset)
    : file_(std::move(file)), offset_(offset) {}

std::optional<std::string_view> LineReader::next() {
  for (;;) {
    const auto end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      const auto line = std::string_view(buffer_).substr(start_, end - start_);
      start_ = searched_ = end + 1;
      return line;
    }
    searched_ = buffer_.size();
    if (!fill()) return forget_the_rest();
  }
}

// The beginning of a line is read again with its end: its writer may take it back.
std::nullopt_t LineReader::forget_the_rest() {
  offset_ -= buffer_.size() - start_;
  buffer_.clear();
  start_ = searched_ = 0;
  return std::nullopt;
}

bool LineReader::fill() {
  constexpr std::size_t block = 65536;
  buffer_.erase(0, start_);
  searched_ -= start_;
  start_ = 0;
  const auto kept = buffer_.size();
  buffer_.resize(kept + block);
  const auto count =
      ::pread(file_.get(), buffer_.data() + kept, block, static_cast<off_t>(offset_));
  buffer_.resize(kept + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count < 0) base::throw_errno("cannot read a line");
  offset_ += static_cast<std::uint64_t>(count);
  return count > 0;
}

}  // namespace twinbox::supervise

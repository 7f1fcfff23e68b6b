// What clients type to a box's workload: a pipe per run, which is there before the run begins, so
// that nothing is lost which is sent ahead of it.
#pragma once

#include "base/fd.hpp"

namespace twinbox::supervise {

class Input {
 public:
  // Where it is not open, the workload reads nothing.
  explicit Input(bool open) : open_(open) { renew(); }

  // The workload's stdin, for the run that begins.
  base::Fd take_read_end();
  // A non-blocking way to type to the workload; empty where there is none.
  base::Fd writer() const;
  // Nobody new types: the workload reads the end of file once all writers are gone.
  void close() { write_end_.reset(); }
  // For the next run.
  void renew();

 private:
  bool open_;
  base::Fd read_end_;
  base::Fd write_end_;
};

}  // namespace twinbox::supervise

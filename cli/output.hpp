// Standard output, which may be a full disk, or a pipe that nobody reads any more.
#pragma once

namespace twinbox::cli {

// Thrown by verbs that go on for as long as somebody reads.
struct OutputFailed {
  int error;  // errno
};

// Sends what was printed on its way. What fails is remembered for finish_output().
void flush_output();
// The same; throws OutputFailed.
void flush_output_or_end();

// The exit status where output has not arrived. Says why, but for a reader that is gone: the status
// is then that of a program which SIGPIPE has ended.
int output_failed(int error);
// At the end of a verb: `status`, unless not all of the output has arrived.
int finish_output(int status);

}  // namespace twinbox::cli

// System calls, each wrapped once: EINTR retried, failures thrown as base::Error.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.hpp"

namespace twinbox::base {

// Opens with O_CLOEXEC added.
Fd open_file(const std::string& path, int flags, mode_t mode = 0644);
Fd open_at(int directory, const std::string& path, int flags, mode_t mode = 0644);

// Reads up to `buffer.size()` bytes; 0 at the end; nullopt where a non-blocking descriptor has
// none.
std::optional<std::size_t> read_some(int fd, std::span<std::byte> buffer);
// Writes what fits; nullopt where a non-blocking descriptor takes nothing now.
std::optional<std::size_t> write_some(int fd, std::span<const std::byte> bytes);
// The same on sockets, which never block here and raise no SIGPIPE, whatever their flags.
std::optional<std::size_t> receive_some(int fd, std::span<std::byte> buffer);
std::optional<std::size_t> send_some(int fd, std::span<const std::byte> bytes);
// Reads until the end of file.
std::string read_to_end(int fd);
// Writes all of it; for blocking descriptors.
void write_all(int fd, std::span<const std::byte> bytes);
void write_all(int fd, std::string_view text);
// Positioned forms; pread_exact throws when the file ends early.
void pread_exact(int fd, std::span<std::byte> buffer, std::uint64_t offset);
void pwrite_all(int fd, std::span<const std::byte> bytes, std::uint64_t offset);
// The same over several buffers, at most IOV_MAX of them.
void preadv_exact(int fd, std::span<const std::span<std::byte>> buffers, std::uint64_t offset);
// Reads all of it from what the kernel has in memory (RWF_NOWAIT); false, with anything in the
// buffers, where it might have to wait for a device.
bool preadv_cached(int fd, std::span<const std::span<std::byte>> buffers, std::uint64_t offset);
void pwritev_all(int fd, std::span<const std::span<std::byte>> buffers, std::uint64_t offset);
// Waits until the file's data is on its storage.
void sync_data(int fd);

// {read end, write end}, close-on-exec.
std::pair<Fd, Fd> make_pipe();
// A connected pair of close-on-exec stream sockets.
std::pair<Fd, Fd> make_socket_pair();
Fd make_eventfd();
// Adds one to an eventfd / takes what it has counted (0 when nothing).
void signal_eventfd(int fd);
std::uint64_t drain_eventfd(int fd);
// A non-blocking signalfd for `signals`, which are blocked in the calling thread.
Fd make_signalfd(std::span<const int> signals);
Fd open_pidfd(pid_t pid);
// A close-on-exec duplicate numbered 3 or higher.
Fd duplicate(int fd);

void set_nonblocking(int fd, bool on);
void set_cloexec(int fd, bool on);

// Waits for a child; returns waitpid's status word.
int wait_for(pid_t pid);
// A status word as a shell reports it: the exit code, or 128 + signal.
int shell_status(int wait_status);

// CLOCK_MONOTONIC in nanoseconds.
std::uint64_t monotonic_now();

}  // namespace twinbox::base

// The framed protocol between a host process and the agent that is PID 1 of a guest (or of the
// lab).
//
// It runs over any reliable byte stream (a virtio-console port, a socket). Integers are
// little-endian. Every frame is a 16-byte header and a payload:
//
//   offset 0  u32  payload length, at most max_payload
//   offset 4  u16  frame type
//   offset 6  u16  0
//   offset 8  u32  process: which of the agent's processes it is about; 0 for the machine itself
//   offset 12 u32  0
//
// The agent speaks first with `hello`. Bytes of a stream are sent only against credit: each side
// may have stream_window bytes of each of stdin, stdout and stderr on the way, and gets them back
// by `credit` frames; so a reader that stalls never holds up exit statuses, signals or other
// processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::sandbox::protocol {

inline constexpr std::uint32_t version = 4;
inline constexpr std::size_t header_size = 16;
inline constexpr std::uint32_t max_payload = 1U << 20;
inline constexpr std::uint32_t stream_window = 256U << 10;

enum class FrameType : std::uint16_t {
  // agent to host
  hello = 1,    // JSON {"protocol": 4, "kernel": "6.1..."}
  started = 2,  // the process was executed
  failed = 3,   // JSON {"status": 126|127|125, "message": ..., "hint": ...}: it never ran
  exited = 4,   // JSON {"status": 0..255, "oom_killed": bool}; after the last stream byte
  stdout_data = 5,
  stderr_data = 6,
  log = 7,     // a diagnostic of the agent, text
  memory = 8,  // JSON: the guest's own view, answer to memory_request
  // Answer to a request: u32 its number, then JSON: {"value": ...} or {"error": {"kind": ...,
  // "message": ..., "hint": ...}}.
  reply = 9,
  frozen = 10,  // answer to freeze; its payload says why it could not be done, or is empty
  // host to agent
  // JSON {"spec": spec_message.hpp, "disks": [{"device": "/dev/vda"}, ...], "clock_ns": since the
  // epoch}: the
  // workload, in its own root (the disks are its layers as erofs, lowest first) and namespaces.
  start_box = 32,
  // JSON {"args": [...], "env": [...], "cwd": "/"}: a plain process beside the agent.
  start_command = 33,
  stdin_data = 34,
  stdin_end = 35,
  signal = 36,  // u32 signal number
  memory_request = 37,
  power_off = 38,  // end the machine
  // JSON {"box": the process that start_box began, "process": as in config.json} or {"box": ...,
  // "task": {"kind": "describe"|"pack"|"unpack", "path": ...}}: a further process in a box.
  start_exec = 40,
  resize = 41,  // u32 columns, u32 rows of the process's terminal
  // About the box that start_box began as that process: u32 a number for the answer, then JSON
  // {"do": "statistics"|"processes"|"changes"|"pause"|"resume"|"update"|..., ...}.
  request = 42,
  // To a box's supervisor: JSON {"stdin": whether what is sent to it counts}: the streams of the
  // box's workload; ends with its `exited`.
  attach = 43,
  // To let the workload stand still, and to say nothing after `frozen` until go_on: the machine is
  // to be saved in between, and the host says nothing either.
  freeze = 44,
  // To the machine that was saved, an empty payload. To one that was made from what was saved,
  // JSON {"clock_ns": since the epoch, "entropy": hexadecimal digits, "hostname": of its box, or
  // empty}: it begins with another hello, and with `started` where it has a workload. With "disks"
  // as in start_box the next box is expected to have them, and what it needs is made before that
  // hello.
  go_on = 45,
  // both ways
  credit = 64,         // u32 stream (0 stdin, 1 stdout, 2 stderr), u32 bytes consumed
  stream_closed = 65,  // u32 stream: its reader is gone; later bytes of it are thrown away
};

enum class Stream : std::uint32_t { in = 0, out = 1, err = 2 };

struct Frame {
  FrameType type{};
  std::uint32_t process = 0;
  std::string payload;
};

std::string encode(FrameType type, std::uint32_t process, std::string_view payload);

// Cuts a byte stream into frames.
class Decoder {
 public:
  // Calls `on_frame` for each frame completed by `bytes`. Throws base::Error (system) on a header
  // that no peer of this version sends; never holds more than one frame and what one feed brought.
  void feed(std::span<const std::byte> bytes, const std::function<void(Frame)>& on_frame);

 private:
  std::string buffer_;
};

// Fixed-width payload fields.
void append_u32(std::string& out, std::uint32_t value);
void append_u64(std::string& out, std::uint64_t value);
// Throw base::Error (system) when `payload` is too short.
std::uint32_t read_u32(std::string_view payload, std::size_t offset);
std::uint64_t read_u64(std::string_view payload, std::size_t offset);

}  // namespace twinbox::sandbox::protocol

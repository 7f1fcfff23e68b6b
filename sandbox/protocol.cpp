#include "sandbox/protocol.hpp"

#include "base/error.hpp"

namespace twinbox::sandbox::protocol {
namespace {

constexpr std::size_t type_offset = 4;
constexpr std::size_t process_offset = 8;

void append_little_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

std::uint64_t read_little_endian(std::string_view payload, std::size_t offset, std::size_t bytes) {
  if (offset > payload.size() || payload.size() - offset < bytes) {
    throw base::Error(
        base::ErrorKind::system,
        fmt::format("a payload of {} bytes is too short for a field of {} bytes at {}",
                    payload.size(), bytes, offset));
  }
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(payload[offset + i - 1]);
  }
  return value;
}

bool is_known(std::uint64_t type) {
  const auto between = [type](FrameType first, FrameType last) {
    return type >= static_cast<std::uint64_t>(first) && type <= static_cast<std::uint64_t>(last);
  };
  return between(FrameType::hello, FrameType::frozen) ||
         between(FrameType::start_box, FrameType::go_on) ||
         between(FrameType::credit, FrameType::stream_closed);
}

struct Header {
  std::size_t length;
  FrameType type;
  std::uint32_t process;
};

Header parse_header(std::string_view bytes) {
  const auto length = read_u32(bytes, 0);
  const auto type = read_little_endian(bytes, type_offset, 2);
  if (length > max_payload || !is_known(type) || read_little_endian(bytes, 6, 2) != 0 ||
      read_u32(bytes, 12) != 0) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("broken frame: type {}, {} bytes of payload", type, length),
                      "both ends must be of the same version of twinbox");
  }
  return {length, static_cast<FrameType>(type), read_u32(bytes, process_offset)};
}

}  // namespace

std::string encode(FrameType type, std::uint32_t process, std::string_view payload) {
  if (payload.size() > max_payload) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("a message of {} bytes is longer than the {} that fit a frame",
                                  payload.size(), max_payload),
                      "shorten the command's arguments and environment");
  }
  std::string frame;
  frame.reserve(header_size + payload.size());
  append_u32(frame, static_cast<std::uint32_t>(payload.size()));
  append_little_endian(frame, static_cast<std::uint16_t>(type), 2);
  append_little_endian(frame, 0, 2);
  append_u32(frame, process);
  append_u32(frame, 0);
  frame.append(payload);
  return frame;
}

void Decoder::feed(std::span<const std::byte> bytes, const std::function<void(Frame)>& on_frame) {
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::size_t used = 0;
  while (buffer_.size() - used >= header_size) {
    const auto rest = std::string_view(buffer_).substr(used);
    const auto header = parse_header(rest);
    if (rest.size() - header_size < header.length) break;
    used += header_size + header.length;
    on_frame({header.type, header.process, std::string(rest.substr(header_size, header.length))});
  }
  buffer_.erase(0, used);
}

void append_u32(std::string& out, std::uint32_t value) { append_little_endian(out, value, 4); }
void append_u64(std::string& out, std::uint64_t value) { append_little_endian(out, value, 8); }

std::uint32_t read_u32(std::string_view payload, std::size_t offset) {
  return static_cast<std::uint32_t>(read_little_endian(payload, offset, 4));
}

std::uint64_t read_u64(std::string_view payload, std::size_t offset) {
  return read_little_endian(payload, offset, 8);
}

}  // namespace twinbox::sandbox::protocol

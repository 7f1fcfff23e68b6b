#include "container/handshake.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/descriptor_message.hpp"
#include "base/syscall.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {
namespace {

// One write, so that a parent sees a whole report or none.
void send(int socket, const report_abi::Header& header, std::string_view text) {
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += text;
  base::write_all(socket, bytes);
}

void send_descriptor(int socket, report_abi::Type type, int descriptor) {
  report_abi::Header header{};
  header.type = type;
  base::send_with_descriptors(socket, std::as_bytes(std::span(&header, 1)),
                              std::span(&descriptor, 1));
}

constexpr std::uint32_t bit(std::uint32_t type) { return std::uint32_t{1} << type; }

bool is_plausible(const report_abi::Header& header) {
  const auto longest = header.type == report_abi::failed ? report_abi::longest_text : 0;
  return header.message_size <= longest && header.hint_size <= longest &&
         header.kind <= static_cast<std::uint32_t>(base::ErrorKind::internal) &&
         header.status >= 0 && header.status <= 255;
}

}  // namespace

void report_ready(int socket, std::uint64_t mount_namespace) {
  report_abi::Header header{};
  header.type = report_abi::ready;
  const auto now = sandbox::Stamp::now();
  header.time = now.monotonic_ns;
  header.cpu = now.cpu_ns;
  header.value = mount_namespace;
  send(socket, header, {});
}

void report_executing(int socket) {
  report_abi::Header header{};
  header.type = report_abi::executing;
  send(socket, header, {});
}

void report_failure(int socket, const Failure& failure) {
  const auto message = failure.error.message().substr(0, report_abi::longest_text);
  const auto hint = failure.error.hint().substr(0, report_abi::longest_text);
  report_abi::Header header{};
  header.type = report_abi::failed;
  header.kind = static_cast<std::uint32_t>(failure.error.kind());
  header.status = failure.status;
  header.message_size = static_cast<std::uint32_t>(message.size());
  header.hint_size = static_cast<std::uint32_t>(hint.size());
  send(socket, header, message + hint);
}

void report_terminal(int socket, int master) {
  send_descriptor(socket, report_abi::terminal, master);
}

void report_upper(int socket, int directory) {
  send_descriptor(socket, report_abi::upper, directory);
}

std::optional<Received> receive_report(int socket) {
  std::array<char, 4096> buffer;
  iovec bytes{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = -1;
  do {
    count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return std::nullopt;
  if (count < 0) base::throw_errno("cannot hear of a box's process");
  Received received{.bytes = std::string(buffer.data(), static_cast<std::size_t>(count)),
                    .descriptor = {}};
  const auto* const rights = CMSG_FIRSTHDR(&message);
  if (rights != nullptr && rights->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(rights), sizeof descriptor);
    received.descriptor = base::Fd(descriptor);
  }
  return received;
}

void ReportDecoder::feed(std::span<const std::byte> bytes) {
  if (concluded_) return;
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!concluded_ && buffer_.size() >= sizeof(report_abi::Header)) {
    report_abi::Header header;
    std::memcpy(&header, buffer_.data(), sizeof header);
    if (!may_come(header.type) || !is_plausible(header)) return refuse();
    const auto size =
        sizeof header + std::size_t{header.message_size} + std::size_t{header.hint_size};
    if (buffer_.size() < size) return;
    const auto report = buffer_.substr(0, size);
    buffer_.erase(0, size);
    come_ |= bit(header.type);
    dispatch(header, std::string_view(report).substr(sizeof header));
  }
}

bool ReportDecoder::may_come(std::uint32_t type) const {
  if (type < report_abi::ready || type > report_abi::upper || (come_ & bit(type)) != 0)
    return false;
  if ((come_ & bit(report_abi::executing)) == 0) return type != report_abi::exec_failed;
  return type == (worker_ == Worker::program ? report_abi::exec_failed : report_abi::failed);
}

void ReportDecoder::refuse() {
  concluded_ = true;
  handlers_.on_failed({sandbox::status_own_error,
                       {base::ErrorKind::internal,
                        "a process of the box reported what it could not have to: another process "
                        "of the box may have meddled with it"}});
}

void ReportDecoder::dispatch(const report_abi::Header& header, std::string_view text) {
  switch (header.type) {
    case report_abi::ready:
      return handlers_.on_ready({header.time, header.cpu}, header.value);
    case report_abi::terminal:
      return handlers_.on_terminal();
    case report_abi::upper:
      return handlers_.on_upper();
    case report_abi::executing:
      return handlers_.on_executing();
    case report_abi::exec_failed:
      concluded_ = true;
      return handlers_.on_exec_failed(static_cast<int>(header.value));
    default:
      concluded_ = true;
      return handlers_.on_failed({header.status,
                                  {static_cast<base::ErrorKind>(header.kind),
                                   std::string(text.substr(0, header.message_size)),
                                   std::string(text.substr(header.message_size))}});
  }
}

Failure exec_failure(int error_number, const std::string& command) {
  using base::ErrorKind;
  switch (error_number) {
    case ENOENT:
      return {sandbox::status_command_not_found,
              {ErrorKind::not_found,
               fmt::format("cannot execute {}: it, or the interpreter that it names, is not in the "
                           "image",
                           command)}};
    case ENOTDIR:
      return {sandbox::status_command_not_found,
              {ErrorKind::not_found,
               fmt::format("cannot execute {}: a part of the path is no directory", command)}};
    case ENOEXEC:
      return {sandbox::status_cannot_execute,
              {ErrorKind::system,
               fmt::format("cannot execute {}: it is no program for this machine", command),
               "a script must begin with #! and its interpreter"}};
    default:
      return {sandbox::status_cannot_execute,
              {ErrorKind::system,
               fmt::format("cannot execute {}: {}", command, ::strerror(error_number))}};
  }
}

}  // namespace twinbox::container

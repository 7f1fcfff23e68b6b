#include "base/descriptor_message.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace twinbox::base {
namespace {

struct Message {
  Message(void* data, std::size_t size) : bytes{data, size} {
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() = default;

  iovec bytes;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * max_descriptors)> control{};
  msghdr header{};
};

std::vector<Fd> descriptors_of(msghdr& header) {
  std::vector<Fd> descriptors;
  const auto* const rights = CMSG_FIRSTHDR(&header);
  if (rights == nullptr || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) {
    return descriptors;
  }
  const auto count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  std::vector<int> numbers(count);
  std::memcpy(numbers.data(), CMSG_DATA(rights), count * sizeof(int));
  for (const int number : numbers) descriptors.emplace_back(number);
  return descriptors;
}

}  // namespace

void send_with_descriptors(int socket, std::span<const std::byte> bytes,
                           std::span<const int> descriptors) {
  Message message(const_cast<std::byte*>(bytes.data()), bytes.size());
  if (!descriptors.empty()) {
    message.header.msg_control = message.control.data();
    message.header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    auto* const rights = CMSG_FIRSTHDR(&message.header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket, &message.header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) throw_errno("cannot send to a socket");
  if (static_cast<std::size_t>(sent) != bytes.size()) {
    throw Error(ErrorKind::system, "a socket has taken part of a message");
  }
}

std::optional<std::vector<Fd>> receive_with_descriptors(int socket, std::span<std::byte> bytes) {
  Message message(bytes.data(), bytes.size());
  message.header.msg_control = message.control.data();
  message.header.msg_controllen = message.control.size();
  ssize_t got = -1;
  do {
    got = ::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == ECONNRESET)) return std::nullopt;
  if (got < 0) throw_errno("cannot receive from a socket");
  auto descriptors = descriptors_of(message.header);
  if (static_cast<std::size_t>(got) != bytes.size()) return std::nullopt;
  return descriptors;
}

}  // namespace twinbox::base

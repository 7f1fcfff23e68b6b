#include "container/handshake.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "base/syscall.hpp"

namespace twinbox::container {
namespace {

struct Heard {
  std::vector<std::string> order;
  sandbox::Stamp ready;
  std::uint64_t mount_namespace = 0;
  std::optional<Failure> failure;
  int exec_error = 0;

  ReportHandlers handlers() {
    return {
        .on_ready =
            [this](const sandbox::Stamp& stamp, std::uint64_t inode) {
              order.push_back("ready");
              ready = stamp;
              mount_namespace = inode;
            },
        .on_executing = [this] { order.push_back("executing"); },
        .on_failed =
            [this](const Failure& reported) {
              order.push_back("failed");
              failure = reported;
            },
        .on_exec_failed =
            [this](int error) {
              order.push_back("exec_failed");
              exec_error = error;
            },
    };
  }
};

std::string sent(const std::function<void(int)>& send) {
  auto [read_end, write_end] = base::make_pipe();
  send(write_end.get());
  write_end.reset();
  return base::read_to_end(read_end.get());
}

std::string bare_report(report_abi::Type type, std::uint64_t value) {
  report_abi::Header header{};
  header.type = type;
  header.value = value;
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

TEST(Handshake, CarriesAnErrorWhole) {
  const Failure failure{126, {base::ErrorKind::unsupported, "cannot do it", "try another way"}};
  const auto bytes = sent([&](int pipe) { report_failure(pipe, failure); });
  Heard heard;
  ReportDecoder decoder(heard.handlers());

  decoder.feed(std::as_bytes(std::span(bytes)));

  ASSERT_TRUE(heard.failure);
  EXPECT_EQ(heard.failure->status, 126);
  EXPECT_EQ(heard.failure->error.kind(), base::ErrorKind::unsupported);
  EXPECT_EQ(heard.failure->error.message(), "cannot do it");
  EXPECT_EQ(heard.failure->error.hint(), "try another way");
}

TEST(Handshake, TellsWhenAndAfterWhatCpuTimeItWasReady) {
  report_abi::Header header{};
  header.type = report_abi::ready;
  header.time = 11;
  header.cpu = 22;
  Heard heard;

  ReportDecoder(heard.handlers()).feed(std::as_bytes(std::span(&header, 1)));

  EXPECT_EQ(heard.ready.monotonic_ns, 11U);
  EXPECT_EQ(heard.ready.cpu_ns, 22U);
}

TEST(Handshake, DecodesByteByByte) {
  const Failure failure{125, {base::ErrorKind::system, "late", ""}};
  const auto bytes = sent([&](int pipe) { report_ready(pipe, 4711); }) +
                     bare_report(report_abi::executing, 0) +
                     bare_report(report_abi::exec_failed, ENOEXEC) +
                     sent([&](int pipe) { report_failure(pipe, failure); });
  Heard heard;
  ReportDecoder decoder(heard.handlers());

  for (const char& byte : bytes) decoder.feed(std::as_bytes(std::span(&byte, 1)));

  EXPECT_EQ(heard.order, (std::vector<std::string>{"ready", "executing", "exec_failed", "failed"}));
  EXPECT_EQ(heard.mount_namespace, 4711U);
  EXPECT_EQ(heard.exec_error, ENOEXEC);
  EXPECT_EQ(heard.failure->error.message(), "late");
}

TEST(Handshake, RefusesAnUnknownReport) {
  Heard heard;
  ReportDecoder decoder(heard.handlers());
  const auto bytes = bare_report(static_cast<report_abi::Type>(99), 0);

  EXPECT_THROW(decoder.feed(std::as_bytes(std::span(bytes))), base::Error);
}

TEST(Handshake, NumbersExecFailuresAsAShell) {
  EXPECT_EQ(exec_failure(ENOENT, "tool").status, 127);
  EXPECT_EQ(exec_failure(ENOTDIR, "tool").status, 127);
  EXPECT_EQ(exec_failure(EACCES, "tool").status, 126);
  EXPECT_EQ(exec_failure(ENOEXEC, "tool").status, 126);
  EXPECT_NE(exec_failure(EACCES, "tool").error.message().find("tool"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::container

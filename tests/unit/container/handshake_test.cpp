#include "container/handshake.hpp"

#include <fcntl.h>
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
  const auto bytes = sent([&](int pipe) { report_ready(pipe, 4711); }) +
                     bare_report(report_abi::executing, 0) +
                     bare_report(report_abi::exec_failed, ENOEXEC);
  Heard heard;
  ReportDecoder decoder(heard.handlers(), Worker::program);

  for (const char& byte : bytes) decoder.feed(std::as_bytes(std::span(&byte, 1)));

  EXPECT_EQ(heard.order, (std::vector<std::string>{"ready", "executing", "exec_failed"}));
  EXPECT_EQ(heard.mount_namespace, 4711U);
  EXPECT_EQ(heard.exec_error, ENOEXEC);
}

// What a decoder calls, in order, for reports of what is to execute a program.
std::vector<std::string> order_of(const std::string& bytes, Worker worker = Worker::program) {
  Heard heard;
  ReportDecoder decoder(heard.handlers(), worker);
  decoder.feed(std::as_bytes(std::span(bytes)));
  return heard.order;
}

using Order = std::vector<std::string>;
const auto executing = bare_report(report_abi::executing, 0);

TEST(Handshake, RefusesAnUnknownReport) {
  for (const unsigned type : {0U, 7U, 99U, 0xffff'ffffU}) {
    EXPECT_EQ(order_of(bare_report(static_cast<report_abi::Type>(type), 0) + executing),
              Order{"failed"});
  }
}

TEST(Handshake, TakesEachReportOnceAndOnlyAReasonAfterExecuting) {
  const auto failed = bare_report(report_abi::failed, 0);
  const auto ready = bare_report(report_abi::ready, 0);
  const auto exec_failed = bare_report(report_abi::exec_failed, ENOENT);
  EXPECT_EQ(order_of(ready + ready), (Order{"ready", "failed"}));
  EXPECT_EQ(order_of(executing + ready), (Order{"executing", "failed"}));
  EXPECT_EQ(order_of(executing + executing), (Order{"executing", "failed"}));
  EXPECT_EQ(order_of(exec_failed), Order{"failed"});
  EXPECT_EQ(order_of(executing + exec_failed + executing), (Order{"executing", "exec_failed"}));
  EXPECT_EQ(order_of(failed + executing), Order{"failed"});
  EXPECT_EQ(order_of(executing + failed, Worker::reporter), (Order{"executing", "failed"}));
}

TEST(Handshake, RefusesAFailureBeforeItsTextIsThere) {
  report_abi::Header header{};
  header.type = report_abi::failed;
  const auto order = [&header](auto change) {
    auto changed = header;
    change(changed);
    return order_of({reinterpret_cast<const char*>(&changed), sizeof changed});
  };
  EXPECT_EQ(order([](auto& one) { one.message_size = report_abi::longest_text; }), Order{});
  EXPECT_EQ(order([](auto& one) { one.message_size = report_abi::longest_text + 1; }),
            Order{"failed"});
  EXPECT_EQ(order([](auto& one) { one.hint_size = 0xffff'ffff; }), Order{"failed"});
  EXPECT_EQ(order([](auto& one) { one.kind = 1000; }), Order{"failed"});
  EXPECT_EQ(order([](auto& one) { one.status = -1; }), Order{"failed"});
}

TEST(Handshake, AnErrorFits) {
  const std::string text(1024 * 1024, 'x');
  const auto bytes = sent([&](int pipe) {
    ::fcntl(pipe, F_SETPIPE_SZ, 1024 * 1024);
    report_failure(pipe, {125, {base::ErrorKind::system, text, text}});
  });
  Heard heard;
  ReportDecoder(heard.handlers()).feed(std::as_bytes(std::span(bytes)));
  ASSERT_TRUE(heard.failure);
  EXPECT_EQ(heard.failure->error.message(), text.substr(0, report_abi::longest_text));
  EXPECT_EQ(heard.failure->error.kind(), base::ErrorKind::system);
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

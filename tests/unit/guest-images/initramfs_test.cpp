#include "guest-images/initramfs.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::guest_images {
namespace {

namespace fs = std::filesystem;

struct Entry {
  std::string content;
  unsigned mode = 0;
};

std::map<std::string, Entry> read_archive(const fs::path& path) {
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(),
                                                                      archive_read_free);
  archive_read_support_format_cpio(reader.get());
  EXPECT_EQ(ARCHIVE_OK, archive_read_open_filename(reader.get(), path.c_str(), 65536));
  std::map<std::string, Entry> entries;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    EXPECT_EQ(0, archive_entry_uid(entry));
    EXPECT_EQ(0, archive_entry_mtime(entry));
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    EXPECT_EQ(static_cast<la_ssize_t>(content.size()),
              archive_read_data(reader.get(), content.data(), content.size()));
    entries[archive_entry_pathname(entry)] = {content, archive_entry_mode(entry)};
  }
  return entries;
}

TEST(WriteInitramfs, HoldsWhatItWasGiven) {
  const base::TemporaryDirectory directory;
  const auto path = directory.path() / "initramfs";

  write_initramfs(path, {"dev"}, {{"init", std::string("\0program", 8), 0755}, {"data", "", 0644}});

  const auto entries = read_archive(path);
  ASSERT_EQ(3U, entries.size());
  EXPECT_EQ(std::string("\0program", 8), entries.at("init").content);
  EXPECT_EQ(0100755U, entries.at("init").mode);
  EXPECT_EQ(0100644U, entries.at("data").mode);
  EXPECT_EQ(0040755U, entries.at("dev").mode);
}

TEST(WriteInitramfs, IsTheSameForTheSameInputInAnyOrder) {
  const base::TemporaryDirectory directory;
  write_initramfs(directory.path() / "one", {"a", "b"}, {{"x", "1", 0644}, {"y", "2", 0644}});
  write_initramfs(directory.path() / "two", {"b", "a"}, {{"y", "2", 0644}, {"x", "1", 0644}});

  EXPECT_EQ(base::read_file(directory.path() / "one"), base::read_file(directory.path() / "two"));
}

TEST(WriteInitramfs, LeavesNoDraftWhenItFails) {
  const base::TemporaryDirectory directory;
  EXPECT_THROW(write_initramfs(directory.path() / "no/such/directory", {}, {}), base::Error);
  fs::create_directory(directory.path() / "taken");
  EXPECT_ANY_THROW(write_initramfs(directory.path() / "taken", {}, {}));
  EXPECT_EQ(1, std::distance(fs::directory_iterator(directory.path()), {}));
}

// A data root with a program directory of its own, so that the agent may be anything.
class GuestInitramfs : public testing::Test {
 protected:
  GuestInitramfs() {
    ::setenv("TWINBOX_ROOT", directory_.path().c_str(), 1);
    ::setenv("TWINBOX_BIN", directory_.path().c_str(), 1);
    base::write_file(directory_.path() / "twinbox-agent", "the agent");
    base::write_file(directory_.path() / "vmlinux", "a kernel");
  }
  ~GuestInitramfs() override {
    ::unsetenv("TWINBOX_ROOT");
    ::unsetenv("TWINBOX_BIN");
  }

  GuestKernel kernel() const { return {.image = directory_.path() / "vmlinux", .modules = {}}; }

  base::TemporaryDirectory directory_;
};

TEST_F(GuestInitramfs, OfAKernelWithoutModulesIsTheAgentAlone) {
  const auto entries = read_archive(guest_initramfs(kernel()));

  EXPECT_EQ("the agent", entries.at("init").content);
  EXPECT_EQ("", entries.at("modules/order").content);
}

TEST_F(GuestInitramfs, IsKeptUntilTheAgentChanges) {
  const auto first = guest_initramfs(kernel());
  const auto made = fs::last_write_time(first);

  EXPECT_EQ(first, guest_initramfs(kernel()));
  EXPECT_EQ(made, fs::last_write_time(first));

  base::write_file(directory_.path() / "twinbox-agent", "a newer agent");
  const auto second = guest_initramfs(kernel());
  EXPECT_NE(first, second);
  EXPECT_EQ("a newer agent", read_archive(second).at("init").content);
}

TEST_F(GuestInitramfs, WhatAKilledProcessLeftIsRemoved) {
  const auto cache = directory_.path() / "cache/initramfs";
  base::make_directories(cache);
  // No process has a number this high (PID_MAX_LIMIT is 4194304); ours is alive.
  const auto stale = cache / "0123.cpio.new.99999999";
  const auto live = cache / fmt::format("0123.cpio.new.{}", ::getpid());
  base::write_file(stale, "half");
  base::write_file(live, "half");

  guest_initramfs(kernel());

  EXPECT_FALSE(fs::exists(stale));
  EXPECT_TRUE(fs::exists(live));
}

TEST_F(GuestInitramfs, OldOnesDoNotPileUp) {
  const auto cache = directory_.path() / "cache/initramfs";
  const auto first = guest_initramfs(kernel());
  fs::last_write_time(first, fs::last_write_time(first) - std::chrono::hours(48));

  fs::path last;
  for (int version = 0; version < 8; ++version) {
    base::write_file(directory_.path() / "twinbox-agent", fmt::format("agent {}", version));
    last = guest_initramfs(kernel());
  }

  EXPECT_FALSE(fs::exists(first));
  EXPECT_TRUE(fs::exists(last));
  EXPECT_EQ(8, std::distance(fs::directory_iterator(cache), {}));
}

}  // namespace
}  // namespace twinbox::guest_images

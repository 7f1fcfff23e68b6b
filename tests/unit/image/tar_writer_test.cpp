#include "image/tar_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "image/unpack.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

std::string pack(const fs::path& directory) {
  std::string text;
  write_tar(directory, [&](std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  return text;
}

void unpack(const std::string& text, const fs::path& root) {
  bool given = false;
  unpack_tar(
      [&] {
        const auto bytes = std::as_bytes(std::span(text));
        return std::exchange(given, true) ? std::span<const std::byte>() : bytes;
      },
      root);
}

void set_time(const fs::path& path, time_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

// The same content, made in the given order.
void fill(const fs::path& root, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    base::write_file(root / name, "content of " + name);
    set_time(root / name, 1000);
  }
  set_time(root, 2000);
}

TEST(TarWriter, DependsOnTheContentAlone) {
  const base::TemporaryDirectory first;
  const base::TemporaryDirectory second;
  fill(first.path(), {"a", "b", "c"});
  fill(second.path(), {"c", "a", "b"});
  EXPECT_EQ(pack(first.path()), pack(second.path()));
  base::write_file(second.path() / "a", "changed");
  EXPECT_NE(pack(first.path()), pack(second.path()));
}

TEST(TarWriter, KeepsEveryKindOfFile) {
  const base::TemporaryDirectory work;
  const auto source = work.path() / "source";
  const auto copy = work.path() / "copy";
  fs::create_directories(source / "sub");
  fs::create_directories(copy);
  const std::string long_name(200, 'n');
  base::write_file(source / "sub" / long_name, "long");
  base::write_file(source / "sub/größe", "unicode");
  base::write_file(source / "sub/by\xff\xfete", "no UTF-8");
  base::write_file(source / "suid", "x");
  ASSERT_EQ(::chmod((source / "suid").c_str(), 04755), 0);
  fs::create_symlink("/sub/../sub", source / "link");
  fs::create_hard_link(source / "suid", source / "twin");
  ASSERT_EQ(::mkfifo((source / "pipe").c_str(), 0600), 0);
  set_time(source / "suid", 12345);

  unpack(pack(source), copy);

  EXPECT_EQ(base::read_file(copy / "sub" / long_name), "long");
  EXPECT_EQ(base::read_file(copy / "sub/größe"), "unicode");
  EXPECT_EQ(base::read_file(copy / "sub/by\xff\xfete"), "no UTF-8");
  EXPECT_EQ(fs::read_symlink(copy / "link"), "/sub/../sub");
  EXPECT_TRUE(fs::equivalent(copy / "suid", copy / "twin"));
  struct stat status {};
  ASSERT_EQ(::stat((copy / "suid").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, S_IFREG | 04755U);
  EXPECT_EQ(status.st_mtim.tv_sec, 12345);
  EXPECT_TRUE(fs::is_fifo(copy / "pipe"));
  EXPECT_EQ(pack(copy).size(), pack(source).size());
}

TEST(TarWriter, LeavesSocketsOut) {
  const base::TemporaryDirectory directory;
  const base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = (directory.path() / "socket").string();
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(pack(directory.path()).find("socket"), std::string::npos);
}

TEST(TarWriter, KeepsImageAttributesAndNoOthers) {
  const base::TemporaryDirectory work;
  const auto source = work.path() / "source";
  const auto copy = work.path() / "copy";
  fs::create_directories(source / "directory");
  fs::create_directories(copy);
  const auto hidden = source / "directory";
  if (::lsetxattr(source.c_str(), "user.kept", "value", 5, 0) != 0 ||
      ::lsetxattr(hidden.c_str(), "trusted.overlay.opaque", "y", 1, 0) != 0) {
    GTEST_SKIP() << "this file system or user has no such attributes";
  }
  unpack(pack(source), copy);
  char value[8] = {};
  EXPECT_EQ(::lgetxattr(copy.c_str(), "user.kept", value, sizeof value), 5);
  EXPECT_EQ(
      ::lgetxattr((copy / "directory").c_str(), "trusted.overlay.opaque", value, sizeof value), -1);
}

TEST(TarWriter, PassesTheSinksFailureOn) {
  const base::TemporaryDirectory directory;
  EXPECT_THROW(write_tar(directory.path(),
                         [](std::span<const std::byte>) { throw std::runtime_error("disk full"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace twinbox::image

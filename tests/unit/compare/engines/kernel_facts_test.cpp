#include "compare/engines/kernel_facts.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace twinbox::compare {
namespace {

TEST(KernelFormat, IsToldByTheFilesMagic) {
  const base::TemporaryDirectory directory;
  const auto file = directory.path() / "kernel";
  std::string image(0x400, '\0');
  base::write_file(file, image);
  EXPECT_EQ(kernel_format(file), "unknown");
  image.replace(0x202, 4, "HdrS");
  base::write_file(file, image);
  EXPECT_EQ(kernel_format(file), "bzImage");
  image.replace(0, 4,
                "\x7f"
                "ELF");
  base::write_file(file, image);
  EXPECT_EQ(kernel_format(file), "vmlinux");
  base::write_file(file, "short");
  EXPECT_EQ(kernel_format(file), "unknown");
  EXPECT_EQ(kernel_format(directory.path() / "none"), "unknown");
}

TEST(KernelFacts, TellFormatAndDigestOfAFile) {
  const base::TemporaryDirectory directory;
  const auto file = directory.path() / "kernel";
  base::write_file(file, std::string(0x400, 'x'));
  Engine engine;
  add_kernel_file_facts(engine, file);
  ASSERT_EQ(engine.settings.size(), 3U);
  EXPECT_EQ(engine.settings[0].value, file.string());
  EXPECT_EQ(engine.settings[1].value, "unknown");
  EXPECT_TRUE(engine.settings[2].value.starts_with("sha256:"));
}

}  // namespace
}  // namespace twinbox::compare

#include "compare/engines/command_template.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::compare {
namespace {

using Words = std::vector<std::string>;

Plan plan_with(Words command) {
  Plan plan;
  plan.engines = {"mine"};
  plan.settings["mine"] = {.engine = "command", .command = std::move(command)};
  return plan;
}

std::string setting(const Engine& engine, const std::string& name) {
  for (const auto& fact : engine.settings) {
    if (fact.name == name) return fact.value;
  }
  return "missing";
}

TEST(FillTemplate, PutsValuesIntoWordsAndTheCommandInPlaceOfAWord) {
  EXPECT_EQ(fill_template({"box", "--size={memory}/{cpus}", "{args}", "{}x"},
                          {{"memory", "1g"}, {"cpus", "2"}, {"", "-"}}, {"echo", "{args}"}),
            (Words{"box", "--size=1g/2", "echo", "{args}", "-x"}));
}

TEST(FillTemplate, NamesAPlaceThatThereIsNot) {
  try {
    fill_template({"--image={imgae}"}, {{"image", "x"}}, {});
    FAIL() << "it was filled";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("{imgae}"), std::string::npos);
    EXPECT_NE(error.hint().find("image"), std::string::npos);
  }
}

TEST(CommandTemplate, BecomesTheCommandOfAnInstance) {
  const auto plan = plan_with({"/bin/mybox", "-m", "{memory_mib}", "--name", "{id}", "{args}"});
  CommandTemplate engine(plan, "mine", {"/bin/twinbox", "/tmp"});
  const auto launch = engine.launch(
      {.id = "one", .args = {"sh", "-c", "a b"}, .image = "busybox", .memory = "128m"});
  EXPECT_EQ(launch.command, (Words{"/bin/mybox", "-m", "128", "--name", "one", "sh", "-c", "a b"}));
  EXPECT_TRUE(launch.marks.empty());
}

TEST(CommandTemplate, QuotesArgumentsForAKernel) {
  const auto plan =
      plan_with({"/bin/vmm", "--initrd", "{files}/{image}", "--cmdline", "quiet -- {kernel_args}"});
  CommandTemplate engine(plan, "mine", {"/bin/twinbox", "/tmp"});
  const auto command = [&](Words args) {
    return engine.launch({.id = "one", .args = args, .image = "busybox", .memory = "128m"}).command;
  };
  EXPECT_EQ(command({"sh", "-c", "echo  'a'", ""}),
            (Words{"/bin/vmm", "--initrd", "/tmp/mine-files/busybox", "--cmdline",
                   "quiet -- sh -c \"echo  'a'\" \"\""}));
  EXPECT_THROW(command({"echo", "a \"b\""}), base::Error);
}

TEST(CommandTemplate, SaysWhichMarksItCannotGive) {
  const auto plan = plan_with({"/bin/mybox", "{args}"});
  const auto engine = CommandTemplate(plan, "mine", {}).describe();
  EXPECT_TRUE(engine.missing_marks.contains(sandbox::Mark::executed));
  EXPECT_FALSE(engine.missing_marks.contains(sandbox::Mark::ready));
  EXPECT_EQ(setting(engine, "memory"), "not limited");
  EXPECT_EQ(engine.image_digest, "");
}

TEST(CommandTemplate, IsAMachineWithAKernel) {
  const base::TemporaryDirectory directory;
  const auto kernel = directory.path() / "boot-me";
  std::string image(1024, '\0');
  image.replace(0x202, 4, "HdrS");
  base::write_file(kernel, image);
  auto in_a_file = plan_with({"/bin/vmm", "--config", "vm.json", "{args}"});
  in_a_file.settings["mine"].kernel = kernel.string();
  for (const auto& plan :
       {plan_with({"/bin/vmm", "-k", kernel.string(), "{args}"}),
        plan_with({"/bin/vmm", "--kernel=" + kernel.string(), "{args}"}), in_a_file}) {
    const auto engine = CommandTemplate(plan, "mine", {}).describe();
    EXPECT_EQ(engine.kind, BoxKind::machine);
    EXPECT_EQ(setting(engine, "kernel format"), "bzImage");
    EXPECT_NE(setting(engine, "kernel digest"), "unknown");
  }
}

TEST(CommandTemplate, IsNoMachineByAProgramThatItStarts) {
  const auto plan = plan_with({"/bin/sh", "--shell=/bin/sh", "{args}"});
  EXPECT_EQ(CommandTemplate(plan, "mine", {}).describe().kind, BoxKind::container);
}

TEST(CommandTemplate, TellsASerialConsole) {
  const auto plan = plan_with({"/bin/mybox", "--append", "quiet console=ttyS0", "{args}"});
  EXPECT_EQ(setting(CommandTemplate(plan, "mine", {}).describe(), "console"), "serial");
}

}  // namespace
}  // namespace twinbox::compare

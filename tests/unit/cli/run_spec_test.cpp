#include "cli/run_spec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"

namespace twinbox::cli {
namespace {

using Words = std::vector<std::string>;

class RunSpecTest : public testing::Test {
 protected:
  RunSpecTest() {
    image_.name = "sample";
    image_.root.directories.push_back(directory_.path());
  }

  static RunOptions options_of(const Words& arguments) {
    RunOptions run;
    Options options("run", "Runs.");
    run.declare(options);
    run.declare_for_run(options);
    auto words = options.parse(arguments);
    run.take(std::move(words), options);
    return run;
  }
  // The workload of `twinbox run ARGUMENTS`, and what else is kept of it.
  sandbox::Spec spec(const Words& arguments) { return make_spec(options_of(arguments), image_); }
  supervise::BoxSettings settings(const Words& arguments) {
    return make_settings(options_of(arguments), image_);
  }
  std::string refusal(const Words& arguments) {
    try {
      spec(arguments);
      settings(arguments);
    } catch (const base::Error& error) {
      EXPECT_FALSE(error.hint().empty()) << error.message();
      return error.message();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }
  std::string refusal_of(const std::string& flag, const std::string& value) {
    return refusal({flag, value, "sample", "true"});
  }

  static Words options_at(const sandbox::Spec& spec, const std::string& destination) {
    for (const auto& mount : spec.mounts) {
      if (mount.destination == destination) return mount.options;
    }
    return {};
  }

  base::TemporaryDirectory directory_;
  image::PreparedImage image_;
};

TEST_F(RunSpecTest, GoOnFromASnapshotTakesTheFlagsOfACopyOnly) {
  const auto copy = options_of({"--from", "snap", "-d", "--name", "two", "--hostname", "h"});
  EXPECT_EQ("snap", copy.from);
  EXPECT_EQ("vm", copy.engine);
  EXPECT_EQ("snap", options_of({"--as", "vm", "--rm", "-i", "--from=snap"}).from);
  const auto refused = [](Words arguments) -> std::string {
    arguments.insert(arguments.begin(), {"--from", "snap"});
    try {
      options_of(arguments);
    } catch (const base::Error& error) {
      return error.message();
    }
    return "accepted";
  };
  for (const auto* flag : {"memory", "cpus", "kernel", "env", "user", "tmpfs", "entrypoint"}) {
    EXPECT_NE(std::string::npos,
              refused({std::string("--") + flag, "1"}).find(std::string("--") + flag));
  }
  EXPECT_NE(std::string::npos, refused({"--cold"}).find("--cold"));
  EXPECT_NE(std::string::npos, refused({"busybox"}).find("'busybox'"));
  EXPECT_NE(std::string::npos, refused({"--as", "container"}).find("--as container"));
}

TEST_F(RunSpecTest, ACopyKeepsTheSettingsOfItsWorkload) {
  supervise::BoxSettings saved;
  saved.image = "sample";
  saved.command = {"sleep"};
  saved.open_stdin = saved.remove_at_end = true;
  saved.stop_signal = 2;
  saved.stop_timeout = 3;
  saved.restart.kind = supervise::RestartPolicy::Kind::always;
  saved.labels = {{"a", "1"}};
  const auto copy = settings_of_copy(options_of({"--from", "snap", "-l", "b=2"}), saved);
  EXPECT_EQ("sample", copy.image);
  EXPECT_EQ((Words{"sleep"}), copy.command);
  EXPECT_FALSE(copy.open_stdin || copy.remove_at_end);
  EXPECT_EQ(2, copy.stop_signal);
  EXPECT_EQ(3, copy.stop_timeout);
  EXPECT_EQ(supervise::RestartPolicy::Kind::no, copy.restart.kind);
  EXPECT_EQ((std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}), copy.labels);
}

TEST_F(RunSpecTest, MakeTheWorkload) {
  const auto made =
      spec({"--memory", "64m", "--cpus", "1.5", "--pids-limit", "20", "-e", "A=1", "-w", "/tmp",
            "-u", "7:8", "--hostname", "box", "--read-only", "sample", "sh", "-c", "exit 3"});
  EXPECT_EQ(made.process.args, (Words{"sh", "-c", "exit 3"}));
  EXPECT_EQ(made.resources.memory_bytes, 64 * base::mebibyte);
  EXPECT_DOUBLE_EQ(made.resources.cpus.value(), 1.5);
  EXPECT_EQ(made.resources.pids, 20);
  EXPECT_EQ(std::ranges::count(made.process.env, "A=1"), 1);
  EXPECT_EQ(made.process.cwd, "/tmp");
  EXPECT_EQ(made.process.user.uid, 7U);
  EXPECT_EQ(made.process.user.gid, 8U);
  EXPECT_EQ(made.hostname, "box");
  EXPECT_TRUE(made.root_readonly);
}

TEST_F(RunSpecTest, LimitNothingUnlessAsked) {
  const auto made = spec({"sample", "true"});
  EXPECT_FALSE(made.resources.memory_bytes);
  EXPECT_FALSE(made.resources.cpus);
  EXPECT_FALSE(made.resources.pids);
  EXPECT_FALSE(made.root_readonly);
}

TEST_F(RunSpecTest, TakeAVariableFromTheCaller) {
  ::setenv("TWINBOX_TEST_VARIABLE", "own", 1);
  ::unsetenv("TWINBOX_TEST_ABSENT");
  const auto env =
      spec({"-e", "TWINBOX_TEST_VARIABLE", "-e", "TWINBOX_TEST_ABSENT", "sample", "true"})
          .process.env;
  EXPECT_EQ(std::ranges::count(env, "TWINBOX_TEST_VARIABLE=own"), 1);
  EXPECT_FALSE(std::ranges::any_of(env, [](const std::string& variable) {
    return variable.starts_with("TWINBOX_TEST_ABSENT");
  }));
}

TEST_F(RunSpecTest, NameTheFlagWhoseValueMakesNoSense) {
  for (const auto* const size : {"x", "-1m", "64q", "1m", "5m"}) {
    EXPECT_NE(refusal_of("--memory", size).find("--memory"), std::string::npos) << size;
  }
  for (const auto* const cpus : {"0", "-1", "nan", "inf", "two", "1e9", "1x"}) {
    EXPECT_NE(refusal_of("--cpus", cpus).find("--cpus"), std::string::npos) << cpus;
  }
  for (const auto* const pids : {"-2", "many", "1.5"}) {
    EXPECT_NE(refusal_of("--pids-limit", pids).find("--pids-limit"), std::string::npos) << pids;
  }
  EXPECT_NE(refusal_of("-w", "tmp").find("-w"), std::string::npos);
  EXPECT_NE(refusal_of("-e", "=value").find("-e"), std::string::npos);
  EXPECT_NE(refusal_of("--hostname", "a b").find("--hostname"), std::string::npos);
  EXPECT_NE(refusal_of("--hostname", std::string(65, 'a')).find("--hostname"), std::string::npos);
  EXPECT_NE(refusal_of("-u", "nobody").find("nobody"), std::string::npos);
  EXPECT_NE(refusal_of("--group-add", "nogroup").find("nogroup"), std::string::npos);
  for (const auto* const flag :
       {"--memory-swap", "--ulimit", "--shm-size", "--tmpfs", "--sysctl", "--device",
        "--stop-signal", "--stop-timeout", "--cpuset-cpus", "--annotation", "--attach"}) {
    EXPECT_NE(refusal_of(flag, "nonsense").find(flag), std::string::npos) << flag;
  }
  EXPECT_NE(refusal_of("--kernel", "/boot/vmlinuz").find("--kernel"), std::string::npos);
}

TEST_F(RunSpecTest, TakeDockersFlags) {
  const auto made = spec({"-it",
                          "--entrypoint",
                          "/bin/env",
                          "--group-add",
                          "7",
                          "--memory",
                          "64m",
                          "--memory-swap",
                          "128m",
                          "--cpuset-cpus",
                          "0-1",
                          "--ulimit",
                          "nofile=10:20",
                          "--shm-size",
                          "1m",
                          "--tmpfs",
                          "/run:exec,size=1m",
                          "--sysctl",
                          "net.ipv4.ip_forward=1",
                          "--device",
                          "/dev/null:/dev/nil:r",
                          "--annotation",
                          "a=b",
                          "--init",
                          "--oom-kill-disable",
                          "sample",
                          "x"});
  EXPECT_EQ(made.process.args, (Words{"/bin/env", "x"}));
  EXPECT_TRUE(made.process.terminal);
  EXPECT_EQ(std::ranges::count(made.process.env, "TERM=xterm"), 1);
  EXPECT_EQ(made.process.user.additional_gids, std::vector<std::uint32_t>{7});
  EXPECT_EQ(made.resources.memory_swap_bytes, 128 * base::mebibyte);
  EXPECT_EQ(made.resources.cpuset_cpus, "0-1");
  EXPECT_TRUE(made.resources.oom_kill_disable);
  EXPECT_TRUE(made.init);
  EXPECT_EQ(made.sysctl.at("net.ipv4.ip_forward"), "1");
  EXPECT_EQ(made.annotations.at("a"), "b");
  ASSERT_EQ(made.process.rlimits.size(), 1U);
  EXPECT_EQ(made.process.rlimits[0].type, "RLIMIT_NOFILE");
  EXPECT_EQ(made.process.rlimits[0].soft, 10U);
  EXPECT_EQ(made.process.rlimits[0].hard, 20U);
  ASSERT_EQ(made.devices.size(), 1U);
  EXPECT_EQ(made.devices[0].path, "/dev/nil");
  EXPECT_EQ(made.devices[0].access, "r");
  EXPECT_EQ(made.devices[0].minor, 3U);
  EXPECT_EQ(options_at(made, "/dev/shm").back(), "size=1048576");
  EXPECT_EQ(options_at(made, "/run"), (Words{"nosuid", "nodev", "exec", "size=1048576"}));
}

TEST_F(RunSpecTest, GiveAndTakePrivilegesAsDockerDoes) {
  const auto capabilities = [this](Words flags) {
    flags.insert(flags.end(), {"sample", "true"});
    return spec(flags).process.capabilities;
  };
  const auto has = [](const Words& words, const char* word) {
    return std::ranges::count(words, word) == 1;
  };
  EXPECT_TRUE(has(capabilities({"--cap-add", "net_admin"}), "CAP_NET_ADMIN"));
  EXPECT_FALSE(has(capabilities({"--cap-drop", "CAP_CHOWN"}), "CAP_CHOWN"));
  EXPECT_EQ(capabilities({"--cap-drop", "ALL", "--cap-add", "chown"}), Words{"CAP_CHOWN"});
  const auto all_but_one = capabilities({"--cap-add", "all", "--cap-drop", "SYS_ADMIN"});
  EXPECT_EQ(all_but_one.size(), 40U);
  EXPECT_FALSE(has(all_but_one, "CAP_SYS_ADMIN"));
  EXPECT_NE(refusal_of("--cap-add", "nonsense").find("--cap-add"), std::string::npos);

  EXPECT_FALSE(spec({"sample", "true"}).process.no_new_privileges);
  EXPECT_TRUE(
      spec({"--security-opt", "no-new-privileges", "sample", "true"}).process.no_new_privileges);
  EXPECT_EQ(spec({"--security-opt", "seccomp=unconfined", "sample", "true"}).seccomp,
            sandbox::Seccomp::unconfined);
  EXPECT_NE(refusal_of("--security-opt", "label=x").find("--security-opt"), std::string::npos);
  const auto privileged = spec({"--privileged", "sample", "true"});
  EXPECT_EQ(privileged.process.capabilities.size(), 41U);
  EXPECT_TRUE(privileged.masked_paths.empty());
}

TEST_F(RunSpecTest, KeepATermThatWasGiven) {
  const auto env = spec({"-t", "-e", "TERM=vt100", "sample", "true"}).process.env;
  EXPECT_EQ(std::ranges::count(env, "TERM=vt100"), 1);
  EXPECT_EQ(std::ranges::count(env, "TERM=xterm"), 0);
}

TEST_F(RunSpecTest, KeepWhatIsBesideTheWorkload) {
  image_.id = "sha256:1";
  image_.config.labels = {{"a", "image"}, {"b", "image"}};
  image_.config.stop_signal = "SIGQUIT";
  const auto kept = settings({"-i", "--restart", "on-failure:3", "--stop-timeout", "-1", "-l",
                              "a=1", "--label", "c", "sample", "true"});
  EXPECT_EQ(kept.image, "sample");
  EXPECT_EQ(kept.image_id, "sha256:1");
  EXPECT_EQ(kept.requested_engine, "container");
  EXPECT_TRUE(kept.open_stdin);
  EXPECT_TRUE(kept.stdin_once);
  EXPECT_EQ(kept.stop_signal, 3);
  EXPECT_EQ(kept.stop_timeout, -1);
  EXPECT_EQ(kept.restart.maximum_retries, 3U);
  EXPECT_EQ(kept.labels,
            (std::map<std::string, std::string>{{"a", "1"}, {"b", "image"}, {"c", ""}}));
  EXPECT_EQ(settings({"--stop-signal", "INT", "sample", "true"}).stop_signal, 2);
  EXPECT_FALSE(settings({"-di", "sample", "true"}).stdin_once);
  EXPECT_FALSE(settings({"sample", "true"}).open_stdin) << "without -i there is no input";
}

TEST_F(RunSpecTest, ReadFilesOfVariablesAndLabels) {
  const auto file = directory_.path() / "list";
  base::write_file(file, "# comment\n\n  A=1\r\nB=two words\n");
  const auto env = spec({"--env-file", file, "-e", "A=2", "sample", "true"}).process.env;
  EXPECT_EQ(std::ranges::count(env, "A=2"), 1);
  EXPECT_EQ(std::ranges::count(env, "B=two words"), 1);
  EXPECT_EQ(settings({"--label-file", file, "sample", "true"}).labels.at("B"), "two words");
  EXPECT_THROW(spec({"--env-file", "/no/such/file", "sample", "true"}), base::Error);
}

TEST_F(RunSpecTest, RefuseFlagsThatExcludeEachOther) {
  EXPECT_NE(refusal({"--rm", "--restart", "always", "sample", "true"}).find("--restart"),
            std::string::npos);
  EXPECT_NE(refusal({"-d", "-a", "stdout", "sample", "true"}).find("--attach"), std::string::npos);
  EXPECT_NE(refusal({"-d", "--die-with-parent", "sample", "true"}).find("--die-with-parent"),
            std::string::npos);
}

TEST_F(RunSpecTest, RefuseFlagsThatMeanNothingForTheEngine) {
  for (const auto* const flag :
       {"--cpuset-cpus=0", "--memory-swap=1g", "--device=/dev/null", "--oom-kill-disable"}) {
    for (const auto* const engine : {"vm", "qemu", "process"}) {
      const auto text = refusal({"--as", engine, flag, "sample", "true"});
      EXPECT_NE(text.find(std::string(flag).substr(0, std::string_view(flag).find('='))),
                std::string::npos);
      EXPECT_NE(text.find(engine), std::string::npos) << text;
    }
  }
  for (const auto* const flag : {"--memory=1g", "--cpus=1", "--privileged", "--cap-add=ALL",
                                 "--hostname=x", "--init", "--pids-limit=3"}) {
    EXPECT_NE(refusal({"--as", "process", flag, "sample", "true"}).find("process"),
              std::string::npos);
  }
}

TEST_F(RunSpecTest, AttachToWhatWasAskedFor) {
  const auto attached = [](const Words& arguments) {
    const auto run = options_of(arguments);
    std::string streams;
    for (const auto* const stream : {"stdin", "stdout", "stderr"}) {
      if (attaches_to(run, stream)) streams += std::string(stream) + " ";
    }
    return streams;
  };
  EXPECT_EQ(attached({"sample"}), "stdout stderr ");
  EXPECT_EQ(attached({"-i", "sample"}), "stdin stdout stderr ");
  EXPECT_EQ(attached({"-ia", "stdout", "sample"}), "stdout ");
  EXPECT_EQ(attached({"-d", "sample"}), "");
}

TEST_F(RunSpecTest, NameAKernelThatIsNotThere) {
  EXPECT_NE(refusal({"--as", "vm", "--kernel", "/no/kernel", "sample", "true"}).find("/no/kernel"),
            std::string::npos);
}

TEST_F(RunSpecTest, AskForAnImageAndACommand) {
  EXPECT_NE(refusal({}).find("which image"), std::string::npos);
  EXPECT_NE(refusal({"sample"}).find("no command"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::cli

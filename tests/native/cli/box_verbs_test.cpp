// The verbs for boxes that are there, on real containers.

#include <map>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {
namespace {

class BoxVerbs : public CliFixture {
 protected:
  // A box that runs until it is ended.
  void run(const std::string& name) const {
    const auto made = twinbox({"run", "-d", "--name", name, "--label", "tier=" + name, "busybox",
                               "sh", "-c", "echo out; echo err >&2; exec sleep 1000"});
    ASSERT_EQ(made.status, 0) << made.err;
  }
  void run_to_end(const std::string& name, const std::string& script) const {
    twinbox({"run", "--name", name, "busybox", "sh", "-c", script});
  }
  std::string names(const Words& flags) const {
    Words words{"ps", "--format", "{{.Names}}"};
    words.insert(words.end(), flags.begin(), flags.end());
    return twinbox(words).out;
  }
  std::string field(const std::string& box, const std::string& path) const {
    return twinbox({"inspect", "-f", "{{" + path + "}}", box}).out;
  }
  void TearDown() override {
    const auto all = twinbox({"ps", "-aq"}).out;
    for (std::size_t at = 0; at + 12 < all.size(); at += 13) {
      twinbox({"rm", "-f", all.substr(at, 12)});
    }
  }
};

TEST_F(BoxVerbs, PsListsWhatRunsAndFilters) {
  run("web");
  run_to_end("job", "exit 3");
  EXPECT_EQ(names({}), "web\n");
  EXPECT_EQ(names({"-a"}), "job\nweb\n");
  EXPECT_EQ(names({"-l"}), "job\n");
  EXPECT_EQ(names({"-f", "exited=3"}), "job\n");
  EXPECT_EQ(names({"-a", "-f", "label=tier=web"}), "web\n");
  EXPECT_TRUE(twinbox({"ps"}).out.starts_with("CONTAINER ID   IMAGE     COMMAND"));
}

TEST_F(BoxVerbs, LogsKeepStreamsApart) {
  run_to_end("job", "echo one; echo two; echo err >&2; printf part");
  const auto logs = twinbox({"logs", "job"});
  EXPECT_EQ(logs.out, "one\ntwo\npart");
  EXPECT_EQ(logs.err, "err\n");
  EXPECT_EQ(twinbox({"logs", "--tail", "1", "job"}).out, "part");
  EXPECT_EQ(twinbox({"logs", "missing"}).status, 1);
}

TEST_F(BoxVerbs, LogsFollowToTheEnd) {
  run("web");
  auto logs = start({"logs", "-f", "web"});
  logs.wait_for_output("out");
  EXPECT_EQ(twinbox({"kill", "web"}).out, "web\n");
  EXPECT_EQ(logs.finish().status, 0);
}

TEST_F(BoxVerbs, InspectHasDockersMembers) {
  run_to_end("job", "exit 3");
  const auto text = twinbox({"inspect", "job"}).out;
  const auto json = base::parse_json(text, "inspect");
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["Name"], "/job");
  EXPECT_EQ(json[0]["State"]["Status"], "exited");
  EXPECT_EQ(json[0]["State"]["ExitCode"], 3);
  EXPECT_EQ(json[0]["Path"], "sh");
  EXPECT_EQ(field("busybox", "index .RepoTags 0"), "busybox\n");
  const auto missing = twinbox({"inspect", "missing"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_EQ(missing.out, "[]\n");
}

TEST_F(BoxVerbs, GoOnAfterAnError) {
  run("web");
  const auto stopped = twinbox({"stop", "-t", "0", "missing", "web"});
  EXPECT_EQ(stopped.status, 1);
  EXPECT_EQ(stopped.out, "web\n");
  EXPECT_EQ(twinbox({"wait", "web"}).out, "137\n");
  EXPECT_EQ(twinbox({"rm", "web", "missing"}).status, 1);
  EXPECT_EQ(names({"-a"}), "");
}

TEST_F(BoxVerbs, PauseUnpauseAndRestart) {
  run("web");
  EXPECT_EQ(twinbox({"pause", "web"}).status, 0);
  EXPECT_EQ(field("web", ".State.Status"), "paused\n");
  EXPECT_EQ(twinbox({"pause", "web"}).status, 1);
  EXPECT_EQ(twinbox({"unpause", "web"}).status, 0);
  const auto first = field("web", ".State.Pid");
  EXPECT_EQ(twinbox({"restart", "-t", "0", "web"}).status, 0);
  EXPECT_EQ(field("web", ".State.Status"), "running\n");
  EXPECT_NE(field("web", ".State.Pid"), first);
  EXPECT_EQ(twinbox({"rm", "web"}).status, 1);
  EXPECT_EQ(twinbox({"rm", "-f", "web"}).status, 0);
}

TEST_F(BoxVerbs, TellWhatABoxUsesRunsAndChanges) {
  run("web");
  EXPECT_NE(twinbox({"top", "web"}).out.find("sleep 1000"), std::string::npos);
  EXPECT_EQ(twinbox({"stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "web"}).out,
            "web 1\n");
  EXPECT_EQ(twinbox({"exec", "web", "touch", "/new"}).status, 0);
  EXPECT_EQ(twinbox({"diff", "web"}).out, "A /new\n");
}

TEST_F(BoxVerbs, RenameAndUpdate) {
  run("web");
  EXPECT_EQ(twinbox({"rename", "web", "site"}).status, 0);
  EXPECT_EQ(twinbox({"update", "--memory", "64m", "site"}).status, 0);
  EXPECT_EQ(field("site", ".HostConfig.Memory"), "67108864\n");
  const auto events =
      twinbox({"events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}"});
  EXPECT_EQ(events.out, "create\nstart\nrename\nupdate\n");
}

TEST_F(BoxVerbs, CopyBothWaysWhetherItRunsOrNot) {
  run("web");
  base::write_file(scratch() / "file", "content");
  for (const auto* const action : {"pause", "unpause", "kill"}) {
    EXPECT_EQ(twinbox({"cp", scratch() / "file", "web:/tmp/copied"}).status, 0) << action;
    EXPECT_EQ(twinbox({"cp", "web:/tmp/copied", scratch() / "back"}).status, 0) << action;
    EXPECT_EQ(base::read_file(scratch() / "back"), "content");
    EXPECT_EQ(twinbox({action, "web"}).status, 0);
    twinbox({"wait", action == std::string("kill") ? "web" : "missing"});
  }
  EXPECT_EQ(twinbox({"cp", "web:/tmp", scratch() / "tree"}).status, 0);
  EXPECT_EQ(base::read_file(scratch() / "tree/copied"), "content");
  EXPECT_EQ(twinbox({"cp", scratch() / "missing", "web:/"}).status, 1);
}

TEST_F(BoxVerbs, CopyNoFileOverADirectory) {
  run("web");
  base::write_file(scratch() / "tmp", "content");
  std::filesystem::create_directories(scratch() / "here/passwd");
  for (const auto* const action : {"pause", "kill"}) {
    const auto in = twinbox({"cp", scratch() / "tmp", "web:/"});
    EXPECT_EQ(in.status, 1) << action;
    EXPECT_NE(in.err.find("cannot overwrite the directory tmp"), std::string::npos) << in.err;
    const auto out = twinbox({"cp", "web:/etc/passwd", scratch() / "here"});
    EXPECT_EQ(out.status, 1) << action;
    EXPECT_NE(out.err.find("cannot overwrite the directory passwd"), std::string::npos) << out.err;
    EXPECT_EQ(twinbox({"cp", "web:/tmp/.", scratch() / "here"}).status, 0);
    twinbox({action, "web"});
  }
}

TEST_F(BoxVerbs, CopyTheRootsContentIntoADirectory) {
  run("web");
  std::filesystem::create_directories(scratch() / "here");
  const auto copied = twinbox({"cp", "web:/", scratch() / "here"});
  EXPECT_EQ(copied.status, 0) << copied.err;
  EXPECT_TRUE(std::filesystem::exists(scratch() / "here/etc/passwd"));
}

TEST_F(BoxVerbs, DiffSendsNoControlCharactersToTheTerminal) {
  run("web");
  EXPECT_EQ(twinbox({"exec", "web", "touch", "/a\nD \x1b[2J"}).status, 0);
  EXPECT_EQ(twinbox({"diff", "web"}).out, "A /a\\nD \\x1b[2J\n");
}

TEST_F(BoxVerbs, AnImageStaysWhileABoxHasIt) {
  run_to_end("job", "true");
  EXPECT_NE(twinbox({"image", "rm", "busybox"}).err.find("box job is using"), std::string::npos);
  EXPECT_EQ(twinbox({"rm", "job"}).status, 0);
  EXPECT_EQ(twinbox({"image", "rm", "busybox"}).status, 0);
}

TEST_F(BoxVerbs, TopTakesTheOptionsOfPs) {
  run("web");
  EXPECT_TRUE(twinbox({"top", "web", "-ef"}).out.starts_with("UID "));
  EXPECT_TRUE(twinbox({"top", "web", "aux"}).out.starts_with("USER "));
  const auto chosen = twinbox({"top", "web", "-o", "pid,comm"}).out;
  EXPECT_TRUE(chosen.starts_with("PID       COMMAND\n")) << chosen;
  EXPECT_TRUE(chosen.ends_with(" sleep\n")) << chosen;
  const auto unknown = twinbox({"top", "web", "-o", "nonsense"});
  EXPECT_NE(unknown.status, 0);
  EXPECT_NE(unknown.err.find("nonsense"), std::string::npos);
}

TEST_F(BoxVerbs, PsTellsWhatABoxHasWritten) {
  run_to_end("job", "dd if=/dev/zero of=/file bs=1000 count=20 2>/dev/null");
  const auto size = twinbox({"ps", "-as", "--format", "{{.Size}}"}).out;
  EXPECT_TRUE(size.starts_with("20kB (virtual ")) << size;
}

TEST_F(BoxVerbs, InspectKeepsTheEntrypointApart) {
  twinbox({"create", "--name", "apart", "--entrypoint", "sleep", "busybox", "1000"});
  EXPECT_EQ(field("apart", "json .Config.Entrypoint"), "[\"sleep\"]\n");
  EXPECT_EQ(field("apart", "json .Config.Cmd"), "[\"1000\"]\n");
}

TEST_F(BoxVerbs, InfoNamesTheEnginesAndTheirVersions) {
  const auto info = base::parse_json(twinbox({"info", "-f", "{{json .Engines}}"}).out, "info");
  std::map<std::string, base::Json> engines;
  for (const auto& engine : info) engines[engine["Name"]] = engine;
  EXPECT_EQ(engines.at("container")["Usable"], true);
  EXPECT_TRUE(engines.contains("vm"));
  ASSERT_EQ(engines.at("qemu")["Usable"], true) << engines.at("qemu")["Reason"];
  for (const auto* const what : {"QEMU", "libvirt"}) {
    EXPECT_TRUE(std::string(engines.at("qemu")["Versions"][what]).find('.') != std::string::npos);
  }
}

TEST_F(BoxVerbs, CompletionCompletesVerbsAndFlags) {
  const Words script{"-c",
                     "PATH=\"$(dirname \"" TWINBOX_PROGRAM
                     "\"):$PATH\"; source <(twinbox completion bash); COMP_WORDS=(twinbox unp); "
                     "COMP_CWORD=1; _twinbox; echo \"${COMPREPLY[@]}\"; "
                     "COMP_WORDS=(twinbox logs --fol); COMP_CWORD=2; _twinbox; "
                     "echo \"${COMPREPLY[@]}\""};
  Command bash("/bin/bash", script, {"TWINBOX_ROOT=" + root().string()});
  EXPECT_EQ(bash.finish().out, "unpause\n--follow\n");
}

}  // namespace
}  // namespace twinbox::testing

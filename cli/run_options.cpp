#include "cli/run_options.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "cli/engine_flags.hpp"
#include "cli/engines.hpp"

namespace twinbox::cli {
namespace {

base::Error usage(std::string message, std::string hint) {
  return {base::ErrorKind::usage, std::move(message), std::move(hint)};
}

void declare_box(RunOptions& run, Options& options) {
  static const auto engines = "the kind of box: " + engine_names() + "; default container";
  options.group("The box");
  options.value("as", "ENGINE", engines.c_str(), run.engine);
  options.value("name", "NAME", "its name; default: one that is made up", run.name);
  options.flag("interactive,i", "keep its standard input open", run.interactive);
  options.flag("tty,t", "give it a terminal", run.terminal);
  options.flag("rm", "remove it when it has ended", run.remove);
  options.values("attach,a", "STREAM", "attach to stdin, stdout or stderr only", run.attach);
  options.value("restart", "POLICY", "no, on-failure[:N], always or unless-stopped", run.restart);
  options.value("stop-signal", "SIGNAL", "what asks it to end; default: the image's, or SIGTERM",
                run.stop_signal);
  options.value("stop-timeout", "SECONDS", "until it is killed; default 10, -1: never",
                run.stop_timeout);
  options.values("label,l", "KEY=VALUE", "say something about it", run.labels);
  options.values("label-file", "FILE", "labels, a line each", run.label_files);
  options.values("annotation", "KEY=VALUE", "the same in its config.json", run.annotations);
  options.value("cidfile", "FILE", "write its id to FILE, which must not be there", run.id_file);
}

void declare_workload(RunOptions& run, Options& options) {
  options.group("The workload");
  options.value("entrypoint", "PROGRAM", "in place of the image's entrypoint", run.entrypoint);
  options.values("env,e", "KEY=VALUE", "set a variable; KEY alone takes the caller's", run.env);
  options.values("env-file", "FILE", "variables, a line each", run.env_files);
  options.value("workdir,w", "DIR", "working directory", run.working_directory);
  options.value("user,u", "UID[:GID]", "user and group, as numbers or the image's names", run.user);
  options.values("group-add", "GROUP", "a further group, as a number or the image's name",
                 run.groups);
  options.value("hostname,h", "NAME", "host name; default: the box's id", run.hostname);
  options.flag("init", "let a small process 1 reap orphans and pass signals on", run.init);
}

void declare_limits(RunOptions& run, Options& options) {
  options.group("Limits");
  options.value("memory,m", "SIZE", "memory, for example 64m; a machine's memory", run.memory);
  options.value("memory-swap", "SIZE", "memory and swap together; -1: no limit", run.memory_swap);
  options.value("cpus", "N", "CPUs, for example 1.5; a machine's CPUs, rounded up", run.cpus);
  options.value("cpuset-cpus", "LIST", "the CPUs that it may use, for example 0-2,4", run.cpuset);
  options.value("pids-limit", "N", "processes; -1: no limit", run.pids);
  options.values("ulimit", "NAME=SOFT[:HARD]", "a resource limit, for example nofile=1024",
                 run.ulimits);
  options.value("shm-size", "SIZE", "size of /dev/shm; default 64m", run.shm_size);
  options.flag("oom-kill-disable", "let it wait when memory runs out, in place of being killed",
               run.oom_kill_disable);
}

void declare_isolation(RunOptions& run, Options& options) {
  options.group("Isolation");
  options.flag("read-only", "make the root read-only", run.read_only);
  options.values("tmpfs", "PATH[:OPTIONS]", "an empty file system in memory", run.tmpfs);
  options.values("cap-add", "CAPABILITY", "give a capability, or ALL", run.cap_add);
  options.values("cap-drop", "CAPABILITY", "take a capability, or ALL", run.cap_drop);
  options.flag("privileged", "give all capabilities and devices, and no filter", run.privileged);
  options.values("security-opt", "OPTION", "no-new-privileges, seccomp=FILE or seccomp=unconfined",
                 run.security);
  options.values("sysctl", "KEY=VALUE", "a kernel parameter of its namespaces", run.sysctl);
  options.values("device", "HOST[:BOX[:rwm]]", "a device of this host", run.devices);
  options.value("kernel", "stock|tuned|FILE", "a machine's kernel; default: tuned if built",
                run.kernel);
  options.flag("cold", "boot the machine, in place of a copy of one that has booted", run.cold);
  options.flag("standby", "take a machine that waits for IMAGE, if there is one; default true",
               run.standby);
}

// All else is as it was when the snapshot was taken.
constexpr std::array flags_with_from{
    "from",         "as",     "name",       "interactive", "rm",       "attach",
    "restart",      "label",  "label-file", "cidfile",     "hostname", "stop-signal",
    "stop-timeout", "detach", "sig-proxy",  "detach-keys", "pidfile",  "die-with-parent",
    "marks"};

void check_from(const RunOptions& run, const std::set<std::string>& given) {
  const auto hint = "give it to the box that the snapshot is taken of";
  if (given.contains("as") && run.engine != "vm") {
    throw usage(fmt::format("--from and --as {} exclude each other: a snapshot is of a machine",
                            run.engine),
                "leave --as away");
  }
  for (const auto& flag : given) {
    if (std::ranges::count(flags_with_from, flag) != 0) continue;
    throw usage(fmt::format("--{} means nothing with --from: it goes on as it was saved", flag),
                hint);
  }
  if (run.image.empty()) return;
  throw usage(fmt::format("--from takes no image or command: '{}'", run.image), hint);
}

void check_conflicts(const RunOptions& run) {
  if (run.remove && !run.restart.empty() && run.restart != "no") {
    throw usage("--rm and --restart exclude each other",
                "leave --rm away, and remove the box when it is done: twinbox rm");
  }
  if (run.detach && !run.attach.empty()) {
    throw usage("--detach and --attach exclude each other", "give one of them");
  }
  if (run.detach && run.die_with_parent) {
    throw usage("--detach and --die-with-parent exclude each other: the command ends at once",
                "give one of them");
  }
  for (const auto& stream : run.attach) {
    if (stream == "stdin" || stream == "stdout" || stream == "stderr") continue;
    throw usage(fmt::format("--attach: there is no stream '{}'", stream),
                "give stdin, stdout or stderr");
  }
}

}  // namespace

void RunOptions::declare(Options& options) {
  declare_box(*this, options);
  declare_workload(*this, options);
  declare_limits(*this, options);
  declare_isolation(*this, options);
}

void RunOptions::declare_for_run(Options& options) {
  options.group("This command");
  options.flag("detach,d", "print the id and leave the box to itself", detach);
  options.flag("sig-proxy", "pass signals on to the box, unless it has a terminal; default true",
               signal_proxy);
  options.value("detach-keys", "KEYS", "leave a terminal's box; default ctrl-p,ctrl-q",
                detach_keys);
  options.value("from", "SNAPSHOT", "go on from a snapshot, in place of starting an image", from);
  options.value("pidfile", "FILE", "write the id of its first process on this host to FILE",
                pid_file);
  options.flag("die-with-parent", "end the box when this command ends", die_with_parent);
  options.value("marks", "FILE", "write the box's boot marks to FILE as JSON", marks);
}

void RunOptions::take(std::vector<std::string> words, const Options& options) {
  if (words.empty() && from.empty()) throw usage("say which image", options.see_help());
  if (!words.empty()) {
    image = std::move(words.front());
    words.erase(words.begin());
  }
  command = std::move(words);
  if (!from.empty()) {
    check_from(*this, options.given());
    engine = "vm";
  }
  check_conflicts(*this);
  check_flags_of_engine(options.given(), engine);
}

}  // namespace twinbox::cli

#include "compare/workloads.hpp"

#include <algorithm>
#include <charconv>
#include <regex>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

Workload shell(std::string name, std::string script, std::string image) {
  return {
      .name = std::move(name), .args = {"sh", "-c", std::move(script)}, .image = std::move(image)};
}

Workload measured(Workload workload, std::string figure, std::string unit, Better better) {
  workload.figure = std::move(figure);
  workload.unit = std::move(unit);
  workload.better = better;
  return workload;
}

Workload own(const std::string& name, std::vector<std::string> args, std::string unit) {
  args.insert(args.begin(), {"/bin/twinbox-work", name});
  return {.name = name,
          .args = std::move(args),
          .image = "twinbox-work",
          .figure = name + ": ([0-9.]+)",
          .unit = std::move(unit)};
}

// fio's terse output, version 3: the read's operations per second are field 8, its bandwidth in
// KiB/s 7, the write's 49 and 48. The file is in the box's writable layer.
Workload fio(const std::string& name, const std::string& mode, int field, std::string unit) {
  return measured(
      shell(name,
            "fio --output-format=terse --terse-version=3 --name=job --filename=/tmp/fio.data "
            "--size=16m --ioengine=psync --time_based --runtime=2 " +
                mode,
            "twinbox-fio"),
      fmt::format("(?:^|\n)3;(?:[^;]*;){{{}}}([0-9.]+);", field - 2), std::move(unit),
      Better::higher);
}

std::vector<Workload> make_catalogue() {
  return {
      {.name = "true", .args = {"true"}},
      shell("http",
            "nginx -g 'daemon off;' & until wget -q -O /dev/null http://127.0.0.1:18080/ "
            "2>/dev/null; "
            "do :; done; echo ready; kill $!",
            "twinbox-nginx"),
      measured(shell("sysbench-cpu", "sysbench cpu --time=2 run", "twinbox-sysbench"),
               "events per second: +([0-9.]+)", "events/s", Better::higher),
      measured(shell("openssl-sha256", "openssl speed -mr -seconds 1 -bytes 16384 -evp sha256",
                     "twinbox-openssl"),
               "\\+F:[0-9]+:sha256:([0-9.]+)", "B/s", Better::higher),
      measured(shell("mbw", "mbw -q -n 5 -t 0 16", "twinbox-mbw"), "AVG[^\n]*Copy: +([0-9.]+)",
               "MiB/s", Better::higher),
      own("page-touch", {"32"}, "ns/page"),
      own("tlb", {"32"}, "ns/access"),
      own("syscalls", {}, "ns/call"),
      own("processes", {}, "us/process"),
      fio("fio-read-4k", "--rw=randread --bs=4k", 8, "IOPS"),
      fio("fio-write-4k", "--rw=randwrite --bs=4k", 49, "IOPS"),
      fio("fio-read-1m", "--rw=read --bs=1m", 7, "KiB/s"),
      fio("fio-write-1m", "--rw=write --bs=1m", 48, "KiB/s"),
      fio("fio-fsync", "--rw=write --bs=4k --fsync=1", 49, "IOPS"),
      measured(shell("hackbench", "hackbench -g 2 -f 4 -l 50", "twinbox-hackbench"),
               "Time: ([0-9.]+)", "s", Better::lower),
      measured(shell("redis",
                     "redis-server --port 16379 --save '' >/dev/null & "
                     "until redis-cli -p 16379 ping >/dev/null 2>&1; do :; done; "
                     "redis-benchmark -p 16379 -n 5000 -c 4 -t get --csv; kill $!",
                     "twinbox-redis"),
               "\"GET\",\"([0-9.]+)\"", "requests/s", Better::higher),
      // A hundred transactions, each to the file, and what the shell's timer says of them.
      shell("sqlite",
            "for i in $(seq 100); do echo \"insert into t values ($i);\"; done | "
            "sqlite3 -cmd 'create table t (a);' /tmp/sqlite.db && echo ready",
            "twinbox-sqlite"),
  };
}

const std::vector<Workload>& catalogue() {
  static const auto all = make_catalogue();
  return all;
}

}  // namespace

std::optional<Workload> find_workload(std::string_view name) {
  const auto found = std::ranges::find(catalogue(), name, &Workload::name);
  return found == catalogue().end() ? std::nullopt : std::optional(*found);
}

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const auto& workload : catalogue()) names.push_back(workload.name);
  return names;
}

void check_figure(std::string_view where, const std::string& figure) {
  std::string why = "it has no group";
  try {
    if (std::regex(figure).mark_count() > 0) return;
  } catch (const std::regex_error& error) {
    why = error.what();
  }
  throw base::Error(
      base::ErrorKind::usage,
      fmt::format("{}: '{}' is no regular expression for a figure: {}", where, figure, why),
      "put what matches the number in ( )");
}

std::optional<double> figure_in(const Workload& workload, const std::string& output) {
  std::smatch found;
  if (!std::regex_search(output, found, std::regex(workload.figure))) return std::nullopt;
  const std::string text = found[1];
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace twinbox::compare

// The report that the page carries, and look-ups in it.

export const report = JSON.parse(document.getElementById("report-data").textContent);
export const computed = report.computed;

const palette = { process: "var(--process)", container: "var(--container)", vm: "var(--vm)" };
const others = ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6", "--s7", "--s8", "--s9"];
let next = 0;
const engines = new Map(
  report.engines.map((engine) => [
    engine.name,
    { ...engine, color: palette[engine.name] || `var(${others[next++ % others.length]})` },
  ])
);

export const engine = (name) => engines.get(name) || { name, title: name, kind: "container", host: "", color: "var(--s1)" };
// The run that repeats another is told apart from it.
export const title = (name) => (engine(name).repeats ? `${engine(engine(name).repeats).title}, again (A/A)` : engine(name).title);
export const color = (name) => engine(name).color;

// Machines above containers above processes, as a waterfall is read.
const weight = { machine: 0, container: 1, process: 2 };
export const heaviestFirst = (list, name = (item) => item.engine) =>
  [...list].sort((a, b) => weight[engine(name(a)).kind] - weight[engine(name(b)).kind]);

// Hosts that something was measured on, each with the figures of its engines. Figures of different
// hosts never share an axis.
export const hosts = report.hosts
  .map((host) => ({
    ...host,
    lab: host.kind !== "native",
    engines: computed.engines.filter((item) => engine(item.engine).host === host.name),
  }))
  .filter((host) => host.engines.length || report.engines.some((item) => item.host === host.name));

export const onHost = (host) => (item) => engine(item.engine).host === host.name;
export const metric = (name) => computed.metrics.find((item) => item.name === name);
// Metrics that have sections of their own.
export const markMetrics = ["start-up", "request to exec", "tear-down", "CPU time", "CPU time to exec", "CPU time to ready", "memory of one instance"];

// Why a slope of density says little of the next instance; nothing where it is a line, and known well.
export function flags(fit) {
  if (fit.interval_bytes[0] <= 0) return "lost in noise";
  return [fit.linear === false && "not linear", fit.unstable && "unstable"].filter(Boolean).join(", ");
}
// "In the lab" has to stand at every figure of it.
export const label = (host) => (host.lab ? "deterministic lab: executed instructions, 1 ns each" : host.name);
export const several = hosts.length > 1;
export const where = (host) => (several || host.lab ? ` (${label(host)})` : "");
// A figure's heading; with two hosts each has a figure of its own.
export const headed = (host, text) => (several ? `${text}, ${host.lab ? "deterministic lab" : host.name}` : text);

export const starts = (host) => report.starts.filter((s) => !s.warm_up && onHost(host)(s) && s.marks_ns.ready !== undefined);
export const headline = report.starts.length ? report.starts[0].workload : "";

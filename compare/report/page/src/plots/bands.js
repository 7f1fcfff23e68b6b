// Published figures of other hosts as bands beside the measured ones.
import * as Plot from "@observablehq/plot";
import { computed, engine, heaviestFirst, hosts, markMetrics, title } from "../data.js";
import { table } from "../dom.js";
import { figure, frame, narrow, ticks, wrap } from "../figure.js";
import { plain, quantity, times } from "../format.js";
import { references } from "../references.js";

const best = (e, name) => Math.max(...computed.figures.filter((f) => f.metric === name && f.engine === e.engine).map((f) => f.median));
const times_process = (e, workload) => {
  const found = computed.comparisons.find((c) => c.workload === workload && c.engine === e.engine && engine(c.baseline).kind === "process" && !markMetrics.includes(c.metric));
  return found?.ratio;
};
const subjects = {
  "request to exec": ["Start of a machine, request to exec", (e) => e.to_executed?.median],
  monitor: ["A monitor's own memory beside the guest's", (e) => e.memory_alone?.components_bytes.monitor?.pss],
  "memory per instance": ["Memory of one more idle machine", (e) => e.density?.bytes_per_instance],
  "launch rate": ["Machines started per second, at the best parallelism", (e) => best(e, "launch rate")],
  syscalls: ["One system call, times as long as of a plain process", (e) => times_process(e, "syscalls")],
};
const says_time = new Set(["request to exec", "launch rate", "syscalls"]);

const lab = (name) => hosts.some((host) => host.lab && host.name === engine(name).host);
const MiB = 1024 * 1024;

function band(name) {
  const [heading, value] = subjects[name];
  const measured = heaviestFirst(computed.engines).filter((e) => engine(e.engine).kind === "machine" && value(e) > 0)
    .map((e) => ({ name: `${title(e.engine)}, ${says_time.has(name) && lab(e.engine) ? "executed instructions" : "measured here"}`, value: value(e) }));
  const bands = references.filter((r) => r.metric === name);
  if (!measured.length) return [];
  const unit = bands[0].unit;
  const names = [...measured.map((m) => m.name), ...bands.map((b) => b.name)];
  const say = (v) => (unit === "×" ? times(v) : quantity(v, unit));
  const range = (b) => (b.low === b.high ? `about ${say(b.high)}` : b.low ? `${say(b.low)} to ${say(b.high)}` : `up to ${say(b.high)}`);
  const words = (b) => `${b.name}: ${range(b)}. ${b.source}`;
  return [
    figure({
      id: `band-${name.replaceAll(" ", "-")}`,
      heading,
      text: `${heading}: ` + [...measured.map((m) => `${m.name} ${say(m.value)}`), ...bands.map(words)].join("; "),
      caption: "Bands are published figures of other hosts, other kernels and other definitions: orders of magnitude to stand beside, not rivals in this table. The table names the source of each.",
      plot: (width) =>
        Plot.plot({
          ...frame(width, names),
          height: names.length * (narrow(width) ? 48 : 36) + 40,
          x: { label: null, grid: true, zero: true, ticks: ticks(width), ...(unit === "B" ? { transform: (v) => v / MiB, tickFormat: (v) => `${v} MiB` } : { tickFormat: (v) => plain(say(v)) }) },
          y: { domain: names, label: null, tickSize: 0, tickFormat: wrap(width, names), padding: 0.3 },
          marks: [
            Plot.barX(bands.filter((b) => b.low < b.high), { x1: "low", x2: "high", y: "name", fill: "url(#hatch)", stroke: "var(--muted)", rx: 3, title: words }),
            // A single figure has no extent to draw.
            Plot.tickX(bands.filter((b) => b.low === b.high), { x: "high", y: "name", stroke: "var(--muted)", strokeWidth: 6, insetTop: 4, insetBottom: 4, title: words }),
            Plot.ruleX(measured, { x: "value", stroke: "var(--vm)", strokeDasharray: "4 4", strokeOpacity: 0.7 }),
            Plot.dot(measured, { x: "value", y: "name", r: 6, symbol: "diamond", fill: "var(--vm)", title: (m) => `${m.name}: ${say(m.value)}` }),
          ],
        }),
      table: table(heading, ["", "value", "source"], [
        ...measured.map((m) => ({ label: m.name, cells: [say(m.value), "this report"] })),
        ...bands.map((b) => ({ label: b.name, cells: [range(b), b.source] })),
      ]),
    }),
  ];
}

export const bands = () => Object.keys(subjects).flatMap(band);

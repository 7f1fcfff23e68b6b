// Published figures of other hosts as bands beside the measured ones.
import * as Plot from "@observablehq/plot";
import { computed, engine, heaviestFirst, hosts, title } from "../data.js";
import { table } from "../dom.js";
import { figure, frame, ticks, wrap } from "../figure.js";
import { plain, quantity } from "../format.js";
import { references } from "../references.js";

const subjects = {
  "request to exec": ["Start of a machine, request to exec", (e) => e.to_executed?.median],
  monitor: ["A monitor's own memory, resident", (e) => e.memory_alone?.components_bytes.monitor?.pss],
  "memory per instance": ["Memory of one more idle machine", (e) => e.density?.bytes_per_instance],
};

const lab = (name) => hosts.some((host) => host.lab && host.name === engine(name).host);
const MiB = 1024 * 1024;

function band(name) {
  const [heading, value] = subjects[name];
  const measured = heaviestFirst(computed.engines).filter((e) => engine(e.engine).kind === "machine" && value(e) > 0)
    .map((e) => ({ name: `${title(e.engine)}, ${name === "request to exec" && lab(e.engine) ? "executed instructions" : "measured here"}`, value: value(e) }));
  const bands = references.filter((r) => r.metric === name);
  if (!measured.length) return [];
  const unit = bands[0].unit;
  const names = [...measured.map((m) => m.name), ...bands.map((b) => b.name)];
  const say = (v) => quantity(v, unit);
  const words = (b) => `${b.name}: ${b.low ? say(b.low) + " to " : "up to "}${say(b.high)}. ${b.source}`;
  return [
    figure({
      id: `band-${name.replaceAll(" ", "-")}`,
      heading,
      text: `${heading}: ` + [...measured.map((m) => `${m.name} ${say(m.value)}`), ...bands.map(words)].join("; "),
      caption: "Bands are published figures of other hosts, other kernels and other definitions: orders of magnitude to stand beside, not rivals in this table.",
      plot: (width) =>
        Plot.plot({
          ...frame(width, names),
          height: names.length * 36 + 40,
          x: { label: null, grid: true, zero: true, ticks: ticks(width), ...(unit === "B" ? { transform: (v) => v / MiB, tickFormat: (v) => `${v} MiB` } : { tickFormat: (v) => plain(say(v)) }) },
          y: { domain: names, label: null, tickSize: 0, tickFormat: wrap(width, names), padding: 0.3 },
          marks: [
            Plot.barX(bands, { x1: "low", x2: "high", y: "name", fill: "url(#hatch)", stroke: "var(--muted)", rx: 3, title: words }),
            Plot.ruleX(measured, { x: "value", stroke: "var(--vm)", strokeDasharray: "4 4", strokeOpacity: 0.7 }),
            Plot.dot(measured, { x: "value", y: "name", r: 6, symbol: "diamond", fill: "var(--vm)", title: (m) => `${m.name}: ${say(m.value)}` }),
          ],
        }),
      table: table(heading, ["", "value", "source"], [
        ...measured.map((m) => ({ label: m.name, cells: [say(m.value), "this report"] })),
        ...bands.map((b) => ({ label: b.name, cells: [`${b.low ? say(b.low) + " to " : "up to "}${say(b.high)}`, b.source] })),
      ]),
    }),
  ];
}

export const bands = () => Object.keys(subjects).flatMap(band);

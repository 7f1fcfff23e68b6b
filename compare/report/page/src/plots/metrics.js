// Every other metric: medians with intervals by engine, and lines where a metric has a parameter,
// start-up against the number running among them.
import * as Plot from "@observablehq/plot";
import { color, computed, engine, heaviestFirst, hosts, headed, markMetrics, onHost, title, where } from "../data.js";
import { legend, table } from "../dom.js";
import { below, figure, frame, ticks, wrap } from "../figure.js";
import { capitalised, plain, quantity, time } from "../format.js";
import { densityPoints } from "./memory.js";

const identify = (...parts) => parts.join("-").replace(/[^a-z0-9]+/gi, "-").toLowerCase();
const shown = (item) => !engine(item.engine).repeats;

function dots(host, metric, workload, figures) {
  const rows = heaviestFirst(figures).map((f) => ({ ...f, name: title(f.engine) }));
  const names = rows.map((r) => r.name);
  const say = (v) => quantity(v, metric.unit);
  const words = (r) => `${r.name}: ${say(r.median)} (95 % interval ${say(r.interval[0])} to ${say(r.interval[1])}), ${r.count} runs${r.unstable ? ", unstable" : ""}`;
  return figure({
    id: identify("metric", metric.name, workload, hosts.indexOf(host)),
    heading: headed(host, metric.title === workload ? capitalised(workload) : `${capitalised(metric.title)}, ${workload}`),
    text: `${metric.title} of ${workload}${where(host)}, ${metric.better} is better: ` + rows.map(words).join("; "),
    caption: `${metric.definition} ${metric.better === "lower" ? "Lower" : "Higher"} is better. Medians with 95 % intervals${where(host)}.`,
    plot: (width) =>
      Plot.plot({
        ...frame(width, names, { marginRight: 18 + 7.4 * Math.max(...rows.map((r) => say(r.median).length)) }),
        height: names.length * 38 + 40,
        x: { grid: true, label: null, zero: true, ticks: Math.max(2, ticks(width - 170)), tickFormat: (v) => plain(say(v)) },
        y: { domain: names, label: null, tickSize: 0, tickFormat: wrap(width, names), padding: 0.35 },
        marks: [
          Plot.barX(rows, { x1: 0, x2: "median", y: "name", fill: (r) => color(r.engine), fillOpacity: 0.28, rx: 3 }),
          Plot.link(rows, { x1: (r) => r.interval[0], x2: (r) => r.interval[1], y: "name", stroke: (r) => color(r.engine), strokeWidth: 3 }),
          Plot.dot(rows, { x: "median", y: "name", r: 5.5, fill: (r) => color(r.engine), stroke: "var(--card)", title: words }),
          Plot.text(rows, { x: (r) => r.interval[1], y: "name", text: (r) => say(r.median), textAnchor: "start", dx: 9, fontWeight: 600, fill: "var(--ink)" }),
        ],
      }),
    table: table(`${metric.title}, ${workload}${where(host)}`, ["", "median", "95 % interval", "p90", "p99", "runs", "outliers"], rows.map((r) => ({
      label: r.name, cells: [say(r.median), `${say(r.interval[0])} to ${say(r.interval[1])}`, say(r.p90), say(r.p99), String(r.count), String(r.outlier_blocks.length)],
    }))),
  });
}

function curves(host, metric, workload, figures) {
  const rows = heaviestFirst(figures).map((f) => ({ ...f, name: title(f.engine) }));
  const names = [...new Set(rows.map((r) => r.engine))];
  const say = (v) => quantity(v, metric.unit);
  const words = (r) => `${r.name}, ${metric.parameter} ${r.at}: ${say(r.median)} (95 % interval ${say(r.interval[0])} to ${say(r.interval[1])})`;
  // One many times the other would lie on the axis.
  const ends = [Math.min(...rows.map((r) => r.interval[0])), Math.max(...rows.map((r) => r.interval[1]))];
  const log = ends[0] > 0 && ends[1] > 20 * ends[0];
  const steps = [...new Set(rows.map((r) => r.at))].sort((a, b) => a - b);
  return figure({
    id: identify("curve", metric.name, workload, hosts.indexOf(host)),
    heading: headed(host, `${capitalised(metric.title)}, by number ${metric.parameter}`),
    text: `${metric.title} by number ${metric.parameter}${where(host)}: ` + rows.map(words).join("; "),
    caption: `${metric.definition} ${metric.better === "lower" ? "Lower" : "Higher"} is better; the bands are 95 % intervals of the medians${log ? "; the axis is logarithmic" : ""}${where(host)}.`,
    legend: legend(names.map((n) => [color(n), title(n)])),
    plot: (width) =>
      Plot.plot({
        ...frame(width, [], { marginLeft: 68, marginBottom: 44 }),
        height: 290,
        x: { ...below(`number ${metric.parameter} →`), grid: true, ticks: steps, tickFormat: String },
        y: { label: null, grid: true, ...(log ? { type: "log", nice: true } : { zero: true }), ticks: 5, tickFormat: (v) => plain(say(v)) },
        marks: [
          Plot.areaY(rows, { x: "at", y1: (r) => r.interval[0], y2: (r) => r.interval[1], z: "engine", fill: (r) => color(r.engine), fillOpacity: 0.18 }),
          Plot.line(rows, { x: "at", y: "median", z: "engine", stroke: (r) => color(r.engine), strokeWidth: 2.2 }),
          Plot.dot(rows, { x: "at", y: "median", r: 4.2, fill: (r) => color(r.engine), stroke: "var(--card)", title: words }),
        ],
      }),
    table: table(`${capitalised(metric.title)}, by number ${metric.parameter}${where(host)}`, ["", ...steps.map(String)], names.map((n) => ({
      label: title(n), cells: steps.map((at) => { const r = rows.find((x) => x.engine === n && x.at === at); return r && say(r.median); }),
    }))),
  });
}

export function metricFigures() {
  const found = [];
  for (const host of hosts) {
    for (const metric of computed.metrics.filter((m) => !markMetrics.includes(m.name))) {
      const mine = computed.figures.filter((f) => f.metric === metric.name && onHost(host)(f) && shown(f));
      for (const workload of new Set(mine.map((f) => f.workload))) {
        const some = mine.filter((f) => f.workload === workload);
        const lines = some.filter((f) => f.at !== undefined);
        const single = some.filter((f) => f.at === undefined);
        if (single.length) found.push(dots(host, metric, workload, single));
        if (lines.length) found.push(curves(host, metric, workload, lines));
      }
    }
  }
  return found;
}

// From the growth for density: every further instance was timed with the others running.
function crowd(host) {
  const points = densityPoints(host).filter((p) => p.ready !== undefined);
  if (!points.length) return [];
  const names = heaviestFirst([...new Set(points.map((p) => p.engine))].map((engine) => ({ engine }))).map((e) => e.engine);
  const words = (p) => `${title(p.engine)}, instance ${p.instances}: ready after ${time(p.ready)}`;
  const ends = (n) => { const own = points.filter((p) => p.engine === n); return [own[0], own.at(-1)]; };
  return [
    figure({
      id: `crowd-${hosts.indexOf(host)}`,
      heading: headed(host, "While instances are added"),
      text: `Start-up of one more instance against the number running${where(host)}: ` + names.map((n) => `${title(n)} from ${time(ends(n)[0].ready)} to ${time(ends(n)[1].ready)}`).join("; "),
      caption: `Start-up of each further idle instance while the earlier ones run, on a logarithmic axis; the line is a moving median${where(host)}.`,
      legend: legend(names.map((n) => [color(n), title(n)])),
      plot: (width) =>
        Plot.plot({
          ...frame(width, [], { marginLeft: 68, marginBottom: 44 }),
          height: 290,
          x: { ...below("instances running →"), grid: true, ticks: ticks(width) },
          y: { type: "log", label: null, grid: true, ticks: 5, tickFormat: (v) => plain(time(v)), nice: true },
          marks: [
            Plot.dot(points, { x: "instances", y: "ready", r: 3.2, fill: (p) => color(p.engine), fillOpacity: 0.75, title: words }),
            Plot.line(points, Plot.windowY({ k: 7, reduce: "median", strict: false }, { x: "instances", y: "ready", z: "engine", stroke: (p) => color(p.engine), strokeWidth: 2.2 })),
          ],
        }),
      table: table(`Start-up of the first and the last instance${where(host)}`, ["", "first", "last", "running at the last"], names.map((n) => ({ label: title(n), cells: [time(ends(n)[0].ready), time(ends(n)[1].ready), String(ends(n)[1].instances)] }))),
    }),
  ];
}

export const crowds = () => hosts.flatMap(crowd);

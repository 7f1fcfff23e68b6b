// Ratios: the forest of all comparisons, and the heat map of what boxes cost over a plain process.
import * as Plot from "@observablehq/plot";
import { computed, engine, headed, hosts, metric, onHost, title, where } from "../data.js";
import { table } from "../dom.js";
import { figure, frame, ticks, wrap } from "../figure.js";
import { percent, pValue, times } from "../format.js";

const subject = (c) => {
  const name = metric(c.metric)?.title || c.metric;
  const about = c.workload && !["start-up", "idle"].includes(c.workload) ? `${name}, ${c.workload}` : name;
  return c.at === undefined ? about : `${about} (${c.at})`;
};
const told = (c) => c.difference === "higher" || c.difference === "lower";

// Good or bad for the box that is compared; neither where there is no difference.
function verdict(c) {
  if (!told(c)) return "same";
  const better = metric(c.metric)?.better || "lower";
  return c.difference === better ? "better" : "worse";
}

// What is near 1 drowns beside what is many times as much, so each has its own axis.
const near = (c) => c.interval[0] > 0.5 && c.interval[1] < 2;

function forest(host) {
  const all = computed.comparisons.filter(onHost(host)).filter((c) => c.ratio > 0 && c.interval[0] > 0)
    .map((c) => ({ ...c, name: `${title(c.engine)} : ${title(c.baseline)}`, subject: subject(c), verdict: verdict(c) }));
  return [
    ...forestOf(host, all.filter((c) => !near(c)), "far", "Many times as much, or as little"),
    ...forestOf(host, all.filter(near), "near", "Less than twice as much"),
  ];
}

function forestOf(host, rows, id, heading) {
  if (!rows.length) return [];
  const subjects = [...new Set(rows.map((r) => r.subject))];
  const lines = subjects.flatMap((s) => [{ heading: s }, ...rows.filter((r) => r.subject === s)]);
  const place = new Map(lines.map((line, i) => [line, i]));
  const words = (r) => `${r.subject}, ${r.name}: ${times(r.ratio)} (95 % interval ${times(r.interval[0])} to ${times(r.interval[1])}), p ${pValue(r.p_adjusted)}, Cliff's delta ${r.cliffs_delta.toFixed(2)}: ${r.difference}`;
  return [
    figure({
      id: `forest-${id}-${hosts.indexOf(host)}`,
      heading: headed(host, heading),
      text: `Ratios of medians with 95 % intervals${where(host)}. ` + rows.slice(0, 6).map(words).join(". "),
      caption: `Ratios of medians with 95 % intervals${id === "far" ? " on a logarithmic axis" : ""}${where(host)}. Grey is no difference, where the whole interval is within what an A/A run differs by (the shaded band), or inconclusive: not significant after Holm's correction, an interval that holds 1, or a ratio within the band.`,
      plot: (width) =>
        Plot.plot({
          ...frame(width, rows.map((r) => r.name)),
          height: lines.length * (width < 560 ? 33 : 25) + 40,
          x: { type: id === "far" ? "log" : "linear", grid: true, label: null, ticks: Math.min(6, ticks(width)), tickFormat: (v) => times(v), nice: id === "far" },
          y: { domain: [lines.length - 0.4, -0.8], label: null, axis: null },
          marks: [
            Plot.rect(rows, { x1: (r) => 1 / (1 + r.noise), x2: (r) => 1 + r.noise, y1: (r) => place.get(r) - 0.5, y2: (r) => place.get(r) + 0.5, fill: "var(--noise)" }),
            Plot.ruleX([1], { stroke: "var(--muted)", strokeWidth: 1.5 }),
            Plot.text(lines.filter((l) => l.heading), { y: (l) => place.get(l), text: "heading", frameAnchor: "left", textAnchor: "start", fontWeight: 700, fill: "var(--ink)", stroke: "var(--card)", strokeWidth: 5, dy: 2, dx: 6 }),
            Plot.text(rows, { y: (r) => place.get(r), text: (r) => wrap(width, rows.map((other) => other.name))(r.name), frameAnchor: "left", textAnchor: "end", dx: -8, fill: "var(--ink)" }),
            Plot.link(rows, { x1: (r) => r.interval[0], x2: (r) => r.interval[1], y: (r) => place.get(r), stroke: (r) => `var(--${r.verdict})`, strokeWidth: 3, strokeLinecap: "round" }),
            Plot.dot(rows, { x: "ratio", y: (r) => place.get(r), r: 5, symbol: (r) => (r.verdict === "same" ? "circle" : "diamond"), fill: (r) => `var(--${r.verdict})`, stroke: "var(--card)", title: words }),
          ],
          symbol: { type: "identity" },
        }),
      table: table(
        `Ratios: ${heading.toLowerCase()}${where(host)}`,
        ["", "ratio", "95 % interval", "p (Holm)", "Cliff's delta", "A/A noise", "verdict"],
        rows.map((r) => ({ label: `${r.subject}, ${r.name}`, cells: [times(r.ratio), `${times(r.interval[0])} to ${times(r.interval[1])}`, pValue(r.p_adjusted), `${r.cliffs_delta.toFixed(2)} (${r.effect})`, percent(r.noise), r.difference] }))
      ),
    }),
  ];
}

function heatmap(host) {
  const rows = computed.comparisons.filter(onHost(host)).filter((c) => engine(c.baseline).kind === "process" && c.at === undefined && c.ratio > 0)
    .map((c) => {
      const lower = (metric(c.metric)?.better || "lower") === "lower";
      return { ...c, subject: subject(c), name: title(c.engine), cost: lower ? c.ratio : 1 / c.ratio, spans: !told(c) };
    });
  if (!rows.length) return [];
  const subjects = [...new Set(rows.map((r) => r.subject))];
  const names = [...new Set(rows.map((r) => r.name))];
  const most = Math.max(1.5, ...rows.filter((r) => !r.spans).map((r) => Math.max(r.cost, 1 / r.cost)));
  const text = (r) => (r.cost >= 2 ? times(r.cost) : `${r.cost >= 1 ? "+" : "−"}${percent(Math.abs(r.cost - 1))}`) + (r.difference === "inconclusive" ? " ?" : "");
  const words = (r) => `${r.subject}, ${r.name}: costs ${times(r.cost)} what the plain process does${r.spans ? `, ${r.difference}` : ""}`;
  return [
    figure({
      id: `heatmap-${hosts.indexOf(host)}`,
      heading: headed(host, "What a box costs over the plain process"),
      text: `Overhead over the plain process${where(host)}: ` + rows.map(words).join("; "),
      caption: `How many times worse than the plain process (the better direction of each metric taken into account)${where(host)}. Grey is no difference; with a question mark, runs and noise leave open whether there is one.`,
      plot: (width) =>
        Plot.plot({
          ...frame(width, subjects),
          marginTop: 34,
          height: subjects.length * 44 + 44,
          padding: 0.06,
          x: { domain: names, label: null, axis: "top", tickSize: 0, tickFormat: (n) => (width < 500 && n.length > 12 ? n.slice(0, 11) + "…" : n) },
          y: { domain: subjects, label: null, tickSize: 0, tickFormat: wrap(width, subjects) },
          marks: [
            Plot.cell(rows, { x: "name", y: "subject", rx: 5, fill: (r) => heat(r, most), title: words }),
            Plot.text(rows, { x: "name", y: "subject", text, fill: "var(--ink)", fontWeight: 600 }),
          ],
        }),
      table: table(`Overhead over the plain process${where(host)}`, ["", ...names], subjects.map((s) => ({ label: s, cells: names.map((n) => { const r = rows.find((x) => x.subject === s && x.name === n); return r && text(r) + (r.spans ? ` (${r.difference})` : ""); }) }))),
    }),
  ];
}

// Mixed by the browser, so that light and dark need no drawing again.
function heat(r, most) {
  if (r.spans) return "var(--heat-none)";
  const strength = Math.round(18 + 72 * Math.min(1, Math.abs(Math.log(r.cost)) / Math.log(most)));
  return `color-mix(in srgb, var(--${r.cost > 1 ? "heat-bad" : "heat-good"}) ${strength}%, var(--card))`;
}

export const forests = () => hosts.flatMap(forest);
export const heatmaps = () => hosts.flatMap(heatmap);

// Start-up: the waterfall of marks, the distribution, and every sample.
import * as Plot from "@observablehq/plot";
import { color, engine, headed, heaviestFirst, hosts, starts, title, where } from "../data.js";
import { legend, table } from "../dom.js";
import { figure, frame, narrow, ticks, wrap } from "../figure.js";
import { counted, percent, plain, time } from "../format.js";

const phases = [
  ["entered", "command starts"],
  ["created", "box is created"],
  ["booted", "guest is up / root is ready"],
  ["executed", "workload is executed"],
  ["first_output", "workload answers"],
  ["ready", "ready"],
  ["gone", "torn down"],
  ["joined", "several at once: marks between are not given"],
];
const shown = (item) => !engine(item.engine).repeats;

function waterfallPlot(rows, names, limit, width) {
  const ends = rows.filter((r) => r.end).map((r) => ({ name: r.name, ready: r.to, end: Math.max(...rows.filter((o) => o.name === r.name).map((o) => o.to)) }));
  const below_name = (name) => { const end = ends.find((r) => r.name === name); return end ? `\n${time(end.ready)}` : ""; };
  return Plot.plot({
    ...frame(width, names, narrow(width) ? {} : { marginRight: 112 }),
    height: names.length * 44 + 46,
    x: { domain: [0, limit], grid: true, tickFormat: (v) => plain(time(v)), ticks: ticks(width), label: null },
    // Where there is no room behind the bars, the times stand below the names.
    y: { domain: names, label: null, tickSize: 0, tickFormat: (name) => wrap(width, names)(name) + (narrow(width) ? below_name(name) : ""), padding: 0.28 },
    marks: [
      Plot.rect(rows.filter((r) => r.from < limit), {
        x1: "from",
        x2: (r) => Math.min(r.to, limit),
        y: "name",
        fill: (r) => `var(--phase-${r.mark})`,
        title: (r) => `${r.name}: ${r.phase}, ${time(r.length)}, from ${time(r.from)} to ${time(r.to)}`,
        insetLeft: 0.4,
        rx: 2,
      }),
      Plot.tickX(rows.filter((r) => r.end && r.to <= limit), { x: "to", y: "name", stroke: "var(--ink)", strokeWidth: 2, insetTop: -4, insetBottom: -4 }),
      // Behind the whole bar, where nothing else is.
      Plot.text(ends.filter((r) => r.end <= limit && !narrow(width)), { x: "end", y: "name", text: (r) => `ready ${time(r.ready)}`, dx: 8, textAnchor: "start", fontWeight: 600, fill: "var(--ink)" }),
    ],
  });
}

function waterfall(host) {
  const list = heaviestFirst(host.engines.filter((e) => e.phases.length && shown(e)));
  if (!list.length) return [];
  const names = list.map((e) => title(e.engine));
  const rows = list.flatMap((e) =>
    e.phases.map((p) => ({ name: title(e.engine), mark: p.joined ? "joined" : p.to, end: p.to === "ready", phase: p.name, from: p.start_ns, to: p.start_ns + p.length_ns, length: p.length_ns }))
  );
  const ends = names.map((name) => Math.max(...rows.filter((r) => r.name === name).map((r) => r.to))).sort((a, b) => b - a);
  const marks = phases.filter(([mark]) => rows.some((r) => r.mark === mark));
  const reached = phases.filter(([mark]) => list.some((e) => e.phases.some((p) => p.to === mark)));
  const at = (e, mark) => {
    const p = e.phases.find((phase) => phase.to === mark);
    return p ? time(p.start_ns + p.length_ns) : engine(e.engine).missing_marks?.[mark] || undefined;
  };
  const cpu = (e, mark) => {
    const spent = e.cpu_at_marks_ns[mark];
    return spent === undefined ? undefined : time(spent);
  };
  const counted = reached.filter(([mark]) => list.some((e) => cpu(e, mark)));
  const figures = [
    figure({
      id: `waterfall-${hosts.indexOf(host)}`,
      heading: headed(host, "Marks on one axis"),
      text: `Waterfall from the request to the end${where(host)}: ` + list.filter((e) => e.to_ready).map((e) => `${title(e.engine)} ready after ${time(e.to_ready.median)}`).join(", "),
      caption: `Medians of the marks over all runs; the stroke is “ready”. One axis for all${where(host)}.`,
      legend: legend(marks.map(([mark, text]) => [`var(--phase-${mark})`, text])),
      plot: (width) => waterfallPlot(rows, names, ends[0] * 1.02, width),
      table: table(`Marks since the request${where(host)}`, ["", ...names], [
        ...reached.map(([mark, text]) => ({ label: `${mark.replace("_", " ")}: ${text}`, cells: list.map((e) => at(e, mark)) })),
        ...counted.map(([mark]) => ({ label: `CPU time until ${mark.replace("_", " ")}`, cells: list.map((e) => cpu(e, mark)) })),
      ]),
    }),
  ];
  // What is a sliver on the whole axis is drawn again, enlarged.
  const sliver = ends.findIndex((end, i) => i > 0 && ends[0] > 5 * end);
  if (sliver > 0) {
    const limit = ends[sliver] * 1.05;
    const light = names.filter((name) => Math.max(...rows.filter((r) => r.name === name).map((r) => r.to)) <= limit);
    figures.push(
      figure({
        id: `waterfall-zoom-${hosts.indexOf(host)}`,
        heading: headed(host, "The same, enlarged"),
        text: `The first ${time(limit)} of the waterfall, enlarged`,
        caption: `The first ${plain(time(limit))} of the same axis, enlarged: ${light.join(" and ")} in full.`,
        plot: (width) => waterfallPlot(rows, names, limit, width),
      })
    );
  }
  return figures;
}

function quantileOf(sorted, p) {
  const place = p * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below] + (place - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]);
}

function distribution(host) {
  const list = heaviestFirst(host.engines.filter((e) => e.to_ready && shown(e)));
  const samples = new Map(list.map((e) => [e.engine, []]));
  for (const s of starts(host)) if (samples.has(s.engine)) samples.get(s.engine).push(s);
  const curves = list.map((e) => ({ name: e.engine, values: samples.get(e.engine).map((s) => s.marks_ns.ready).sort((a, b) => a - b) })).filter((c) => c.values.length);
  if (!curves.length) return [];
  const steps = curves.flatMap((c) => c.values.map((value, i) => ({ name: c.name, value, share: (i + 1) / c.values.length })));
  const quantiles = curves.flatMap((c) => [0.5, 0.99].map((p) => ({ name: c.name, p, value: quantileOf(c.values, p) })));
  const names = curves.map((c) => title(c.name));
  const x = (width) => ({ type: "log", grid: true, label: null, tickFormat: (v) => plain(time(v)), ticks: Math.min(6, ticks(width)), domain: [0.82 * Math.min(...curves.map((c) => c.values[0])), 1.2 * Math.max(...curves.map((c) => c.values.at(-1)))] });
  const cell = (e, key) => `${time(e.to_ready[key])} (${time(e.to_ready[key === "median" ? "interval" : key + "_interval"][0])} to ${time(e.to_ready[key === "median" ? "interval" : key + "_interval"][1])})`;
  const dots = curves.flatMap((c) => samples.get(c.name).map((s) => ({ name: title(c.name), run: s.block, value: s.marks_ns.ready, off: s.marks_ns.ready / quantileOf(c.values, 0.5) - 1, cpu: s.user_ns + s.system_ns })));
  const runs = dots.map((d) => d.run);
  // From the top of its row to the bottom in the order of the runs.
  const place = (d) => names.indexOf(d.name) - 0.3 + (0.6 * (d.run - Math.min(...runs))) / Math.max(1, Math.max(...runs) - Math.min(...runs));
  return [
    figure({
      id: `ecdf-${hosts.indexOf(host)}`,
      heading: headed(host, "Distribution"),
      text: `Cumulative distribution of start-up${where(host)}: ` + list.map((e) => `${title(e.engine)} p50 ${time(e.to_ready.median)}, p99 ${time(e.to_ready.p99)}`).join("; "),
      caption: `Share of runs that were ready by then. Filled marks are p50, hollow ones p99; the axis is logarithmic${where(host)}.`,
      legend: legend(curves.map((c) => [color(c.name), title(c.name)])),
      plot: (width) =>
        Plot.plot({
          ...frame(width, []),
          height: 300,
          x: x(width),
          y: { domain: [0, 1], grid: true, label: null, ticks: 5, tickFormat: (v) => `${Math.round(v * 100)} %` },
          marks: [
            Plot.ruleY([0.5, 0.99], { stroke: "var(--muted)", strokeDasharray: "2 4" }),
            Plot.line(steps, { x: "value", y: "share", z: "name", stroke: (d) => color(d.name), strokeWidth: 2.2, curve: "step-after" }),
            Plot.dot(quantiles, {
              x: "value", y: "p", r: 5.5, stroke: (d) => color(d.name), strokeWidth: 2, fill: (d) => (d.p === 0.5 ? color(d.name) : "var(--card)"),
              title: (d) => `${title(d.name)}: p${d.p * 100} ${time(d.value)}`,
            }),
          ],
        }),
      table: table(`Start-up with 95 % intervals${where(host)}`, ["", "p50", "p90", "p99", "runs"], list.map((e) => ({ label: title(e.engine), cells: [cell(e, "median"), cell(e, "p90"), cell(e, "p99"), String(e.to_ready.count)] }))),
    }),
    figure({
      id: `strip-${hosts.indexOf(host)}`,
      heading: headed(host, "Every run"),
      text: `Every measured start${where(host)}, one dot each, coloured from the first run to the last: ` + list.map((e) => `${title(e.engine)} ${counted(e.to_ready.count, "run")}, ${counted(e.to_ready.outlier_blocks.length, "outlier")}`).join("; "),
      caption: "Each run as the share by which it is off its engine's median (the upright stroke). One dot is one run, dark for the first and bright for the last, from top to bottom: a slanted row drifted. Outliers are kept.",
      plot: (width) =>
        Plot.plot({
          ...frame(width, names),
          height: names.length * 66 + 44,
          x: { grid: true, label: null, ticks: ticks(width), tickFormat: (v) => (v > 0 ? "+" : "") + percent(v) },
          y: { label: null, domain: [names.length - 0.5, -0.5], ticks: names.map((_, i) => i), tickFormat: (i) => wrap(width, names)(names[i]), tickSize: 0 },
          color: { type: "linear", domain: [Math.min(...runs), Math.max(...runs)], scheme: "viridis" },
          marks: [
            Plot.dot(dots, {
              x: "off", y: place, fill: "run", r: 4.2, stroke: "var(--muted)", strokeWidth: 0.7,
              title: (d) => `${d.name}, block ${d.run + 1}: ready after ${time(d.value)} (${d.off > 0 ? "+" : ""}${percent(d.off)}), CPU ${time(d.cpu)}`,
            }),
            Plot.ruleX(names, { x: 0, y1: (n) => names.indexOf(n) - 0.42, y2: (n) => names.indexOf(n) + 0.42, stroke: "var(--ink)", strokeWidth: 1.5 }),
          ],
        }),
    }),
  ];
}

export const waterfalls = () => hosts.flatMap(waterfall);
export const distributions = () => hosts.flatMap(distribution);

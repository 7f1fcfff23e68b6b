// Memory of one instance by component, virtual size hatched; and density.
import * as Plot from "@observablehq/plot";
import { color, flags, heaviestFirst, hosts, headed, onHost, report, title, where } from "../data.js";
import { legend, table } from "../dom.js";
import { below, figure, frame, ticks, wrap } from "../figure.js";
import { bytes } from "../format.js";

const components = ["workload", "supervisor", "monitor", "guest RAM"];
const words = { workload: "workload", supervisor: "supervisor", monitor: "monitor beside guest RAM", "guest RAM": "guest RAM, resident" };
const fill = (name) => `var(--memory-${name.replaceAll(" ", "-")}, var(--s5))`;
const MiB = 1024 * 1024;
// Values are divided by 2^20 for the axes, so that their ticks are round.
const byteAxis = (width) => ({ grid: true, label: null, ticks: ticks(width), transform: (v) => v / MiB, tickFormat: (v) => `${v} MiB` });

function memory(host) {
  const columns = heaviestFirst(host.engines).flatMap((e) =>
    [["alone", e.memory_alone], ["together", e.memory_together]].filter(([, m]) => m)
      .map(([how, m]) => ({ name: how === "alone" ? `${title(e.engine)}, alone` : `${title(e.engine)}, ${m.running} running`, m })));
  if (!columns.length) return [];
  const extra = [...new Set(columns.flatMap((c) => Object.keys(c.m.components_bytes)))].filter((n) => !components.includes(n));
  const all = [...components, ...extra].filter((n) => columns.some((c) => c.m.components_bytes[n]));
  const charged = [...new Set(columns.flatMap((c) => Object.keys(c.m.cgroup_bytes || {})))];
  const names = columns.map((c) => c.name);
  const parts = columns.flatMap((c) => all.filter((n) => c.m.components_bytes[n]).map((n) => ({ name: c.name, part: n, pss: c.m.components_bytes[n].pss })));
  const virtual = columns.map((c) => ({ name: c.name, pss: c.m.total_bytes.pss, size: c.m.total_bytes.virtual }));
  return [
    figure({
      id: `memory-${hosts.indexOf(host)}`,
      heading: headed(host, "By component"),
      text: `Memory of one instance by component${where(host)}: ` + columns.map((c) => `${c.name} ${bytes(c.m.total_bytes.pss)} resident of ${bytes(c.m.total_bytes.virtual)} address space`).join("; "),
      caption: `Proportional set size, stacked; the thin hatched bar is address space, which is no memory; where it leaves the axis its end says how far it goes${where(host)}.`,
      legend: legend([...all.map((n) => [fill(n), words[n] || n]), ["var(--muted)", "virtual size, no memory", true]]),
      plot: (width) => {
        const limit = Math.min(Math.max(...virtual.map((d) => d.size)), 1.6 * Math.max(...virtual.map((d) => d.pss)));
        return Plot.plot({
          ...frame(width, names, { marginRight: 30 }),
          height: names.length * 50 + 40,
          x: { ...byteAxis(width), domain: [0, limit / MiB], clamp: true },
          y: { domain: names, label: null, tickSize: 0, tickFormat: wrap(width, names), padding: 0.24 },
          marks: [
            Plot.barX(parts, Plot.stackX({ order: all, z: "part", x: "pss", y: "name", insetBottom: 12, fill: (d) => fill(d.part), title: (d) => `${d.name}: ${words[d.part] || d.part} ${bytes(d.pss)}` })),
            Plot.text(virtual, { x: "pss", y: "name", text: (d) => bytes(d.pss), textAnchor: "start", dx: 7, dy: -6, fontWeight: 600, fill: "var(--ink)" }),
            Plot.barX(virtual, { x1: 0, x2: (d) => Math.min(d.size, limit), y: "name", insetTop: 28, fill: "url(#hatch)", stroke: "var(--muted)", strokeWidth: 0.7, title: (d) => `${d.name}: ${bytes(d.size)} of address space, no memory` }),
            Plot.text(virtual.filter((d) => d.size > limit && width > 560), { x: () => limit, y: "name", text: (d) => `virtual ${bytes(d.size)} →`, textAnchor: "end", dx: -4, dy: 2, fontSize: 11, fill: "var(--muted)" }),
          ],
        });
      },
      table: table(`Memory by component, PSS${where(host)}`, ["", ...names], [
        ...all.map((n) => ({ label: words[n] || n, cells: columns.map((c) => c.m.components_bytes[n] && bytes(c.m.components_bytes[n].pss)) })),
        { label: "PSS, total", kind: "sum", cells: columns.map((c) => bytes(c.m.total_bytes.pss)) },
        { label: "USS", cells: columns.map((c) => bytes(c.m.total_bytes.uss)) },
        { label: "RSS", cells: columns.map((c) => bytes(c.m.total_bytes.rss)) },
        ...charged.map((n) => ({ label: `control group, ${n}`, cells: columns.map((c) => (c.m.cgroup_bytes?.[n] === undefined ? undefined : bytes(c.m.cgroup_bytes[n]))) })),
        { label: "virtual size, no memory", kind: "minor", cells: columns.map((c) => bytes(c.m.total_bytes.virtual)) },
        { label: "processes", cells: columns.map((c) => String(c.m.processes)) },
        { label: "memory as the workload sees it", cells: columns.map((c) => (c.m.workload_total_bytes ? bytes(c.m.workload_total_bytes) : undefined)) },
      ]),
    }),
  ];
}

function points(series, fit) {
  const first = series.points[0].available_bytes;
  return series.points.map((p) => ({
    engine: series.engine, state: series.state, instances: p.instances, lost: first - p.available_bytes, ready: p.ready_ns,
    residual: fit ? first - p.available_bytes - (fit.intercept_bytes + fit.bytes_per_instance * p.instances) : 0,
    used: fit ? p.instances >= fit.fitted_from : false,
  }));
}

const fitOf = (e, state) => [e.density, ...(e.other_densities || [])].find((d) => d && d.state === state);

const each = (k) => `${title(k.name)}: ${bytes(k.fit.bytes_per_instance)} each${flags(k.fit) ? ` (${flags(k.fit)})` : ""}`;

function densityFigures(host, state, list, id, heading) {
  const known = list.map((e) => ({ name: e.engine, fit: fitOf(e, state), series: report.density.filter((s) => s.engine === e.engine && s.state === state) })).filter((k) => k.fit && k.series.length);
  if (!known.length) return [];
  const dots = known.flatMap((k) => k.series.flatMap((s) => points(s, k.fit)));
  const lines = known.flatMap((k) => [k.fit.fitted_from, k.fit.fitted_to].map((x) => ({ name: k.name, x, y: k.fit.intercept_bytes + k.fit.bytes_per_instance * x })));
  const ends = known.flatMap((k) => k.series.map((s) => ({ ...points(s, k.fit).at(-1), stop: s.stopped_by_budget ? `stopped: ${s.constraint}` : `failed: ${s.constraint}`, failed: !s.stopped_by_budget, detail: s.detail })));
  const speak = (d) => `${title(d.engine)}: ${d.instances} running, ${bytes(d.lost)} lost, ${bytes(d.residual)} off the line`;
  return [
    figure({
      id,
      heading,
      text: `Memory lost to the host over the number of ${state} instances${where(host)}: ` + known.map((k) => `${each(k)}, ${k.fit.stopped_by_budget ? "stopped by the " : "failed: "}${k.fit.constraint}`).join("; "),
      caption: `Above: memory lost to the host with Theil–Sen fits; hollow points are left out of the fit, a square is where a budget stopped the growth, a cross where a constraint of the host failed. Below: what each point is off its line. A slope is not linear where its halves differ by more than a fifth: no ratio and no capacity is told of it; unstable where its interval is wider than 5 %${where(host)}.`,
      legend: legend(known.map((k) => [color(k.name), each(k)])),
      plot: (width) => {
        const span = [0, Math.max(...dots.map((d) => d.instances))];
        const common = { ...frame(width, [], { marginLeft: 68, marginRight: 30, marginTop: 26 }) };
        const above = Plot.plot({
          ...common, height: 290, x: { domain: span, label: null, grid: true, ticks: ticks(width) }, y: { ...byteAxis(300), label: "↑ memory lost to the host", ticks: 5 }, symbol: { type: "identity" },
          marks: [
            Plot.line(lines, { x: "x", y: "y", z: "name", stroke: (d) => color(d.name), strokeWidth: 2, strokeDasharray: "7 5" }),
            Plot.dot(dots, { x: "instances", y: "lost", r: 3.8, stroke: (d) => color(d.engine), strokeWidth: 1.6, fill: (d) => (d.used ? color(d.engine) : "var(--card)"), title: speak }),
            Plot.dot(ends, { x: "instances", y: "lost", r: 8, symbol: (d) => (d.failed ? "times" : "square"), stroke: (d) => (d.failed ? "var(--fail)" : color(d.engine)), strokeWidth: 2, fill: "none", title: (d) => `${title(d.engine)}: ${d.stop} at ${d.instances} ${d.detail}` }),
          ],
        });
        const lower = Plot.plot({
          ...common, marginBottom: 44, height: 176, x: { domain: span, ...below("instances running →"), grid: true, ticks: ticks(width) }, y: { ...byteAxis(300), label: "↑ off the line", ticks: 3 },
          marks: [
            Plot.ruleY([0], { stroke: "var(--muted)" }),
            Plot.dot(dots.filter((d) => d.used), { x: "instances", y: "residual", r: 3, fill: (d) => color(d.engine), title: speak }),
          ],
        });
        const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        svg.setAttribute("viewBox", `0 0 ${width} 468`);
        svg.setAttribute("width", width);
        svg.setAttribute("height", 468);
        lower.setAttribute("y", 292);
        svg.append(above, lower);
        return svg;
      },
      table: table(`What one more ${state} instance costs the host${where(host)}`, ["", ...known.map((k) => title(k.name))], [
        { label: "memory per instance (slope)", kind: "sum", cells: known.map((k) => bytes(k.fit.bytes_per_instance)) },
        { label: "95 % interval", cells: known.map((k) => `${bytes(k.fit.interval_bytes[0])} to ${bytes(k.fit.interval_bytes[1])}`) },
        { label: "first half, second half of the fit", cells: known.map((k) => (k.fit.half_slopes_bytes || []).map(bytes).join(", ") || undefined) },
        { label: "is it one figure?", cells: known.map((k) => flags(k.fit) || "yes") },
        { label: "R² of the fit", cells: known.map((k) => k.fit.r_squared.toFixed(4)) },
        { label: "fitted over instances", cells: known.map((k) => `${k.fit.fitted_from} to ${k.fit.fitted_to}`) },
        { label: "first constraint", cells: known.map((k) => k.fit.constraint + (k.fit.stopped_by_budget ? " (a budget, not the host)" : "")) },
        { label: "every growth reached", cells: known.map((k) => String(k.fit.survived)) },
        { label: "capacity, extrapolated, not reached", kind: "minor", cells: known.map((k) => (k.fit.extrapolated_capacity ? String(Math.floor(k.fit.extrapolated_capacity)) : undefined)) },
      ]),
    }),
  ];
}

function density(host) {
  return ["idle", "touched", "active"].flatMap((state) => {
    const list = heaviestFirst(host.engines).filter((e) => fitOf(e, state));
    const name = `density-${state}-${hosts.indexOf(host)}`;
    const heading = headed(host, `${state[0].toUpperCase()}${state.slice(1)} instances`);
    const most = Math.max(...list.map((e) => fitOf(e, state).bytes_per_instance), 0);
    const light = list.filter((e) => fitOf(e, state).bytes_per_instance < most / 8);
    const figures = densityFigures(host, state, list, name, heading);
    // What lies flat on the ground beside a machine is drawn again by itself.
    if (light.length && light.length < list.length) {
      figures.push(...densityFigures(host, state, light, `${name}-zoom`, `${heading}: ${light.map((e) => title(e.engine)).join(" and ")} enlarged`));
    }
    return figures;
  });
}

export const memories = () => hosts.flatMap(memory);
export const densities = () => hosts.flatMap(density);
export const densityPoints = (host) => report.density.filter(onHost(host)).flatMap((s) => points(s));

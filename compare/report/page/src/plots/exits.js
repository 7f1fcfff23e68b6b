// What machines left their guests for.
import * as Plot from "@observablehq/plot";
import { heaviestFirst, hosts, headed, onHost, report, title, where } from "../data.js";
import { legend, table } from "../dom.js";
import { figure, frame, narrow, ticks, wrap } from "../figure.js";
import { number, time } from "../format.js";


function exitsOf(host) {
  const rows = heaviestFirst(report.exits.filter(onHost(host))).map((e) => ({ ...e, row: `${title(e.engine)}, ${e.phase}` }));
  if (!rows.length) return [];
  const totals = new Map();
  for (const r of rows) totals.set(r.reason, (totals.get(r.reason) || 0) + r.count);
  // As many as there are colours to tell apart; the table has them all.
  const all = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
  const rest = "other reasons";
  const reasons = all.length > 9 ? [...all.slice(0, 8), rest] : all;
  const shownAs = (reason) => (reasons.includes(reason) ? reason : rest);
  const fill = (reason) => (shownAs(reason) === rest ? "var(--same)" : `var(--s${reasons.indexOf(reason) + 1})`);
  const names = [...new Set(rows.map((r) => r.row))];
  const sums = names.map((name) => {
    const own = rows.filter((r) => r.row === name);
    return { name, count: own.reduce((n, r) => n + r.count, 0), time: own.reduce((n, r) => n + r.time_ns, 0) };
  });
  const words_of = (sum) => `${number(Math.round(sum.count))} in ${time(sum.time)}`;
  const words = (r) => `${r.row}: ${r.reason} ${number(r.count)} times, ${time(r.time_ns)}`;
  return [
    figure({
      id: `exits-${hosts.indexOf(host)}`,
      heading: headed(host, "By phase and reason"),
      text: `Exits of machines by phase and reason${where(host)}: ` + rows.map(words).join("; "),
      caption: `Exits of one run from the guest${where(host)}, with the time until the guest ran again; of hlt that is the guest's waiting. What a world switch itself takes is not in a lab's figures, so the counts stand beside the times.`,
      legend: legend(reasons.map((r) => [fill(r), r])),
      plot: (width) =>
        Plot.plot({
          ...frame(width, names, narrow(width) ? {} : { marginRight: 128 }),
          height: names.length * 48 + 40,
          x: { grid: true, label: null, ticks: ticks(width), tickFormat: number },
          y: { domain: names, label: null, tickSize: 0, tickFormat: (name) => wrap(width, names)(name) + (narrow(width) ? `\n${words_of(sums.find((r) => r.name === name))}` : ""), padding: 0.3 },
          marks: [
            Plot.barX(rows, Plot.stackX({ order: reasons, z: (r) => shownAs(r.reason), x: "count", y: "row", fill: (r) => fill(r.reason), title: words })),
            Plot.text(narrow(width) ? [] : sums, { x: "count", y: "name", text: words_of, textAnchor: "start", dx: 7, fontWeight: 600, fill: "var(--ink)" }),
          ],
        }),
      table: table(`Exits${where(host)}`, ["", "reason", "times", "time in the monitor"], rows.map((r) => ({ label: r.row, cells: [r.reason, number(r.count), time(r.time_ns)] }))),
    }),
  ];
}

export const exits = () => hosts.flatMap(exitsOf);

// The page, from top to bottom.
import { computed, engine, flags, headline, heaviestFirst, hosts, label, report, several, title } from "./data.js";
import { byId, element } from "./dom.js";
import { capitalised, counted, percent, times, time } from "./format.js";
import { bands } from "./plots/bands.js";
import { exits } from "./plots/exits.js";
import { densities, memories } from "./plots/memory.js";
import { crowds, metricFigures } from "./plots/metrics.js";
import { forests, heatmaps } from "./plots/ratios.js";
import { distributions, waterfalls } from "./plots/startup.js";
import { findings } from "./references.js";

const numerals = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const unbroken = (text) => text.replace(/(\d) (?=(µs|ms|s|B|KiB|MiB|GiB|%|×)(\W|$))/g, "$1\u00a0");

function head() {
  const count = report.engines.filter((e) => !e.repeats).length;
  byId("title").textContent = `One workload, ${numerals[count] || count} kinds of box`;
  byId("lede").textContent = `${report.plan.image}, measured as ${computed.engines.filter((e) => !engine(e.engine).repeats).map((e) => title(e.engine)).join(", ") || "nothing yet"}.`;
  const runs = report.starts.filter((s) => !s.warm_up).length;
  const badges = [
    ...hosts.map((host) => (host.lab ? "deterministic lab: no time of real hardware" : `native: ${host.name}`)),
    `${runs} measured starts`,
    `seed ${report.plan.seed}`,
    report.measured_at || "undated",
    `twinbox ${report.twinbox_version}`,
  ];
  byId("badges").replaceChildren(...badges.map((text) => element("li", {}, text)));
  const notice = byId("host-notice");
  if (hosts.some((host) => host.lab)) {
    notice.hidden = false;
    notice.textContent = "Times of the deterministic lab are executed instructions of an emulated host, one nanosecond each. They repeat exactly and say how much work a start is; they leave out what hardware takes for world switches, cache misses and devices." + (several ? " Nothing of it shares an axis with what was measured natively." : "");
  }
}

function tiles() {
  const tile = (big, small, detail) => element("div", { class: "tile" }, element("b", {}, big), element("span", {}, small), element("small", {}, detail));
  const found = [];
  const first = computed.comparisons.find((c) => c.metric === "start-up" && c.workload === headline && engine(c.engine).kind === "machine" && engine(c.baseline).kind === "container")
    || computed.comparisons.find((c) => c.metric === "start-up" && c.workload === headline);
  if (first) {
    const open = first.difference === "inconclusive" ? " (runs and noise leave open whether there is a difference)" : "";
    const same = first.difference === "no difference";
    found.push(tile(same ? "same" : times(first.ratio), `start-up, ${title(first.engine)} to ${title(first.baseline)}`, `95 % interval ${times(first.interval[0])} to ${times(first.interval[1])}${open}`));
  }
  for (const e of heaviestFirst(computed.engines).filter((e) => e.to_ready && !engine(e.engine).repeats).slice(0, 3)) {
    found.push(tile(time(e.to_ready.median), `${title(e.engine)} is ready`, `${hosts.find((host) => host.name === engine(e.engine).host)?.lab ? "executed instructions; " : ""}95 % interval ${time(e.to_ready.interval[0])} to ${time(e.to_ready.interval[1])}`));
  }
  // Only of slopes that are lines: others have no ratio.
  const ratioOf = (heavy, light) => computed.ratios.find((r) => engine(r.engine).kind === heavy && engine(r.baseline).kind === light);
  const dense = ratioOf("machine", "container") || ratioOf("container", "process") || ratioOf("machine", "process");
  if (dense) found.push(tile(times(dense.ratio), `memory of one more, ${title(dense.engine)} to ${title(dense.baseline)}`, `interval ${times(dense.interval[0])} to ${times(dense.interval[1])}`));
  byId("tiles").replaceChildren(...found);
  byId("verdicts").replaceChildren(...computed.verdicts.map((text) => element("li", {}, unbroken(text))));
}

const badge = (state, text, detail) => element("li", {}, element("span", { class: "state " + state }, state), element("b", {}, text), element("span", { class: "detail" }, detail));

function fairness() {
  byId("audit").replaceChildren(...computed.audit.map((row) => badge(row.state, row.check, row.detail)));
  const name = (f) => `${f.metric}, ${title(f.engine)}` + (f.workload === headline ? "" : `, ${f.workload}`) + (f.at === undefined ? "" : ` at ${f.at}`);
  const list = (items) => [...new Set(items.map(name))].join("; ");
  const unstable = computed.figures.filter((f) => f.unstable);
  const drifted = computed.figures.filter((f) => f.drifted);
  const outliers = computed.figures.filter((f) => f.outlier_blocks.length);
  const slopes = computed.engines.flatMap((e) => [e.density, ...e.other_densities].filter((d) => d && flags(d)).map((d) => `${title(e.engine)}, ${d.state}: ${flags(d)}`));
  const worst = [...computed.noise].sort((a, b) => b.share - a.share)[0];
  const own = computed.noise.filter((n) => n.own_run);
  byId("stability").replaceChildren(
    badge(unstable.length ? "unstable" : "pass", "narrow intervals", unstable.length ? `wider than 5 % of the median: ${list(unstable)}` : "every median's 95 % interval is within 5 %"),
    badge(drifted.length ? "warn" : "pass", "no drift", drifted.length ? `a trend over the runs: ${list(drifted)}` : "no metric rises or falls over the order of its runs (Kendall, p < 0.01, and by 2 % or more)"),
    ...(computed.engines.some((e) => e.density) ? [badge(slopes.length ? "unstable" : "pass", "slopes of density", slopes.length ? slopes.join("; ") : "every one is a line, with an interval within 5 %")] : []),
    badge("pass", "outliers kept", outliers.length ? `${counted(outliers.reduce((n, f) => n + f.outlier_blocks.length, 0), "value")} beyond Tukey's fences, flagged and in every figure` : "none beyond Tukey's fences"),
    ...(worst ? [badge(own.length ? "pass" : "warn", "A/A noise floor", `${own.length ? "an engine was run against itself" : "no engine was run against itself: even blocks stand against odd ones"}; differences below this are no difference: ${[...(own.length ? own : computed.noise.filter((n) => n.metric === "start-up"))].map((n) => `${n.metric}, ${title(n.engine)} ${percent(n.share)}`).slice(0, 8).join("; ")}`)] : [])
  );
}

function environment() {
  const facts = (list) => element("dl", { class: "facts" }, list.flatMap((f) => [element("dt", {}, f.name), element("dd", {}, f.value)]));
  byId("environment").replaceChildren(
    ...hosts.flatMap((host) => [element("h3", {}, `${capitalised(host.name)} (${host.kind})`), facts(host.facts)]),
    element("h3", {}, "Engines"),
    ...report.engines.map((e) =>
      element("details", {}, element("summary", {}, `${title(e.name)} (${e.kind}${several ? `, ${e.host}` : ""})`),
        facts([
          ...(e.version ? [{ name: "version", value: e.version }] : []),
          ...(e.repeats ? [{ name: "A/A run of", value: e.repeats }] : []),
          ...(e.image_digest ? [{ name: "image", value: e.image_digest }] : []),
          ...e.settings,
          ...Object.entries(e.missing_marks).map(([mark, why]) => ({ name: `no mark "${mark}"`, value: why })),
          ...(e.command.length ? [{ name: "command", value: e.command.join(" ") }] : []),
        ]))
    )
  );
}

// A section without figures is not there.
function fill(id, figures) {
  const section = byId(id);
  section.hidden = !figures.length;
  section.querySelector(".figures").replaceChildren(...figures);
  const link = document.querySelector(`nav a[href="#${id}"]`);
  if (link) link.parentNode.hidden = section.hidden;
}

function closing() {
  byId("command").textContent = report.command || "twinbox compare";
  byId("commands").replaceChildren(...report.engines.filter((e) => e.command.length).map((e) => element("li", {}, element("b", {}, title(e.name)), " ", element("code", {}, e.command.join(" ")))));
  byId("findings").replaceChildren(...findings.map((text) => element("li", {}, text)));
  byId("version").textContent = `twinbox ${report.twinbox_version}, report format ${report.schema_version}.`;
  byId("why").replaceChildren(...computed.explanations.filter((e) => e.sentences.length).map((e) => element("li", {}, unbroken(e.sentences.join(" ")))));
}

head();
tiles();
fairness();
environment();
closing();
fill("boot", waterfalls());
fill("runs", distributions());
fill("ratios", [...forests(), ...heatmaps()]);
fill("memory", memories());
fill("density", densities());
fill("crowd", crowds());
fill("metrics", metricFigures());
fill("exits", exits());
fill("others", bands());
document.documentElement.dataset.ready = "true";

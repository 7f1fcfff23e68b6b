// The report's data, its words, and numbers as people read them.
"use strict";

const report = JSON.parse(document.getElementById("report-data").textContent);
const computed = report.computed;
const engines = computed.engines;
const heaviestFirst = [...engines].reverse();
const inLab = report.hosts.some((host) => host.kind !== "native");
const names = { process: "process", container: "container", vm: "microVM" };
const phases = [
  ["entered", "command starts"],
  ["created", "box is created"],
  ["booted", "kernel boots / root is ready"],
  ["executed", "workload is executed"],
  ["first_output", "workload answers"],
  ["ready", "whole line is there"],
  ["gone", "torn down"],
];
const components = ["workload", "supervisor", "monitor", "guest RAM"];
const componentNames = {
  workload: "workload",
  supervisor: "twinbox (supervisor)",
  monitor: "monitor beside guest RAM",
  "guest RAM": "guest RAM, resident",
};
const MiB = 1024 * 1024;

const byId = (id) => document.getElementById(id);
const color = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue("--" + name.replace(" ", "-")).trim();
const nameOf = (engine) => names[engine] || engine;

// element("td", {class: "x"}, "text", child, ...)
function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}
function time(ns) {
  if (ns === 0) return "0";
  if (ns < 999.5e3) return digits(ns / 1e3) + " µs";
  if (ns < 999.5e6) return digits(ns / 1e6) + " ms";
  return digits(ns / 1e9) + " s";
}
// A number and its unit stay on one line.
const unbroken = (text) => text.replace(/(\d) (?=(µs|ms|s|B|KiB|MiB|GiB|%)(\W|$))/g, "$1\u00a0");
// Of an axis: "100 ms", not "100.0 ms".
const plain = (text) => text.replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");
// The next of 1, 1.5, 2, 3, 5, 7 times a power of ten.
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7, 10].map((step) => step * power).find((step) => step >= value);
}
// The values 1, 2 and 5 times a power of ten from `low` to `high`.
function steps(low, high) {
  const found = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
    for (const step of [1, 2, 5]) {
      if (step * power >= low * 0.999 && step * power <= high * 1.001) found.push({ value: step * power });
    }
  }
  return found;
}
const niceBelow = (value) => {
  const power = 10 ** Math.floor(Math.log10(value));
  return [7, 5, 3, 2, 1].map((step) => step * power).find((step) => step <= value);
};
function bytes(value) {
  const size = Math.abs(value);
  if (size >= 1024 * MiB) return digits(value / 1024 / MiB) + " GiB";
  if (size >= 0.995 * MiB) return digits(value / MiB) + " MiB";
  return digits(value / 1024) + " KiB";
}
const times = (ratio) => ratio.toPrecision(3).replace(/\.?0+$/, "") + " ×";

function table(target, caption, head, rows) {
  const body = rows.map((row) =>
    element(
      "tr",
      { class: row.kind || "" },
      element("th", { scope: "row" }, ...[].concat(row.label)),
      ...row.cells.map((cell) => element("td", {}, ...[].concat(cell === undefined ? "–" : cell)))
    )
  );
  byId(target).replaceChildren(
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...body)
    )
  );
}
const bullet = (variable) => element("span", { class: "bullet", style: `--swatch: var(--${variable})` });
function legend(target, entries) {
  byId(target).replaceChildren(
    ...entries.map(([variable, text]) =>
      element("li", {}, element("i", { style: `--swatch: var(--${variable})` }), text)
    )
  );
}
const ratioOf = (metric, engine, baseline) =>
  computed.ratios.find((r) => r.metric === metric && r.engine === engine && r.baseline === baseline);

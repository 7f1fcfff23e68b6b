// Numbers as people read them.

function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

export function time(ns) {
  const size = Math.abs(ns);
  if (size === 0) return "0";
  if (size < 999.5e3) return digits(ns / 1e3) + " µs";
  if (size < 999.5e6) return digits(ns / 1e6) + " ms";
  return digits(ns / 1e9) + " s";
}

const MiB = 1024 * 1024;
export function bytes(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 999 * MiB) return digits(value / 1024 / MiB) + " GiB";
  if (size >= 0.995 * MiB) return digits(value / MiB) + " MiB";
  return digits(value / 1024) + " KiB";
}

export function number(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return digits(value / 1e6) + " M";
  if (size >= 1e4) return digits(value / 1e3) + " k";
  return Number.isInteger(value) ? String(value) : digits(value);
}

// A value of a metric with its unit.
export function quantity(value, unit) {
  if (unit === "ns") return time(value);
  if (unit === "s") return time(value * 1e9);
  if (unit === "B") return bytes(value);
  if (unit.startsWith("1/")) return number(value) + unit.slice(1);
  return `${number(value)} ${unit}`;
}

// Of an axis: "100 ms", not "100.0 ms".
export const plain = (text) => text.replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");

export function times(ratio) {
  if (ratio === 0) return "0";
  if (ratio >= 1000) return Math.round(ratio).toLocaleString("en") + " ×";
  return (ratio >= 0.001 ? String(Number(ratio.toPrecision(3))) : ratio.toExponential(1)) + " ×";
}
export const percent = (share) => `${plain((100 * share).toFixed(Math.abs(share) < 0.1 ? 1 : 0))} %`;
export const pValue = (p) => (p < 0.001 ? "< 0.001" : p.toPrecision(2));
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
export const capitalised = (text) => text.charAt(0).toUpperCase() + text.slice(1);

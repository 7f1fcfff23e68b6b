// A figure: a plot that is drawn again when its width changes, a read-out for mouse and keyboard,
// a caption, and the same content as a table.
import { element } from "./dom.js";

const hatch = `<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
  <rect width="6" height="6" fill="var(--card)"/><rect width="2.4" height="6" fill="var(--muted)" fill-opacity="0.55"/></pattern>`;

// Every mark with a <title> can be read out: by pointing at it, or by the arrow keys.
function makeReadable(box, readout) {
  const marks = () => [...box.querySelectorAll("svg title")].map((node) => node.parentNode);
  let at = -1;
  const show = (mark) => {
    box.querySelectorAll(".chosen").forEach((node) => node.classList.remove("chosen"));
    if (!mark) return;
    mark.classList.add("chosen");
    readout.textContent = mark.querySelector("title").textContent;
  };
  box.addEventListener("pointerover", (event) => {
    const mark = event.target.closest && event.target.closest("svg *:has(> title)");
    if (mark && box.contains(mark)) show(mark);
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = marks();
    if (!step || !all.length) return;
    event.preventDefault();
    at = Math.min(all.length - 1, Math.max(0, at + step));
    show(all[at]);
  });
}

// plot(width) gives an SVG element; `text` says what it shows to who cannot see it.
export function figure({ id, heading, text, caption, plot, legend, table }) {
  const box = element("div", { class: "plot", id, role: "img", tabindex: "0", "aria-label": text });
  const readout = element("p", { class: "readout", "aria-live": "polite" }, "Point at a mark, or use the arrow keys in the plot.");
  let drawn = 0;
  const draw = () => {
    const width = Math.floor(box.clientWidth);
    if (!width || width === drawn) return;
    drawn = width;
    const svg = plot(width);
    svg.removeAttribute("role");
    svg.setAttribute("aria-hidden", "true");
    const defs = document.createElementNS("http://www.w3.org/2000/svg", "defs");
    defs.innerHTML = hatch;
    svg.prepend(defs);
    box.replaceChildren(svg);
    box.dataset.drawn = String(svg.querySelectorAll("circle, rect, path, line").length > 3);
  };
  new ResizeObserver(draw).observe(box);
  makeReadable(box, readout);
  return element(
    "figure",
    {},
    heading ? element("h3", {}, heading) : null,
    legend || null,
    box,
    readout,
    element("figcaption", {}, caption),
    table ? element("details", {}, element("summary", {}, "The same as a table"), table) : null
  );
}

const letter = 6.6;
const margin = (width, names) => {
  const longest = Math.max(4, ...names.map((name) => name.length));
  return Math.min(names.length ? longest * letter + 14 : 52, width * 0.36);
};

// Breaks names into lines that fit the room on the left.
export function wrap(width, names) {
  const most = Math.max(8, Math.floor((margin(width, names) - 14) / letter + 0.01));
  return (name) => {
    const lines = [""];
    for (const word of String(name).split(" ")) {
      const line = lines.at(-1);
      if (line && line.length + 1 + word.length > most) lines.push(word);
      else lines[lines.length - 1] = line ? `${line} ${word}` : word;
    }
    return lines.join("\n");
  };
}

// What all plots have in common. Engine names need room on the left.
export function frame(width, names, options) {
  return {
    width,
    marginLeft: margin(width, names),
    marginRight: 22,
    style: { background: "transparent", color: "var(--ink)", fontFamily: "inherit", fontSize: "12px", overflow: "visible" },
    ...options,
  };
}

// An axis' label in a line of its own, clear of the ticks.
export const below = (label) => ({ label, labelAnchor: "center", labelOffset: 38, labelArrow: "none" });

export const narrow = (width) => width < 560;
export const ticks = (width) => Math.max(narrow(width) ? 2 : 3, Math.floor(width / 130));

// Small helpers that build the page's elements.

// element("td", { class: "x" }, "text", child, ...)
export function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const byId = (id) => document.getElementById(id);

// rows: [{ label, cells, kind }]; a cell that is undefined is a dash. Scrolls by itself when it is wide.
export function table(caption, head, rows) {
  const cell = (content) => element("td", {}, content === undefined || content === null ? "–" : content);
  const body = rows.map((row) =>
    element("tr", { class: row.kind }, element("th", { scope: "row" }, row.label), row.cells.map(cell))
  );
  return element(
    "div",
    { class: "table", tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, head.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, body)
    )
  );
}

// entries: [color, text]; hatched ones as [color, text, true].
export function legend(entries) {
  return element(
    "ul",
    { class: "legend", "aria-hidden": "true" },
    entries.map(([color, text, hatched]) =>
      element("li", {}, element("i", { style: `--swatch: ${color}`, class: hatched ? "hatched" : undefined }), text)
    )
  );
}

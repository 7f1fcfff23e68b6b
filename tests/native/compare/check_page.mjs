// Opens HTML reports in headless Chromium as readers do, and fails with a list of what is wrong:
// a plot that is not drawn, an error, a request, a width that does not fit, what the keyboard cannot
// reach. Usage: node check_page.mjs PLAYWRIGHT_PACKAGE PAGE...  [--shots DIRECTORY]
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

const [, , packages, ...rest] = process.argv;
const shotsAt = rest.indexOf("--shots");
const shots = shotsAt >= 0 ? rest.splice(shotsAt, 2)[1] : null;
const { chromium } = createRequire(join(resolve(packages), "index.js"))("playwright-core");

const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
if (!program) {
  console.log("the package chromium is not installed");
  process.exit(77);
}

const mistakes = [];
const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });

// What the page says of itself once it is drawn.
const inspect = () => {
  const plots = [...document.querySelectorAll(".plot")];
  const luminance = (node) => getComputedStyle(node).color;
  return {
    plots: plots.length,
    undrawn: plots.filter((plot) => plot.dataset.drawn !== "true").map((plot) => plot.id),
    silent: plots.filter((plot) => !(plot.getAttribute("aria-label") || "").trim()).map((plot) => plot.id),
    untold: plots.filter((plot) => !plot.closest("figure").querySelector("details table") && !/zoom|strip/.test(plot.id)).map((plot) => plot.id),
    twice: plots.map((plot) => plot.id).filter((id, i, all) => all.indexOf(id) !== i),
    wide: document.documentElement.scrollWidth - window.innerWidth,
    escaping: plots.filter((plot) => plot.scrollWidth > plot.clientWidth + 1).map((plot) => plot.id),
    nonsense: /\b(NaN|undefined|null|Infinity)\b/.test(document.body.innerText),
    ink: luminance(document.querySelector("h1")),
    scrollers: [...document.querySelectorAll(".table, pre")].filter((node) => node.tabIndex !== 0).length,
    ready: document.documentElement.dataset.ready,
  };
};

async function tabStops(page) {
  const found = new Set();
  for (let i = 0; i < 400; ++i) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const node = document.activeElement;
      if (!node || node === document.body) return null;
      return node.id || (node.tagName + ":" + node.textContent.slice(0, 40));
    });
    if (at === null || (found.has(at) && at === [...found][0])) break;
    found.add(at);
  }
  return found;
}

async function check(file, width, scheme, keyboard) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  const name = `${basename(dirname(file))}, ${width} px, ${scheme}`;
  const wrong = (text) => mistakes.push(`${name}: ${text}`);
  page.on("console", (message) => message.type() === "error" && wrong(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong(`error: ${error.message}`));
  page.on("request", (request) => request.url().startsWith("file:") && request.isNavigationRequest() ? null : wrong(`request of ${request.url().slice(0, 90)}`));
  await page.goto("file://" + file);
  await page.waitForFunction(() => [...document.querySelectorAll(".plot")].every((plot) => plot.dataset.drawn), null, { timeout: 20000 }).catch(() => wrong("plots are not drawn within 20 s"));
  const seen = await page.evaluate(inspect);
  if (seen.ready !== "true") wrong("the script did not get to its end");
  for (const [what, list] of [["not drawn", seen.undrawn], ["without a text", seen.silent], ["without a table", seen.untold], ["with the same name", seen.twice], ["wider than its box", seen.escaping]]) {
    if (list.length) wrong(`plots ${what}: ${list.join(", ")}`);
  }
  if (seen.wide > 0) wrong(`${seen.wide} px wider than the window`);
  if (seen.nonsense) wrong("a figure is no number");
  if (seen.scrollers) wrong("something that scrolls cannot be reached by the keyboard");
  const light = /rgb\((\d+)/.exec(seen.ink)[1] > 128;
  if (light !== (scheme === "dark")) wrong(`the ink is ${seen.ink}`);
  if (keyboard && seen.plots) {
    const stops = await tabStops(page);
    const ids = await page.evaluate(() => [...document.querySelectorAll(".plot")].map((plot) => plot.id));
    const unreached = ids.filter((id) => !stops.has(id));
    if (unreached.length) wrong(`plots that the tab key does not reach: ${unreached.join(", ")}`);
    await page.focus("#" + ids[0]);
    await page.keyboard.press("ArrowRight");
    const said = await page.evaluate((id) => document.getElementById(id).parentNode.querySelector(".readout").textContent, ids[0]);
    if (!/\d/.test(said)) wrong("an arrow key in a plot reads nothing out");
  }
  if (shots) await page.screenshot({ path: join(shots, `${basename(dirname(file))}-${width}-${scheme}.png`), fullPage: true });
  console.log(`${name}: ${seen.plots} plots`);
  await context.close();
  return seen.plots;
}

for (const file of rest.map((path) => resolve(path))) {
  for (const width of [375, 1440]) {
    for (const scheme of ["light", "dark"]) await check(file, width, scheme, width === 1440 && scheme === "light");
  }
}
await browser.close();
for (const mistake of mistakes) console.log("WRONG " + mistake);
process.exit(mistakes.length ? 1 : 0);

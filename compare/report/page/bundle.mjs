// Bundles the page's script with its packages, and their licences as its head.
// Usage: node bundle.mjs PACKAGES OUTPUT, PACKAGES being where `npm ci` has put them.
import { createRequire } from "node:module";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [packages, output] = process.argv.slice(2).map((path) => resolve(path));
const { build } = createRequire(join(packages, "index.js"))("esbuild");
const modules = join(packages, "node_modules");

// The packages that something of is in the bundle, by the paths of its inputs.
function packagesOf(inputs) {
  const names = Object.keys(inputs).map((path) => /node_modules\/((@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(names.filter(Boolean))].sort();
}

function licence(name) {
  const directory = join(modules, name);
  const { version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(directory, file), "utf8").trim() : `Licence: ${license}`;
  return `${name} ${version}\n\n${text}\n`;
}

const result = await build({
  entryPoints: [join(dirname(fileURLToPath(import.meta.url)), "src/main.js")],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  nodePaths: existsSync(modules) ? [modules] : [],
  write: false,
});
const notices = packagesOf(result.metafile.inputs).map(licence).join("\n").replaceAll("*/", "* /").replaceAll("</", "< /");
writeFileSync(output, `/*! This script holds the following packages.\n\n${notices}*/\n${result.outputFiles[0].text}`);

// Builds built/map.html: one file of page.html, style.css and what esbuild makes of src/, with a policy that lets
// nothing else run. --check fails where the built file isn't what the sources make.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync, transformSync } from "esbuild";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const bundle = buildSync({
  entryPoints: [here("src/main.ts")],
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome100", "firefox113", "safari16.4"],
  legalComments: "none",
  charset: "ascii",
  write: false,
});
// Nothing in the script may end its element, or begin a comment in which the end isn't seen.
const script = bundle.outputFiles[0].text.trim().replaceAll("</", "<\\/").replaceAll("<!--", "<\\!--");
const style = transformSync(readFileSync(here("style.css"), "utf8"), { loader: "css", minify: true }).code.trim();
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const policy =
  `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; ` +
  "connect-src 'none'; base-uri 'none'; form-action 'none'";

// Of what it's made, so that tests/sight/map sees without npm whether it's of these sources.
const sources = ["build.mjs", "package-lock.json", "page.html", "style.css", ...readdirSync(here("src")).map((name) => `src/${name}`)].sort();
const digest = createHash("sha256");
for (const name of sources) {
  digest.update(`${name}\n`).update(readFileSync(here(name)));
}

const parts = { policy, style, script };
const page = `${readFileSync(here("page.html"), "utf8")}<!-- of sources ${digest.digest("hex")} -->\n`.replace(/<!--(policy|style|script)-->/g, (_, name) =>
  name === "policy" ? `<meta http-equiv="Content-Security-Policy" content="${policy}">` : `<${name}>${parts[name]}</${name}>`,
);
const target = here("built/map.html");
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== page) {
    console.error("web/map/built/map.html isn't what web/map's sources make: scripts/build-map makes it anew");
    process.exit(1);
  }
} else {
  mkdirSync(here("built"), { recursive: true });
  writeFileSync(target, page);
  console.log(`${target}: ${Math.round(page.length / 1024)} KiB`);
}

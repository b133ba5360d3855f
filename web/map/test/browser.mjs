// What the page's tests share: made snapshots, pages of them, and a headless Chromium to look at those.
//
//   TARN            the command (default: build/release/bin/tarn)
//   TARN_CHROMIUM   the browser (default: Debian's)
//   TARN_PICTURES   a folder for the screenshots (default: build/map-pictures)
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
export const tarn = process.env.TARN ?? `${root}build/release/bin/tarn`;
const browsers = [process.env.TARN_CHROMIUM, "/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];
const executablePath = browsers.find((path) => path !== undefined && existsSync(path));
export const pictures = process.env.TARN_PICTURES ?? `${root}build/map-pictures`;
mkdirSync(pictures, { recursive: true });

export const folder = mkdtempSync(`${tmpdir()}/tarn-map-`);
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

export function makeSnapshot(name, ...options) {
  const file = `${folder}/${name}.sqlite`;
  execFileSync("python3", [`${root}tests/sight/map/make_snapshot.py`, file, ...options]);
  return file;
}

export function makePage(file, ...options) {
  const page = `${folder}/${basename(file, ".sqlite")}.html`;
  execFileSync(tarn, ["map", "-o", page, ...options, file]);
  return page;
}

export function ask(file, query) {
  const code = "import sqlite3,sys,json; print(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))";
  return JSON.parse(execFileSync("python3", ["-c", code, file, query], { encoding: "utf8" }));
}

// Software GL: there is no other in a headless browser without a graphics card.
export const startBrowser = () =>
  chromium.launch({ executablePath, args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--hide-scrollbars"] });

// A page that has been read and drawn. Anything that it complains of is in page.complaints.
export async function open(browser, file, { width = 1280, height = 720, scheme = "light", address, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.requests = [];
  page.on("console", (message) => page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("dialog", (dialog) => {
    page.complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => page.requests.push(request.url()));
  await page.goto(address ?? `file://${file}`);
  await page.waitForSelector("#loading", { state: "detached", timeout: 60000 });
  await page.waitForTimeout(250);
  return page;
}

export const text = (page, selector) => page.locator(selector).first().innerText();
export const settle = (page, milliseconds = 500) => page.waitForTimeout(milliseconds);

// How many frames a second the map makes while it is zoomed and moved: node test/frames.mjs [BLOCKS]
// Each frame asks for a wheel step or a drag, and the time between frames is what counts. In a headless browser GL is
// done by the processor; with a graphics card it is quicker. Processor time is that of all the browser's processes: it tells
// two ways of drawing apart where the machine has other work too, and frames a second don't.
import { readFileSync, readdirSync } from "node:fs";
import { makePage, makeSnapshot, open, startBrowser } from "./browser.mjs";

const blocks = process.argv[2] ?? "1000000";
// TARN_PAGE: a page that is there already.
const html = process.env.TARN_PAGE ?? makePage(makeSnapshot("million", "--blocks", blocks, "--snapshots", "3"));
const browser = await startBrowser();
const started = performance.now();
const page = await open(browser, html);
const loaded = performance.now() - started;

// Milliseconds of all processes below this one, as the kernel counts them: in hundredths of a second.
function processorTime() {
  const children = new Map();
  const times = new Map();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const line = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
      times.set(Number(name), (Number(fields[11]) + Number(fields[12])) * 10);
      children.set(Number(fields[1]), [...(children.get(Number(fields[1])) ?? []), Number(name)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const below = (parent) => (children.get(parent) ?? []).reduce((sum, child) => sum + (times.get(child) ?? 0) + below(child), 0);
  return below(process.pid);
}

const frames = 90;
const measure = (kind, start) => page.evaluate(async ([what, from, count]) => {
  const canvas = document.getElementById("blocks");
  const bounds = canvas.getBoundingClientRect();
  const [x, y] = [bounds.left + bounds.width * 0.42, bounds.top + bounds.height * 0.5];
  for (let i = 0; i < from; ++i) {
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -120, clientX: x, clientY: y, cancelable: true }));
  }
  const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const gl = canvas.getContext("webgl2");
  const times = [];
  for (let i = 0; i < 5; ++i) {
    await next();
  }
  let last = performance.now();
  for (let i = 0; i < count; ++i) {
    if (what === "zoom") {
      canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: i % 60 < 30 ? -60 : 60, clientX: x, clientY: y, cancelable: true }));
    } else {
      dispatchEvent(new KeyboardEvent("keydown", { key: i % 60 < 30 ? "ArrowRight" : "ArrowLeft" }));
    }
    await next();
    // What was asked of GL is done only when something of it is read.
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  times.sort((a, b) => a - b);
  return { median: times[Math.floor(count / 2)], slow: times[Math.floor(count * 0.95)], worst: times[count - 1] };
}, [kind, start, frames]);

console.log(`${blocks} blocks, 1280 × 720, read and drawn in ${(loaded / 1000).toFixed(1)} s`);
// The first frames compile shaders, in software GL for a quarter of a second.
await measure("zoom", 0);
await page.keyboard.press("0");
await page.waitForTimeout(600);
for (const [name, kind, start] of [["zooming from afar", "zoom", 0], ["zooming among pools", "zoom", 10], ["moving over blocks", "pan", 5], ["moving close by", "pan", 5]]) {
  const before = processorTime();
  const { median, slow, worst } = await measure(kind, start);
  const used = (processorTime() - before) / frames;
  console.log(`${name.padEnd(20)} median ${median.toFixed(1)} ms, 95 % ${slow.toFixed(1)} ms, worst ${worst.toFixed(1)} ms: ${(1000 / median).toFixed(0)} frames a second; ${used.toFixed(0)} ms of processor time a frame`);
}
await browser.close();

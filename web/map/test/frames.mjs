// How many frames a second the map makes while it is zoomed and moved: node test/frames.mjs [BLOCKS]
// Each frame asks for a wheel step or a drag, and the time between frames is what counts. In a headless browser GL is
// done by the processor; with a graphics card it is quicker.
import { makePage, makeSnapshot, open, startBrowser } from "./browser.mjs";

const blocks = process.argv[2] ?? "1000000";
// TARN_PAGE: a page that is there already.
const html = process.env.TARN_PAGE ?? makePage(makeSnapshot("million", "--blocks", blocks, "--snapshots", "3"));
const browser = await startBrowser();
const started = performance.now();
const page = await open(browser, html);
const loaded = performance.now() - started;

const measure = (kind, start) => page.evaluate(async ([what, from]) => {
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
  for (let i = 0; i < 90; ++i) {
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
  return { median: times[45], slow: times[85], worst: times[89] };
}, [kind, start]);

console.log(`${blocks} blocks, 1280 × 720, read and drawn in ${(loaded / 1000).toFixed(1)} s`);
// The first frames compile shaders, in software GL for a quarter of a second.
await measure("zoom", 0);
await page.keyboard.press("0");
await page.waitForTimeout(600);
for (const [name, kind, start] of [["zooming from afar", "zoom", 0], ["zooming among pools", "zoom", 10], ["moving over blocks", "pan", 5], ["moving close by", "pan", 5]]) {
  const { median, slow, worst } = await measure(kind, start);
  console.log(`${name.padEnd(20)} median ${median.toFixed(1)} ms, 95 % ${slow.toFixed(1)} ms, worst ${worst.toFixed(1)} ms: ${(1000 / median).toFixed(0)} frames a second`);
}
await browser.close();

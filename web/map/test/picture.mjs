// Makes the picture of docs/map.md: a service's heap after its load fell, with what keeps it highlighted, and a pool of it
// from close by.
// node test/picture.mjs FILE.png   (scripts/build-map --picture)
import { ask, makePage, makeSnapshot, open, settle, startBrowser } from "./browser.mjs";

const browser = await startBrowser();
const file = makeSnapshot("main", "--blocks", "300000", "--snapshots", "5", "--survive", "0.03");
const html = makePage(file);
const page = await open(browser, html, { scheme: "dark" });
await page.locator(".answer").first().click();
await settle(page, 700);
const far = await page.screenshot();
await page.context().close();

const near = await open(browser, html, { scheme: "light" });
// A pool with a few of each.
const [[address]] = ask(file, `SELECT block.address FROM block JOIN pool ON pool.snapshot = block.snapshot AND pool.address = block.pool
  JOIN type ON type.snapshot = block.snapshot AND type.id = block.type
  WHERE block.snapshot = 5 AND type.name = 'Session' AND allocated BETWEEN 12 AND 40 AND pool.blocks < 210 ORDER BY allocated DESC LIMIT 1`);
await near.fill("#question", String(address));
await near.keyboard.press("Enter");
await settle(near, 700);
for (let step = 0; step < 3; ++step) {
  await near.keyboard.press("-");
  await settle(near, 200);
}
// As soon as it's still it is drawn with all pixels.
await settle(near, 1000);
const close = await near.screenshot({ clip: { x: 0, y: 81, width: 1280, height: 330 } });
await near.context().close();

const sheet = await browser.newPage({ viewport: { width: 1280, height: 1058 } });
await sheet.setContent(`<body style="margin:0;background:#888"><img width=1280 src="data:image/png;base64,${far.toString("base64")}">
<img width=1280 style="display:block;margin-top:8px" src="data:image/png;base64,${close.toString("base64")}"></body>`);
await sheet.screenshot({ path: process.argv[2] });
await browser.close();

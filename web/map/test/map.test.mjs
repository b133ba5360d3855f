import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { ask, makePage, makeSnapshot, open, pictures, settle, startBrowser, tarn, text } from "./browser.mjs";

let browser;
let file;
let html;

before(async () => {
  browser = await startBrowser();
  file = makeSnapshot("service", "--blocks", "60000", "--snapshots", "5", "--survive", "0.03");
  html = makePage(file);
});
after(() => browser.close());

const blocksOf = (condition, snapshot = 5) =>
  ask(file, `SELECT count(*) FROM block LEFT JOIN type ON type.snapshot = block.snapshot AND type.id = block.type
             WHERE block.snapshot = ${snapshot} AND state = 1 AND ${condition}`)[0][0];
const whyOf = (by, snapshot = 5) => JSON.parse(execFileSync(tarn, ["why", "--json", `--by=${by}`, `${file}#${snapshot}`], { encoding: "utf8" }));
const counted = (words) => Number(/: ([\d,]+) blocks?$/.exec(words)[1].replaceAll(",", ""));

for (const [name, options] of Object.entries({
  "desktop-light": {}, "desktop-dark": { scheme: "dark" },
  "phone-light": { width: 390, height: 844, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  "phone-dark": { width: 390, height: 844, scheme: "dark", hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
})) {
  test(`the page is shown without a complaint, without scrolling, without a request: ${name}`, async () => {
    const page = await open(browser, html, options);
    await page.screenshot({ path: `${pictures}/${name}.png` });
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(page.requests, [`file://${html}`]);
    const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight);
    assert.ok(fits);
    const small = await page.evaluate(() => [...document.querySelectorAll("header button, header select, nav button")]
      .filter((element) => element.offsetParent !== null).map((element) => element.getBoundingClientRect())
      .filter((box) => box.height < 30 || box.right > innerWidth + 1).length);
    assert.equal(small, 0);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), options.scheme ?? "light");
    await page.context().close();
  });
}

test("the map has colours of blocks in it, and none when the heap has none", async () => {
  const page = await open(browser, html);
  const colours = await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => {
    // In the frame in which it's drawn: afterwards the buffer is gone.
    dispatchEvent(new KeyboardEvent("keydown", { key: "0" }));
    requestAnimationFrame(() => {
      const gl = document.getElementById("blocks").getContext("webgl2");
      const pixels = new Uint8Array(gl.drawingBufferWidth * gl.drawingBufferHeight * 4);
      gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      const seen = new Set();
      for (let i = 0; i < pixels.length; i += 4) {
        seen.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
      }
      resolve(seen.size);
    });
  })));
  assert.ok(colours > 40, `${colours} colours`);
  await page.context().close();
});

const bytes = (shown) => {
  const [, amount, unit] = /^([\d.,]+) (B|KiB|MiB|GiB)$/.exec(shown);
  return [Number(amount.replaceAll(",", "")) * { B: 1, KiB: 1024, MiB: 1 << 20, GiB: 1 << 30 }[unit], { B: 1, KiB: 1024, MiB: 1 << 20, GiB: 1 << 30 }[unit]];
};

test("the panel says what tarn why says, by holder, type and site", async () => {
  const page = await open(browser, html);
  for (const by of ["holder", "type", "site"]) {
    await page.locator(".segments button", { hasText: by[0].toUpperCase() + by.slice(1) }).click();
    const { answers } = whyOf(by);
    const shown = page.locator(".answer");
    assert.ok(answers.length > 1, by);
    assert.equal(await shown.count(), answers.length, by);
    for (const [i, answer] of answers.entries()) {
      const [amount, unit] = bytes(await shown.nth(i).locator(".row span").innerText());
      assert.ok(Math.abs(amount - answer.returns) <= 0.6 * unit, `${by} ${i}: ${amount}, ${answer.returns}`);
      assert.ok((await shown.nth(i).innerText()).includes(`${answer.objects.toLocaleString("en-US")} object`) || answer.type === "unknown", `${by} ${i}`);
    }
    const [first] = answers;
    await shown.first().click();
    const told = await shown.first().innerText();
    for (const part of [first.holders[0].name, ...first.chain, ...first.frees.map(({ type }) => type), ...first.sites.slice(0, 2).map(({ frames: [frame] }) => `${frame.file}:${frame.line}`)]) {
      assert.ok(told.includes(part), `${by}: ${part} in ${told}`);
    }
    await page.keyboard.press("Escape");
  }
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("an answer of why highlights its blocks", async () => {
  const page = await open(browser, html);
  const before = await page.screenshot();
  const first = page.locator(".answer").first();
  assert.equal(await first.locator("b").innerText(), "app.sessions.cache");
  await first.click();
  await settle(page);
  const [{ objects, type }] = whyOf("holder").answers;
  assert.ok(objects > 100);
  // Sessions have no parts, so all their blocks are objects.
  assert.equal(type, "app.models.Session");
  assert.equal(counted(await text(page, "#chosen span")), objects);
  assert.notDeepEqual(await page.screenshot(), before);
  await page.screenshot({ path: `${pictures}/why-highlighted.png` });
  await page.keyboard.press("n");
  await settle(page);
  assert.match(await text(page, "#content"), /app\.models\.Session[\s\S]*Held by[\s\S]*app\.sessions\.cache/);
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#chosen").isHidden());
  // By type, a dict's table is its dict's.
  await page.click('[data-tab="why"]');
  await page.locator(".segments button", { hasText: "Type" }).click();
  await page.locator(".answer", { has: page.locator("b", { hasText: /^dict$/ }) }).click();
  const dicts = ask(file, `SELECT count(*) FROM block LEFT JOIN block owner ON owner.snapshot = block.snapshot AND owner.address = block.owner
    JOIN type ON type.snapshot = block.snapshot AND type.id = coalesce(block.type, owner.type)
    WHERE block.snapshot = 5 AND block.state = 1 AND block.content IN (1, 2) AND type.name = 'dict'`)[0][0];
  assert.equal(counted(await text(page, "#chosen span")), dicts);
  await page.context().close();
});

test("search finds types, holders and sites, and highlights the first", async () => {
  const page = await open(browser, html);
  await page.keyboard.press("/");
  await page.keyboard.type("Session");
  await settle(page, 200);
  const names = await page.locator("#content .answer b").allInnerTexts();
  assert.ok(names.includes("app.models.Session") && names.includes("app.sessions.cache") && names.some((name) => name.startsWith("login")), names.join());
  await page.fill("#question", "type:Session");
  await page.keyboard.press("Enter");
  await settle(page);
  assert.equal(counted(await text(page, "#chosen span")), blocksOf("type.name = 'Session'"));
  await page.fill("#question", "nothing of that name");
  assert.match(await text(page, "#content h2"), /Nothing found/);
  await page.context().close();
});

test("search goes to an address, inside the block too", async () => {
  const page = await open(browser, html);
  const [[address, size]] = ask(file, "SELECT block.address, size FROM block JOIN type USING (snapshot) WHERE type.id = block.type AND snapshot = 5 AND name = 'Session' LIMIT 1");
  for (const question of [`0x${(address + size - 1).toString(16)}`, String(address + 16)]) {
    await page.fill("#question", question);
    await page.keyboard.press("Enter");
    await settle(page, 700);
    const shown = await text(page, "#content");
    assert.match(shown, /^app\.models\.Session/);
    assert.ok(shown.includes(`0x${address.toString(16)}`));
    assert.match(shown, /login[\s\S]*sessions\.py:88/);
    assert.match(shown, /app\.sessions\.cache[\s\S]*→ dict[\s\S]*→ app\.models\.Session/);
  }
  await page.screenshot({ path: `${pictures}/block.png` });
  await page.fill("#question", "0x1234567");
  await page.keyboard.press("Enter");
  assert.match(await text(page, "#content h2"), /No block there/);
  await page.context().close();
});

test("the keyboard does all that the mouse does", async () => {
  const page = await open(browser, html);
  await page.keyboard.press("?");
  assert.ok(await page.locator("#help-text").isVisible());
  await page.screenshot({ path: `${pictures}/help.png` });
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#help-text").isHidden());
  await page.keyboard.press("4");
  assert.equal(await page.inputValue("#mode"), "density");
  await page.keyboard.press("c");
  assert.equal(await page.inputValue("#mode"), "age");
  await page.keyboard.press("o");
  assert.equal(await page.inputValue("#order"), "address");
  await page.keyboard.press("d");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.keyboard.press("w");
  assert.ok(await page.locator("#panel").isHidden());
  await page.keyboard.press("w");
  const shot = () => page.locator("#stage").screenshot();
  await settle(page);
  let last = await shot();
  for (const key of ["+", "+", "ArrowLeft", "ArrowUp", "-", "0"]) {
    await page.keyboard.press(key);
    await settle(page);
    const now = await shot();
    assert.notDeepEqual(now, last, key);
    last = now;
  }
  await page.keyboard.press("[");
  await settle(page);
  assert.match(await text(page, "#when-text"), /snapshot 4/);
  await page.keyboard.press("]");
  await settle(page);
  assert.match(await text(page, "#when-text"), /snapshot 5/);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("the arrows go from tab to tab", async () => {
  const page = await open(browser, html);
  await page.locator('[data-tab="why"]').focus();
  for (const [key, tab] of [["ArrowRight", "block"], ["ArrowRight", "found"], ["ArrowLeft", "block"], ["ArrowLeft", "why"], ["ArrowLeft", "memory"]]) {
    await page.keyboard.press(key);
    assert.equal(await page.locator('[aria-selected="true"]').getAttribute("data-tab"), tab);
  }
  await page.context().close();
});

test("every colouring's legend counts the allocated blocks", async () => {
  const page = await open(browser, html);
  for (const mode of await page.locator("#mode option").evaluateAll((options) => options.map((option) => option.value))) {
    await page.selectOption("#mode", mode);
    await settle(page, 200);
    await page.screenshot({ path: `${pictures}/colour-${mode}.png` });
    const titles = await page.locator("#legend button").evaluateAll((buttons) => buttons.map((element) => element.title));
    const sum = titles.reduce((total, title) => total + counted(title), 0);
    if (mode !== "state") {
      assert.equal(sum, blocksOf("1"), mode);
    }
    await page.locator("#legend button").first().click();
    await settle(page, 200);
    assert.equal(counted(await text(page, "#chosen span")), counted(titles[0]), mode);
    await page.keyboard.press("Escape");
  }
  await page.context().close();
});

test("the time line goes through the heap's life, and keeps what is highlighted", async () => {
  const page = await open(browser, html);
  const goTo = async (ordinal) => {
    await page.locator("#when").evaluate((slider, value) => {
      slider.value = String(value);
      slider.dispatchEvent(new Event("input"));
    }, ordinal);
    await settle(page);
    assert.match(await text(page, "#when-text"), new RegExp(`snapshot ${ordinal + 1} `));
  };
  await page.locator(".answer").first().click();
  for (const ordinal of [3, 4]) {
    await goTo(ordinal);
    const same = whyOf("holder", ordinal + 1).answers.find(({ type }) => type === "app.models.Session");
    assert.equal(counted(await text(page, "#chosen span")), same?.objects ?? 0);
  }
  await page.fill("#question", "holder:app.sessions.cache");
  await page.keyboard.press("Enter");
  for (const ordinal of [0, 2, 4]) {
    await goTo(ordinal);
    assert.equal(counted(await text(page, "#chosen span")), blocksOf("root = 1", ordinal + 1));
  }
  await page.click("#play");
  await page.waitForFunction(() => document.getElementById("when-text").innerText.includes("5 of 5"), null, { timeout: 20000 });
  await page.context().close();
});

test("double clicks lead from the heap to a block, and the mouse tells what is under it", async () => {
  const page = await open(browser, html, { scheme: "dark" });
  const at = [330, 380];
  await page.mouse.move(...at);
  await settle(page, 200);
  for (let step = 0; step < 4; ++step) {
    await page.mouse.dblclick(...at);
    await settle(page, 700);
    await page.screenshot({ path: `${pictures}/closer-${step}.png` });
  }
  await page.mouse.move(at[0] + 4, at[1] + 4);
  await settle(page, 200);
  assert.match(await text(page, "#tip"), /0x7f/);
  assert.match(await text(page, "#content"), /address[\s\S]*pool[\s\S]*arena/);
  await page.context().close();
});

test("a finger moves the map, two zoom it, and the panel opens as a sheet", async () => {
  const page = await open(browser, html, { width: 390, height: 844, hasTouch: true, isMobile: true });
  const client = await page.context().newCDPSession(page);
  const touch = (type, points) => client.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  const shot = () => page.locator("#stage").screenshot();
  const first = await shot();
  await touch("touchStart", [[150, 400], [240, 400]]);
  for (let step = 1; step <= 6; ++step) {
    await touch("touchMove", [[150 - step * 15, 400], [240 + step * 15, 400]]);
  }
  await touch("touchEnd", []);
  await settle(page, 300);
  const zoomed = await shot();
  assert.notDeepEqual(zoomed, first);
  await touch("touchStart", [[200, 400]]);
  await touch("touchMove", [[180, 350]]);
  await touch("touchMove", [[150, 300]]);
  await touch("touchEnd", []);
  await settle(page, 300);
  assert.notDeepEqual(await shot(), zoomed);
  // A browser that is slow takes a tap for a long press.
  for (let i = 0; i < 5 && !(await page.locator("#panel").isVisible()); ++i) {
    await page.tap("#panel-toggle");
    await settle(page);
  }
  await page.locator(".answer").first().tap();
  await settle(page);
  await page.screenshot({ path: `${pictures}/phone-why.png` });
  assert.ok(await page.locator("#chosen").isVisible());
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("names that look like markup are shown as they are, and nothing of them runs", async () => {
  const hostile = makePage(makeSnapshot("hostile", "--blocks", "3000", "--snapshots", "2", "--hostile"));
  const page = await open(browser, hostile);
  assert.match(await text(page, ".answer b"), /<script>alert\(1\)<\/script>app\.sessions\.cache/);
  await page.click('[data-tab="memory"]');
  await page.fill("#question", "<script>");
  await page.keyboard.press("Enter");
  await settle(page);
  await page.keyboard.press("n");
  await settle(page);
  assert.match(await text(page, "#content"), /<script>alert\(1\)<\/script>/);
  for (const tab of ["why", "block", "found", "memory"]) {
    await page.click(`[data-tab="${tab}"]`);
    assert.equal(await page.evaluate(() => document.querySelectorAll("#content script, #legend script, header script").length), 0);
  }
  await page.screenshot({ path: `${pictures}/hostile.png` });
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

const change = (file, statement) => execFileSync("python3", ["-c",
  "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute(sys.argv[2]); d.commit()", file, statement]);

async function goTo(page, address) {
  await page.fill("#question", `0x${address.toString(16)}`);
  await page.keyboard.press("Enter");
  await settle(page, 700);
}

test("a value is shown in the panel and beside the mouse, and nothing of it runs", async () => {
  const valued = makeSnapshot("valued", "--blocks", "3000", "--snapshots", "1", "--hostile", "--values");
  const page = await open(browser, makePage(valued));
  const [[address, value]] = ask(valued, "SELECT block, text FROM value WHERE text LIKE '''<script>%' LIMIT 1");
  await goTo(page, address);
  assert.equal(await page.locator("#content code.value").textContent(), value);
  const stage = await page.locator("#stage").boundingBox();
  await page.mouse.move(stage.x + stage.width / 2, stage.y + stage.height / 2);
  await settle(page, 200);
  assert.ok((await page.locator("#tip").textContent()).includes(value));
  await page.screenshot({ path: `${pictures}/value.png` });
  assert.equal(await page.locator("#content script, #tip script").count(), 0);
  // A number, and an object that has none.
  const [[number, digits]] = ask(valued, "SELECT block, text FROM value WHERE text NOT LIKE '%script%' LIMIT 1");
  await goTo(page, number);
  assert.equal(await page.locator("#content code.value").textContent(), digits);
  await goTo(page, ask(valued, "SELECT address FROM block WHERE content = 1 AND place = 0 AND address NOT IN (SELECT block FROM value) LIMIT 1")[0][0]);
  assert.doesNotMatch(await text(page, "#content"), /value/);
  await page.click('[data-tab="memory"]');
  const [[count]] = ask(valued, "SELECT count(*) FROM value");
  assert.ok((await text(page, "#content")).replaceAll(/\s+/g, " ").includes(`values of objects ${count.toLocaleString("en-US")}`));
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a page that has no room for all values says so", async () => {
  const many = makeSnapshot("many", "--blocks", "60000", "--snapshots", "1", "--values");
  change(many, "UPDATE value SET text = printf('%.*c', 1000, 'x')");
  const page = await open(browser, makePage(many));
  const [[count]] = ask(many, "SELECT count(*) FROM value");
  const room = Math.floor((16 << 20) / 1008);
  assert.ok(count > room);
  await page.click('[data-tab="memory"]');
  assert.ok((await text(page, "#content")).replaceAll(/\s+/g, " ")
    .includes(`values of objects ${room.toLocaleString("en-US")} of ${count.toLocaleString("en-US")} … the page has room for 16 MiB`));
  await goTo(page, ask(many, `SELECT block FROM value ORDER BY block LIMIT 1 OFFSET ${room}`)[0][0]);
  assert.match(await text(page, "#content"), /none, or no room: the page has 16 MiB for values/);
  await goTo(page, ask(many, `SELECT block FROM value ORDER BY block LIMIT 1 OFFSET ${room - 1}`)[0][0]);
  assert.equal((await page.locator("#content code.value").textContent()).length, 1000);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a script that got into the page anyhow would not run, nor reach the network", async () => {
  const page = await open(browser, html);
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    const image = document.createElement("img");
    image.setAttribute("onerror", "window.ran = true");
    image.src = "data:image/png;base64,AAAA";
    document.body.append(image);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const reached = await fetch("http://127.0.0.1:9/").then(() => true, () => false);
    return [window.ran === true, reached];
  });
  assert.deepEqual(ran, [false, false]);
  assert.ok(page.complaints.some((line) => line.includes("Content Security Policy")), page.complaints.join("\n"));
  await page.context().close();
});

test("a heap without blocks is shown too", async () => {
  const empty = makeSnapshot("empty", "--blocks", "10", "--snapshots", "1");
  ask(empty, "SELECT 1");
  execFileSync("python3", ["-c", `import sqlite3,sys; d=sqlite3.connect(sys.argv[1])
for table in ("block", "pool", "arena", "large", "mapping", "ledger", "type", "root", "site_frame"): d.execute("DELETE FROM " + table)
d.commit()`, empty]);
  const page = await open(browser, makePage(empty));
  assert.match(await text(page, "#content"), /Nothing that could be let go of would give a page back/);
  assert.match(await text(page, "#nothing"), /no arena and no block/);
  for (const key of ["+", "Enter", "n", "c", "o", "0", "/"]) {
    await page.keyboard.press(key);
  }
  await page.screenshot({ path: `${pictures}/empty.png` });
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a heap without objects is shown by its size classes", async () => {
  const plain = makeSnapshot("plain", "--blocks", "3000", "--snapshots", "1");
  execFileSync("python3", ["-c", `import sqlite3,sys; d=sqlite3.connect(sys.argv[1])
d.execute("UPDATE block SET content=0, type=NULL, holder=NULL, owner=NULL, root=NULL, refcount=NULL, tracked=NULL, site=NULL, depth=NULL WHERE state=1")
d.commit()`, plain]);
  const page = await open(browser, makePage(plain));
  assert.equal(await page.inputValue("#mode"), "class");
  assert.match(await text(page, ".answer b"), /nothing known/);
  await page.locator(".segments button", { hasText: "Site" }).click();
  assert.match(await text(page, "#content"), /No allocation sites were recorded|Nothing that could be let go of/);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("whoever goes through the answers with the keyboard stays where he is", async () => {
  const page = await open(browser, html);
  const second = page.locator(".answer").nth(1);
  await second.focus();
  await page.keyboard.press("Enter");
  await settle(page, 200);
  assert.equal(await second.getAttribute("aria-pressed"), "true");
  assert.ok(await second.evaluate((element) => element === document.activeElement));
  await page.keyboard.press("Tab");
  assert.ok(await page.locator(".answer").nth(2).evaluate((element) => element === document.activeElement));
  await page.context().close();
});

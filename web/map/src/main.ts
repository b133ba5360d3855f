// The page: what is shown, and what the reader does with it.
import { Camera } from "./camera";
import { type Colouring, type Mode, colouring, modes } from "./colours";
import { unpack } from "./columns";
import { byId, button, make } from "./dom";
import { Heap, Names, State, countUnknown, domainNames, poolStateNames } from "./heap";
import { fillHelp } from "./help";
import { listen } from "./input";
import { type ArenaOrder, type Layout, hitAt, makeLayout, slotRectangle } from "./layout";
import { Overlay } from "./overlay";
import { type Tab, blockContent, foundContent, memoryContent, setContent, whyContent } from "./panel";
import { Renderer } from "./renderer";
import { type Found, search } from "./search";
import { fillStrip } from "./strip";
import { addressText, bytesText, countText, plural } from "./text";
import { type Theme, followSystem, readTheme, setTheme } from "./theme";
import { TimeLine } from "./timeline";
import { type Grouping, type Why, blocksOf, keysOf, whyMemoryStays } from "./why";

interface Highlight { name: string; grouping: Grouping | null; key: number; chosen: Uint8Array; count: number }

const heapsKept = 3;
const slowFrame = 28;  // milliseconds

class Page {
  private readonly camera = new Camera();
  private readonly renderer: Renderer;
  private readonly overlay: Overlay;
  private readonly timeLine: TimeLine;
  private readonly stage = byId("stage");
  private theme: Theme;
  private heap!: Heap;
  private layout!: Layout;
  private colours!: Colouring;
  private why: Why | null = null;
  private mode: Mode = "type";
  private order: ArenaOrder = "usable";
  private grouping: Grouping = "holder";
  private tab: Tab = "why";
  private highlight: Highlight | null = null;
  private selected = -1;
  private hovered = -1;
  private found: Found[] | null = null;
  private question = "";
  private drawing = false;
  private wanted = 0;
  private lastFrame = -1e9;
  private frameTime = 16;
  private sharpness = 1;
  private sharpening = 0;
  private moved = false;  // by the reader: until then all is shown, however the window changes
  private readonly heaps = new Map<number, Heap>();

  constructor(private readonly names: Names, private readonly data: Map<string, string>) {
    this.renderer = new Renderer(byId<HTMLCanvasElement>("blocks"));
    this.overlay = new Overlay(byId<HTMLCanvasElement>("marks"));
    this.theme = readTheme();
    this.timeLine = new TimeLine(names, (ordinal) => void this.show(ordinal));
    followSystem(() => this.themeChanged());
    this.theme = readTheme();
    this.wire();
  }

  private wire(): void {
    const select = byId<HTMLSelectElement>("mode");
    for (const { mode, name } of modes) {
      const option = make("option", {}, name);
      option.value = mode;
      select.append(option);
    }
    select.value = this.mode;
    select.addEventListener("change", () => this.setMode(select.value as Mode));
    const order = byId<HTMLSelectElement>("order");
    order.addEventListener("change", () => this.setOrder(order.value as ArenaOrder));
    const live = this.data.get("live");
    if (live !== undefined) {
      this.goLive(Number(live));
    }
    byId("fit").addEventListener("click", () => this.fit(true));
    byId("theme").addEventListener("click", () => this.switchTheme());
    byId("help").addEventListener("click", () => this.help());
    byId("panel-toggle").addEventListener("click", () => this.togglePanel());
    byId("panel-close").addEventListener("click", () => this.togglePanel(false));
    for (const tab of document.querySelectorAll<HTMLElement>("[data-tab]")) {
      tab.addEventListener("click", () => this.showTab(tab.dataset["tab"] as Tab));
    }
    byId<HTMLFormElement>("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(byId<HTMLInputElement>("question").value, true);
    });
    byId("question").addEventListener("input", () => this.ask(byId<HTMLInputElement>("question").value, false));
    fillHelp(byId<HTMLDialogElement>("help-text"));
    listen(this.stage, byId("blocks"), this.camera, {
      moved: () => {
        this.moved = true;
        this.hover(-1, -1);
        this.draw();
      },
      hovered: (x, y) => this.hover(x, y),
      left: () => this.hover(-1, -1),
      pressed: (x, y) => this.press(x, y),
      pressedTwice: (x, y) => this.closer(...this.camera.toMap(x, y)),
    });
    addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(this.stage);
  }

  // Served by tarn map --live: a new snapshot is a new page, on which one looks at the same place.
  private goLive(seconds: number): void {
    const renew = (): void => {
      const { x, y, scale } = this.camera;
      const place = this.moved ? [x, y, scale].map((value) => value.toFixed(4)) : [];
      location.href = `new#${[this.mode, this.order, this.tab, ...place].join(",")}`;
    };
    document.querySelector("nav")?.prepend(button("New snapshot", renew, { title: "Take a new snapshot of the process" }));
    if (seconds > 0) {
      setInterval(() => {
        if (document.visibilityState === "visible") {
          renew();
        }
      }, seconds * 1000);
    }
  }

  // What the page before this one showed.
  restore(): void {
    const [mode, order, tab, ...place] = location.hash.slice(1).split(",");
    if (!this.data.has("live") || !modes.some((known) => known.mode === mode)) {
      return;
    }
    this.setMode(mode as Mode);
    this.setOrder(order === "address" ? "address" : "usable");
    this.showTab((["why", "block", "found", "memory"] as Tab[]).find((known) => known === tab) ?? "why");
    const [x, y, scale] = place.map(Number);
    if (place.length === 3 && [x, y, scale].every(Number.isFinite)) {
      this.moved = true;
      this.camera.put(x, y, scale);
    }
    this.draw();
  }

  // Another snapshot, or the first.
  async show(ordinal: number): Promise<void> {
    this.wanted = ordinal;
    let heap = this.heaps.get(ordinal);
    if (heap === undefined) {
      heap = new Heap(await unpack(this.data.get(String(ordinal)) ?? ""), this.names, ordinal);
      this.heaps.set(ordinal, heap);
      if (this.heaps.size > heapsKept) {
        this.heaps.delete([...this.heaps.keys()][0]);
      }
    }
    if (this.wanted !== ordinal) {
      return;  // while it was read the reader went on
    }
    const address = this.selected >= 0 ? this.heap.address(this.selected) : -1;
    const isFirst = this.heap === undefined;
    this.heap = heap;
    this.selected = address >= 0 ? heap.slotAt(address) : -1;
    this.hovered = -1;
    this.why = null;
    if (this.highlight !== null && this.highlight.grouping !== null) {
      const { grouping, key, name } = this.highlight;
      this.setHighlight(name, grouping, key, false);
    } else {
      this.highlight = null;
    }
    this.relayout(isFirst);
    this.recolour();
    this.timeLine.draw(ordinal);
    fillStrip(byId("strip"), heap, (owner) => this.pressOwner(owner));
    byId("program").textContent = (this.names.programs[ordinal].split("/").pop() ?? "") || "Python";
    byId("facts").textContent = `${plural(heap.arenaAddress.length, "arena")} · ${plural(this.blocks(), "block")}`;
    document.title = `Heap map: ${byId("program").textContent}`;
    this.showTab(this.tab);
    this.showChosen();
  }

  private blocks(): number {
    let count = 0;
    for (let slot = 0; slot < this.heap.slots; ++slot) {
      count += (this.heap.state[slot] & 3) === State.untouched ? 0 : 1;
    }
    return count;
  }

  private relayout(fit: boolean): void {
    this.layout = makeLayout(this.heap, this.order, this.camera.width / this.camera.height);
    this.camera.setBounds(this.layout);
    this.renderer.setLayout(this.layout);
    if (fit) {
      this.camera.fit(false);
    }
  }

  private recolour(): void {
    this.colours = colouring(this.heap, this.names, this.mode);
    this.renderer.setColours(this.heap, this.layout, this.colours, this.highlight?.chosen ?? null, this.theme);
    this.fillLegend();
    this.draw();
  }

  private repaint(): void {
    this.renderer.setColours(this.heap, this.layout, this.colours, this.highlight?.chosen ?? null, this.theme);
    this.draw();
  }

  private fillLegend(): void {
    const legend = byId("legend");
    const { name, says } = modes.find(({ mode }) => mode === this.mode) ?? modes[0];
    legend.title = `${name}: ${says}`;
    legend.replaceChildren(make("div", { class: "shapes" }, ...(["allocated", "free", "untouched"] as const).map((state) =>
      make("span", {}, make("i", { class: `shape ${state}` }), state))));
    for (const entry of this.colours.entries) {
      const swatch = make("i", { class: "swatch" });
      swatch.style.setProperty("background", entry.colour);
      const pressed = this.highlight?.grouping === null && this.highlight.key === entry.index && this.highlight.name === entry.label;
      legend.append(make("button", { title: `${entry.label}: ${plural(entry.blocks, "block")}`, "aria-pressed": String(pressed), on: () => this.highlightEntry(entry.index, entry.label) },
        swatch, entry.label, make("span", { class: "amount" }, bytesText(entry.bytes))));
    }
  }

  draw(): void {
    if (this.drawing) {
      return;
    }
    this.drawing = true;
    requestAnimationFrame((now) => {
      this.drawing = false;
      this.setSharpness(now);
      const moves = this.camera.advance(now);
      this.renderer.draw(this.camera, this.theme);
      this.overlay.draw(this.camera, this.heap, this.layout, this.theme, { selected: this.selected, hovered: this.hovered });
      if (moves) {
        this.draw();
      }
    });
  }

  // Where frames in a row come too slowly, they are drawn with fewer pixels, and the last again with all.
  private setSharpness(now: number): void {
    const passed = now - this.lastFrame;
    this.lastFrame = now;
    const isInARow = passed < 250;
    if (isInARow) {
      this.frameTime += 0.25 * (passed - this.frameTime);
      if (this.frameTime > slowFrame && this.sharpness > 0.3) {
        this.sharpness *= 0.7;
        this.frameTime = slowFrame / 2;
      }
    }
    clearTimeout(this.sharpening);
    const sharpness = isInARow ? this.sharpness : 1;
    if (sharpness < 1) {
      this.sharpening = window.setTimeout(() => this.draw(), 300);
    }
    const canvas = byId<HTMLCanvasElement>("blocks");
    const width = Math.max(1, Math.round(this.camera.width * this.camera.density * sharpness));
    const height = Math.max(1, Math.round(this.camera.height * this.camera.density * sharpness));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const density = Math.min(2, devicePixelRatio);
    const marks = byId<HTMLCanvasElement>("marks");
    marks.width = Math.max(1, Math.round(width * density));
    marks.height = Math.max(1, Math.round(height * density));
    this.camera.resize(width, height, density);
    if (this.heap !== undefined) {
      this.timeLine.draw(this.heap.ordinal);
      if (!this.moved) {
        this.relayout(true);
        this.repaint();
      }
      this.draw();
    }
  }

  fit(animated: boolean): void {
    this.moved = false;
    this.camera.fit(animated);
    this.draw();
  }

  setMode(mode: Mode): void {
    this.mode = mode;
    byId<HTMLSelectElement>("mode").value = mode;
    this.recolour();
  }

  private setOrder(order: ArenaOrder): void {
    this.order = order;
    byId<HTMLSelectElement>("order").value = order;
    this.relayout(false);
    this.repaint();
  }

  private themeChanged(): void {
    this.theme = readTheme();
    if (this.heap !== undefined) {
      this.repaint();
      this.timeLine.draw(this.heap.ordinal);
    }
  }

  private switchTheme(): void {
    setTheme(!this.theme.isDark);
    this.themeChanged();
  }

  private help(): void {
    const dialog = byId<HTMLDialogElement>("help-text");
    if (dialog.open) {
      dialog.close();
    } else {
      dialog.showModal();
    }
  }

  private togglePanel(open = byId("panel").classList.contains("closed")): void {
    byId("panel").classList.toggle("closed", !open);
    byId("panel-toggle").setAttribute("aria-pressed", String(open));
  }

  private showTab(tab: Tab): void {
    this.tab = tab;
    for (const element of document.querySelectorAll<HTMLElement>("[data-tab]")) {
      element.setAttribute("aria-selected", String(element.dataset["tab"] === tab));
    }
    switch (tab) {
      case "why":
        this.why ??= whyMemoryStays(this.heap, this.names, this.grouping);
        setContent(whyContent(this.why, this.names, this.heap.ordinal, this.grouping, this));
        break;
      case "block": setContent(blockContent(this.heap, this.selected, this)); break;
      case "found": setContent(foundContent(this.found, this.question, this)); break;
      case "memory": setContent(memoryContent(this.heap)); break;
    }
  }

  // The panel's actions.
  showWhy(grouping: Grouping): void {
    this.grouping = grouping;
    this.why = null;
    this.showTab("why");
  }

  isHighlighted(grouping: Grouping, key: number): boolean {
    return this.highlight?.grouping === grouping && this.highlight.key === key;
  }

  highlightGroup(grouping: Grouping, key: number, name: string): void {
    if (this.isHighlighted(grouping, key)) {
      this.clearHighlight();
      return;
    }
    this.setHighlight(name, grouping, key, true);
  }

  private setHighlight(name: string, grouping: Grouping, key: number, paint: boolean): void {
    const keyOf = keysOf(this.heap, grouping);
    this.lightUp({ name, grouping, key, chosen: blocksOf(this.heap, (slot) => keyOf(slot) === key), count: 0 }, paint);
  }

  highlightBelow(slot: number): void {
    const { heap } = this;
    // 1: through it, 2: not.
    const known = new Uint8Array(heap.slots);
    known[slot] = 1;
    const way: number[] = [];
    for (let start = 0; start < heap.slots; ++start) {
      let at = start;
      way.length = 0;
      while (known[at] === 0 && heap.up[at] > 0 && way.length < heap.slots) {
        known[at] = 2;
        way.push(at);
        at = heap.up[at] - 1;
      }
      const answer = known[at] === 1 ? 1 : 2;
      known[at] = answer;
      for (const passed of way) {
        known[passed] = answer;
      }
    }
    this.lightUp({ name: `below ${heap.describe(slot)}`, grouping: null, key: slot, chosen: blocksOf(heap, (at) => known[at] === 1), count: 0 }, true);
  }

  private highlightEntry(index: number, label: string): void {
    if (this.highlight?.grouping === null && this.highlight.key === index && this.highlight.name === label) {
      this.clearHighlight();
      return;
    }
    const { indices } = this.colours;
    const chosen = new Uint8Array(this.heap.slots);
    for (let slot = 0; slot < chosen.length; ++slot) {
      chosen[slot] = indices[slot] === index && (this.mode === "state" || (this.heap.state[slot] & 3) === State.allocated) ? 1 : 0;
    }
    this.lightUp({ name: label, grouping: null, key: index, chosen, count: 0 }, true);
  }

  private lightUp(highlight: Highlight, paint: boolean): void {
    for (const one of highlight.chosen) {
      highlight.count += one;
    }
    this.highlight = highlight;
    if (paint) {
      this.repaint();
      this.marksChanged();
    }
  }

  private clearHighlight(): void {
    this.highlight = null;
    this.repaint();
    this.marksChanged();
  }

  private marksChanged(): void {
    this.fillLegend();
    this.showChosen();
    if (this.tab !== "block") {
      const { scrollTop } = byId("content");
      this.showTab(this.tab);
      byId("content").scrollTop = scrollTop;
    }
  }

  private showChosen(): void {
    const bar = byId("chosen");
    bar.hidden = this.highlight === null;
    if (this.highlight !== null) {
      bar.replaceChildren(make("span", {}, `${this.highlight.name}: ${plural(this.highlight.count, "block")}`),
        button("Next", () => this.step(1), { title: "The next block (n)" }), button("Clear", () => this.clearHighlight(), { title: "Esc" }));
    }
  }

  // The next highlighted block.
  private step(by: 1 | -1): void {
    const chosen = this.highlight?.chosen;
    if (chosen === undefined || this.highlight?.count === 0) {
      return;
    }
    let slot = this.selected;
    for (let i = 0; i < chosen.length; ++i) {
      slot = (slot + by + chosen.length) % chosen.length;
      if (chosen[slot] === 1) {
        this.select(slot, true);
        return;
      }
    }
  }

  select(slot: number, fly: boolean): void {
    this.moved ||= fly;
    this.selected = slot;
    this.showTab("block");
    if (fly && slot >= 0) {
      const target = slotRectangle(this.layout, slot);
      this.camera.flyTo(target, 120 / Math.max(target.width, target.height));
    }
    this.draw();
  }

  ask(question: string, go: boolean): void {
    this.question = question.trim();
    if (this.question === "") {
      this.found = null;
      if (this.tab === "found") {
        this.showTab("found");
      }
      return;
    }
    const answer = search(this.heap, this.names, question);
    if (answer.kind === "address") {
      if (answer.slot >= 0 && go) {
        this.togglePanel(true);
        this.select(answer.slot, true);
        this.stage.focus({ preventScroll: true });
      } else if (go) {
        this.togglePanel(true);
        this.tab = "found";
        setContent([make("h2", {}, "No block there"), make("p", {}, `${addressText(answer.address)} lies in no block of this snapshot.`)]);
      }
      return;
    }
    this.found = answer.found;
    this.togglePanel(true);
    this.showTab("found");
    if (go && answer.found.length > 0) {
      const first = answer.found[0];
      this.setHighlight(first.name, first.grouping, first.key, true);
      this.stage.focus({ preventScroll: true });
    }
  }

  private pressOwner(owner: string): void {
    const wanted = owner === "large" ? "Large blocks" : owner === "arenas" ? "heap" : "";
    const section = this.layout.sections.find(({ title }) => wanted !== "" && title.includes(wanted));
    if (section !== undefined) {
      this.moved = true;
      this.camera.flyTo(section);
      this.draw();
    } else {
      this.togglePanel(true);
      this.showTab("memory");
    }
  }

  private hover(x: number, y: number): void {
    const tip = byId("tip");
    const hit = x < 0 ? { box: -1, slot: -1, arena: -1 } : hitAt(this.layout, ...this.camera.toMap(x, y));
    if (hit.slot !== this.hovered) {
      this.hovered = hit.slot;
      this.draw();
    }
    const lines = this.tipLines(hit.box, hit.slot, hit.arena);
    tip.hidden = lines.length === 0 || matchMedia("(hover: none)").matches;
    if (!tip.hidden) {
      tip.replaceChildren(...lines.map((line, i) => make(i === 0 ? "b" : "div", {}, line)));
      const { offsetWidth: width, offsetHeight: height } = tip;
      tip.style.setProperty("left", `${x + 16 + width > this.camera.width ? Math.max(0, x - width - 12) : x + 16}px`);
      tip.style.setProperty("top", `${Math.max(0, Math.min(this.camera.height - height - 4, y + 14))}px`);
    }
  }

  private tipLines(box: number, slot: number, arena: number): string[] {
    const { heap } = this;
    const pool = box >= 0 ? this.layout.boxes.pools[box] : -1;
    if (slot >= 0) {
      const root = heap.rootOf(slot);
      const count = heap.refcount[slot];
      return [
        heap.describe(slot),
        `${bytesText(heap.size(slot))} at ${addressText(heap.address(slot))}${heap.stateOf(slot) === State.allocated && heap.type[slot] > 0 ? ` · ${count === countUnknown ? "immortal" : plural(count, "reference")}` : ""}`,
        ...(root >= 0 && heap.stateOf(slot) === State.allocated ? [`held by ${heap.names.root(root)}`] : []),
        ...(pool >= 0 ? [`pool ${poolStateNames[heap.poolState[pool]]} of ${bytesText(heap.poolBlockSize[pool])} · ${domainNames[heap.poolDomain[pool]]}`] : []),
      ];
    }
    if (pool >= 0) {
      return [`${poolStateNames[heap.poolState[pool]]} pool`, addressText(heap.poolAddress[pool]), bytesText(heap.poolSize[pool])];
    }
    if (arena >= 0) {
      return [`arena ${addressText(heap.arenaAddress[arena])}`, `${bytesText(heap.arenaResident[arena])} resident of ${bytesText(heap.arenaSize[arena])}`, `nfreepools ${countText(heap.arenaFree[arena])}`];
    }
    return [];
  }

  private press(x: number, y: number): void {
    const hit = hitAt(this.layout, ...this.camera.toMap(x, y));
    if (hit.slot >= 0) {
      this.select(hit.slot, false);
    } else {
      this.selected = -1;
      this.draw();
    }
  }

  // Into what lies there: the arena, then the pool, then the block.
  private closer(x: number, y: number): void {
    this.moved = true;
    const hit = hitAt(this.layout, x, y);
    const place = this.layout.arenas.find(({ arena }) => arena === hit.arena);
    const { camera } = this;
    const fills = (width: number): boolean => width * camera.scale > Math.min(camera.width, camera.height) * 0.6;
    const { rectangles } = this.layout.boxes;
    // Between the pools of an arena: the nearest.
    if (place !== undefined && hit.box < 0) {
      let nearest = Infinity;
      for (let box = place.firstBox; box < place.firstBox + place.boxes; ++box) {
        const [left, top, width, height] = rectangles.subarray(box * 4, box * 4 + 4);
        const distance = Math.hypot(x - left - width / 2, y - top - height / 2);
        if (distance < nearest) {
          nearest = distance;
          hit.box = box;
        }
      }
    }
    if (place !== undefined && !fills(place.width)) {
      camera.flyTo(place);
    } else if (hit.box >= 0 && !fills(rectangles[hit.box * 4 + 2])) {
      const [left, top, width, height] = rectangles.subarray(hit.box * 4, hit.box * 4 + 4);
      camera.flyTo({ x: left, y: top, width, height });
    } else if (hit.slot >= 0) {
      camera.flyTo(slotRectangle(this.layout, hit.slot), 260 / slotRectangle(this.layout, hit.slot).width);
    } else {
      camera.zoom(2, ...camera.toScreen(x, y));
    }
    this.draw();
  }

  private undo(): void {
    if (this.highlight !== null) {
      this.clearHighlight();
    } else if (this.selected >= 0) {
      this.selected = -1;
      this.showTab(this.tab);
      this.draw();
    } else {
      this.togglePanel(false);
    }
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || byId<HTMLDialogElement>("help-text").open) {
      return;
    }
    if (target instanceof HTMLInputElement && target.type === "search") {
      if (event.key === "Escape") {
        this.stage.focus({ preventScroll: true });
      }
      return;
    }
    if (target instanceof HTMLSelectElement || (target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter"))) {
      return;
    }
    if (target instanceof HTMLInputElement && event.key.startsWith("Arrow")) {
      return;
    }
    const step = 90;
    const ordinal = this.heap.ordinal;
    const number = Number(event.key);
    const actions: Record<string, () => void> = {
      ArrowLeft: () => this.camera.pan(step, 0), ArrowRight: () => this.camera.pan(-step, 0),
      ArrowUp: () => this.camera.pan(0, step), ArrowDown: () => this.camera.pan(0, -step),
      "+": () => this.camera.zoom(1.4), "=": () => this.camera.zoom(1.4), "-": () => this.camera.zoom(1 / 1.4),
      0: () => this.fit(true), "/": () => byId("question").focus(), "?": () => this.help(), d: () => this.switchTheme(),
      w: () => this.togglePanel(), n: () => this.step(1), p: () => this.step(-1), Escape: () => this.undo(),
      c: () => this.setMode(modes[(modes.findIndex(({ mode }) => mode === this.mode) + 1) % modes.length].mode),
      o: () => this.setOrder(this.order === "usable" ? "address" : "usable"), " ": () => this.timeLine.toggle(),
      "[": () => void this.show(Math.max(0, ordinal - 1)), "]": () => void this.show(Math.min(this.names.count - 1, ordinal + 1)),
      Enter: () => this.selected >= 0 ? this.camera.flyTo(slotRectangle(this.layout, this.selected), 260 / slotRectangle(this.layout, this.selected).width) : this.closer(this.camera.x, this.camera.y),
    };
    const action = number >= 1 && number <= modes.length ? (): void => this.setMode(modes[number - 1].mode) : actions[event.key];
    if (action !== undefined) {
      event.preventDefault();
      this.moved ||= event.key.startsWith("Arrow") || ["+", "=", "-"].includes(event.key);
      this.hover(-1, -1);
      action();
      this.draw();
    }
  }
}

async function start(): Promise<void> {
  const data = new Map<string, string>();
  for (const element of document.querySelectorAll<HTMLScriptElement>("script.data")) {
    data.set(element.dataset["name"] ?? "", element.textContent ?? "");
    element.remove();
  }
  const names = new Names(await unpack(data.get("names") ?? ""));
  const page = new Page(names, data);
  if (innerWidth <= 760) {
    byId("panel").classList.add("closed");
  }
  await new Promise(requestAnimationFrame);
  await page.show(names.count - 1);
  page.fit(false);
  page.restore();
  byId("loading").remove();
}

start().catch((error: unknown) => {
  byId("loading").textContent = `The map can't be shown: ${error instanceof Error ? error.message : String(error)}`;
});

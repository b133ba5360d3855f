// The page: what is shown, and what the reader does with it.
import { Camera } from "./camera";
import { Chains } from "./chains";
import { blockPixels, goCloser } from "./closer";
import { type Colouring, type Mode, colouring, modes } from "./colours";
import { unpack } from "./columns";
import { byId, button, make } from "./dom";
import type { Grouping } from "./groups";
import { Heap, Names, State } from "./heap";
import { fillHelp } from "./help";
import { type Choice, type Highlight, carriedOver, highlight, isSame } from "./highlight";
import { listen } from "./input";
import { type ArenaOrder, type Layout, hitAt, makeLayout, slotRectangle } from "./layout";
import { fillLegend } from "./legend";
import { offerSnapshots, viewBefore } from "./live";
import { Overlay } from "./overlay";
import { type Pace, Pacing } from "./pacing";
import { type Tab, blockContent, foundContent, memoryContent, setContent } from "./panel";
import { Renderer } from "./renderer";
import { type Found, search } from "./search";
import { fillStrip } from "./strip";
import { addressText, plural } from "./text";
import { type Theme, followSystem, readTheme, setTheme } from "./theme";
import { TimeLine } from "./timeline";
import { showTip } from "./tip";
import { whyContent } from "./why_panel";

const heapsKept = 3;

class Page {
  private readonly camera = new Camera();
  private readonly renderer: Renderer;
  private readonly overlay: Overlay;
  private readonly chains: Chains;
  private readonly pacing = new Pacing((now, pace) => this.frame(now, pace));
  private readonly timeLine: TimeLine;
  private readonly stage = byId("stage");
  private theme: Theme;
  private heap!: Heap;
  private layout!: Layout;
  private colours!: Colouring;
  private mode: Mode = "type";
  private order: ArenaOrder = "usable";
  private grouping: Grouping = "holder";
  private tab: Tab = "why";
  private highlight: Highlight | null = null;
  private selected = -1;
  private hovered = -1;
  private found: Found[] | null = null;
  private question = "";
  private wanted = 0;
  private moved = false;  // by the reader: until then all is shown, however the window changes
  private readonly heaps = new Map<number, Heap>();

  constructor(private readonly names: Names, private readonly data: Map<string, string>) {
    this.renderer = new Renderer(byId<HTMLCanvasElement>("blocks"));
    this.overlay = new Overlay(byId<HTMLCanvasElement>("marks"));
    this.chains = new Chains(byId<HTMLCanvasElement>("chains"));
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
      offerSnapshots(Number(live), () => {
        const { x, y, scale } = this.camera;
        return { mode: this.mode, order: this.order, tab: this.tab, place: this.moved ? [x, y, scale] : null };
      });
    }
    byId("fit").addEventListener("click", () => this.fit(true));
    byId("theme").addEventListener("click", () => this.switchTheme());
    byId("help").addEventListener("click", () => this.help());
    byId("panel-toggle").addEventListener("click", () => this.togglePanel());
    byId("panel-close").addEventListener("click", () => this.togglePanel(false));
    const tabs = [...document.querySelectorAll<HTMLElement>("[data-tab]")];
    tabs.forEach((tab, i) => {
      tab.addEventListener("click", () => this.showTab(tab.dataset["tab"] as Tab));
      // Among tabs the arrows lead to the next, not over the map.
      tab.addEventListener("keydown", (event) => {
        const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        if (by !== 0) {
          event.preventDefault();
          event.stopPropagation();
          const next = tabs[(i + by + tabs.length) % tabs.length];
          next.focus();
          next.click();
        }
      });
    });
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
        this.pacing.moving();
      },
      hovered: (x, y) => this.hover(x, y),
      left: () => this.hover(-1, -1),
      pressed: (x, y) => this.press(x, y),
      pressedTwice: (x, y) => this.closer(...this.camera.toMap(x, y)),
    });
    addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(this.stage);
  }

  // Of a page that is served: what the one before it showed.
  restore(): void {
    const { mode, order, tab, place } = viewBefore();
    if (!this.data.has("live") || !modes.some((known) => known.mode === mode)) {
      return;
    }
    this.setMode(mode as Mode);
    this.setOrder(order === "address" ? "address" : "usable");
    this.showTab((["why", "block", "found", "memory"] as Tab[]).find((known) => known === tab) ?? "why");
    if (place !== null) {
      this.moved = true;
      this.camera.put(...place);
    }
    this.pacing.changed();
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
    if (isFirst && heap.slots > 0 && !heap.type.some((type) => type > 0)) {
      this.mode = "class";  // without objects there is nothing to be told by type
      byId<HTMLSelectElement>("mode").value = this.mode;
    }
    byId("nothing").hidden = heap.slots > 0 || heap.arenaAddress.length > 0;
    byId("strip").hidden = heap.columns.numbers("mapping.start").length === 0;
    this.relayout(isFirst);
    this.colours = colouring(heap, this.names, this.mode);
    this.highlight = carriedOver(heap, this.highlight, this.colours);
    this.repaint();
    this.fillLegend();
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
    this.repaint();
    this.fillLegend();
  }

  private repaint(): void {
    this.renderer.setColours(this.heap, this.layout, this.colours, this.highlight?.chosen ?? null, this.theme);
    this.pacing.changed();
  }

  private fillLegend(): void {
    const choiceOf = (entry: { label: string; index: number }): Choice =>
      ({ by: "colour", mode: this.mode, label: entry.label, index: entry.index });
    fillLegend(this.colours, (entry) => this.isHighlighted(choiceOf(entry)), (entry) => this.toggleHighlight(entry.label, choiceOf(entry)));
  }

  // Returns whether the view moves on.
  private frame(now: number, pace: Pace): boolean {
    const { camera, heap, layout, theme } = this;
    if (heap === undefined) {
      return false;
    }
    const moves = camera.advance(now);
    if (pace.view || moves) {
      const canvas = byId<HTMLCanvasElement>("blocks");
      const width = Math.max(1, Math.round(camera.width * camera.density * pace.sharpness));
      const height = Math.max(1, Math.round(camera.height * camera.density * pace.sharpness));
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
      }
      this.renderer.draw(camera, theme);
      this.chains.draw(camera, heap, layout, theme, pace.isMoving || moves);
    }
    this.overlay.draw(camera, heap, layout, theme, { selected: this.selected, hovered: this.hovered });
    return moves;
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const density = Math.min(2, devicePixelRatio);
    for (const name of ["chains", "marks"]) {
      const canvas = byId<HTMLCanvasElement>(name);
      canvas.width = Math.max(1, Math.round(width * density));
      canvas.height = Math.max(1, Math.round(height * density));
    }
    this.camera.resize(width, height, density);
    if (this.heap !== undefined) {
      this.timeLine.draw(this.heap.ordinal);
      if (!this.moved) {
        this.relayout(true);
        this.repaint();
      }
      this.pacing.changed();
    }
  }

  fit(animated: boolean): void {
    this.moved = false;
    this.camera.fit(animated);
    if (animated) {
      this.pacing.moving();
    } else {
      this.pacing.changed();
    }
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

  // `isNew`: the same tab, but not of the same.
  private showTab(tab: Tab, isNew = false): void {
    const isSame = this.tab === tab && !isNew;
    this.tab = tab;
    for (const element of document.querySelectorAll<HTMLElement>("[data-tab]")) {
      element.setAttribute("aria-selected", String(element.dataset["tab"] === tab));
    }
    setContent(this.content(tab), isSame);
  }

  private content(tab: Tab): Node[] {
    switch (tab) {
      case "why": return whyContent(this.heap, this.grouping, this);
      case "block": return blockContent(this.heap, this.selected, this);
      case "found": return foundContent(this.found, this.question, this);
      case "memory": return memoryContent(this.heap);
    }
  }

  // The panel's actions.
  showWhy(grouping: Grouping): void {
    this.grouping = grouping;
    this.showTab("why");
  }

  isHighlighted(choice: Choice): boolean {
    return isSame(this.highlight?.choice, choice);
  }

  toggleHighlight(name: string, choice: Choice): void {
    this.light(this.isHighlighted(choice) ? null : highlight(this.heap, name, choice, this.colours));
  }

  private light(what: Highlight | null): void {
    this.highlight = what;
    this.repaint();
    this.marksChanged();
  }

  private marksChanged(): void {
    this.fillLegend();
    this.showChosen();
    if (this.tab !== "block") {
      this.showTab(this.tab);
    }
  }

  private showChosen(): void {
    const bar = byId("chosen");
    bar.hidden = this.highlight === null;
    if (this.highlight !== null) {
      bar.replaceChildren(make("span", {}, `${this.highlight.name}: ${plural(this.highlight.count, "block")}`),
        button("Next", () => this.step(1), { title: "The next block (n)" }), button("Clear", () => this.light(null), { title: "Esc" }));
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
    this.showTab("block", true);
    if (fly && slot >= 0) {
      this.flyTo(slot, 120);
    }
    this.pacing.marked();
  }

  private flyTo(slot: number, pixels: number): void {
    const target = slotRectangle(this.layout, slot);
    this.camera.flyTo(target, pixels / Math.max(target.width, target.height));
    this.pacing.moving();
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
        setContent([make("h2", {}, "No block there"), make("p", {}, `${addressText(answer.address)} lies in no block of this snapshot.`)], false);
      }
      return;
    }
    this.found = answer.found;
    this.togglePanel(true);
    this.showTab("found");
    if (go && answer.found.length > 0) {
      const first = answer.found[0];
      this.light(highlight(this.heap, first.name, { by: "name", grouping: first.grouping, key: first.key }, this.colours));
      this.stage.focus({ preventScroll: true });
    }
  }

  private pressOwner(owner: string): void {
    const wanted = owner === "large" ? "Large blocks" : owner === "arenas" ? "heap" : "";
    const section = this.layout.sections.find(({ title }) => wanted !== "" && title.includes(wanted));
    if (section !== undefined) {
      this.moved = true;
      this.camera.flyTo(section);
      this.pacing.moving();
    } else {
      this.togglePanel(true);
      this.showTab("memory");
    }
  }

  private hover(x: number, y: number): void {
    const hit = x < 0 ? { box: -1, slot: -1, arena: -1 } : hitAt(this.layout, ...this.camera.toMap(x, y));
    if (hit.slot !== this.hovered) {
      this.hovered = hit.slot;
      this.pacing.marked();
    }
    showTip(this.camera, this.heap, this.layout, hit, x, y);
  }

  private press(x: number, y: number): void {
    const hit = hitAt(this.layout, ...this.camera.toMap(x, y));
    if (hit.slot >= 0) {
      this.select(hit.slot, false);
    } else {
      this.selected = -1;
      this.pacing.marked();
    }
  }

  private closer(x: number, y: number): void {
    this.moved = true;
    goCloser(this.camera, this.layout, x, y);
    this.pacing.moving();
  }

  private undo(): void {
    if (this.highlight !== null) {
      this.light(null);
    } else if (this.selected >= 0) {
      this.selected = -1;
      this.showTab(this.tab);
      this.pacing.changed();
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
      Enter: () => this.selected >= 0 ? this.flyTo(this.selected, blockPixels) : this.closer(this.camera.x, this.camera.y),
    };
    const action = number >= 1 && number <= modes.length ? (): void => this.setMode(modes[number - 1].mode) : actions[event.key];
    if (action !== undefined) {
      event.preventDefault();
      const moves = event.key.startsWith("Arrow") || ["+", "=", "-"].includes(event.key);
      this.moved ||= moves;
      this.hover(-1, -1);
      action();
      if (moves) {
        this.pacing.moving();
      }
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

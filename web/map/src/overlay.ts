// What lies over the blocks, drawn each frame for what is in sight: names, the links of usable_arenas, what is selected
// and who holds it.
import type { Camera } from "./camera";
import { type Heap, State, countUnknown, domainNames, poolStateNames } from "./heap";
import { type Layout, type Rectangle, slotRectangle } from "./layout";
import type { Theme } from "./theme";
import { font, tag, words } from "./tag";
import { addressText, bytesText, countText } from "./text";

export interface Marks { selected: number; hovered: number }

const leastCellForText = 46;

export class Overlay {
  private readonly context: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d") as CanvasRenderingContext2D;
  }

  draw(camera: Camera, heap: Heap, layout: Layout, theme: Theme, marks: Marks): void {
    const { context } = this;
    context.setTransform(camera.density, 0, 0, camera.density, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    this.sections(camera, layout, theme);
    this.arenas(camera, heap, layout, theme);
    this.links(camera, layout, theme);
    this.pools(camera, heap, layout, theme);
    this.selection(camera, heap, layout, theme, marks);
  }

  private sections(camera: Camera, layout: Layout, theme: Theme): void {
    for (const section of layout.sections) {
      const r = camera.rectangle(section);
      const height = Math.min(34, 12 * camera.scale);
      if (!camera.sees(r) || height < 7) {
        continue;
      }
      const size = Math.round(Math.min(15, Math.max(9, height * 0.5)));
      const y = r.y + 6 * camera.scale;
      const x = Math.max(8, r.x + 2);
      words(this.context, section.title, x, y, size, theme.text, camera.width - x, true);
      const width = this.context.measureText(section.title).width;
      words(this.context, section.note, x + width + 12, y, size - 1, theme.faint, camera.width - x - width - 20);
    }
  }

  private arenas(camera: Camera, heap: Heap, layout: Layout, theme: Theme): void {
    const { context } = this;
    for (const place of layout.arenas) {
      const r = camera.rectangle(place);
      if (!camera.sees(r)) {
        continue;
      }
      const label = 3.2 * camera.scale;
      context.fillStyle = theme.faint;
      context.globalAlpha = 0.45;
      frame(context, Math.round(r.x), Math.round(r.y), Math.round(r.width) + 1, Math.round(r.height) + 1);
      context.globalAlpha = 1;
      if (label < 10) {
        continue;
      }
      const { arena } = place;
      const size = Math.round(Math.min(13, Math.max(9, label * 0.66)));
      const free = heap.arenaFree[arena];
      const address = addressText(heap.arenaAddress[arena]);
      const resident = bytesText(heap.arenaResident[arena]);
      context.font = `${size}px ${font}`;
      const title = [
        `arena ${address} · ${resident} of ${bytesText(heap.arenaSize[arena])} resident · nfreepools ${free}`,
        `${address} · ${resident} resident · nfreepools ${free}`, `${address} · ${resident}`, address,
      ].find((text) => context.measureText(text).width < r.width - 10) ?? resident;
      words(this.context, title, r.x + 5, r.y + label / 2, size, theme.text, r.width - 10);
    }
  }

  // usable_arenas: an arrow from each to the next, where they stand side by side. Of rectangles, its head too: a hundred
  // triangles are one path, which takes as long as all blocks where the processor draws.
  private links(camera: Camera, layout: Layout, theme: Theme): void {
    const { context } = this;
    const gap = 4 * camera.scale;
    if (gap < 6) {
      return;
    }
    context.fillStyle = theme.faint;
    const thickness = Math.min(2, gap / 8);
    const head = Math.min(8, gap * 0.3);
    for (const chain of layout.chains) {
      for (let i = 0; i + 1 < chain.length; ++i) {
        const here = camera.rectangle(chain[i]);
        const following = camera.rectangle(chain[i + 1]);
        if (chain[i].y !== chain[i + 1].y || !camera.sees(here)) {
          continue;
        }
        const [x, end, y] = [here.x + here.width + gap * 0.1, following.x - gap * 0.1, here.y + here.height / 2];
        context.fillRect(x, y - thickness / 2, end - head - x, thickness);
        for (let i = 0; i < head; ++i) {
          const half = 0.45 * (head - i);
          context.fillRect(end - head + i, y - half, Math.min(1, head - i), 2 * half);
        }
      }
    }
  }

  private pools(camera: Camera, heap: Heap, layout: Layout, theme: Theme): void {
    const { rectangles, grid, pools } = layout.boxes;
    for (let box = 0; box < layout.boxes.count; ++box) {
      const width = rectangles[box * 4 + 2] * camera.scale;
      if (width < 24) {
        continue;
      }
      const [x, y] = camera.toScreen(rectangles[box * 4], rectangles[box * 4 + 1]);
      const height = rectangles[box * 4 + 3] * camera.scale;
      if (x > camera.width || y > camera.height || x + width < 0 || y + height < 0) {
        continue;
      }
      const pool = pools[box];
      const blocks = grid[box * 4 + 1];
      if (pool >= 0 && blocks === 0 && width > 60) {
        words(this.context, poolStateNames[heap.poolState[pool]], x + width / 2 - 22, y + height / 2, 11, theme.faint, width - 8);
      }
      if (blocks === 0) {
        continue;
      }
      const cell = Math.min(width / grid[box * 4 + 2], height / grid[box * 4 + 3]);
      if (cell > leastCellForText) {
        this.blockTexts(camera, heap, layout, theme, box);
      } else if (pool >= 0 && width > 120) {
        this.poolTag(heap, theme, pool, x, y, width);
      }
    }
  }

  private poolTag(heap: Heap, theme: Theme, pool: number, x: number, y: number, width: number): void {
    const text = `${bytesText(heap.poolBlockSize[pool])} × ${heap.poolBlocks[pool]} · ${poolStateNames[heap.poolState[pool]]} · ${domainNames[heap.poolDomain[pool]]}`;
    tag(this.context, text, x + 3, y + 3, theme, width - 6);
  }

  private blockTexts(camera: Camera, heap: Heap, layout: Layout, theme: Theme, box: number): void {
    const { grid } = layout.boxes;
    const first = grid[box * 4];
    const blocks = grid[box * 4 + 1];
    for (let slot = first; slot < first + blocks; ++slot) {
      const r = camera.rectangle(slotRectangle(layout, slot));
      if (r.x > camera.width || r.y > camera.height || r.x + r.width < 0 || r.y + r.height < 0 || heap.stateOf(slot) !== State.allocated) {
        continue;
      }
      const { context } = this;
      const size = Math.round(Math.min(13, Math.max(9, r.width / 9)));
      context.font = `600 ${size}px ${font}`;
      const name = heap.describe(slot);
      // Without its module where there is no room for it.
      const lines = [context.measureText(name).width < r.width - 16 ? name : name.replace(/[^ ]*\.(?=[^ .]+$)/, "")];
      if (r.height > 80 && r.width > 90) {
        const count = heap.refcount[slot];
        lines.push(count === countUnknown ? "" : `${countText(count)} ref${count === 1 ? "" : "s"}${heap.isTracked(slot) ? ", tracked" : ""}`);
        if (r.width > 130) {
          lines.push(addressText(heap.address(slot)));
        }
        const root = heap.rootOf(slot);
        if (root >= 0 && r.width > 130) {
          lines.push(heap.names.root(root));
        }
      }
      const shown = lines.filter((line) => line !== "");
      const step = size * 1.35;
      const height = shown.length * step + 6;
      const left = Math.max(r.x + 4, Math.min(4, r.x + r.width - 60));
      const width = Math.min(r.width - 8, r.x + r.width - left - 4);
      if (width < 20) {
        continue;
      }
      const widest = Math.min(width, Math.max(...shown.map((line, i) => {
        context.font = `${i === 0 ? "600 " : ""}${size}px ${font}`;
        return context.measureText(line).width;
      })) + 9);
      const top = r.y + r.height / 2 - height / 2;
      context.globalAlpha = 0.86;
      context.fillStyle = theme.panel;
      context.beginPath();
      context.roundRect(r.x + r.width / 2 - widest / 2, top, widest, height, 4);
      context.fill();
      context.globalAlpha = 1;
      shown.forEach((line, i) => {
        words(this.context, line, r.x + r.width / 2 - widest / 2 + 4, top + 3 + step * (i + 0.5), size, i === 0 ? theme.text : theme.faint, widest - 6, i === 0);
      });
    }
  }

  private outline(r: Rectangle, colour: string, width: number, least: number): void {
    const { context } = this;
    const grow = Math.max(0, (least - Math.min(r.width, r.height)) / 2);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(r.x - grow - 1, r.y - grow - 1, r.width + 2 * grow + 2, r.height + 2 * grow + 2);
  }

  private selection(camera: Camera, heap: Heap, layout: Layout, theme: Theme, marks: Marks): void {
    const { context } = this;
    if (marks.hovered >= 0 && marks.hovered !== marks.selected) {
      this.outline(camera.rectangle(slotRectangle(layout, marks.hovered)), theme.text, 1.5, 5);
    }
    if (marks.selected < 0) {
      return;
    }
    const chosen = camera.rectangle(slotRectangle(layout, marks.selected));
    // Who holds it, one to the next.
    context.strokeStyle = context.fillStyle = theme.accent;
    context.lineWidth = 2;
    let from = chosen;
    for (const holder of heap.holders(marks.selected).slice(0, 24)) {
      const to = camera.rectangle(slotRectangle(layout, holder));
      context.setLineDash([5, 4]);
      context.beginPath();
      context.moveTo(from.x + from.width / 2, from.y + from.height / 2);
      context.lineTo(to.x + to.width / 2, to.y + to.height / 2);
      context.stroke();
      context.setLineDash([]);
      this.outline(to, theme.accent, 1.5, 6);
      from = to;
    }
    this.outline(chosen, theme.panel, 6, 9);
    this.outline(chosen, theme.accent, 3, 9);
  }
}

// Of a pixel. As rectangles, which all go in one draw; each strokeRect is a path of its own, and an arena has one.
function frame(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  context.fillRect(x, y, width, 1);
  context.fillRect(x, y + height - 1, width, 1);
  context.fillRect(x, y + 1, 1, height - 2);
  context.fillRect(x + width - 1, y + 1, 1, height - 2);
}

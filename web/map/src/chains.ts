// The chains of free blocks, from freeblock on, as arrows over the blocks. They are curves by the hundred, which take
// longer than all else in a frame: so they have a canvas of their own, which the processor draws (a graphics card is the
// slower at that), only when the view has changed, and while it moves only those nearest to its middle.
import type { Camera } from "./camera";
import type { Heap } from "./heap";
import type { Layout } from "./layout";
import type { Theme } from "./theme";
import { tag } from "./tag";

const mostLinks = 2500;
const mostLinksMoving = 150;
const leastCell = 9;       // pixels: in smaller blocks nobody can follow them
const leastCellForTag = 22;

interface Chained { pool: number; box: number; distance: number }

export class Chains {
  private readonly context: CanvasRenderingContext2D;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  }

  draw(camera: Camera, heap: Heap, layout: Layout, theme: Theme, isMoving: boolean): void {
    const chained = inSight(camera, heap, layout);
    // A layer that is empty costs as much to put together as one that isn't.
    this.canvas.hidden = chained.length === 0;
    if (chained.length === 0) {
      return;
    }
    const { context } = this;
    context.setTransform(camera.density, 0, 0, camera.density, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    let left = isMoving ? mostLinksMoving : mostLinks;
    for (const { pool, box } of chained) {
      left -= this.chain(camera, heap, layout, theme, pool, box);
      if (left <= 0) {
        break;
      }
    }
  }

  // From freeblock through all free blocks of a pool. Returns how many links were drawn.
  private chain(camera: Camera, heap: Heap, layout: Layout, theme: Theme, pool: number, box: number): number {
    const { context } = this;
    const [left, top, width, height] = layout.boxes.rectangles.subarray(box * 4, box * 4 + 4);
    const [, , columns, rows] = layout.boxes.grid.subarray(box * 4, box * 4 + 4);
    const first = heap.poolFirst[pool];
    const side = Math.min(width / columns, height / rows) * camera.scale;
    const centre = (index: number): [number, number] =>
      camera.toScreen(left + ((index % columns) + 0.5) * (width / columns), top + (Math.floor(index / columns) + 0.5) * (height / rows));
    const start = heap.poolFreeblock[pool] - 1;
    let index = start;
    let [x, y] = centre(index);
    context.strokeStyle = context.fillStyle = theme.isDark ? "#ffffff" : "#14181f";
    context.globalAlpha = 0.6;
    context.lineWidth = Math.max(0.6, Math.min(2.2, side / 22));
    context.beginPath();
    context.arc(x, y, Math.max(2, Math.min(9, side * 0.2)), 0, 7);
    context.fill();
    const head = Math.max(3, Math.min(11, side * 0.22));
    // One path for all of a pool: a stroke for each costs a frame.
    const lines = new Path2D();
    const heads = new Path2D();
    let links = 0;
    // A damaged chain may be a circle; it's never longer than the pool.
    for (; links < heap.poolBlocks[pool]; ++links) {
      index = heap.next[first + index] - 1;
      if (index < 0) {
        break;
      }
      const [nextX, nextY] = centre(index);
      bow(lines, heads, x, y, nextX, nextY, head);
      x = nextX;
      y = nextY;
    }
    context.stroke(lines);
    context.fill(heads);
    context.globalAlpha = 1;
    if (side > leastCellForTag) {
      const [headX, headY] = centre(start);
      tag(context, "freeblock", headX + side * 0.16, headY - side * 0.48, theme, 80);
    }
    return links + 1;
  }
}

// The pools with a chain that can be seen, the nearest to the middle first.
function inSight(camera: Camera, heap: Heap, { boxes }: Layout): Chained[] {
  const { rectangles, grid, pools } = boxes;
  const [left, top] = camera.toMap(0, 0);
  const [right, bottom] = camera.toMap(camera.width, camera.height);
  const chained: Chained[] = [];
  for (let box = 0; box < boxes.count; ++box) {
    const at = box * 4;
    const [x, y, width, height] = [rectangles[at], rectangles[at + 1], rectangles[at + 2], rectangles[at + 3]];
    const pool = pools[box];
    if (x > right || y > bottom || x + width < left || y + height < top || pool < 0 || grid[at + 1] === 0 || heap.poolFreeblock[pool] === 0
      || Math.min(width / grid[at + 2], height / grid[at + 3]) * camera.scale < leastCell) {
      continue;
    }
    chained.push({ pool, box, distance: Math.hypot(x + width / 2 - camera.x, y + height / 2 - camera.y) });
  }
  return chained.sort((a, b) => a.distance - b.distance);
}

// Bent, so that the way back isn't over the way there.
function bow(lines: Path2D, heads: Path2D, x0: number, y0: number, x1: number, y1: number, head: number): void {
  const bend = 0.14;
  const middleX = (x0 + x1) / 2 + (y0 - y1) * bend;
  const middleY = (y0 + y1) / 2 + (x1 - x0) * bend;
  const angle = Math.atan2(y1 - middleY, x1 - middleX);
  lines.moveTo(x0, y0);
  lines.quadraticCurveTo(middleX, middleY, x1, y1);
  heads.moveTo(x1, y1);
  heads.lineTo(x1 - head * Math.cos(angle - 0.4), y1 - head * Math.sin(angle - 0.4));
  heads.lineTo(x1 - head * Math.cos(angle + 0.4), y1 - head * Math.sin(angle + 0.4));
  heads.closePath();
}

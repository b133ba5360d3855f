// Where everything lies on the map. An area is an amount of memory, the same everywhere: 1 unit² is 1 KiB.
//
//   section: the arenas of one heap and tier: first the full ones, then usable_arenas in its order
//     arena: its pools by address, row by row
//       box: a pool's blocks by address, row by row
//   section: large blocks, a box with one block each
//   section: objects outside of Tarn, one box
import { type Heap, PoolState, unlinked } from "./heap";
import { countText, plural } from "./text";

export type ArenaOrder = "usable" | "address";

export interface Rectangle { x: number; y: number; width: number; height: number }
export interface ArenaPlace extends Rectangle { arena: number; firstBox: number; boxes: number }
export interface Section extends Rectangle { title: string; note: string }

export class Boxes {
  readonly rectangles: Float32Array; // x, y, width, height
  readonly grid: Int32Array; // first slot, blocks, columns, rows
  readonly states: Uint8Array; // of pools; 4: neither
  readonly pools: Int32Array; // -1: no pool
  count = 0;

  constructor(capacity: number) {
    this.rectangles = new Float32Array(capacity * 4);
    this.grid = new Int32Array(capacity * 4);
    this.states = new Uint8Array(capacity);
    this.pools = new Int32Array(capacity);
  }

  add(x: number, y: number, width: number, height: number, first: number, blocks: number, state: number, pool: number): void {
    const box = this.count++;
    this.rectangles.set([x, y, width, height], box * 4);
    const columns = Math.max(1, Math.min(blocks, Math.round(Math.sqrt((blocks * width) / height))));
    this.grid.set([first, blocks, columns, Math.max(1, Math.ceil(blocks / columns))], box * 4);
    this.states[box] = state;
    this.pools[box] = pool;
  }
}

export interface Layout {
  boxes: Boxes;
  arenas: ArenaPlace[];
  // The arenas of usable_arenas, one list for each heap and tier, as the list leads.
  chains: ArenaPlace[][];
  sections: Section[];
  width: number;
  height: number;
  boxOfSlot(slot: number): number;
}

const unit = 1024;
const headingHeight = 12;
const arenaLabel = 3.2;
export const gapOfPools = 0.06;

interface Plan { title: string; note: string; arenas: number[]; linked: boolean }

function plans(heap: Heap, order: ArenaOrder): Plan[] {
  const groups = new Map<string, number[]>();
  for (let i = 0; i < heap.arenaAddress.length; ++i) {
    const key = `${heap.arenaHeap[i]}\t${heap.arenaTier[i]}`;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  }
  const result: Plan[] = [];
  for (const [key, arenas] of groups) {
    const [name, tier] = key.split("\t");
    const title = `${name === "python" ? "Python" : name} heap, ${tier} blocks`;
    if (order === "address") {
      result.push({ title, note: `${plural(arenas.length, "arena")} by address`, arenas, linked: false });
      continue;
    }
    const full = arenas.filter((arena) => heap.arenaOrder[arena] === unlinked);
    const usable = arenas.filter((arena) => heap.arenaOrder[arena] !== unlinked)
      .sort((a, b) => heap.arenaOrder[a] - heap.arenaOrder[b]);
    if (full.length > 0) {
      result.push({ title, note: `${plural(full.length, "full arena")}: no empty pool, so in no list`, arenas: full, linked: false });
    }
    if (usable.length > 0) {
      result.push({
        title, note: `usable_arenas: ${usable.length}, the fullest first; new pools come from the first`,
        arenas: usable, linked: true,
      });
    }
  }
  return result;
}

function sideOfArena(heap: Heap, arena: number): number {
  return Math.sqrt(heap.arenaSize[arena] / unit) * (1 + gapOfPools) + 1.6;
}

// The width with which everything comes nearest to the window's shape: heights are guessed, which is near enough.
function chooseWidth(heap: Heap, groups: Plan[], outsideBytes: number, aspect: number): number {
  let least = 60;
  let largeArea = outsideBytes / unit;
  for (const size of heap.largeSize) {
    const side = Math.sqrt(size / unit);
    largeArea += (side + 1) ** 2 * 1.1;
    least = Math.max(least, side);
  }
  const sides = groups.map(({ arenas }) => sideOfArena(heap, arenas[0]));
  least = Math.max(least, ...sides);
  let best = least;
  let bestScale = 0;
  for (let width = least; width < least * 400; width *= 1.03) {
    let height = largeArea / width + (heap.largeSize.length > 0 ? headingHeight + 8 : 0) + (outsideBytes > 0 ? headingHeight + 4 : 0);
    groups.forEach(({ arenas }, i) => {
      const columns = Math.max(1, Math.floor((width + 4) / (sides[i] + 4)));
      height += headingHeight + 8 + Math.ceil(arenas.length / columns) * (sides[i] + arenaLabel + 3);
    });
    const scale = Math.min(aspect / width, 1 / height);
    if (scale > bestScale) {
      bestScale = scale;
      best = width;
    }
  }
  return best;
}

export function makeLayout(heap: Heap, order: ArenaOrder, aspect: number): Layout {
  const boxes = new Boxes(heap.poolAddress.length + heap.largeAddress.length + 1);
  const poolsOfArena: number[][] = Array.from({ length: heap.arenaAddress.length }, () => []);
  for (let pool = 0; pool < heap.poolAddress.length; ++pool) {
    poolsOfArena[heap.poolArena[pool]].push(pool);
  }
  const outsideBytes = heap.outsideSize.length * 64;
  const width = chooseWidth(heap, plans(heap, order), outsideBytes, aspect);

  const arenas: ArenaPlace[] = [];
  const chains: ArenaPlace[][] = [];
  const sections: Section[] = [];
  let y = 0;
  for (const plan of plans(heap, order)) {
    const top = y;
    y += headingHeight;
    let x = 0;
    let rowHeight = 0;
    const chain: ArenaPlace[] = [];
    for (const arena of plan.arenas) {
      const side = sideOfArena(heap, arena);
      if (x > 0 && x + side > width) {
        x = 0;
        y += rowHeight + 3;
        rowHeight = 0;
      }
      const place = { x, y, width: side, height: side + arenaLabel, arena, firstBox: boxes.count, boxes: 0 };
      addPools(heap, boxes, poolsOfArena[arena], x + 0.8, y + arenaLabel, Math.sqrt(heap.arenaSize[arena] / unit) * (1 + gapOfPools));
      place.boxes = boxes.count - place.firstBox;
      arenas.push(place);
      chain.push(place);
      x += side + 4;
      rowHeight = Math.max(rowHeight, side + arenaLabel);
    }
    if (plan.linked) {
      chains.push(chain);
    }
    y += rowHeight;
    sections.push({ title: plan.title, note: plan.note, x: 0, y: top, width, height: y - top });
    y += 8;
  }

  const firstLargeBox = boxes.count;
  const boxOfLarge = new Uint32Array(heap.largeAddress.length);
  if (heap.largeAddress.length > 0) {
    const top = y;
    y += headingHeight;
    const bySize = Array.from(boxOfLarge.keys()).sort((a, b) => heap.largeSize[b] - heap.largeSize[a]);
    // Shelves as high as their first block; in a shelf, columns as wide as theirs, in which smaller ones are stacked.
    let x = 0;
    let shelf = 0;
    let columnWidth = 0;
    let columnEnd = 0;
    for (const large of bySize) {
      const side = Math.sqrt(heap.largeSize[large] / unit);
      if (columnWidth > 0 && columnEnd + side > shelf) {
        x += columnWidth + 1;
        columnWidth = columnEnd = 0;
      }
      if (shelf === 0 || (columnWidth === 0 && x + side > width)) {
        y += shelf === 0 ? 0 : shelf + 1;
        x = columnWidth = columnEnd = 0;
        shelf = side;
      }
      boxOfLarge[large] = boxes.count;
      boxes.add(x, y + columnEnd, side, side, heap.firstLarge + large, 1, 4, -1);
      columnWidth = Math.max(columnWidth, side);
      columnEnd += side + 1;
    }
    y += shelf;
    sections.push({
      title: "Large blocks", note: `${countText(heap.largeAddress.length)} of whole pages, each with pages of its own`,
      x: 0, y: top, width, height: y - top,
    });
    y += 8;
  }
  const outside = heap.outsideAddress.length;
  const outsideBox = boxes.count;
  if (outside > 0) {
    const top = y;
    y += headingHeight;
    const wanted = outsideBytes / unit;
    const columns = Math.min(width, Math.sqrt(wanted * 8));
    boxes.add(0, y, columns, wanted / columns, heap.firstOutside, outside, 4, -1);
    y += wanted / columns;
    sections.push({
      title: "Outside of Tarn", note: `${plural(outside, "object")}: static ones, and the C library's`, x: 0, y: top, width,
      height: y - top,
    });
    y += 4;
  }

  const boxOfPool = new Int32Array(heap.poolAddress.length).fill(-1);
  for (let box = 0; box < firstLargeBox; ++box) {
    boxOfPool[boxes.pools[box]] = box;
  }
  const boxOfSlot = (slot: number): number =>
    slot >= heap.firstOutside ? outsideBox : slot >= heap.firstLarge ? boxOfLarge[slot - heap.firstLarge] : boxOfPool[heap.poolOf(slot)];
  return { boxes, arenas, chains, sections, width, height: Math.max(y, 1), boxOfSlot };
}

function addPools(heap: Heap, boxes: Boxes, pools: number[], x: number, y: number, side: number): void {
  const columns = Math.max(1, Math.ceil(Math.sqrt(pools.length)));
  const pitch = side / columns;
  const box = pitch / (1 + gapOfPools);
  pools.forEach((pool, i) => {
    const state = heap.poolState[pool];
    const blocks = state >= PoolState.used ? heap.poolBlocks[pool] : 0;
    boxes.add(x + (i % columns) * pitch, y + Math.floor(i / columns) * pitch, box, box, heap.poolFirst[pool], blocks, state, pool);
  });
}

export function slotRectangle(layout: Layout, slot: number): Rectangle {
  const box = layout.boxOfSlot(slot);
  const [x, y, width, height] = layout.boxes.rectangles.subarray(box * 4, box * 4 + 4);
  const [first, , columns, rows] = layout.boxes.grid.subarray(box * 4, box * 4 + 4);
  const index = slot - first;
  return {
    x: x + ((index % columns) * width) / columns, y: y + (Math.floor(index / columns) * height) / rows,
    width: width / columns, height: height / rows,
  };
}

// What lies under a point of the map.
export interface Hit { box: number; slot: number; arena: number }

export function hitAt(layout: Layout, x: number, y: number): Hit {
  const { rectangles, grid } = layout.boxes;
  const hit: Hit = { box: -1, slot: -1, arena: -1 };
  for (const place of layout.arenas) {
    if (x >= place.x && x < place.x + place.width && y >= place.y && y < place.y + place.height) {
      hit.arena = place.arena;
    }
  }
  for (let box = 0; box < layout.boxes.count; ++box) {
    const u = (x - rectangles[box * 4]) / rectangles[box * 4 + 2];
    const v = (y - rectangles[box * 4 + 1]) / rectangles[box * 4 + 3];
    if (u >= 0 && u < 1 && v >= 0 && v < 1) {
      hit.box = box;
      const index = Math.floor(v * grid[box * 4 + 3]) * grid[box * 4 + 2] + Math.floor(u * grid[box * 4 + 2]);
      if (index < grid[box * 4 + 1]) {
        hit.slot = grid[box * 4] + index;
      }
      return hit;
    }
  }
  return hit;
}

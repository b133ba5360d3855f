// What a block's colour says. Each mode gives every slot a number from 0 to 255 and each number a colour and a line
// in the legend. The palettes are told apart by people with any kind of colour blindness: Okabe and Ito's for
// names, a part of cividis for amounts.
import { type Heap, type Names, Content, State, domainNames } from "./heap";
import { bytesText } from "./text";

export type Mode = "class" | "type" | "state" | "density" | "age" | "domain" | "holder";

export const modes: { mode: Mode; name: string; says: string }[] = [
  { mode: "class", name: "Size class", says: "the size of a pool's blocks" },
  { mode: "type", name: "Type", says: "the object in the block" },
  { mode: "state", name: "State", says: "allocated, free or untouched" },
  { mode: "density", name: "Density", says: "how full the block's page is: a nearly empty page is pinned by little" },
  { mode: "age", name: "Age", says: "since which snapshot the block has been the same" },
  { mode: "domain", name: "Domain", says: "which of Python's allocators asked" },
  { mode: "holder", name: "Holder", says: "what kind of root holds the object" },
];

export interface Entry { index: number; colour: string; label: string; blocks: number; bytes: number }

export interface Colouring { mode: Mode; indices: Uint8Array; entries: Entry[] }

// Okabe and Ito, with two tints: "other" is grey.
const named = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8a6fc0", "#7fd6c2", "#b0813f"];
const grey = "#8b93a0";
const darkGrey = "#5f6773";
// Dark to bright, blue to yellow.
const amounts = ["#2b4b8f", "#41608f", "#576f8c", "#6d7f87", "#858f80", "#9fa077", "#bab06a", "#d6c35b", "#f2d74a"];

// Blue is full, vermilion nearly empty: what is pinned by little is to be seen on dark and light.
const fullness = ["#2f6db0", "#6d97c4", "#a9bfd2", "#d8c9a6", "#e8a34f", "#d55e00"];

function rampColour(share: number, ramp = amounts): string {
  const at = Math.max(0, Math.min(1, share)) * (ramp.length - 1);
  const low = Math.min(ramp.length - 2, Math.floor(at));
  const channel = (colour: string, i: number): number => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mixed = [0, 1, 2].map((i) => Math.round(channel(ramp[low], i) * (1 - at + low) + channel(ramp[low + 1], i) * (at - low)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

// Of the pages that a block lies in, the emptiest: the share of its bytes that are allocated, 0 to 1.
function densities(heap: Heap): Float32Array {
  const result = new Float32Array(heap.slots).fill(1);
  const page = heap.pageSize;
  for (let pool = 0; pool < heap.poolAddress.length; ++pool) {
    const blocks = heap.poolBlocks[pool];
    const size = heap.poolBlockSize[pool];
    const first = heap.poolFirst[pool];
    const start = heap.poolFirstAt[pool];
    const live = new Float64Array(Math.ceil(heap.poolSize[pool] / page));
    for (let i = 0; i < blocks; ++i) {
      if ((heap.state[first + i] & 3) === State.allocated) {
        const behind = start + (i + 1) * size;
        for (let at = start + i * size; at < behind;) {
          const number = Math.floor(at / page);
          const end = Math.min(behind, (number + 1) * page);
          live[number] += end - at;
          at = end;
        }
      }
    }
    for (let i = 0; i < blocks; ++i) {
      let least = 1;
      for (let number = Math.floor((start + i * size) / page); number <= Math.floor((start + (i + 1) * size - 1) / page); ++number) {
        least = Math.min(least, live[number] / page);
      }
      result[first + i] = least;
    }
  }
  return result;
}

type Labels = { colour: string; label: string }[];

function ranked(heap: Heap, keyOf: (slot: number) => number, nameOf: (key: number) => string, rest: string): { keys: Map<number, number>; labels: Labels } {
  const bytes = new Map<number, number>();
  forEachPooled(heap, (slot, size) => {
    if ((heap.state[slot] & 3) === State.allocated) {
      const key = keyOf(slot);
      if (key >= 0) {
        bytes.set(key, (bytes.get(key) ?? 0) + size);
      }
    }
  });
  const best = [...bytes].sort((a, b) => b[1] - a[1]).slice(0, named.length);
  const keys = new Map(best.map(([key], i) => [key, i]));
  const labels: Labels = best.map(([key], i) => ({ colour: named[i], label: nameOf(key) }));
  labels.push({ colour: grey, label: rest }, { colour: darkGrey, label: "not an object" });
  return { keys, labels };
}

// All slots with their sizes, without a search for each.
export function forEachPooled(heap: Heap, visit: (slot: number, size: number) => void): void {
  for (let pool = 0; pool < heap.poolAddress.length; ++pool) {
    const first = heap.poolFirst[pool];
    const size = heap.poolBlockSize[pool];
    for (let slot = first; slot < first + heap.poolBlocks[pool]; ++slot) {
      visit(slot, size);
    }
  }
  for (let slot = heap.firstLarge; slot < heap.firstOutside; ++slot) {
    visit(slot, heap.largeSize[slot - heap.firstLarge]);
  }
  for (let slot = heap.firstOutside; slot < heap.slots; ++slot) {
    visit(slot, heap.outsideSize[slot - heap.firstOutside]);
  }
}

export function colouring(heap: Heap, names: Names, mode: Mode): Colouring {
  const indices = new Uint8Array(heap.slots);
  let labels: Labels = [];
  switch (mode) {
    case "type": {
      const typeOf = (slot: number): number => heap.typeOf(slot);
      const { keys, labels: made } = ranked(heap, typeOf, (type) => names.typeNames[type], "other types");
      labels = made;
      for (let slot = 0; slot < heap.slots; ++slot) {
        const type = heap.typeOf(slot);
        indices[slot] = type < 0 ? labels.length - 1 : (keys.get(type) ?? labels.length - 2);
      }
      break;
    }
    case "holder": {
      const { keys, labels: made } = ranked(heap, (slot) => heap.rootOf(slot), (root) => names.root(root), "other roots");
      labels = made;
      labels[labels.length - 1].label = "held by nothing known";
      for (let slot = 0; slot < heap.slots; ++slot) {
        const root = heap.rootOf(slot);
        indices[slot] = root < 0 ? labels.length - 1 : (keys.get(root) ?? labels.length - 2);
      }
      break;
    }
    case "state":
      labels = [
        { colour: named[0], label: "object" }, { colour: named[4], label: "part of an object" },
        { colour: named[1], label: "spare: kept by its type" }, { colour: grey, label: "not an object" },
        { colour: named[5], label: "free" }, { colour: darkGrey, label: "untouched" },
      ];
      for (let slot = 0; slot < heap.slots; ++slot) {
        const state = heap.stateOf(slot);
        const content = heap.contentOf(slot);
        indices[slot] = state === State.free ? 4 : state === State.untouched ? 5
          : content === Content.object ? 0 : content === Content.part ? 1 : content === Content.spare ? 2 : 3;
      }
      break;
    case "density": {
      const steps = 8;
      labels = Array.from({ length: steps }, (_, i) => ({
        colour: rampColour(1 - i / (steps - 1), fullness), label: `${Math.floor(i * 12.5)} to ${Math.floor((i + 1) * 12.5)} % of the page`,
      }));
      const density = densities(heap);
      for (let slot = 0; slot < heap.slots; ++slot) {
        indices[slot] = Math.min(steps - 1, Math.floor(density[slot] * steps));
      }
      break;
    }
    case "age": {
      const count = Math.min(250, heap.ordinal + 1);
      labels = Array.from({ length: count }, (_, i) => ({
        colour: rampColour(count === 1 ? 0.5 : i / (count - 1)),
        label: count === 1 ? "one snapshot tells no age" : i === heap.ordinal ? "new in this snapshot" : `the same since snapshot ${names.ids[i]}`,
      }));
      for (let slot = 0; slot < heap.slots; ++slot) {
        indices[slot] = Math.min(count - 1, heap.since[slot]);
      }
      break;
    }
    case "domain":
      labels = [
        { colour: named[1], label: "raw: general memory" }, { colour: named[2], label: "mem: Python's buffers" },
        { colour: named[0], label: "obj: objects" }, { colour: grey, label: domainNames[3] },
      ];
      for (let slot = 0; slot < heap.slots; ++slot) {
        indices[slot] = heap.domainOf(slot);
      }
      break;
    case "class": {
      const sizes = [...new Set(heap.poolBlockSize)].filter((size) => size > 0).sort((a, b) => a - b).slice(0, 250);
      const number = new Map(sizes.map((size, i) => [size, i]));
      labels = sizes.map((size, i) => ({
        colour: rampColour(sizes.length === 1 ? 0.5 : i / (sizes.length - 1)), label: bytesText(size),
      }));
      labels.push({ colour: named[2], label: "large blocks" }, { colour: grey, label: "outside of Tarn" });
      indices.fill(sizes.length, heap.firstLarge, heap.firstOutside);
      indices.fill(sizes.length + 1, heap.firstOutside);
      for (let pool = 0; pool < heap.poolAddress.length; ++pool) {
        if (heap.poolBlocks[pool] > 0) {
          indices.fill(number.get(heap.poolBlockSize[pool]) ?? 0, heap.poolFirst[pool], heap.poolFirst[pool] + heap.poolBlocks[pool]);
        }
      }
      break;
    }
  }
  const entries = labels.map(({ colour, label }, index) => ({ index, colour, label, blocks: 0, bytes: 0 }));
  forEachPooled(heap, (slot, size) => {
    if ((heap.state[slot] & 3) === State.allocated || (mode === "state")) {
      const entry = entries[indices[slot]];
      ++entry.blocks;
      entry.bytes += size;
    }
  });
  return { mode, indices, entries: entries.filter((entry) => entry.blocks > 0) };
}

export function channels(colour: string): [number, number, number] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)) as [number, number, number];
}

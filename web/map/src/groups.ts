// Blocks that have something in common, by the number of a name: what search finds, and what the map highlights of it.
import { type Heap, State } from "./heap";

export type Grouping = "holder" | "type" | "site";

export const groupings: { grouping: Grouping; name: string }[] = [
  { grouping: "holder", name: "Holder" }, { grouping: "type", name: "Type" }, { grouping: "site", name: "Site" },
];

export function keysOf(heap: Heap, grouping: Grouping): (slot: number) => number {
  switch (grouping) {
    case "type": return (slot) => heap.typeOf(slot);
    case "holder": return (slot) => heap.rootOf(slot);
    case "site": return (slot) => heap.siteOf(slot);
  }
}

// 1 for each allocated block that it holds for.
export function blocksOf(heap: Heap, matches: (slot: number) => boolean): Uint8Array {
  const chosen = new Uint8Array(heap.slots);
  for (let slot = 0; slot < heap.slots; ++slot) {
    if ((heap.state[slot] & 3) === State.allocated && matches(slot)) {
      chosen[slot] = 1;
    }
  }
  return chosen;
}

// The block, and all that is reached through it.
export function blocksBelow(heap: Heap, slot: number): Uint8Array {
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
  return blocksOf(heap, (at) => known[at] === 1);
}

// Why memory can't go back. A page goes back when no allocated block lies in it; so each resident page is kept by
// the blocks in it, and what a group of blocks frees is the pages that no other block keeps.
//
//   would return   pages in which all allocated blocks are of the group, and its large blocks
//   pins           bytes of pages that hold no allocated block's bytes, shared among those whose blocks keep the page
import { type Heap, type Names, State } from "./heap";

export type Grouping = "holder" | "type" | "site";

export interface Answer {
  key: number;
  name: string;
  kind: string;
  blocks: number;
  bytes: number;
  returns: number;
  pins: number;
}

export interface Why {
  answers: Answer[];
  live: number;       // bytes of allocated blocks in pools
  pinned: number;     // bytes beside them in the same pages
  idle: number;       // bytes of resident pages of pools that hold no allocated block
  large: number;
}

const none = -2;
const mixed = -3;

export function keysOf(heap: Heap, grouping: Grouping): (slot: number) => number {
  switch (grouping) {
    case "type": return (slot) => heap.typeOf(slot);
    case "holder": return (slot) => heap.rootOf(slot);
    case "site": return (slot) => heap.siteOf(slot);
  }
}

function nameOf(names: Names, grouping: Grouping, key: number): [name: string, kind: string] {
  if (key < 0) {
    return grouping === "type" ? ["not objects", "buffers of the interpreter and of extensions"]
      : grouping === "holder" ? ["held by nothing known", "buffers, or held by C code"] : ["no site recorded", ""];
  }
  switch (grouping) {
    case "type": return [names.typeNames[key], ""];
    case "holder": return [names.root(key), names.rootKinds[key]];
    case "site": return [names.site(key), names.sites[key].slice(1, 3).map((frame) => frame.function).join(" ← ")];
  }
}

export function whyMemoryStays(heap: Heap, names: Names, grouping: Grouping): Why {
  const keyOf = keysOf(heap, grouping);
  const groups = new Map<number, Answer>();
  const group = (key: number): Answer => {
    let answer = groups.get(key);
    if (answer === undefined) {
      const [name, kind] = nameOf(names, grouping, key);
      answer = { key, name, kind, blocks: 0, bytes: 0, returns: 0, pins: 0 };
      groups.set(key, answer);
    }
    return answer;
  };
  const why: Why = { answers: [], live: 0, pinned: 0, idle: 0, large: 0 };
  const page = heap.pageSize;
  for (let pool = 0; pool < heap.poolAddress.length; ++pool) {
    const pages = Math.ceil(heap.poolSize[pool] / page);
    const first = heap.poolFirst[pool];
    const blocks = heap.poolBlocks[pool];
    const size = heap.poolBlockSize[pool];
    const live = new Float64Array(pages);
    const owner = new Int32Array(pages).fill(none);
    const eachPage = (index: number, visit: (number: number, bytes: number) => void): void => {
      for (let at = index * size; at < (index + 1) * size;) {
        const number = Math.floor(at / page);
        const end = Math.min((index + 1) * size, (number + 1) * page);
        visit(number, end - at);
        at = end;
      }
    };
    for (let i = 0; i < blocks; ++i) {
      if ((heap.state[first + i] & 3) !== State.allocated) {
        continue;
      }
      const key = keyOf(first + i);
      const answer = group(key);
      ++answer.blocks;
      answer.bytes += size;
      why.live += size;
      eachPage(i, (number, bytes) => {
        live[number] += bytes;
        owner[number] = owner[number] === none || owner[number] === key ? key : mixed;
      });
    }
    let anyPinned = false;
    for (let number = 0; number < pages; ++number) {
      if (owner[number] === none) {
        why.idle += heap.isPageResident(pool, number) ? page : 0;
        continue;
      }
      why.pinned += page - live[number];
      anyPinned ||= live[number] < page;
      if (owner[number] !== mixed) {
        group(owner[number]).returns += page;
      }
    }
    if (anyPinned) {
      for (let i = 0; i < blocks; ++i) {
        if ((heap.state[first + i] & 3) === State.allocated) {
          const answer = group(keyOf(first + i));
          eachPage(i, (number, bytes) => {
            answer.pins += ((page - live[number]) * bytes) / live[number];
          });
        }
      }
    }
  }
  for (let slot = heap.firstLarge; slot < heap.firstOutside; ++slot) {
    if ((heap.state[slot] & 3) === State.allocated) {
      const answer = group(keyOf(slot));
      const size = heap.largeSize[slot - heap.firstLarge];
      ++answer.blocks;
      answer.bytes += size;
      answer.returns += size;
      why.large += size;
    }
  }
  why.answers = [...groups.values()].sort((a, b) => b.returns - a.returns || b.pins - a.pins);
  return why;
}

// 1 for each allocated block of the group.
export function blocksOf(heap: Heap, matches: (slot: number) => boolean): Uint8Array {
  const chosen = new Uint8Array(heap.slots);
  for (let slot = 0; slot < heap.slots; ++slot) {
    if ((heap.state[slot] & 3) === State.allocated && matches(slot)) {
      chosen[slot] = 1;
    }
  }
  return chosen;
}

// Why memory stays: what `tarn why --json` says of the snapshot, by holder, by type and by site, and which blocks each
// of its answers means. Both are worked out when the page is made (src/sight/map/why_columns.h).
import type { Grouping } from "./groups";
import { type Frame, type Heap, State } from "./heap";

interface Objects { objects: number }
export interface HolderShare extends Objects { name: string; kind: string }
export interface TypeShare extends Objects { type: string; bytes: number }
export interface SiteShare extends Objects { frames: Frame[] }

export interface Answer {
  type: string;
  objects: number;
  bytes: number;
  returns: number;
  returns_at_most: number;
  pages: number;
  freed_bytes: number;
  is_shared: boolean;
  holders: HolderShare[];
  chain: string[];
  shared_with: HolderShare[];
  whole?: { type: string; returns: number; returns_at_most: number };
  frees: TypeShare[];
  sites: SiteShare[];
}

export interface Why {
  is_exact: boolean;
  parts: Record<string, number>;
  answers: Answer[];
  together: { returns: number; returns_at_most: number };
  has_more: boolean;
}

const read = new WeakMap<Heap, Map<Grouping, Why | null>>();

// Null: there are no answers, and whyNot() says why.
export function whyMemoryStays(heap: Heap, grouping: Grouping): Why | null {
  const known = read.get(heap) ?? new Map<Grouping, Why | null>();
  read.set(heap, known);
  let why = known.get(grouping);
  if (why === undefined) {
    const text = heap.columns.texts(`why.${grouping}`)[0] ?? "";
    why = text === "" ? null : JSON.parse(text) as Why;
    known.set(grouping, why);
  }
  return why;
}

export function whyNot(heap: Heap, grouping: Grouping): string {
  const problem = heap.columns.texts("why.problem")[0] ?? "";
  if (problem !== "") {
    return problem;
  }
  return grouping === "site" ? "No allocation sites were recorded: tarn run --sites does." : "";
}

// What the answer is called in every snapshot: its objects' type, and who holds or allocated them.
export function idOf(answer: Answer, grouping: Grouping): string {
  const frame = answer.sites[0]?.frames[0];
  return grouping === "type" ? answer.type
    : grouping === "holder" ? [answer.type, ...answer.chain, answer.holders[0]?.name].join("\n")
    : `${frame?.function}\n${frame?.file}\n${frame?.line}`;
}

export function blocksOfAnswer(heap: Heap, grouping: Grouping, id: string): Uint8Array {
  const chosen = new Uint8Array(heap.slots);
  const number = (whyMemoryStays(heap, grouping)?.answers ?? []).findIndex((answer) => idOf(answer, grouping) === id) + 1;
  const numbers = heap.columns.numbers(`why.${grouping}.answer`);
  if (number > 0) {
    for (let slot = 0; slot < numbers.length; ++slot) {
      chosen[slot] = numbers[slot] === number && (heap.state[slot] & 3) === State.allocated ? 1 : 0;
    }
  }
  return chosen;
}

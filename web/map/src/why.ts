// Why memory stays: what `tarn why --json` says of the snapshot, by holder, by type and by site, and which blocks each
// of its answers means. Both are worked out when the page is made (src/sight/map/why_columns.h).
import type { Grouping } from "./groups";
import { type Frame, type Heap, State } from "./heap";

interface Objects { objects: number }
export interface HolderShare extends Objects { name: string; kind: string }
export interface TypeShare extends Objects { type: string; bytes: number }
// `share` is of all that was recorded, also of what isn't told; `own`, which frame is the program's, if the first is a library's.
export interface SiteShare extends Objects { share: number; frames: Frame[]; own?: number; has_no_room?: boolean }

export interface Answer {
  type: string;
  objects: number;
  objects_of_type: number;
  container?: { type: string; objects: number };
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

function placeOf(site: SiteShare | undefined): string {
  const { frames = [], own = 0, has_no_room = false } = site ?? {};
  const lines = own === 0 ? frames.slice(0, 1) : [frames[0], frames[own]];
  return [has_no_room, ...lines.map((frame) => `${frame.function}\n${frame.file}\n${frame.line}`)].join("\n");
}

function nameOf(answer: Answer, grouping: Grouping): string {
  return grouping === "type" ? answer.type
    : grouping === "holder" ? [answer.type, ...answer.chain, answer.holders[0]?.name].join("\n")
    : placeOf(answer.sites[0]);
}

// What the answers are called in every snapshot: by their objects' type, and who holds or allocated them. Two types may
// have one name, so those after the first are counted.
export function idsOf({ answers }: Why, grouping: Grouping): string[] {
  const seen = new Map<string, number>();
  return answers.map((answer) => {
    const name = nameOf(answer, grouping);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return `${count}\n${name}`;
  });
}

export function blocksOfAnswer(heap: Heap, grouping: Grouping, id: string): Uint8Array {
  const chosen = new Uint8Array(heap.slots);
  const why = whyMemoryStays(heap, grouping);
  const number = why === null ? 0 : idsOf(why, grouping).indexOf(id) + 1;
  const numbers = heap.columns.numbers(`why.${grouping}.answer`);
  if (number > 0) {
    for (let slot = 0; slot < numbers.length; ++slot) {
      chosen[slot] = numbers[slot] === number && (heap.state[slot] & 3) === State.allocated ? 1 : 0;
    }
  }
  return chosen;
}

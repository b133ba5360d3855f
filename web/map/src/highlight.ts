// What is highlighted: an answer of why, a name that was looked for, a colour of the legend, or what lies below a block.
// The first two mean the same in another snapshot too.
import type { Colouring } from "./colours";
import { type Grouping, blocksBelow, blocksOf, keysOf } from "./groups";
import { type Heap, State } from "./heap";
import { blocksOfAnswer } from "./why";

export type Choice =
  | { by: "answer"; grouping: Grouping; id: string }
  | { by: "name"; grouping: Grouping; key: number }
  | { by: "colour"; mode: string; label: string; index: number }
  | { by: "way"; slot: number };

export interface Highlight { name: string; choice: Choice; chosen: Uint8Array; count: number }

function chosenBy(heap: Heap, choice: Choice, colours: Colouring): Uint8Array {
  switch (choice.by) {
    case "answer": return blocksOfAnswer(heap, choice.grouping, choice.id);
    case "name": {
      const keyOf = keysOf(heap, choice.grouping);
      return blocksOf(heap, (slot) => keyOf(slot) === choice.key);
    }
    case "way": return blocksBelow(heap, choice.slot);
    case "colour": {
      // Of states, free and untouched are two of the colours.
      const all = colours.mode === "state";
      return Uint8Array.from(colours.indices, (index, slot) =>
        index === choice.index && (all || (heap.state[slot] & 3) === State.allocated) ? 1 : 0);
    }
  }
}

export function highlight(heap: Heap, name: string, choice: Choice, colours: Colouring): Highlight {
  const chosen = chosenBy(heap, choice, colours);
  return { name, choice, chosen, count: chosen.reduce((sum, one) => sum + one, 0) };
}

export function isSame(a: Choice | undefined, b: Choice): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

// Of the same heap at another time.
export function carriedOver(heap: Heap, before: Highlight | null, colours: Colouring): Highlight | null {
  return before !== null && (before.choice.by === "answer" || before.choice.by === "name")
    ? highlight(heap, before.name, before.choice, colours) : null;
}

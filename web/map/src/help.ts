// The help: the words, in plain ones, and the keys.
import { button, make } from "./dom";

const words: [string, string][] = [
  ["arena", "The largest piece, got from the operating system in one go: 1 MiB, or 4 MiB for the larger blocks. Here each framed square."],
  ["pool", "A slice of an arena, cut into blocks of one size. Used: some blocks taken. Full: all. Empty: any size may have it next. Untouched: never used."],
  ["block", "What a request for memory gets. Allocated: in use. Free: was in use, waits to be used again. Untouched: never handed out."],
  ["freeblock", "The head of a pool's chain of free blocks: the last one freed is the first one used again. The arrows show the chain."],
  ["size class", "Requests are rounded up to it; all blocks of a pool are of one."],
  ["usable_arenas", "The arenas that have an empty pool, the fullest first. New pools come from the fullest, so that the emptiest can drain. The arrows lead through the list."],
  ["page", "4 KiB: what the operating system gives and takes. It goes back only when no allocated block lies in it."],
  ["pinned", "A page, pool or arena that can't go back because of the few blocks that are alive in it."],
  ["holder", "What keeps an object alive: the shortest way to it from a global, a local variable or the interpreter."],
  ["domain", "Who asks: raw is general memory, mem Python's own buffers, obj objects."],
];

const keys: [string[], string][] = [
  [["drag", "arrows"], "move"], [["wheel", "pinch", "+", "−"], "zoom"],
  [["double click", "Enter"], "go closer: arena, pool, block"], [["0"], "show all"], [["/"], "search"],
  [["n", "p"], "next and previous highlighted block"], [["c"], "next colouring; 1 to 7 choose one"], [["w"], "panel"],
  [["o"], "order of arenas"], [["[", "]"], "previous and next snapshot"], [["space"], "play the time line"],
  [["d"], "dark or light"], [["Esc"], "undo: highlight, choice, panel"], [["?"], "this help"],
];

const list = (rows: [string | string[], string][]): HTMLElement =>
  make("dl", {}, ...rows.flatMap(([name, text]) => [
    make("dt", {}, ...(typeof name === "string" ? [name] : name.map((key) => make("kbd", {}, key)))), make("dd", {}, text),
  ]));

export function fillHelp(dialog: HTMLDialogElement): void {
  dialog.append(
    button("Close", () => dialog.close(), { class: "close" }),
    make("h1", {}, "How to read this map"),
    make("p", {}, "Python's memory, down to the single object. An area is an amount of memory, the same everywhere: twice the bytes, twice the area. Above, the whole process by owner; below it the arenas, in them the pools, in them the blocks. Solid is allocated, hollow is free, faint is untouched."),
    make("h2", {}, "The words"), list(words),
    make("h2", {}, "Keys"), list(keys),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) {
      dialog.close();
    }
  });
}

// The process's resident memory by owner, in the order of addresses; stretches of one owner side by side are one.
import { make } from "./dom";
import type { Heap } from "./heap";
import { bytesText } from "./text";

interface Owner { name: string; colour: string; bright: boolean }

const owners: Record<string, Owner> = {
  arenas: { name: "arenas", colour: "#0072b2", bright: false },
  large: { name: "large blocks", colour: "#009e73", bright: true },
  descriptors: { name: "descriptors", colour: "#56b4e9", bright: true },
  heap: { name: "C library's heap", colour: "#e69f00", bright: true },
  anonymous: { name: "anonymous", colour: "#cc79a7", bright: true },
  file: { name: "files", colour: "#aab2bd", bright: true },
  stack: { name: "stacks", colour: "#f0e442", bright: true },
  kernel: { name: "kernel", colour: "#59616d", bright: false },
};

export function fillStrip(strip: HTMLElement, heap: Heap, press: (owner: string) => void): void {
  const { columns } = heap;
  const sizes = columns.numbers("mapping.size");
  const resident = columns.numbers("mapping.resident");
  const runs: { owner: string; size: number; resident: number }[] = [];
  columns.texts("mapping.owner").forEach((owner, i) => {
    const last = runs[runs.length - 1];
    if (last !== undefined && last.owner === owner) {
      last.size += sizes[i];
      last.resident += resident[i];
    } else {
      runs.push({ owner, size: sizes[i], resident: resident[i] });
    }
  });
  strip.replaceChildren(...runs.filter((run) => run.resident > 0).map((run) => {
    const { name, colour, bright } = owners[run.owner] ?? { name: run.owner, colour: "#8b93a0", bright: true };
    const text = `${name} ${bytesText(run.resident)}`;
    const element = make("button", {
      class: bright ? "bright" : "", title: `${text} resident of ${bytesText(run.size)} of addresses`, on: () => press(run.owner),
    }, text);
    element.type = "button";
    element.style.setProperty("background", colour);
    element.style.setProperty("flex-grow", String(run.resident));
    return element;
  }));
}

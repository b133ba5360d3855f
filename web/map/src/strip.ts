// The process's resident memory by owner. Where each owner's stretches lie is in the panel's tab Memory.
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
  const sums = new Map<string, { owner: string; size: number; resident: number }>(
    Object.keys(owners).map((owner) => [owner, { owner, size: 0, resident: 0 }]));
  columns.texts("mapping.owner").forEach((owner, i) => {
    const sum = sums.get(owner) ?? { owner, size: 0, resident: 0 };
    sum.size += sizes[i];
    sum.resident += resident[i];
    sums.set(owner, sum);
  });
  strip.replaceChildren(...[...sums.values()].filter((sum) => sum.resident > 0).map((sum) => {
    const { name, colour, bright } = owners[sum.owner] ?? { name: sum.owner, colour: "#8b93a0", bright: true };
    const text = `${name} ${bytesText(sum.resident)}`;
    const element = make("button", {
      class: bright ? "bright" : "", title: `${text} resident of ${bytesText(sum.size)} of addresses`, on: () => press(sum.owner),
    }, text);
    element.type = "button";
    element.style.setProperty("background", colour);
    element.style.setProperty("flex-grow", String(sum.resident));
    return element;
  }));
}

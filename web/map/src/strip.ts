// The process's resident memory by owner. Where each owner's stretches lie is in the panel's tab Memory.
import { button, make } from "./dom";
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

interface Sum { owner: string; size: number; resident: number }

// What each owner has, in the order above.
function sumsOf(heap: Heap): Sum[] {
  const sizes = heap.columns.numbers("mapping.size");
  const resident = heap.columns.numbers("mapping.resident");
  const sums = new Map<string, Sum>(Object.keys(owners).map((owner) => [owner, { owner, size: 0, resident: 0 }]));
  heap.columns.texts("mapping.owner").forEach((owner, i) => {
    const sum = sums.get(owner) ?? { owner, size: 0, resident: 0 };
    sum.size += sizes[i];
    sum.resident += resident[i];
    sums.set(owner, sum);
  });
  return [...sums.values()].filter((sum) => sum.resident > 0);
}

export function ownerOf(owner: string): Owner {
  return Object.hasOwn(owners, owner) ? owners[owner] : { name: owner, colour: "#8b93a0", bright: true };
}

// For the panel: all of them, as small as they may be.
export function ownersList(heap: Heap): HTMLTableElement {
  return make("table", { class: "figures" }, make("tbody", {}, ...sumsOf(heap).map((sum) => {
    const { name, colour } = ownerOf(sum.owner);
    const swatch = make("i", { class: "swatch" });
    swatch.style.setProperty("background", colour);
    return make("tr", {}, make("td", {}, swatch, name), make("td", {}, bytesText(sum.resident)));
  })));
}

// The longest of its names that an owner's part has room for.
function label(strip: HTMLElement): void {
  const parts = [...strip.querySelectorAll<HTMLElement>("button")];
  for (const part of parts) {
    part.textContent = "";
  }
  const rooms = parts.map((part) => part.clientWidth - 12);
  const context = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
  context.font = getComputedStyle(strip).font;
  parts.forEach((part, i) => {
    const { name = "", amount = "" } = part.dataset;
    part.textContent = [`${name} ${amount}`, name, amount].find((text) => context.measureText(text).width < rooms[i]) ?? "";
  });
}

const labelled = new ResizeObserver((entries) => entries.forEach(({ target }) => label(target as HTMLElement)));

export function fillStrip(strip: HTMLElement, heap: Heap, press: (owner: string) => void): void {
  strip.replaceChildren(...sumsOf(heap).map((sum) => {
    const { name, colour, bright } = ownerOf(sum.owner);
    const amount = bytesText(sum.resident);
    const text = `${name}: ${amount} resident of ${bytesText(sum.size)} of addresses`;
    const element = button("", () => press(sum.owner), { class: bright ? "bright" : "", title: text, "aria-label": text, "data-name": name, "data-amount": amount });
    element.style.setProperty("background", colour);
    element.style.setProperty("flex-grow", String(sum.resident));
    return element;
  }));
  label(strip);
  labelled.observe(strip);
}

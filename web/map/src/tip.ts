// What is said beside the mouse of what lies under it.
import type { Camera } from "./camera";
import { byId, make } from "./dom";
import { type Heap, State, countUnknown, domainNames, poolStateNames } from "./heap";
import type { Hit, Layout } from "./layout";
import { addressText, bytesText, countText, plural } from "./text";

function tipLines(heap: Heap, layout: Layout, { box, slot, arena }: Hit): string[] {
  const pool = box >= 0 ? layout.boxes.pools[box] : -1;
  if (slot >= 0) {
    const isAllocated = heap.stateOf(slot) === State.allocated;
    const root = isAllocated ? heap.rootOf(slot) : -1;
    const count = heap.refcount[slot];
    const value = heap.valueOf(slot);
    const references = isAllocated && heap.type[slot] > 0 ? ` · ${count === countUnknown ? "immortal" : plural(count, "reference")}` : "";
    return [
      heap.describe(slot),
      ...(value !== null ? [value] : []),
      `${bytesText(heap.size(slot))} at ${addressText(heap.address(slot))}${references}`,
      ...(root >= 0 ? [`held by ${heap.names.root(root)}`] : []),
      ...(pool >= 0 ? [`in a ${poolStateNames[heap.poolState[pool]]} pool of ${bytesText(heap.poolBlockSize[pool])} blocks · ${domainNames[heap.poolDomain[pool]]}`] : []),
    ];
  }
  if (pool >= 0) {
    return [`${poolStateNames[heap.poolState[pool]]} pool`, addressText(heap.poolAddress[pool]), bytesText(heap.poolSize[pool])];
  }
  if (arena >= 0) {
    return [`arena ${addressText(heap.arenaAddress[arena])}`, `${bytesText(heap.arenaResident[arena])} resident of ${bytesText(heap.arenaSize[arena])}`, `nfreepools ${countText(heap.arenaFree[arena])}`];
  }
  return [];
}

export function showTip(camera: Camera, heap: Heap, layout: Layout, hit: Hit, x: number, y: number): void {
  const tip = byId("tip");
  const lines = tipLines(heap, layout, hit);
  tip.hidden = lines.length === 0 || matchMedia("(hover: none)").matches;
  if (tip.hidden) {
    return;
  }
  tip.replaceChildren(...lines.map((line, i) => make(i === 0 ? "b" : "div", {}, line)));
  const { offsetWidth: width, offsetHeight: height } = tip;
  tip.style.setProperty("left", `${x + 16 + width > camera.width ? Math.max(0, x - width - 12) : x + 16}px`);
  tip.style.setProperty("top", `${Math.max(0, Math.min(camera.height - height - 4, y + 14))}px`);
}

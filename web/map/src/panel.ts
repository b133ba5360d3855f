// What stands beside the map: the chosen block, what was found, where the memory is; why it stays is why_panel.ts.
import { byId, button, make } from "./dom";
import { type Frame, type Heap, Content, State, countUnknown, domainNames, poolStateNames } from "./heap";
import type { Grouping } from "./groups";
import type { Choice } from "./highlight";
import type { Found } from "./search";
import { ownerOf, ownersList } from "./strip";
import { addressText, bytesText, countText, plural } from "./text";

export type Tab = "why" | "block" | "found" | "memory";

export interface Actions {
  toggleHighlight(name: string, choice: Choice): void;
  select(slot: number, fly: boolean): void;
  showWhy(grouping: Grouping): void;
  isHighlighted(choice: Choice): boolean;
}

const mostShown = 12;

function figures(rows: [string, string][]): HTMLTableElement {
  return make("table", { class: "figures" }, make("tbody", {}, ...rows.map(([name, value]) =>
    make("tr", {}, make("td", {}, name), make("td", {}, value)))));
}

function stack(frames: Frame[]): HTMLElement {
  return make("ol", { class: "stack" }, ...frames.map((frame) =>
    make("li", {}, frame.function, " ", make("small", { class: "mono" }, `${frame.file}:${frame.line}`))));
}

export function blockContent(heap: Heap, slot: number, actions: Actions): Node[] {
  if (slot < 0) {
    return [make("h2", {}, "No block chosen"), make("p", {}, "Click a block on the map, or look for an address.")];
  }
  const { names } = heap;
  const pool = heap.poolOf(slot);
  const address = heap.address(slot);
  const state = heap.stateOf(slot);
  const content = heap.contentOf(slot);
  const rows: [string, string | Node][] = [
    ["address", make("code", {}, addressText(address))],
    ["size", bytesText(heap.size(slot))],
  ];
  if (state === State.allocated) {
    if (content === Content.object) {
      rows.push(["id()", make("code", {}, countText(address + heap.prefix[slot]).replaceAll(",", ""))]);
      const count = heap.refcount[slot];
      rows.push(["references", count === countUnknown ? "immortal" : countText(count)]);
      rows.push(["collector", heap.isTracked(slot) ? "tracked" : "not tracked"]);
      const value = heap.valueOf(slot);
      if (value !== null) {
        rows.push(["value", make("code", { class: "value" }, value)]);
      } else if (heap.valuesLeftOut > 0) {
        rows.push(["value", `none, or no room: the page has ${bytesText(heap.mostValueBytes)} for values`]);
      }
    }
    const since = heap.since[slot];
    if (names.count > 1) {
      rows.push(["the same since", since === heap.ordinal ? "this snapshot" : `snapshot ${names.ids[since]}`]);
    }
  }
  rows.push(["domain", domainNames[heap.domainOf(slot)]]);
  if (pool >= 0) {
    const first = heap.poolFirst[pool];
    let allocated = 0;
    let free = 0;
    for (let at = first; at < first + heap.poolBlocks[pool]; ++at) {
      allocated += heap.stateOf(at) === State.allocated ? 1 : 0;
      free += heap.stateOf(at) === State.free ? 1 : 0;
    }
    rows.push(["block", `${slot - first + 1} of ${heap.poolBlocks[pool]} in its pool`]);
    rows.push(["pool", make("span", {}, make("code", {}, addressText(heap.poolAddress[pool])),
      `, ${poolStateNames[heap.poolState[pool]]}: ${allocated} allocated, ${free} free, ${heap.poolBlocks[pool] - allocated - free} untouched`)]);
    const arena = heap.poolArena[pool];
    rows.push(["arena", make("span", {}, make("code", {}, addressText(heap.arenaAddress[arena])), `, nfreepools ${heap.arenaFree[arena]}`)]);
  } else if (slot < heap.firstOutside) {
    rows.push(["kind", heap.largeKind[slot - heap.firstLarge] === "mapping" ? "a mapping of its own" : "pages of a shared range"]);
  }
  const result: Node[] = [
    make("h2", {}, heap.describe(slot)),
    make("table", {}, make("tbody", {}, ...rows.map(([name, value]) => make("tr", {}, make("td", {}, name), make("td", {}, value))))),
  ];
  if (state === State.free && pool >= 0) {
    const next = heap.next[slot];
    result.push(make("h2", {}, "Chain of free blocks"), next === 0 ? make("p", {}, "The last of its pool's chain.")
      : button("The next free block", () => actions.select(heap.poolFirst[pool] + next - 1, true)));
  }
  if (state === State.allocated) {
    const site = heap.siteOf(slot);
    result.push(
      ...heldBy(heap, slot, actions),
      make("h2", {}, "Allocated at"), site >= 0 ? stack(names.sites[site]) : make("p", {}, "Not recorded: tarn run --sites does, of some blocks."),
      ...holds(heap, slot, actions));
  }
  return result;
}

function heldBy(heap: Heap, slot: number, actions: Actions): Node[] {
  const chain = heap.holders(slot);
  const root = heap.rootOf(slot);
  if (chain.length === 0 && root < 0) {
    return [make("h2", {}, "Held by"), make("p", {}, "Nothing known: C code, or the interpreter itself.")];
  }
  const list = make("ul", { class: "way" });
  if (root >= 0) {
    const place = heap.names.rootPlaces[root][0];
    list.append(make("li", { class: "root" }, heap.names.root(root), ` `, make("small", {}, `(${heap.names.rootKinds[root]})`),
      place ? make("small", {}, ` ${place.file}:${place.line}`) : null));
  }
  for (const at of chain.reverse()) {
    list.append(make("li", {}, "→ ", button(heap.describe(at), () => actions.select(at, true))));
  }
  list.append(make("li", {}, "→ ", make("b", {}, heap.describe(slot))));
  return [make("h2", {}, "Held by"), list];
}

function holds(heap: Heap, slot: number, actions: Actions): Node[] {
  const held: number[] = [];
  let count = 0;
  for (let at = 0; at < heap.slots; ++at) {
    if (heap.up[at] === slot + 1) {
      ++count;
      if (held.length < mostShown) {
        held.push(at);
      }
    }
  }
  if (count === 0) {
    return [];
  }
  const list = make("ul", { class: "way" }, ...held.map((at) =>
    make("li", {}, button(`${heap.describe(at)}, ${bytesText(heap.size(at))}`, () => actions.select(at, true)))));
  return [
    make("h2", {}, `Reached through it: ${plural(count, "block")}`), list,
    ...(count > held.length ? [make("p", {}, `… and ${countText(count - held.length)} more.`)] : []),
    button("Highlight all below it", () => actions.toggleHighlight(`below ${heap.describe(slot)}`, { by: "way", slot })),
  ];
}

export function foundContent(found: Found[] | null, question: string, actions: Actions): Node[] {
  if (found === null) {
    return [make("h2", {}, "Search"), make("p", {}, "Part of a type's name, of what holds it, or of where it was allocated: dict, app.sessions, models.py:88. type:, holder: and site: before it look there only. Or an address: 0x7f… or what id() says.")];
  }
  if (found.length === 0) {
    return [make("h2", {}, "Nothing found"), make("p", {}, `No type, holder or site of an allocated block has “${question}” in its name.`)];
  }
  return [
    make("h2", {}, plural(found.length, "match", "matches")),
    make("p", {}, "Press one to see its blocks; n and p go from one to the next."),
    ...found.map((entry) => {
      const choice = { by: "name" as const, grouping: entry.grouping, key: entry.key };
      const element = button("", () => actions.toggleHighlight(entry.name, choice), { class: "answer", "aria-pressed": String(actions.isHighlighted(choice)) });
      element.append(
        make("span", { class: "row" }, make("b", {}, entry.name), make("span", {}, bytesText(entry.bytes))),
        make("small", {}, `${entry.grouping} · ${plural(entry.blocks, "block")}`));
      return element;
    }),
  ];
}

// How many objects have their value on the page, where any was recorded.
function valueFigures(heap: Heap): [string, string][] {
  const there = heap.values.length;
  const all = there + heap.valuesLeftOut;
  if (all === there) {
    return all === 0 ? [] : [["values of objects", countText(all)]];
  }
  return [["values of objects", `${countText(there)} of ${countText(all)}`], ["… the page has room for", bytesText(heap.mostValueBytes)]];
}

export function memoryContent(heap: Heap): Node[] {
  const { names, columns, ordinal } = heap;
  const ledger = columns.texts("ledger.name").map((name, i): [string, string] => [name, bytesText(columns.numbers("ledger.bytes")[i])]);
  const states = [0, 0, 0, 0];
  for (const state of heap.poolState) {
    ++states[state];
  }
  const starts = columns.numbers("mapping.start");
  const resident = columns.numbers("mapping.resident");
  const owners = columns.texts("mapping.owner");
  const mappingNames = columns.texts("mapping.name");
  const largest = Array.from(starts.keys()).filter((i) => resident[i] > 0).sort((a, b) => resident[b] - resident[a]).slice(0, 40);
  return [
    make("h2", {}, `Resident, by owner: ${bytesText(names.resident[ordinal])}`),
    ownersList(heap),
    make("h2", {}, "… and what it is for"),
    figures(ledger),
    make("h2", {}, "The heap"),
    figures([
      ["arenas", countText(heap.arenaAddress.length)],
      ...poolStateNames.map((name, i): [string, string] => [`pools ${name}`, countText(states[i])]),
      ["large blocks", countText(heap.largeAddress.length)],
      ["objects outside of Tarn", countText(heap.outsideAddress.length)],
    ]),
    make("h2", {}, "Mappings, the largest first"),
    figures(largest.map((i): [string, string] => [`${ownerOf(owners[i]).name}${mappingNames[i] ? ` ${mappingNames[i]}` : ""} ${addressText(starts[i])}`, bytesText(resident[i])])),
    make("h2", {}, "The snapshot"),
    figures([
      ["taken", new Date(names.takenAt[ordinal] * 1000).toLocaleString()], ["reason", names.reasons[ordinal]],
      ["process", String(names.pids[ordinal])], ["Python", names.pythons[ordinal]], ["geometry", names.geometries[ordinal]],
      ["the program stood still", `${(names.pauses[ordinal] / 1e6).toFixed(1)} ms`],
      ...valueFigures(heap),
    ]),
  ];
}

// Whoever is in it with the keyboard stays there: at the same button, if it's the same tab told anew.
export function setContent(nodes: Node[], isSameTab: boolean): void {
  const content = byId("content");
  const buttons = (): HTMLElement[] => [...content.querySelectorAll<HTMLElement>("button")];
  const isInside = content.contains(document.activeElement);
  const focused = buttons().indexOf(document.activeElement as HTMLElement);
  const { scrollTop } = content;
  content.replaceChildren(...nodes);
  content.scrollTop = isSameTab ? scrollTop : 0;
  if (isInside) {
    ((isSameTab ? buttons()[focused] : undefined) ?? content).focus({ preventScroll: true });
  }
}

// What one can look for: an address, or a part of the name of a type, of a root, or of a site.
import { type Heap, type Names } from "./heap";
import { forEachPooled } from "./colours";
import { type Grouping, keysOf } from "./groups";

export interface Found { grouping: Grouping; key: number; name: string; blocks: number; bytes: number }

export type Answer = { kind: "address"; slot: number; address: number } | { kind: "names"; found: Found[] };

const mostFound = 60;

export function search(heap: Heap, names: Names, question: string): Answer {
  const word = question.trim();
  if (/^(0x[0-9a-f]+|\d{6,})$/i.test(word)) {
    const address = Number(word);
    return { kind: "address", slot: heap.slotAt(address), address };
  }
  const [, prefix, rest] = /^(?:(type|holder|site):)?(.*)$/.exec(word) ?? [];
  const wanted = (rest ?? "").trim().toLowerCase();
  const found: Found[] = [];
  if (wanted === "") {
    return { kind: "names", found };
  }
  const look = (grouping: Grouping, texts: string[], shown: (key: number) => string): void => {
    if (prefix !== undefined && prefix !== grouping) {
      return;
    }
    const byKey = new Map<number, Found>();
    texts.forEach((text, key) => {
      if (text.toLowerCase().includes(wanted)) {
        byKey.set(key, { grouping, key, name: shown(key), blocks: 0, bytes: 0 });
      }
    });
    if (byKey.size === 0) {
      return;
    }
    const keyOf = keysOf(heap, grouping);
    forEachPooled(heap, (slot, size) => {
      const entry = (heap.state[slot] & 3) === 1 ? byKey.get(keyOf(slot)) : undefined;
      if (entry !== undefined) {
        ++entry.blocks;
        entry.bytes += size;
      }
    });
    found.push(...[...byKey.values()].filter((entry) => entry.blocks > 0));
  };
  look("type", names.typeNames, (key) => names.typeNames[key]);
  look("holder", names.rootNames, (key) => names.root(key));
  look("site", names.sites.map((frames) => frames.map((frame) => `${frame.function} ${frame.file}:${frame.line}`).join(" ")), (key) => names.site(key));
  found.sort((a, b) => b.bytes - a.bytes);
  return { kind: "names", found: found.slice(0, mostFound) };
}

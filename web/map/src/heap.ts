// One snapshot, as the page works with it: arenas, pools, and a slot for each block (see
// src/sight/map/snapshot_columns.h), and the names that all snapshots share.
import type { Columns, Numbers, Texts } from "./columns";

export const enum State { untouched = 0, allocated = 1, free = 2 }
export const enum Content { unknown = 0, object = 1, part = 2, spare = 3 }
export const enum PoolState { untouched = 0, empty = 1, used = 2, full = 3 }

export const unlinked = 0xffffffff;
export const countUnknown = 0xffffffff;
export const poolStateNames = ["untouched", "empty", "used", "full"];
export const domainNames = ["raw", "mem", "obj", "outside"];
export const stateNames = ["untouched", "allocated", "free"];

export interface Frame { function: string; file: string; line: string }

function frames(text: string): Frame[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [name = "", file = "", number = ""] = line.split("\t");
    return { function: name, file, line: number };
  });
}

export class Names {
  readonly typeNames: string[];
  readonly shortTypeNames: string[];
  readonly rootKinds: string[];
  readonly rootNames: string[];
  readonly rootPlaces: Frame[][];
  readonly sites: Frame[][];
  readonly ids: Numbers;
  readonly slots: Numbers;
  readonly takenAt: Numbers;
  readonly resident: Numbers;
  readonly pageSizes: Numbers;
  readonly pids: Numbers;
  readonly pauses: Numbers;
  readonly programs: string[];
  readonly pythons: string[];
  readonly geometries: string[];
  readonly reasons: string[];

  constructor(columns: Columns) {
    const modules = columns.texts("type.module");
    this.shortTypeNames = columns.texts("type.name");
    this.typeNames = this.shortTypeNames.map((name, i) =>
      modules[i] === "" || modules[i] === "builtins" ? name : `${modules[i]}.${name}`);
    this.rootKinds = columns.texts("root.kind");
    this.rootNames = columns.texts("root.name");
    this.rootPlaces = columns.texts("root.where").map(frames);
    this.sites = columns.texts("site.frames").map(frames);
    this.ids = columns.numbers("snapshot.id");
    this.slots = columns.numbers("snapshot.slots");
    this.takenAt = columns.numbers("snapshot.taken_at");
    this.resident = columns.numbers("snapshot.resident");
    this.pageSizes = columns.numbers("snapshot.page_size");
    this.pids = columns.numbers("snapshot.pid");
    this.pauses = columns.numbers("snapshot.pause_ns");
    this.programs = columns.texts("snapshot.program");
    this.pythons = columns.texts("snapshot.python");
    this.geometries = columns.texts("snapshot.geometry");
    this.reasons = columns.texts("snapshot.reason");
  }

  get count(): number {
    return this.ids.length;
  }

  // A root by its number: "app.sessions.cache", "rows in load_orders".
  root(number: number): string {
    const place = this.rootPlaces[number][0];
    const name = this.rootNames[number];
    switch (this.rootKinds[number]) {
      case "local": return place ? `${name} in ${place.function}` : name;
      case "module": return `module ${name}`;
      case "unknown": return `unknown holder of ${name}`;
      case "garbage": return `uncollected cycle of ${name}`;
      default: return name;
    }
  }

  site(number: number): string {
    const frame = this.sites[number][0];
    return frame ? `${frame.function} (${frame.file.split("/").pop() ?? ""}:${frame.line})` : "unknown";
  }
}

export class Heap {
  readonly pageSize: number;
  readonly arenaAddress: Numbers;
  readonly arenaSize: Numbers;
  readonly arenaFree: Numbers;
  readonly arenaOrder: Numbers;
  readonly arenaResident: Numbers;
  readonly arenaHeap: string[];
  readonly arenaTier: string[];
  readonly poolAddress: Numbers;
  readonly poolArena: Numbers;
  readonly poolSize: Numbers;
  readonly poolState: Numbers;
  readonly poolDomain: Numbers;
  readonly poolClass: Numbers;
  readonly poolBlockSize: Numbers;
  // Where in the pool its first block begins.
  readonly poolFirstAt: Numbers;
  readonly poolBlocks: Numbers;
  readonly poolFirst: Numbers;
  readonly poolFreeblock: Numbers;
  readonly largeAddress: Numbers;
  readonly largeSize: Numbers;
  readonly largeKind: string[];
  readonly outsideAddress: Numbers;
  readonly outsideSize: Numbers;
  readonly state: Numbers;
  readonly prefix: Numbers;
  readonly next: Numbers;
  readonly depth: Numbers;
  readonly since: Numbers;
  readonly type: Numbers;
  readonly refcount: Numbers;
  readonly root: Numbers;
  readonly site: Numbers;
  readonly up: Numbers;
  readonly values: Texts;
  // Those that the snapshot has and the page had no room for, and how many bytes it has for values.
  readonly valuesLeftOut: number;
  readonly mostValueBytes: number;
  readonly slots: number;
  readonly firstLarge: number;
  readonly firstOutside: number;
  // The pools that have blocks, by their first slots.
  private readonly carved: Uint32Array;
  private readonly residentLow: Numbers;
  private readonly residentHigh: Numbers;
  private readonly valueSlots: Numbers;

  constructor(readonly columns: Columns, readonly names: Names, readonly ordinal: number) {
    const numbers = (name: string): Numbers => columns.numbers(name);
    this.pageSize = names.pageSizes[ordinal];
    this.arenaAddress = numbers("arena.address");
    this.arenaSize = numbers("arena.size");
    this.arenaFree = numbers("arena.nfreepools");
    this.arenaOrder = numbers("arena.usable_order");
    this.arenaResident = numbers("arena.resident");
    this.arenaHeap = columns.texts("arena.heap");
    this.arenaTier = columns.texts("arena.tier");
    this.poolAddress = numbers("pool.address");
    this.poolArena = numbers("pool.arena");
    this.poolSize = numbers("pool.size");
    this.poolState = numbers("pool.state");
    this.poolDomain = numbers("pool.domain");
    this.poolClass = numbers("pool.szidx");
    this.poolBlockSize = numbers("pool.block_size");
    this.poolFirstAt = numbers("pool.first_at");
    this.poolBlocks = numbers("pool.blocks");
    this.poolFirst = numbers("pool.first_slot");
    this.poolFreeblock = numbers("pool.freeblock");
    this.residentLow = numbers("pool.resident_low");
    this.residentHigh = numbers("pool.resident_high");
    this.largeAddress = numbers("large.address");
    this.largeSize = numbers("large.size");
    this.largeKind = columns.texts("large.kind");
    this.outsideAddress = numbers("outside.address");
    this.outsideSize = numbers("outside.size");
    this.state = numbers("slot.state");
    this.prefix = numbers("slot.prefix");
    this.next = numbers("slot.next");
    this.depth = numbers("slot.depth");
    this.since = numbers("slot.since");
    this.type = numbers("slot.type");
    this.refcount = numbers("slot.count");
    this.root = numbers("slot.root");
    this.site = numbers("slot.site");
    this.up = numbers("slot.up");
    this.valueSlots = numbers("value.slot");
    this.values = columns.manyTexts("value.text");
    this.valuesLeftOut = numbers("value.left_out")[0];
    this.mostValueBytes = numbers("value.most")[0];
    this.slots = this.state.length;
    this.firstOutside = this.slots - this.outsideAddress.length;
    this.firstLarge = this.firstOutside - this.largeAddress.length;
    const carved: number[] = [];
    for (let pool = 0; pool < this.poolAddress.length; ++pool) {
      if (this.poolBlocks[pool] > 0) {
        carved.push(pool);
      }
    }
    this.carved = Uint32Array.from(carved);
  }

  stateOf(slot: number): State {
    return this.state[slot] & 3;
  }
  contentOf(slot: number): Content {
    return (this.state[slot] >> 2) & 3;
  }
  isTracked(slot: number): boolean {
    return (this.state[slot] & 16) !== 0;
  }
  // Blocks that were never handed out are their pool's.
  domainOf(slot: number): number {
    return this.stateOf(slot) === State.untouched && slot < this.firstLarge ? this.poolDomain[this.poolOf(slot)] : this.state[slot] >> 5;
  }

  // The pool of a slot, or -1: a large block, or outside.
  poolOf(slot: number): number {
    if (slot >= this.firstLarge) {
      return -1;
    }
    let low = 0;
    let high = this.carved.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.poolFirst[this.carved[middle]] <= slot) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return this.carved[low];
  }

  address(slot: number): number {
    if (slot >= this.firstOutside) {
      return this.outsideAddress[slot - this.firstOutside];
    }
    if (slot >= this.firstLarge) {
      return this.largeAddress[slot - this.firstLarge];
    }
    const pool = this.poolOf(slot);
    return this.poolAddress[pool] + this.poolFirstAt[pool] + (slot - this.poolFirst[pool]) * this.poolBlockSize[pool];
  }

  size(slot: number): number {
    if (slot >= this.firstOutside) {
      return this.outsideSize[slot - this.firstOutside];
    }
    if (slot >= this.firstLarge) {
      return this.largeSize[slot - this.firstLarge];
    }
    return this.poolBlockSize[this.poolOf(slot)];
  }

  // The slot whose block holds the address, or -1.
  slotAt(address: number): number {
    const pool = lastNotAbove(this.poolAddress, address);
    if (pool >= 0 && address < this.poolAddress[pool] + this.poolSize[pool] && this.poolBlocks[pool] > 0) {
      const index = Math.floor((address - this.poolAddress[pool] - this.poolFirstAt[pool]) / this.poolBlockSize[pool]);
      return index >= 0 && index < this.poolBlocks[pool] ? this.poolFirst[pool] + index : -1;
    }
    const large = lastNotAbove(this.largeAddress, address);
    if (large >= 0 && address < this.largeAddress[large] + this.largeSize[large]) {
      return this.firstLarge + large;
    }
    const outside = lastNotAbove(this.outsideAddress, address);
    if (outside >= 0 && address < this.outsideAddress[outside] + this.outsideSize[outside]) {
      return this.firstOutside + outside;
    }
    return -1;
  }

  isPageResident(pool: number, page: number): boolean {
    return page < 32 ? ((this.residentLow[pool] >>> page) & 1) !== 0 : ((this.residentHigh[pool] >>> (page - 32)) & 1) !== 0;
  }

  // A part is what its owner is: a dict's table is a dict.
  principal(slot: number): number {
    return this.contentOf(slot) === Content.part && this.up[slot] > 0 ? this.up[slot] - 1 : slot;
  }

  // Type number, or -1.
  typeOf(slot: number): number {
    return this.type[this.principal(slot)] - 1;
  }
  rootOf(slot: number): number {
    return (this.root[slot] || this.root[this.principal(slot)]) - 1;
  }
  siteOf(slot: number): number {
    return (this.site[slot] || this.site[this.principal(slot)]) - 1;
  }

  // What repr says of the object in the block, if that was recorded, in short.
  valueOf(slot: number): string | null {
    if (this.stateOf(slot) !== State.allocated || this.contentOf(slot) !== Content.object) {
      return null;
    }
    const at = lastNotAbove(this.valueSlots, slot);
    return at >= 0 && this.valueSlots[at] === slot ? this.values.at(at) : null;
  }

  // "dict", "table of dict", "spare float", "unknown".
  describe(slot: number): string {
    const type = this.typeOf(slot);
    const name = type >= 0 ? this.names.typeNames[type] : "";
    switch (this.stateOf(slot)) {
      case State.untouched: return "untouched";
      case State.free: return "free";
    }
    switch (this.contentOf(slot)) {
      case Content.object: return name || "object of an unknown type";
      case Content.part: return name ? `table of ${name}` : "part of an object";
      case Content.spare: return name ? `spare ${name}` : "spare object";
      default: return "not an object";
    }
  }

  // From the block up to what its root names; damaged files have circles.
  holders(slot: number): number[] {
    const chain: number[] = [];
    const seen = new Set<number>([slot]);
    for (let at = this.up[slot]; at > 0 && chain.length < 64 && !seen.has(at - 1); at = this.up[at - 1]) {
      seen.add(at - 1);
      chain.push(at - 1);
    }
    return chain;
  }
}

function lastNotAbove(sorted: Numbers, value: number): number {
  let low = -1;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

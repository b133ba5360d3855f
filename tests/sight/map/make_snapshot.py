#!/usr/bin/env python3
"""Makes a snapshot file of a heap that never was: a service that fills a cache and drops most of it.

    tests/sight/map/make_snapshot.py FILE [--blocks 1000000] [--snapshots 3] [--survive 0.02] [--seed 1] [--values]
                                     [--hostile]

The blocks come from an allocator like Tarn's, played through in Python: pools of 16 KiB in arenas of 1 MiB, the
last freed reused first, untouched blocks last. So chains are scattered as real ones are, and what pins is what
would pin. --values adds texts of strings, bytes and numbers. --hostile gives types, globals and files names, and objects
values, that a careless page would take for markup.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

SCHEMA_HEADER = Path(__file__).resolve().parents[3] / "src" / "sight" / "schema.h"
PAGE = 4096
POOL = 16384
ARENA = 1 << 20
BASE = 0x7F00_0000_0000
HOSTILE = "<script>alert(1)</script>"


def constant(name: str) -> int:
    found = re.search(rf"{name} = (0x[0-9a-f]+|\d+);", SCHEMA_HEADER.read_text())
    assert found is not None
    return int(found[1], 0)


def create(path: str | Path) -> sqlite3.Connection:
    """An empty file of the schema."""
    database = sqlite3.connect(path)
    found = re.search(r'R"sql\((.*?)\)sql"', SCHEMA_HEADER.read_text(), re.DOTALL)
    assert found is not None
    database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + found[1])
    database.execute(f"PRAGMA application_id={constant('application_id')}")
    database.execute(f"PRAGMA user_version={constant('schema_version')}")
    return database


def insert(database: sqlite3.Connection, table: str, rows: list[tuple]) -> None:
    if rows:
        places = ",".join("?" * len(rows[0]))
        database.executemany(f"INSERT INTO {table} VALUES ({places})", rows)


@dataclass
class Pool:
    address: int
    arena: "Arena"
    szidx: int = -1
    domain: str = "obj"
    blocks: int = 0
    untouched_at: int = 0  # in blocks
    first_at: int = 0  # where in the pool the first block lies
    free: list[int] = field(default_factory=list)  # the chain, its head last
    live: int = 0
    resident: int = 0  # a bit a page


@dataclass
class Arena:
    address: int
    pools: list[Pool] = field(default_factory=list)
    empty: list[Pool] = field(default_factory=list)


@dataclass
class Block:
    address: int
    size: int
    pool: Pool | None
    domain: str
    content: int
    type: int
    refcount: int
    tracked: int
    owner: int | None
    holder: int | None
    root: int | None
    depth: int | None
    site: int | None
    prefix: int = 0


class Heap:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.arenas: list[Arena] = []
        self.used: dict[tuple[str, int], list[Pool]] = {}
        self.pools: dict[int, Pool] = {}
        self.live: dict[int, Block] = {}
        self.large: dict[int, int] = {}
        self.next_arena = BASE
        self.next_large = BASE + (1 << 36)

    def take_pool(self, domain: str, szidx: int) -> Pool:
        for arena in self.arenas:
            if arena.empty:
                pool = arena.empty.pop()
                break
        else:
            arena = Arena(self.next_arena)
            # Not all arenas lie beside each other.
            self.next_arena += ARENA * self.chance.choice((1, 1, 1, 1, 2))
            arena.pools = [Pool(arena.address + i * POOL, arena) for i in range(ARENA // POOL)]
            arena.empty = arena.pools[::-1]
            self.pools.update((pool.address, pool) for pool in arena.pools)
            self.arenas.append(arena)
            pool = arena.empty.pop()
        pool.szidx, pool.domain = szidx, domain
        size = (szidx + 1) * 16
        # As in a Python process.
        pool.first_at = 48 if domain == "obj" and size in (64, 128, 192) else 0
        pool.blocks, pool.untouched_at, pool.free, pool.live = (POOL - pool.first_at) // size, 0, [], 0
        return pool

    def allocate(self, size: int, domain: str, **facts: object) -> Block:
        if size > 512:
            address, rounded = self.next_large, -(-size // PAGE) * PAGE
            self.next_large += rounded + PAGE
            self.large[address] = rounded
            block = Block(address, rounded, None, domain, **facts)  # type: ignore[arg-type]
            self.live[address] = block
            return block
        szidx = (size - 1) // 16
        size = (szidx + 1) * 16
        pools = self.used.setdefault((domain, szidx), [])
        if not pools:
            pools.append(self.take_pool(domain, szidx))
        pool = pools[-1]
        if pool.free:
            index = pool.free.pop()
        else:
            index = pool.untouched_at
            pool.untouched_at += 1
        pool.live += 1
        if pool.live == pool.blocks:
            pools.pop()
        offset = pool.first_at + index * size
        for page in range(offset // PAGE, (offset + size - 1) // PAGE + 1):
            pool.resident |= 1 << page
        block = Block(pool.address + offset, size, pool, domain, **facts)  # type: ignore[arg-type]
        self.live[block.address] = block
        return block

    def free(self, block: Block) -> None:
        del self.live[block.address]
        pool = block.pool
        if pool is None:
            del self.large[block.address]
            return
        pools = self.used[pool.domain, pool.szidx]
        if pool.live == pool.blocks:
            pools.append(pool)
        pool.live -= 1
        pool.free.append((block.address - pool.address - pool.first_at) // block.size)
        if pool.live == 0:
            pools.remove(pool)
            pool.szidx, pool.resident = -1, 0
            pool.arena.empty.append(pool)

    def live_pages(self, pool: Pool, live: list[Block]) -> int:
        pages = 0
        for block in live:
            offset = block.address - pool.address
            for page in range(offset // PAGE, (offset + block.size - 1) // PAGE + 1):
                pages |= 1 << page
        return pages


TYPES = [  # module, name, basicsize, itemsize
    ("builtins", "str", 49, 1), ("builtins", "dict", 64, 0), ("builtins", "list", 56, 8), ("builtins", "tuple", 40, 8),
    ("builtins", "int", 24, 4), ("builtins", "float", 24, 0), ("builtins", "function", 144, 0),
    ("builtins", "code", 176, 1), ("builtins", "type", 920, 0), ("app.models", "Session", 48, 0),
    ("app.models", "Order", 48, 0), ("datetime", "datetime", 48, 0), ("builtins", "bytes", 33, 1),
    ("builtins", "set", 216, 0), ("collections", "deque", 624, 0), ("decimal", "Decimal", 104, 0),
    ("builtins", "module", 72, 0), ("builtins", "cell", 40, 0), ("builtins", "weakref", 72, 0),
]
STR, DICT, LIST, TUPLE, INT, FLOAT, FUNCTION, CODE, TYPE, SESSION, ORDER, DATETIME, BYTES = range(1, 14)
ROOTS = [("global", "app.sessions.cache"), ("global", "app.orders.recent"), ("local", "rows"), ("module", "json"),
         ("interpreter", "sys.modules"), ("unknown", "bytes"), ("garbage", "Order")]
FRAMES = [("login", "/srv/app/app/sessions.py", 88), ("handle", "/srv/app/app/wsgi.py", 41),
          ("load_orders", "/srv/app/app/orders.py", 117), ("<module>", "/srv/app/main.py", 9),
          ("_call_with_frames_removed", "<frozen importlib._bootstrap>", 241)]
SITES = [[0, 1, 3], [2, 1, 3], [4, 3]]


class Program:
    """What the service does between two snapshots."""

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.sessions: list[list[Block]] = []
        self.cache = heap.allocate(64, "obj", **self.thing(DICT, 3, 1, None, 1, 0, None, prefix=16))
        self.table: Block | None = None

    @staticmethod
    def thing(type_id: int, refcount: int | None, tracked: int, holder: int | None, root: int | None,
              depth: int | None, site: int | None, prefix: int = 0) -> dict[str, object]:
        return {"content": 1, "type": type_id, "refcount": refcount, "tracked": tracked, "owner": None,
                "holder": holder, "root": root, "depth": depth, "site": site, "prefix": prefix}

    @staticmethod
    def part(owner: Block) -> dict[str, object]:
        return {"content": 2, "type": None, "refcount": None, "tracked": None, "owner": owner.address,
                "holder": None, "root": owner.root, "depth": owner.depth, "site": owner.site}

    def start_up(self, count: int) -> None:
        heap, chance = self.heap, self.heap.chance
        modules = heap.allocate(64, "obj", **self.thing(DICT, 9, 1, None, 5, 0, 3, prefix=16))
        parent = modules
        for _ in range(count):
            kind = chance.random()
            root = chance.choice((4, 5, 5))
            if kind < 0.35:
                made = (48 + chance.randrange(120), STR, 0, 0)
            elif kind < 0.55:
                made = (40 + 8 * chance.randrange(10) + 16, TUPLE, 1, 16)
            elif kind < 0.7:
                made = (160, FUNCTION, 1, 16)
            elif kind < 0.82:
                made = (200 + chance.randrange(300), CODE, 0, 0)
            elif kind < 0.9:
                made = (80, DICT, 1, 16)
            else:
                made = (32, INT, 0, 0)
            size, type_id, tracked, prefix = made
            refcount = None if chance.random() < 0.02 else 1 + int(chance.expovariate(0.7))
            block = heap.allocate(size, "obj", **self.thing(type_id, refcount, tracked, parent.address, root,
                                                            chance.randrange(1, 7), 3, prefix))
            if type_id == DICT:
                heap.allocate(chance.choice((104, 192, 352, 640)), "obj", **self.part(block))
                parent = block
            if chance.random() < 0.03:
                heap.allocate(16 + chance.randrange(400), "mem",
                              **{**self.thing(0, None, 0, None, None, None, None), "content": 0, "type": None,
                                 "tracked": None})

    def serve(self, count: int) -> None:
        """Sessions, with what they hold, until so many blocks are alive."""
        heap, chance = self.heap, self.heap.chance
        while len(heap.live) < count:
            session = heap.allocate(80, "obj", **self.thing(SESSION, 1, 1, self.cache.address, 1, 1, 1, prefix=16))
            held = [session]
            attributes = heap.allocate(80, "obj", **self.thing(DICT, 1, 1, session.address, 1, 2, 1, prefix=16))
            held += [attributes, heap.allocate(192, "obj", **self.part(attributes))]
            for _ in range(chance.randrange(2, 9)):
                size, type_id = chance.choice(((64, STR), (80, STR), (112, STR), (32, INT), (24, FLOAT),
                                               (48, DATETIME), (360, BYTES)))
                held.append(heap.allocate(size, "obj", **self.thing(type_id, 1, 0, attributes.address, 1, 3, 1)))
            if chance.random() < 0.3:
                orders = heap.allocate(72, "obj", **self.thing(LIST, 2, 1, attributes.address, 1, 3, 2, prefix=16))
                held += [orders, heap.allocate(8 * chance.randrange(2, 40), "mem", **self.part(orders))]
                for _ in range(chance.randrange(1, 5)):
                    held.append(heap.allocate(64, "obj",
                                              **self.thing(ORDER, 1, 1, orders.address, 1, 4, 2, prefix=16)))
            if chance.random() < 0.001:
                held.append(heap.allocate(chance.randrange(4000, 400000), "obj",
                                          **self.thing(BYTES, 1, 0, attributes.address, 1, 3, 1)))
            self.sessions.append(held)
            # Some go at once: requests that came and went.
            if chance.random() < 0.25:
                self.drop(self.sessions.pop(chance.randrange(len(self.sessions))))
        if self.table is not None:
            heap.free(self.table)
        self.table = heap.allocate(max(600, len(self.sessions) * 40), "obj", **self.part(self.cache))

    def drop(self, held: list[Block]) -> None:
        self.heap.chance.shuffle(held)
        for block in held:
            self.heap.free(block)

    def quieten(self, survive: float) -> None:
        """The load falls."""
        chance = self.heap.chance
        chance.shuffle(self.sessions)
        kept = int(len(self.sessions) * survive)
        for held in self.sessions[kept:]:
            self.drop(held)
        del self.sessions[kept:]
        # Pages that hold no allocated block have gone back, most of them.
        live: dict[int, list[Block]] = {}
        for block in self.heap.live.values():
            if block.pool is not None:
                live.setdefault(block.pool.address, []).append(block)
        for address, blocks in live.items():
            pool = self.heap.pools[address]
            pages = self.heap.live_pages(pool, blocks)
            pool.resident = pages | (pool.resident if chance.random() < 0.05 else 0)


DOMAINS = {"raw": 0, "mem": 1, "obj": 2}


def value_of(block: Block, name: str) -> str | None:
    """What repr would say, in short."""
    number = block.address // 16 % 100_003
    return {STR: f"'{name}session {number}'", BYTES: f"b'{name}{number}'", INT: str(number), FLOAT: repr(number / 8)}.get(block.type)


def record(database: sqlite3.Connection, heap: Heap, number: int, hostile: bool, values: bool) -> None:
    live: dict[int, list[Block]] = {}
    for block in heap.live.values():
        live.setdefault(block.pool.address if block.pool else 0, []).append(block)
    pools: list[tuple] = []
    blocks: list[tuple] = []
    usable = sorted((arena for arena in heap.arenas if arena.empty), key=lambda arena: len(arena.empty))
    order = {arena.address: i for i, arena in enumerate(usable)}
    arenas = []
    arenas_resident = 0
    for arena in heap.arenas:
        resident = 0
        for pool in arena.pools:
            if pool.szidx < 0:
                state = "empty" if pool.blocks else "untouched"
                pages = pool.resident.bit_count() * PAGE if hasattr(int, "bit_count") else bin(pool.resident).count("1") * PAGE
                pools.append((number, pool.address, arena.address, POOL, state, None, None, None, None, None, None, None,
                              None, pages, pool.resident, 0))
                resident += pages
                continue
            size = (pool.szidx + 1) * 16
            chain = pool.free[::-1]
            first = pool.address + pool.first_at
            freeblock = first + chain[0] * size if chain else None
            pages = bin(pool.resident).count("1") * PAGE
            resident += pages
            pools.append((number, pool.address, arena.address, POOL, "full" if pool.live == pool.blocks else "used",
                          pool.domain, pool.szidx, size, pool.blocks, pool.live, pool.blocks - pool.live - len(chain),
                          pool.first_at + pool.untouched_at * size, freeblock, pages, pool.resident,
                          heap.live_pages(pool, live.get(pool.address, []))))
            for here, following in zip(chain, [*chain[1:], None]):
                blocks.append((number, first + here * size, size, 0, pool.address, DOMAINS[pool.domain], 2,
                               None if following is None else first + following * size) + (None,) * 10)
        arenas.append((number, arena.address, ARENA, "python", "small", len(arena.pools), len(arena.empty),
                       order.get(arena.address), resident))
        arenas_resident += resident
    for here in heap.live.values():
        blocks.append((number, here.address, here.size, 0 if here.pool else 1, here.pool.address if here.pool else None,
                       DOMAINS[here.domain], 1, None, here.content, here.prefix, here.type, here.refcount, here.tracked,
                       here.owner, here.holder, here.root, here.depth, here.site))
    for i in range(500):  # the interpreter's static types
        blocks.append((number, 0x55_0000_0000 + i * 416, 416, 2, None, None, 1, None, 1, 0, TYPE, None, 0, None, None,
                       5, 1, None))
    insert(database, "arena", arenas)
    insert(database, "pool", pools)
    blocks.sort(key=lambda row: row[1])
    insert(database, "block", blocks)
    insert(database, "large", [(number, address, size, "python", "span", size) for address, size in
                               sorted(heap.large.items())])
    large_resident = sum(heap.large.values())
    name = HOSTILE if hostile else ""
    insert(database, "type", [(number, i, 0x55_0000_0000 + i * 416, name + module, name + called, basic, item)
                              for i, (module, called, basic, item) in enumerate(TYPES, 1)])
    insert(database, "root", [(number, i, 0, kind, name + called, 3 if kind == "local" else None,
                               1 if kind == "local" else None) for i, (kind, called) in enumerate(ROOTS, 1)])
    insert(database, "thread", [(number, 1, "MainThread")])
    if values:
        texts = [(number, here.address, value_of(here, name)) for here in heap.live.values() if here.content == 1]
        insert(database, "value", sorted(row for row in texts if row[2] is not None))
    insert(database, "frame", [(number, i, name + function, name + file, line)
                               for i, (function, file, line) in enumerate(FRAMES, 1)])
    insert(database, "site", [(number, i, 65536) for i in range(1, len(SITES) + 1)])
    insert(database, "site_frame", [(number, i, position, frame + 1) for i, site in enumerate(SITES, 1)
                                    for position, frame in enumerate(site)])
    mappings = [
        (0x55_0000_0000, 6 << 20, 3 << 20, "r-xp", "file", "/usr/bin/python3.11"),
        (0x55_1000_0000, 9 << 20, 7 << 20, "rw-p", "heap", "[heap]"),
        (BASE, heap.next_arena - BASE, arenas_resident, "rw-p", "arenas", ""),
        (BASE + (1 << 36), max(PAGE, heap.next_large - BASE - (1 << 36)), large_resident, "rw-p", "large", ""),
        (BASE + (2 << 36), 8 << 20, len(heap.arenas) * 8192, "rw-p", "descriptors", ""),
        (BASE + (3 << 36), 64 << 20, 5 << 20, "rw-p", "anonymous", ""),
        (BASE + (4 << 36), 2 << 20, 1 << 20, "r-xp", "file", name + "/usr/lib/x86_64-linux-gnu/libc.so.6"),
        (BASE + (5 << 36), 8 << 20, 132 << 10, "rw-p", "stack", "[stack]"),
    ]
    insert(database, "mapping", [(number, *mapping) for mapping in mappings])
    resident = sum(mapping[2] for mapping in mappings)
    live_bytes = sum(block.size for block in heap.live.values() if block.pool)
    lines = [("live", "live blocks", live_bytes + large_resident), ("retained", "pages that live blocks pin",
             arenas_resident - live_bytes), ("heap", "the C library's heap", 7 << 20), ("file", "files", 4 << 20)]
    lines.append(("rest", "the rest", resident - sum(line[2] for line in lines)))
    insert(database, "ledger", [(number, i, *line) for i, line in enumerate(lines)])
    insert(database, "snapshot", [(number, 1_790_000_000.0 + 60 * number, "every", 4711, name + "/srv/app/main.py",
                                   "3.11.2", "0.1.0", "tarn", "range", "none", PAGE, resident, 41_000_000, 900_000_000,
                                   0, 0)])


def make(path: str | Path, blocks: int = 10_000, snapshots: int = 3, survive: float = 0.02, seed: int = 1,
         hostile: bool = False, values: bool = False) -> None:
    """One snapshot: under load. Two: and after it. More: on the way up, and down."""
    chance = random.Random(seed)
    heap = Heap(chance)
    program = Program(heap)
    program.start_up(max(1, blocks // 30))
    database = create(path)
    up = max(1, snapshots - snapshots // 2)
    for number in range(1, snapshots + 1):
        if number <= up:
            program.serve(blocks * number // up)
        else:
            program.quieten(survive ** (1 / (snapshots - up)))
        record(database, heap, number, hostile, values)
    database.commit()
    database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--blocks", type=int, default=1_000_000)
    parser.add_argument("--snapshots", type=int, default=3)
    parser.add_argument("--survive", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--values", action="store_true")
    parser.add_argument("--hostile", action="store_true")
    options = parser.parse_args()
    make(options.file, options.blocks, options.snapshots, options.survive, options.seed, options.hostile, options.values)


if __name__ == "__main__":
    main()

"""Makes snapshot files of heaps that are written down, so that each figure can be computed by hand.

    heap = MadeSnapshot()
    table = heap.object("dict", 64, global_name="app.SESSIONS")
    heap.object("app.Session", 48, held_by=table)
    heap.write(path)

Blocks are placed one behind the other: in pools of four pages, one size class each, or where `at` says.
The tables are those of src/sight/schema.h itself.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

PAGE = 4096
POOL = 4 * PAGE
BASE = 0x7F00_0000_0000
SOURCE = Path(__file__).resolve().parents[2] / "src" / "sight" / "schema.h"


def constants() -> tuple[str, int, int]:
    """The schema, the application id and the version."""
    text = SOURCE.read_text()
    schema = re.search(r'R"sql\((.*?)\)sql"', text, re.DOTALL)
    application = re.search(r"application_id = (0x[0-9a-f]+);", text)
    version = re.search(r"schema_version = (\d+);", text)
    assert schema and application and version
    return schema[1], int(application[1], 16), int(version[1])


class MadeSnapshot:
    def __init__(self, number: int = 1, references: bool = True, resident: int = 1 << 20, taken_at: float = 1e9) -> None:
        self.number, self.has_references, self.resident, self.taken_at = number, references, resident, taken_at
        self.blocks: list[dict[str, object]] = []
        self.pools: dict[int, int] = {}  # address: resident pages
        self.large: dict[int, tuple[int, int]] = {}
        self.types: dict[str, int] = {}
        self.roots: list[tuple[object, ...]] = []
        self.frames: list[tuple[str, str, int]] = []
        self.sites: list[list[int]] = []
        self.rate = 1  # of the sites
        self.python = "3.11.2"
        self.samples: dict[int, float] = {}  # weights, by address
        self.references: list[tuple[int, int]] = []
        self.ledger: list[tuple[str, str, int]] = []
        self.mappings: list[tuple[int, int, str, str]] = []
        self._next: dict[int, int] = {}  # of each size
        self._next_pool = BASE
        self._rows: dict[int, dict[str, object]] = {}  # by address

    def pool(self, resident: int = 0b1111) -> int:
        address = self._next_pool
        self._next_pool += POOL
        self.pools[address] = resident
        return address

    def place(self, size: int) -> int:
        at = self._next.get(size)
        if at is None or at % POOL + size > POOL or at % POOL == 0:
            at = self.pool()
        self._next[size] = at + size
        return at

    def type(self, name: str) -> int:
        return self.types.setdefault(name, len(self.types))

    def frame(self, function: str, file: str, line: int) -> int:
        self.frames.append((function, file, line))
        return len(self.frames)

    def site(self, *frames: int) -> int:
        self.sites.append(list(frames))
        return len(self.sites)

    def block(self, size: int, at: int | None = None, **columns: object) -> int:
        """An allocated block, of which nothing is known unless columns say so. Its address."""
        address = self.place(size) if at is None else at
        row: dict[str, object] = {
            "address": address, "size": size, "place": 0, "pool": address // POOL * POOL, "domain": 2, "state": 1,
            "content": 0,
        }
        row.update(columns)
        if row["place"] == 0 and row["pool"] not in self.pools:
            self.pools[address // POOL * POOL] = 0b1111
        self.blocks.append(row)
        self._rows[address] = row
        return address

    def object(self, type: str, size: int, held_by: int | None = None, global_name: str | None = None,
               refcount: int | None = 1, root: int | None = None, **columns: object) -> int:
        """An object; what holds it refers to it."""
        address = self.block(size, content=1, prefix=16, type=self.type(type), tracked=1, refcount=refcount,
                             holder=held_by, **columns)
        row = self.blocks[-1]
        if global_name is not None:
            row["root"] = self.root("global", global_name, address)
        elif root is not None:
            row["root"] = root
        elif held_by is not None:
            row["root"] = self._rows[held_by].get("root")
        if held_by is not None:
            self.refer(held_by, address)
        elif global_name is not None:
            self.refer(self.module_of(global_name), address)
        return address

    def module_of(self, name: str) -> int:
        """The dict of a module, outside of the heap."""
        module = name.rpartition(".")[0]
        for row in self.blocks:
            if row.get("module") == module:
                return int(row["address"])  # type: ignore[call-overload]
        address = 0x10_0000 + 0x1000 * len(self.roots)
        self.block(64, at=address, place=2, pool=None, domain=None, content=1, prefix=0, type=self.type("dict"),
                   tracked=1, refcount=1, module=module)
        self.blocks[-1]["root"] = self.root("module", module, address)
        return address

    def root(self, kind: str, name: str, block: int, frame: int | None = None) -> int:
        self.roots.append((block, kind, name, frame))
        return len(self.roots)

    def refer(self, source: int, target: int) -> None:
        self.references.append((source, target))

    def part(self, owner: int, size: int, **columns: object) -> int:
        return self.block(size, content=2, owner=owner, **columns)

    def large_block(self, size: int, resident: int, **columns: object) -> int:
        address = BASE + (1 << 32) + sum(one for one, _ in self.large.values())
        self.large[address] = (size, resident)
        return self.block(size, at=address, place=1, pool=None, **columns)

    def write(self, path: Path) -> Path:
        schema, application, version = constants()
        is_new = not path.exists()
        database = sqlite3.connect(path)
        with database:
            if is_new:
                database.executescript(schema)
                database.execute(f"PRAGMA application_id = {application}")
                database.execute(f"PRAGMA user_version = {version}")
            self.insert(database)
        database.close()
        return path

    def insert(self, database: sqlite3.Connection) -> None:
        number = self.number

        def add(table: str, rows: list[dict[str, object]]) -> None:
            for row in rows:
                names = ["snapshot", *row]
                database.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
                                 [number, *row.values()])

        database.execute(
            "INSERT INTO snapshot VALUES (?, ?, 'command', 4711, 'app.py', ?, '0.1.0', 'tarn', 'range', 'none', "
            "?, ?, 0, 0, 0, ?)", (number, self.taken_at, self.python, PAGE, self.resident, int(self.has_references)))
        add("pool", [{"address": address, "arena": BASE, "size": POOL, "state": "used", "resident":
                      PAGE * bin(pages).count("1"), "resident_pages": pages, "live_pages": 0}
                     for address, pages in self.pools.items()])
        add("large", [{"address": address, "size": size, "heap": "python", "kind": "span", "resident": resident}
                      for address, (size, resident) in self.large.items()])
        add("block", [{name: value for name, value in row.items() if name != "module"} for row in self.blocks])
        for name, number_of_type in self.types.items():
            module, _, short = name.rpartition(".")
            add("type", [{"id": number_of_type, "address": 0x1000, "module": module or "builtins", "name": short,
                          "basicsize": 0, "itemsize": 0}])
        add("root", [{"id": place, "block": block, "kind": kind, "name": name, "frame": frame}
                     for place, (block, kind, name, frame) in enumerate(self.roots, 1)])
        add("frame", [{"id": place, "function": function, "file": file, "line": line}
                      for place, (function, file, line) in enumerate(self.frames, 1)])
        add("site", [{"id": place, "rate": self.rate} for place in range(1, len(self.sites) + 1)])
        add("site_frame", [{"site": site, "position": position, "frame": frame}
                           for site, frames in enumerate(self.sites, 1) for position, frame in enumerate(frames)])
        if self.samples:
            add("sample", [{"block": block, "weight": weight} for block, weight in self.samples.items()])
        add("ledger", [{"position": place, "key": key, "name": name, "bytes": size}
                       for place, (key, name, size) in enumerate(self.ledger)])
        add("mapping", [{"start": start, "size": resident or PAGE, "resident": resident, "permissions": "rw-p",
                         "owner": owner, "name": name} for start, resident, owner, name in self.mappings])
        if self.has_references:
            add("reference", [{"source": source, "target": target} for source, target in self.references])

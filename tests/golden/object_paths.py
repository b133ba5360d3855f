#!/usr/bin/python3
"""Counts the instructions of copying, letting go of, borrowing and making, and compares them with a golden table.

    object_paths.py LIBRARY             prints the table of a built libgolden_objects.a
    object_paths.py LIBRARY --update    writes it to object_paths.golden

As in hot_path.py, the path is what a call runs when nothing special happens, its return among it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import hot_path

GOLDEN = Path(__file__).with_name("object_paths.golden")

# An owned copy and its release: at most six instructions each. A borrowed reference: its load, and the return.
BOUNDS = {
    "copy": hot_path.Bound(6, 1),
    "release": hot_path.Bound(6, 2),
    "borrow": hot_path.Bound(2, 0),
    "make": hot_path.Bound(20, 2),
}

_SYMBOL = re.compile(r"^[0-9a-f]+ <tarn::golden::(\w+)\(.*>:$")
_INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\t(\S+)")


def paths_of(disassembly: str) -> dict[str, hot_path.HotPath]:
    paths: dict[str, hot_path.HotPath] = {}
    name = ""
    mnemonics: list[str] = []
    for line in disassembly.splitlines():
        if symbol := _SYMBOL.match(line):
            name, mnemonics = symbol[1], []
        elif (instruction := _INSTRUCTION.match(line)) and name:
            mnemonics.append(instruction[1])
            if mnemonics[-1] in ("ret", "retq"):
                paths[name] = hot_path.HotPath(tuple(mnemonics))
                name = ""
    return paths


def count(library: Path) -> hot_path.Table:
    if not library.is_file():
        raise hot_path.CountError(f"there is no {library}; build it with scripts/build")
    disassembly = hot_path.run("objdump", "--disassemble", "--demangle", "--no-show-raw-insn", str(library))
    paths = paths_of(disassembly)
    if missing := BOUNDS.keys() - paths.keys():
        raise hot_path.CountError(f"{library} has no {', '.join(sorted(missing))}; is it a release build?")
    return hot_path.Table(hot_path.compiler_of(library), {name: paths[name] for name in BOUNDS})


def as_text(table: hot_path.Table) -> str:
    lines = hot_path.as_text(table).splitlines()
    lines[0] = "# Objects in the release build: tests/golden/object_paths.py LIBRARY --update writes this file."
    return "\n".join(lines) + "\n"


def over_bounds(table: hot_path.Table) -> list[str]:
    return [
        f"{name} has {path.instructions} instructions and {path.branches} conditional branches; "
        f"the most it may have is {BOUNDS[name].instructions} and {BOUNDS[name].branches}"
        for name, path in table.paths.items()
        if path.instructions > BOUNDS[name].instructions or path.branches > BOUNDS[name].branches
    ]


def main() -> int:
    arguments = sys.argv[1:]
    if not arguments or arguments[1:] not in ([], ["--update"]):
        print(__doc__, file=sys.stderr)
        return 2
    table = count(Path(arguments[0]))
    print(as_text(table), end="")
    findings = over_bounds(table)
    if arguments[1:] and not findings:
        GOLDEN.write_text(as_text(table))
    print("\n".join(findings), file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

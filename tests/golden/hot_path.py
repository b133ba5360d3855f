"""Counts the instructions of the hot path in a built libtarn.a, and compares them with a golden table.

The path is what a call runs when nothing special happens: from the function's entry to its first return,
with no conditional branch taken. The functions are the ones that a caller reaches through the tables of
src/heap/functions.h, of Tarn's own geometry over a reserved range and without checks.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

GOLDEN = Path(__file__).with_name("hot_path.golden")


@dataclass(frozen=True)
class Bound:
    """The most that a function's hot path may have, whatever the compiler."""

    instructions: int
    branches: int


BOUNDS = {"allocate": Bound(12, 1), "free": Bound(16, 2)}

# The position in the table of functions tells the lambda's number.
_LAMBDAS = {
    "allocate": r"\{lambda\(void\*, unsigned long\)#1\}",
    "free": r"\{lambda\(void\*, void\*\)#4\}",
}
_HEAP = (
    r"tarn::heap::functions_of<tarn::heap::DomainHeap<tarn::alloc::TarnGeometry, "
    r"tarn::alloc::ReservedRange<tarn::alloc::TarnGeometry>, tarn::heap::NoFill, tarn::heap::MediumRequests<.*> > >"
)
_SYMBOL = re.compile(r"^[0-9a-f]+ <(.*)>:$")
_INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\t(\S+)")


class CountError(Exception):
    """The instructions can't be counted; the text says why and what to do."""


@dataclass(frozen=True)
class HotPath:
    """One function's hot path."""

    mnemonics: tuple[str, ...]

    @property
    def instructions(self) -> int:
        return len(self.mnemonics)

    @property
    def branches(self) -> int:
        return sum(1 for mnemonic in self.mnemonics if is_conditional_branch(mnemonic))


@dataclass(frozen=True)
class Table:
    """The hot paths by function, and the compiler that made them."""

    compiler: str
    paths: dict[str, HotPath]


def is_conditional_branch(mnemonic: str) -> bool:
    return mnemonic.startswith("j") and mnemonic != "jmp"


def hot_path(disassembly: str, name: str, place: str) -> HotPath:
    """The path of one function in the text of objdump --demangle."""
    wanted = re.compile(_HEAP + r".*" + _LAMBDAS[name] + r"::(_FUN|__invoke)\(")
    lines = iter(disassembly.splitlines())
    for line in lines:
        symbol = _SYMBOL.match(line)
        if symbol is not None and wanted.search(symbol.group(1)):
            break
    else:
        raise CountError(f"{place} has no '{name}' of Tarn's geometry over a reserved range; is it a release build?")
    mnemonics: list[str] = []
    for line in lines:
        instruction = _INSTRUCTION.match(line)
        if instruction is None:
            break
        mnemonics.append(instruction.group(1))
        if mnemonics[-1] in ("ret", "retq"):
            return HotPath(tuple(mnemonics))
        if mnemonics[-1] == "jmp":
            break
    raise CountError(f"'{name}' in {place} doesn't fall through to a return: {' '.join(mnemonics)}")


def run(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise CountError(f"{command[0]} is missing; Debian has it in the package binutils") from None
    except subprocess.CalledProcessError as error:
        raise CountError(f"{' '.join(command)} failed: {error.stderr.strip()}") from None


def compiler_of(library: Path) -> str:
    """Name and major version, as "GCC 12", from the comment that a compiler leaves in its objects."""
    text = run("readelf", "--string-dump=.comment", str(library))
    found = re.search(r"(GCC): \([^)]*\) (\d+)|(clang) version (\d+)", text)
    if found is None:
        return "unknown"
    return " ".join(part for part in found.groups() if part is not None)


def count(library: Path) -> Table:
    if not library.is_file():
        raise CountError(f"there is no {library}; build it with scripts/build")
    machine = run("readelf", "--file-header", str(library))
    if "X86-64" not in machine:
        raise CountError(f"{library} isn't for x86-64, the only machine whose instructions are counted")
    disassembly = run("objdump", "--disassemble", "--demangle", "--no-show-raw-insn", str(library))
    return Table(compiler_of(library), {name: hot_path(disassembly, name, str(library)) for name in BOUNDS})


def as_text(table: Table) -> str:
    lines = [
        "# The hot path in the release build: scripts/count-instructions --update writes this file.",
        f"compiler {table.compiler}",
    ]
    for name, path in table.paths.items():
        lines.append(f"{name} {path.instructions} instructions, {path.branches} conditional branches")
        lines.extend(f"    {mnemonic}" for mnemonic in path.mnemonics)
    return "\n".join(lines) + "\n"


def from_text(text: str) -> Table:
    compiler = ""
    mnemonics: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("compiler "):
            compiler = line.removeprefix("compiler ")
        elif line.startswith(" "):
            current.append(line.strip())
        else:
            current = mnemonics.setdefault(line.split()[0], [])
    return Table(compiler, {name: HotPath(tuple(listed)) for name, listed in mnemonics.items()})


def over_bounds(table: Table) -> list[str]:
    """A line for each function that is over its bound."""
    lines = []
    for name, bound in BOUNDS.items():
        path = table.paths[name]
        if path.instructions > bound.instructions or path.branches > bound.branches:
            lines.append(
                f"{name} has {path.instructions} instructions and {path.branches} conditional branches; "
                f"the most it may have is {bound.instructions} and {bound.branches}"
            )
    return lines


def differences(table: Table, golden: Table) -> list[str]:
    """A line for each function whose instructions aren't the golden ones."""
    lines = []
    for name, path in table.paths.items():
        before = golden.paths.get(name, HotPath(()))
        if path != before:
            lines.append(
                f"{name} is now '{' '.join(path.mnemonics)}', in the table '{' '.join(before.mnemonics)}'; "
                "if that is meant, run scripts/count-instructions --update"
            )
    return lines

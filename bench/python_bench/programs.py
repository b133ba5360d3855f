"""Finds the programs to measure in a folder."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar

# The name under which the start-up test is chosen.
STARTUP = "startup"


@dataclass(frozen=True)
class Program:
    name: str
    path: Path

    # It prints a checksum of what it computed.
    has_checksum: ClassVar[bool] = True

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        text = ast.get_docstring(ast.parse(self.path.read_text(encoding="utf-8"))) or ""
        return text.partition("\n")[0]

    def arguments(self, scale: float, loops: int, folder: Path) -> list[str]:
        """What to tell Python, for a run that may write to `folder`, which is empty."""
        return [str(self.path), "--scale", f"{scale:g}"]

    def seconds(self, folder: Path) -> float | None:
        """What the program itself measured in that run; None: its time is the process's."""
        return None


class UnknownProgram(Exception):
    pass


def find(folder: Path) -> dict[str, Program]:
    """The programs in `folder` by name. A file whose name starts with an underscore is for programs to share."""
    paths = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    return {path.stem: Program(path.stem, path) for path in paths}


def choose(known: dict[str, Program], only: list[str]) -> list[Program]:
    """The programs named in `only`, in that order; all of them where it is empty."""
    for name in only:
        if name not in known and name != STARTUP:
            near = get_close_matches(name, [*known, STARTUP], 1)
            hint = f"; did you mean {near[0]}?" if near else "; --list shows those there are"
            raise UnknownProgram(f"no program {name!r}{hint}")
    return [known[name] for name in dict.fromkeys(only) if name != STARTUP] if only else list(known.values())

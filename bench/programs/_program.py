"""What every program here shares: its one option, and the checksum that it ends with.

Imports next to nothing, so that a small program stays small.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from zlib import crc32


class Checksum:
    """A running checksum over the printed form of what a program computed."""

    def __init__(self) -> None:
        self._value = 0

    def add(self, *values: object) -> None:
        for value in values:
            self.add_bytes(repr(value).encode("utf-8", "backslashreplace"))

    def add_bytes(self, data: bytes) -> None:
        self._value = crc32(data, self._value)

    def __str__(self) -> str:
        return f"{self._value:08x}"


class Scale:
    """How much work to do: 1 is the default size, 0.1 about a tenth of it."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, count: int, least: int = 1) -> int:
        return max(least, round(count * self.factor))


def _scale_from_arguments(arguments: list[str]) -> float:
    if not arguments:
        return 1.0
    if len(arguments) == 1 and arguments[0].startswith("--scale="):
        arguments = arguments[0].split("=", 1)
    if len(arguments) == 2 and arguments[0] == "--scale":
        try:
            factor = float(arguments[1])
        except ValueError:
            factor = 0.0
        if 0 < factor <= 1000:
            return factor
        sys.exit(_complaint(f"--scale takes a number over 0 and up to 1000, not {arguments[1]!r}"))
    sys.exit(_complaint(f"can't understand {' '.join(arguments)!r}; usage: {sys.argv[0]} [--scale FLOAT]"))


def _complaint(text: str) -> int:
    print(f"{sys.argv[0]}: {text}", file=sys.stderr)
    return 2


def run(main: Callable[[Scale, Checksum], None]) -> None:
    """Run a program's `main` at the size asked for and print its checksum as the last line."""
    scale = Scale(_scale_from_arguments(sys.argv[1:]))
    checksum = Checksum()
    main(scale, checksum)
    print("checksum", checksum)

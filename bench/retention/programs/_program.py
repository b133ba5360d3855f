"""What every program here shares: its options, what it announces, and how it idles.

A program's life: it loads, is at its `peak`, drops most of what it holds (`dropped`), does nothing at all for ten
seconds, and is `done`. Whoever measures it listens on the file descriptor that RETENTION_CHANNEL names; without one
the lines go to standard error. The lines:

    process PID              this process is to be measured; the first one is the program itself
    phase NAME               loading, peak, dropped, done
    others SECONDS           CPU time of children that aren't measured, and have ended

Imports next to nothing, so that a small program stays small.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from zlib import crc32

IDLE_SECONDS = 10.0
# The peak is held this long, so that it is seen before it is gone.
PEAK_SECONDS = 0.2
# The last reading is taken when the idle time is over: the program must not have gone on by then.
MARGIN_SECONDS = 0.3

_kept: list[object] = []


def announce(line: str) -> None:
    channel = int(os.environ.get("RETENTION_CHANNEL", "2"))
    os.write(channel, f"{line}\n".encode())


def announce_process(number: int) -> None:
    announce(f"process {number}")


class Load:
    """What a program's `main` gets: how much to do, and when to say what."""

    def __init__(self, factor: float, idle_seconds: float) -> None:
        self.factor = factor
        self._idle_seconds = idle_seconds
        self._checksum = 0

    def scaled(self, count: int, least: int = 1) -> int:
        """`count` at the default size, 0.1 of it at scale 0.1."""
        return max(least, round(count * self.factor))

    def check(self, *values: object) -> None:
        """Take what was computed into the checksum, by which a run that went wrong is seen."""
        for value in values:
            self._checksum = crc32(repr(value).encode("utf-8", "backslashreplace"), self._checksum)

    def peak(self) -> None:
        announce("phase peak")
        time.sleep(PEAK_SECONDS)

    def keep(self, *things: object) -> None:
        """They stay alive until the process has ended: an allocator's report at exit then tells of the idle time."""
        _kept.extend(things)

    def idle(self, *kept: object) -> None:
        """The load has fallen and `kept` is what is left. Nothing is done from here on, not even a collection."""
        self.keep(*kept)
        announce("phase dropped")
        time.sleep(self._idle_seconds + MARGIN_SECONDS)
        announce("phase done")

    @property
    def checksum(self) -> str:
        return f"{self._checksum:08x}"


def _number(option: str, text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= most:
        _complain(f"{option} takes a number over 0 and up to {most:g}, not {text!r}")
    return value


def _complain(text: str) -> None:
    print(f"{sys.argv[0]}: {text}", file=sys.stderr)
    sys.exit(2)


def _load_from_arguments(arguments: list[str]) -> Load:
    words = [part for argument in arguments for part in argument.split("=", 1)]
    values = {"--scale": 1.0, "--idle": IDLE_SECONDS}
    if len(words) % 2 or any(option not in values for option in words[::2]):
        _complain(f"can't understand {' '.join(arguments)!r}; usage: {sys.argv[0]} [--scale FLOAT] [--idle SECONDS]")
    for option, text in zip(words[::2], words[1::2]):
        values[option] = _number(option, text, 100)
    return Load(values["--scale"], values["--idle"])


def run(main: Callable[[Load], None]) -> None:
    """Run a program's `main` at the size asked for, and print its checksum as the last line."""
    load = _load_from_arguments(sys.argv[1:])
    announce_process(os.getpid())
    announce("phase loading")
    main(load)
    print("checksum", load.checksum)

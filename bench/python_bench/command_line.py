"""What the command lines of the benchmarks share."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

MOST_ROUNDS = 1000


class WrongUse(Exception):
    """Something that the user has to change; shown as one line."""


def number_up_to(most: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} isn't a number over 0 and up to {most:g}")
        return value

    return convert


def round_count(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= MOST_ROUNDS:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a count of 1 to {MOST_ROUNDS}")
    return int(text)


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def check_output(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
        reason = "it is a folder" if path.is_dir() else "its folder isn't there, or isn't yours to write to"
        raise WrongUse(f"can't write {path}: {reason}")


def write_whole(path: Path, text: str) -> None:
    """Write whole or not at all: an earlier file survives an error half-way."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def run(program: str, work: Callable[[], int]) -> int:
    """work()'s exit status, or that of what went wrong. SIGTERM is to it as Ctrl-C is."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return work()
    except WrongUse as problem:
        print(f"{program}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) has left; keep the interpreter from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1

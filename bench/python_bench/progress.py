"""Says on standard error what is being measured and how long it will take, and each program's outcome as it ends."""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import TextIO

from python_bench.results import Measured
from python_bench.statistics import pairwise, ratio

# What a run takes until the first has been seen.
ASSUMED_SECONDS = 1.2


def in_words(seconds: float) -> str:
    if seconds < 10:
        return "some seconds left"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


class Progress:
    def __init__(self, programs: int, rounds: int, configurations: list[str], stream: TextIO | None = None) -> None:
        self._programs = programs
        self._rounds = rounds
        self._configurations = configurations
        self._stream = stream or sys.stderr
        self._is_live = self._stream.isatty()
        self._program_started = time.monotonic()
        self._durations: list[float] = []
        self._position = 0

    def start(self, name: str) -> None:
        self._position += 1
        self._program_started = time.monotonic()
        self.round(name, 0)

    def round(self, name: str, done: int) -> None:
        """`done` rounds of the program are over."""
        if self._is_live:
            self._replace(f"{self._label(name)} round {done + 1} of {self._rounds}, {in_words(self._left(done))}")

    def end(self, program: Measured) -> None:
        self._durations.append(time.monotonic() - self._program_started)
        if program.failure:
            outcome = f"FAILED: {program.failure}"
        elif not program.rounds:
            outcome = "not measured"
        else:
            outcome = f"{self._outcome(program)}   {in_words(self._left(None))}"
        self.say(f"{self._label(program.name)} {outcome}")

    def skip(self, name: str, reason: str) -> None:
        self._durations.append(time.monotonic() - self._program_started)
        self.say(f"{self._label(name)} can't run: {reason}")

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.clear()
        print(line, file=self._stream, flush=True)

    def clear(self) -> None:
        if self._is_live:
            self._replace("")

    def _label(self, name: str) -> str:
        width = len(str(self._programs))
        return f"[{self._position:{width}}/{self._programs}] {name:<16}"

    def _outcome(self, program: Measured) -> str:
        baseline, *others = self._configurations
        seconds = program.values(baseline, "wall")
        words = [f"{baseline} {median(seconds):.3f} s"]
        for other in others:
            time_ratio = median(pairwise(seconds, program.values(other, "wall"), ratio))
            words.append(f"{other} × {time_ratio:.3f}")
        return "  ".join(words)

    def _left(self, rounds_done: int | None) -> float:
        """Seconds left, from how long programs took so far; None once the present one is over."""
        assumed = ASSUMED_SECONDS * self._rounds * len(self._configurations)
        usual = sum(self._durations) / len(self._durations) if self._durations else assumed
        waiting = (self._programs - self._position) * usual
        if rounds_done is None:
            return waiting
        if rounds_done == 0:
            return waiting + usual
        spent = time.monotonic() - self._program_started
        return waiting + spent / rounds_done * (self._rounds - rounds_done)

    def _replace(self, text: str) -> None:
        print(f"\r\x1b[K{text}", end="", file=self._stream, flush=True)

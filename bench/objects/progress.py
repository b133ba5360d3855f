"""Says on standard error what is being measured and how long it will take, and each case's outcome as it ends."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from python_bench.progress import in_words

from objects.cases import Case
from objects.results import Run

# What a run of weight 1 takes until something has been seen.
ASSUMED_SECONDS = 0.15


class Progress:
    """Of so many rounds, each of all cases with all peers. A case's weight is how much of a round it is."""

    def __init__(self, cases: list[Case], peers: int, rounds: int, scale: float, stream: TextIO | None = None) -> None:
        self._rounds = rounds
        self._stream = stream or sys.stderr
        self._is_live = self._stream.isatty()
        self._total = rounds * peers * sum(case.weight for case in cases)
        self._runs = rounds * peers * len(cases)
        self._assumed = ASSUMED_SECONDS * scale
        self._done = 0.0
        self._position = 0
        self._began = time.monotonic()

    def start(self, case: Case, peer: str, round_number: int) -> None:
        self._position += 1
        if self._is_live:
            self._replace(f"{self._label(case, peer, round_number)} {self._left()}")

    def end(self, case: Case, peer: str, round_number: int, run: Run) -> None:
        self._done += case.weight
        outcome = f"FAILED: {run.failure}" if run.failure else f"{run.seconds:.3f} s, {run.peak_kib / 1024:.1f} MiB"
        left = f"   {self._left()}" if self._position < self._runs else ""
        self.clear()
        print(f"{self._label(case, peer, round_number)} {outcome}{left}", file=self._stream, flush=True)

    def clear(self) -> None:
        if self._is_live:
            self._replace("")

    def _label(self, case: Case, peer: str, round_number: int) -> str:
        width = len(str(self._runs))
        position = f"[{self._position:{width}}/{self._runs}]"
        rounds = f" round {round_number + 1}" if self._rounds > 1 else ""
        return f"{position} {case.name:<11} {peer:<14}{rounds}"

    def _left(self) -> str:
        spent = time.monotonic() - self._began
        each = spent / self._done if self._done else self._assumed
        return in_words(each * (self._total - self._done))

    def _replace(self, text: str) -> None:
        print(f"\r\x1b[K{text}", end="", file=self._stream, flush=True)

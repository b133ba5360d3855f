"""Says on standard error what is being measured and how long it will take, and each run's outcome as it ends."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from python_bench.progress import in_words

from retention.observer import Observer
from retention.results import READINGS, Run

# What a run takes besides its idle time, until the first has been seen.
ASSUMED_SECONDS = 6.0
# How often the present line is renewed.
REFRESH = 0.25


def outcome(run: Run) -> str:
    if run.failure:
        return f"FAILED: {run.failure}"
    words = f"peak {run.peak_kib / 1024:.1f} MiB"
    for seconds in reversed(READINGS):
        kib = run.retained_kib(seconds)
        if kib is not None:
            return f"{words}, {kib / 1024:.1f} after {seconds:g} s idle"
    return words


class Progress:
    def __init__(self, runs: int, idle: float, stream: TextIO | None = None) -> None:
        self._runs = runs
        self._assumed = idle + ASSUMED_SECONDS
        self._stream = stream or sys.stderr
        self._is_live = self._stream.isatty()
        self._began = time.monotonic()
        self._shown = 0.0
        self._position = 0
        self._label = ""

    def start(self, program: str, configuration: str) -> None:
        self._position += 1
        width = len(str(self._runs))
        self._label = f"[{self._position:{width}}/{self._runs}] {program:<20} {configuration:<16}"
        self._shown = 0.0

    def watch(self, observer: Observer) -> None:
        now = time.monotonic()
        if not self._is_live or now - self._shown < REFRESH or not observer.run.series:
            return
        self._shown = now
        mebibytes = observer.run.series[-1][1] / 1024
        self._replace(f"{self._label} {observer.phase or 'starting'}, {mebibytes:.1f} MiB, {self._left()}")

    def end(self, run: Run) -> None:
        self._replace("")
        left = f"   {self._left(1)}" if self._position < self._runs else ""
        print(f"{self._label} {outcome(run)}{left}", file=self._stream, flush=True)

    def clear(self) -> None:
        self._replace("")

    def _left(self, is_over: int = 0) -> str:
        """From how long the runs took so far; `is_over` counts the present one among them."""
        done = self._position - 1 + is_over
        usual = (time.monotonic() - self._began) / done if done else self._assumed
        return in_words(usual * (self._runs - done))

    def _replace(self, text: str) -> None:
        if self._is_live:
            print(f"\r\x1b[K{text}", end="", file=self._stream, flush=True)

"""Follows one run: hears what the program announces (see programs/_program.py) and reads its memory when it is time.

It opens nothing and waits for nothing, so tests can give it any time and any memory.
"""

from __future__ import annotations

from typing import Protocol

from retention import memory
from retention.memory import Memory
from retention.results import READINGS, Run

INTERVAL = 0.05
# Reading several processes walks all their pages: no more than this part of the time is spent on it.
MOST_SPENT = 0.1


class Reader(Protocol):
    """The module `memory`, or what a test puts in its place."""

    def exactly(self, process: int) -> Memory | None: ...
    def quickly(self, process: int) -> int | None: ...
    def peak_kib(self, process: int) -> int | None: ...


class Observer:
    """Times are seconds from the run's start."""

    def __init__(self, reader: Reader = memory) -> None:
        self.run = Run()
        self.processes: list[int] = []
        self.phase = ""
        # Of processes that aren't measured, but are the program's children.
        self.others_cpu = 0.0
        self._reader = reader
        self._next_sample = 0.0
        self._unread = list(READINGS)
        self._partial = b""

    def hear(self, data: bytes, now: float) -> None:
        """What came through the channel; lines may come in pieces."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._understand(line.decode(errors="replace").split(), now)

    def _understand(self, words: list[str], now: float) -> None:
        if len(words) == 2 and words[0] == "process" and words[1].isdigit():
            self.processes.append(int(words[1]))
            self._next_sample = now
        elif len(words) == 2 and words[0] == "phase":
            # The peak and the drop are corners of the picture. A program that says "done" is already on its way out.
            if words[1] != "done":
                self.sample(now)
            self.phase = words[1]
            self.run.phases[words[1]] = round(now, 4)
            if self.phase == "dropped":
                self._read_peak()
        elif len(words) == 2 and words[0] == "others":
            self.others_cpu += float(words[1])

    @property
    def is_watching(self) -> bool:
        """From the first process's announcement to the end of the idle time."""
        return bool(self.processes) and self.phase != "done"

    def next_due(self) -> float | None:
        """When to call `observe`; None: not before something is heard."""
        if not self.is_watching:
            return None
        reading = self._next_reading()
        return self._next_sample if reading is None else min(self._next_sample, reading)

    def _next_reading(self) -> float | None:
        dropped = self.run.phases.get("dropped")
        return dropped + self._unread[0] if dropped is not None and self._unread else None

    def observe(self, now: float) -> None:
        """Reads what is due at `now`."""
        due = self._next_reading()
        if self.is_watching and due is not None and now >= due:
            self._read_exactly()
        if self.is_watching and now >= self._next_sample:
            self.sample(now)
            self._next_sample = now + INTERVAL

    def postpone(self, spent: float) -> None:
        """The last observation took so long: the next one is that much later, so that watching stays cheap."""
        self._next_sample += max(0.0, spent / MOST_SPENT - INTERVAL)

    def sample(self, now: float) -> None:
        kib = self._total_kib()
        if kib is None:
            return
        self.run.series.append((round(now, 4), kib))
        self.run.peak_kib = max(self.run.peak_kib, kib)

    def _total_kib(self) -> int | None:
        if not self.is_watching:
            return None
        if len(self.processes) == 1:
            return self._reader.quickly(self.processes[0])
        every = [one for one in map(self._reader.exactly, self.processes) if one]
        return memory.total_kib(every) if every else None

    def _read_exactly(self) -> None:
        seconds = self._unread.pop(0)
        every = [one for one in map(self._reader.exactly, self.processes) if one]
        # One that ended early would make the rest look good.
        if len(every) == len(self.processes):
            self.run.readings[f"{seconds:g}"] = every

    def _read_peak(self) -> None:
        """What the samples have missed. Of several processes the peaks come at different times: samples must do."""
        if len(self.processes) == 1:
            self.run.peak_kib = max(self.run.peak_kib, self._reader.peak_kib(self.processes[0]) or 0)

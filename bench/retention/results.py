"""What the measuring found, and its form as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from python_bench.command_line import write_whole

from retention.memory import Memory, total_kib

FORMAT = "bench-retention 2"
# Seconds after the drop at which memory is read exactly.
READINGS = (0.5, 2.0, 10.0)
# The reading that is held against the page floor.
FLOOR_AT = 2.0


@dataclass
class Run:
    """One run of one program under one memory manager. Times in seconds from its start."""

    # Phases by name, when each began.
    phases: dict[str, float] = field(default_factory=dict)
    # Memory over time, KiB: see memory.total_kib.
    series: list[tuple[float, int]] = field(default_factory=list)
    # At each of READINGS, as text: every process, the program itself first.
    readings: dict[str, list[Memory]] = field(default_factory=dict)
    peak_kib: int = 0
    # Of all processes and threads, from the start of the first to the exit of the last: the system takes memory back
    # from one process while it runs, and from another when it ends.
    cpu: float = 0.0
    # The allocator wrote a report at the end, which takes time.
    has_reported: bool = False
    page_floor_kib: int | None = None
    checksum: str | None = None
    failure: str | None = None

    def retained_kib(self, seconds: float) -> int | None:
        reading = self.readings.get(f"{seconds:g}")
        return total_kib(reading) if reading else None

    def over_floor(self) -> float | None:
        """Retained over the page floor. Both count a shared page in each process that has it."""
        reading = self.readings.get(f"{FLOOR_AT:g}")
        if not reading or not self.page_floor_kib:
            return None
        return sum(one.rss_kib for one in reading) / self.page_floor_kib

    def workers_dirty_kib(self, seconds: float) -> int | None:
        """Private_Dirty of all processes but the program's first; None if there are no others."""
        reading = self.readings.get(f"{seconds:g}", [])
        return sum(one.private_dirty_kib for one in reading[1:]) if len(reading) > 1 else None


@dataclass
class Measured:
    """A program's runs by configuration."""

    name: str
    summary: str
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def good(self, configuration: str) -> list[Run]:
        return [run for run in self.runs.get(configuration, []) if run.failure is None]

    def median(self, configuration: str, quantity: Callable[[Run], float | None]) -> float | None:
        values = [value for value in map(quantity, self.good(configuration)) if value is not None]
        return median(values) if values else None

    def cpu(self, configuration: str) -> float | None:
        """The median; of runs without a report, if there are some."""
        runs = self.good(configuration)
        times = [run.cpu for run in runs if not run.has_reported] or [run.cpu for run in runs]
        return median(times) if times else None

    @property
    def failures(self) -> list[tuple[str, str]]:
        return [(name, run.failure) for name, runs in self.runs.items() for run in runs if run.failure]


@dataclass
class Results:
    machine: dict[str, str]
    python: dict[str, str]
    # Name to the words that describe it; the first is the one that the others are compared with.
    configurations: dict[str, str]
    rounds_wanted: int
    scale: float
    idle: float
    programs: list[Measured] = field(default_factory=list)
    load_at_end: str = ""
    interrupted: bool = False

    @property
    def baseline(self) -> str:
        return next(iter(self.configurations))

    @property
    def failures(self) -> list[tuple[str, str, str]]:
        return [(program.name, *failure) for program in self.programs for failure in program.failures]


class UnreadableResults(Exception):
    pass


def _run(raw: dict) -> Run:
    raw["series"] = [(seconds, kib) for seconds, kib in raw["series"]]
    raw["readings"] = {at: [Memory(**one) for one in every] for at, every in raw["readings"].items()}
    return Run(**raw)


def _measured(raw: dict) -> Measured:
    runs = {name: [_run(run) for run in every] for name, every in raw.pop("runs").items()}
    return Measured(runs=runs, **raw)


def write(results: Results, path: Path) -> None:
    text = json.dumps({"format": FORMAT, **asdict(results)}, ensure_ascii=False)
    write_whole(path, text + "\n")


def read(path: Path) -> Results:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != FORMAT:
            raise UnreadableResults(f"{path}: written by another version of bench-retention; this one reads {FORMAT!r}")
        programs = [_measured(program) for program in raw.pop("programs")]
        return Results(programs=programs, **raw)
    except OSError as problem:
        raise UnreadableResults(f"{path}: {problem.strerror}") from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise UnreadableResults(f"{path}: not a file that `bench-retention --json` wrote ({problem})") from problem

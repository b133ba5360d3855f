"""What the measuring found, and its form as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from python_bench.command_line import write_whole
from python_bench.statistics import Estimate, median_estimate, pairwise, ratio

from objects.peers import BASELINE

FORMAT = "bench-objects 1"


@dataclass(frozen=True)
class Part:
    """A part of a case. Times in seconds; `cpu` is of all threads, `pause` the longest time between two steps."""

    seconds: float
    cpu: float
    operations: int
    pause: float

    @property
    def nanoseconds(self) -> float:
        """Per operation."""
        return self.seconds / max(1, self.operations) * 1e9


@dataclass
class Run:
    """One run of one case under one peer. Memory in KiB; `before` is the peak before the case began."""

    parts: dict[str, Part] = field(default_factory=dict)
    peak_kib: int = 0
    before_kib: int = 0
    checksum: str | None = None
    failure: str | None = None

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts.values())

    @property
    def cpu(self) -> float:
        return sum(part.cpu for part in self.parts.values())

    @property
    def pause(self) -> float:
        return max((part.pause for part in self.parts.values()), default=0.0)


Quantity = Callable[[Run], float]


def seconds_of(part: str | None) -> Quantity:
    """Of one part, or of all."""
    return lambda run: run.parts[part].seconds if part else run.seconds


@dataclass
class Measured:
    """A case's rounds: in each a run for every peer, one right after the other."""

    name: str
    rounds: list[dict[str, Run]] = field(default_factory=list)

    def good(self, peer: str) -> list[Run]:
        """All of its runs, or none if one failed."""
        runs = [runs[peer] for runs in self.rounds if peer in runs]
        return [] if any(run.failure for run in runs) else runs

    def median(self, peer: str, quantity: Quantity) -> float | None:
        runs = self.good(peer)
        return median(map(quantity, runs)) if runs else None

    def has_part(self, peer: str, part: str) -> bool:
        return any(part in run.parts for run in self.good(peer))

    def over(self, baseline: str, peer: str, quantity: Quantity) -> Estimate | None:
        """The peer's value over the baseline's, round by round."""
        if not self.good(baseline) or not self.good(peer):
            return None
        pairs = [(runs[baseline], runs[peer]) for runs in self.rounds if baseline in runs and peer in runs]
        values = [(quantity(one), quantity(two)) for one, two in pairs]
        if not values or min(min(pair) for pair in values) <= 0:
            return None
        return median_estimate(pairwise([one for one, _ in values], [two for _, two in values], ratio))

    @property
    def parts(self) -> list[str]:
        """Of whichever peer has most."""
        names = [list(run.parts) for runs in self.rounds for run in runs.values()]
        return max(names, key=len, default=[])


@dataclass
class Results:
    machine: dict[str, str]
    # Name to the words that describe it, in the order of the tables.
    peers: dict[str, str]
    rounds_wanted: int
    scale: float
    cases: list[Measured] = field(default_factory=list)
    load_at_end: str = ""
    interrupted: bool = False

    @property
    def baseline(self) -> str:
        """Tarn, or the first if it isn't among them."""
        return BASELINE if BASELINE in self.peers else next(iter(self.peers))

    def case(self, name: str) -> Measured | None:
        return next((case for case in self.cases if case.name == name), None)

    @property
    def failures(self) -> list[tuple[str, str, str]]:
        """Case, peer and what went wrong; the first time of each."""
        found: dict[tuple[str, str], str] = {}
        for case in self.cases:
            for runs in case.rounds:
                for peer, run in runs.items():
                    if run.failure:
                        found.setdefault((case.name, peer), run.failure)
        return [(*where, failure) for where, failure in found.items()]


class UnreadableResults(Exception):
    pass


def write(results: Results, path: Path) -> None:
    write_whole(path, json.dumps({"format": FORMAT, **asdict(results)}, indent=1, ensure_ascii=False) + "\n")


def _run(raw: dict) -> Run:
    return Run(parts={name: Part(**part) for name, part in raw.pop("parts").items()}, **raw)


def _measured(raw: dict) -> Measured:
    return Measured(raw["name"], [{peer: _run(run) for peer, run in runs.items()} for runs in raw["rounds"]])


def read(path: Path) -> Results:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != FORMAT:
            raise UnreadableResults(f"{path}: written by another version of bench-objects; this one reads {FORMAT!r}")
        cases = [_measured(case) for case in raw.pop("cases")]
        found = Results(cases=cases, **raw)
        if not found.peers:
            raise ValueError("no peers")
        return found
    except OSError as problem:
        raise UnreadableResults(f"{path}: {problem.strerror}") from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise UnreadableResults(f"{path}: not a file that `bench-objects --json` wrote ({problem})") from problem

"""What a run of the benchmark found, and its form as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from python_bench.command_line import write_whole

FORMAT = "bench-python 1"


@dataclass(frozen=True)
class Sample:
    """One run of one program. Times in seconds, memory in KiB."""

    wall: float
    user: float
    system: float
    peak_rss_kib: int
    minor_faults: int
    involuntary_switches: int

    @property
    def cpu(self) -> float:
        return self.user + self.system


@dataclass
class Measured:
    """A program's rounds: in each, one sample for every configuration, taken one right after the other."""

    name: str
    rounds: list[dict[str, Sample]] = field(default_factory=list)
    checksum: str | None = None
    failure: str | None = None
    # How often the program does its work in a run, where that is for us to choose.
    loops: int = 1

    def values(self, configuration: str, quantity: str) -> list[float]:
        return [getattr(samples[configuration], quantity) for samples in self.rounds]


@dataclass
class Results:
    machine: dict[str, str]
    python: dict[str, str]
    # Name to the words that describe it; the first is the one that the others are compared with.
    configurations: dict[str, str]
    rounds_wanted: int
    scale: float
    startup: Measured
    programs: list[Measured] = field(default_factory=list)
    load_at_end: str = ""
    # Programs that can't run here, and why.
    skipped: dict[str, str] = field(default_factory=dict)
    suite: str | None = None
    interrupted: bool = False

    @property
    def baseline(self) -> str:
        return next(iter(self.configurations))

    @property
    def compared(self) -> list[str]:
        return list(self.configurations)[1:]

    @property
    def usable(self) -> list[Measured]:
        return [program for program in self.programs if program.rounds and not program.failure]

    @property
    def failures(self) -> list[Measured]:
        return [program for program in [self.startup, *self.programs] if program.failure]


    def is_done(self, name: str) -> bool:
        """Nothing is left to be measured of the program."""
        found = next((program for program in self.programs if program.name == name), None)
        return name in self.skipped or (
            found is not None and (found.failure is not None or len(found.rounds) >= self.rounds_wanted)
        )


class UnreadableResults(Exception):
    pass


def _measured(raw: dict[str, object]) -> Measured:
    rounds = [{name: Sample(**sample) for name, sample in samples.items()} for samples in raw.pop("rounds")]  # type: ignore
    return Measured(rounds=rounds, **raw)  # type: ignore[arg-type]


def write(results: Results, comparisons: Sequence[object], path: Path) -> None:
    """The comparisons are there for whoever reads the file; `read` works them out anew."""
    document = {"format": FORMAT, **asdict(results), "comparisons": [asdict(one) for one in comparisons]}  # type: ignore
    write_whole(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> Results:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != FORMAT:
            raise UnreadableResults(f"{path}: written by another version of bench-python; this one reads {FORMAT!r}")
        raw.pop("comparisons")
        startup = _measured(raw.pop("startup"))
        programs = [_measured(program) for program in raw.pop("programs")]
        return Results(startup=startup, programs=programs, **raw)
    except OSError as problem:
        raise UnreadableResults(f"{path}: {problem.strerror}") from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise UnreadableResults(f"{path}: not a file that `bench-python --json` wrote ({problem})") from problem

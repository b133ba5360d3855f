"""Programs of a checkout of pyperformance: which there are, which can run here, and how one is run.

Each benchmark of the suite is a folder `bm_NAME` with `run_benchmark.py`, and files of TOML that say what else it needs
and under which names and options it runs. Its own module pyperf times the work; here it's run as pyperf's worker, one
process a measurement, so that runs can take turns.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from python_bench.programs import Program

# Where the benchmarks are, from the root of a checkout of pyperformance, of an installed one, or of a suite alone.
PLACES = ("pyperformance/data-files/benchmarks", "data-files/benchmarks", "benchmarks", ".")


class NoSuite(Exception):
    pass


@dataclass(frozen=True)
class SuiteProgram(Program):
    """One benchmark of the suite, under one of its names."""

    options: tuple[str, ...] = ()
    # Distributions that must be installed.
    needs: tuple[str, ...] = ()
    least_python: tuple[int, ...] = ()

    has_checksum: ClassVar[bool] = False

    @property
    def summary(self) -> str:
        return f"{self.path.parent.name}/{self.path.name} {' '.join(self.options)}".rstrip()

    def arguments(self, scale: float, loops: int, folder: Path) -> list[str]:
        work = ["--loops", str(max(1, round(loops * scale))), "--warmups", "1", "--values", "1"]
        return [str(self.path), "--worker", *work, "--output", str(folder / "pyperf.json"), *self.options]

    def seconds(self, folder: Path) -> float | None:
        """What pyperf measured, added up over the program's parts; without start-up, set-up and warming up."""
        try:
            document = json.loads((folder / "pyperf.json").read_text(encoding="utf-8"))
            return sum(_seconds_of(document.get("metadata", {}), one) for one in document["benchmarks"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"pyperf left no figures ({type(problem).__name__}: {problem})") from problem

    def obstacle(self, version: tuple[int, ...], installed: set[str]) -> str | None:
        """Why it can't run on a Python of this version with these distributions; None: nothing is known."""
        if version < self.least_python:
            return f"needs Python {'.'.join(map(str, self.least_python))}"
        missing = [name for name in self.needs if normalised(name) not in installed]
        return f"not installed: {', '.join(missing)}" if missing else None

    @property
    def requirements(self) -> list[str]:
        """What pip is to be told."""
        file = self.path.with_name("requirements.txt")
        return ["-r", str(file)] if file.exists() else list(self.needs)


def _seconds_of(common: dict[str, object], benchmark: dict[str, object]) -> float:
    total = 0.0
    own = {**common, **benchmark.get("metadata", {})}  # type: ignore[dict-item]
    for run in benchmark["runs"]:  # type: ignore[attr-defined]
        metadata = {**own, **run.get("metadata", {})}
        total += sum(run["values"]) * metadata.get("loops", 1) * metadata.get("inner_loops", 1)
    return total


def normalised(name: str) -> str:
    """A distribution's name as the package index compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _name_in(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    return found.group() if found else requirement


def _least_python(text: str) -> tuple[int, ...]:
    found = re.match(r">=\s*(\d+(?:\.\d+)*)", text)
    return tuple(map(int, found.group(1).split("."))) if found else ()


def _programs_in(folder: Path) -> list[SuiteProgram]:
    """A benchmark under each of its names: the project's file first, what others leave out is as there."""
    base: dict[str, dict[str, object]] = {"project": {}, "tool": {}}
    programs = []
    for file in [folder / "pyproject.toml", *sorted(folder.glob("bm_*.toml"))]:
        try:
            document = tomllib.loads(file.read_text(encoding="utf-8"))
            own = {
                "project": document.get("project", {}),
                "tool": document.get("tool", {}).get("pyperformance", {}),
            }
            if not programs:
                base = own
            project, tool = ({**base[table], **own[table]} for table in ("project", "tool"))
            programs.append(
                SuiteProgram(
                    name=str(tool.get("name", file.stem.removeprefix("bm_"))),
                    path=folder / "run_benchmark.py",
                    options=tuple(map(str, tool.get("extra_opts", ()))),
                    needs=tuple(_name_in(one) for one in project.get("dependencies", ["pyperf"])),
                    least_python=_least_python(str(project.get("requires-python", ""))),
                )
            )
        except OSError:
            continue
        except (ValueError, TypeError, AttributeError) as problem:
            raise NoSuite(f"--suite: can't understand {file}: {problem}") from problem
    return programs


def find(folder: Path) -> dict[str, Program]:
    """The suite's programs by name."""
    for place in PLACES:
        scripts = sorted((folder / place).glob("bm_*/run_benchmark.py"))
        if scripts:
            programs = [program for script in scripts for program in _programs_in(script.parent)]
            return {program.name: program for program in sorted(programs, key=lambda one: one.name)}
    raise NoSuite(f"--suite {folder}: no bm_*/run_benchmark.py in it, nor in its {PLACES[0]}")

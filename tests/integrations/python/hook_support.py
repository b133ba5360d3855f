"""What the tests of the hook share: which Pythons there are, and how to run one on Tarn.

TARN_HOOK is the library (set by ctest); TARN_TEST_PYTHONS names other Pythons than those found.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HOOK = os.environ["TARN_HOOK"]
SECONDS = 120
VERSIONS = [(3, minor) for minor in range(8, 15)]


@dataclass(frozen=True)
class Python:
    path: str
    version: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.version[0]}.{self.version[1]} ({self.path})"


@dataclass
class Outcome:
    status: int
    out: str
    err: str
    reports: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def report(self) -> dict[str, str]:
        """The report of the process that was started (children's parents are in the reports too)."""
        roots = [report for report in self.reports.values() if int(report["parent"]) not in self.reports]
        assert len(roots) == 1, f"{len(roots)} first processes reported; stderr: {self.err}"
        return roots[0]


def version_of(path: str) -> tuple[int, int] | None:
    try:
        answer = subprocess.run([path, "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"],
                                capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor = answer.stdout.split()
    return int(major), int(minor)


@cache
def all_pythons() -> tuple[Python, ...]:
    named = os.environ.get("TARN_TEST_PYTHONS")
    if named:
        paths = named.split(":")
    else:
        paths = ["/usr/bin/python3", *sorted(str(path) for path in Path.home().glob(".pyenv/versions/*/bin/python"))]
    found = [Python(path, version) for path in paths if (version := version_of(path)) is not None]
    return tuple(found)


def pythons() -> tuple[Python, ...]:
    """Those that Tarn carries. Continuous integration has time for three: the first found (the distribution's), the
    oldest and the newest."""
    carried = [python for python in all_pythons() if python.version in VERSIONS]
    if os.environ.get("CI") == "true" and "TARN_TEST_PYTHONS" not in os.environ and len(carried) > 3:
        by_version = sorted(carried, key=lambda python: python.version)
        carried = list(dict.fromkeys((carried[0], by_version[0], by_version[-1])))
    return tuple(carried)


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("TARN_", "PYTHON")) and name != "LD_PRELOAD"}
    kept |= {"PYTHONDONTWRITEBYTECODE": "1", "LD_PRELOAD": HOOK}
    for name, value in (changes or {}).items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value
    return kept


def read_report(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    assert lines[0] == "tarn-report 1" and lines[-1] == "end", lines
    report = dict(line.split(" ", 1) for line in lines[1:-1] if not line.startswith("class "))
    # "class obj 0": the rest of that line.
    report.update((" ".join(words[:3]), " ".join(words[3:])) for words in map(str.split, lines) if words[0] == "class")
    return report


def run(command: list[str], changes: Mapping[str, str | None] | None = None,
        before: Callable[[], None] | None = None) -> Outcome:
    """Runs a command with the library preloaded, and collects what it and its children report."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, env=environment({"TARN_REPORT_DIR": folder, **(changes or {})}), text=True,
                              capture_output=True, timeout=SECONDS, preexec_fn=before, stdin=subprocess.DEVNULL)
        reports = {int(path.name): read_report(path) for path in Path(folder).iterdir()}
    return Outcome(done.returncode, done.stdout, done.stderr, reports)


class HookTest(unittest.TestCase):
    maxDiff = None

    def each(self, lowest: tuple[int, int] = (3, 8)) -> Iterator[Python]:
        """Each Python of that version or later, as a subtest; a version that isn't there is said."""
        chosen = [python for python in pythons() if python.version >= lowest]
        self.assertTrue(chosen, f"no CPython of version {lowest} or later was found")
        for python in chosen:
            with self.subTest(python=str(python)):
                yield python

    def on_tarn(self, python: Python, code: str, *options: str, changes: Mapping[str, str | None] | None = None,
                before: Callable[[], None] | None = None) -> Outcome:
        """The outcome of code that must go well, with Tarn on and nothing said."""
        outcome = run([python.path, *options, "-c", code], changes, before)
        self.assertEqual(outcome.status, 0, outcome.err)
        self.assertEqual(outcome.report["state"], "on")
        self.assertNotIn("tarn:", outcome.err)
        return outcome


def missing_versions() -> list[str]:
    there = {python.version for python in pythons()}
    return [f"{major}.{minor}" for major, minor in VERSIONS if (major, minor) not in there]


class VersionsThatAreMissing(unittest.TestCase):
    def test_are_named(self) -> None:
        if missing := missing_versions():
            self.skipTest("not found on this machine: CPython " + ", ".join(missing))


def compiler() -> str:
    found = shutil.which("cc")
    assert found is not None, "no C compiler"
    return found


def by_signal(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else ""

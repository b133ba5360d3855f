"""A Python that can run the suite's programs: one that is given, or a virtual environment made here."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from python_bench.suite import SuiteProgram, normalised

_QUESTION = """
import json, sys
from importlib.metadata import distributions
print(json.dumps([sys.version_info[:2], [one.metadata["Name"] or "" for one in distributions()]]))
"""


class NoSuitePython(Exception):
    pass


@dataclass(frozen=True)
class Facts:
    version: tuple[int, ...]
    installed: set[str]


def ask(python: str) -> Facts:
    try:
        ended = subprocess.run([python, "-c", _QUESTION], capture_output=True, text=True, timeout=60, check=True)
        version, names = json.loads(ended.stdout)
        return Facts(tuple(version), {normalised(name) for name in names})
    except (OSError, subprocess.SubprocessError, ValueError) as problem:
        raise NoSuitePython(f"{python} doesn't say what is installed: {problem}") from problem


# What pip may take for one program, in seconds: some build for ever.
LONGEST_INSTALL = 180


def _run(command: list[str], what: str) -> None:
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=LONGEST_INSTALL)
    except subprocess.TimeoutExpired as problem:
        raise NoSuitePython(f"{what} took longer than {LONGEST_INSTALL} s") from problem
    except (OSError, subprocess.CalledProcessError) as problem:
        raise NoSuitePython(f"{what} failed: {problem}") from problem


def _install(python: str, requirements: list[str], what: str) -> None:
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements], what)


def provide(python: str, folder: Path) -> str:
    """`python` itself where it has pyperf; else that of a virtual environment in `folder`, made if need be.

    Needs PyPI when it's made.
    """
    if "pyperf" in ask(python).installed:
        return python
    own = folder / "bin/python"
    if not own.exists():
        print(f"bench-python: making a virtual environment with pyperf in {folder}", file=sys.stderr)
        _run([python, "-m", "venv", str(folder)], f"making a virtual environment in {folder}")
    if "pyperf" not in ask(str(own)).installed:
        _install(str(own), ["pyperf"], f"installing pyperf into {folder}")
    return str(own)


def install(python: str, programs: list[SuiteProgram]) -> None:
    """What the programs need, for each apart: one that fails is said, and the others are installed."""
    facts = ask(python)
    for program in programs:
        if facts.version < program.least_python or program.obstacle(facts.version, facts.installed) is None:
            continue
        print(f"bench-python: installing what {program.name} needs", file=sys.stderr)
        try:
            _install(python, program.requirements, f"installing what {program.name} needs")
        except NoSuitePython as problem:
            print(f"bench-python: {problem}", file=sys.stderr)
        facts = ask(python)

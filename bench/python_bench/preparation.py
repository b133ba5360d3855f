"""Before measuring: which programs, which configurations, which Python, and results that are there already."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from python_bench import configurations, machine, programs, results, suite, suite_python
from python_bench.command_line import WrongUse
from python_bench.configurations import Configuration, Unavailable
from python_bench.programs import Program
from python_bench.results import Measured, Results
from python_bench.suite import SuiteProgram

ROOT = Path(__file__).resolve().parents[2]


def find_programs(arguments: argparse.Namespace) -> dict[str, Program]:
    if arguments.suite:
        try:
            return suite.find(arguments.suite.absolute())
        except suite.NoSuite as problem:
            raise WrongUse(str(problem)) from problem
    known = programs.find(arguments.programs)
    if not known:
        raise WrongUse(f"no programs in {arguments.programs}")
    return known


def choose_programs(arguments: argparse.Namespace) -> list[Program]:
    try:
        return programs.choose(find_programs(arguments), arguments.only)
    except programs.UnknownProgram as problem:
        raise WrongUse(str(problem)) from problem


def find_python(arguments: argparse.Namespace, chosen: list[Program]) -> tuple[str, dict[str, str]]:
    """The Python that runs the programs, and which of them it can't run and why."""
    python = shutil.which(arguments.python)
    if python is None:
        raise WrongUse(f"--python {arguments.python}: no such program")
    python = os.path.abspath(python)
    if not arguments.suite:
        return python, {}
    of_suite = [program for program in chosen if isinstance(program, SuiteProgram)]
    try:
        python = suite_python.provide(python, arguments.suite_environment.absolute())
        if arguments.install:
            suite_python.install(python, of_suite)
        facts = suite_python.ask(python)
    except suite_python.NoSuitePython as problem:
        raise WrongUse(str(problem)) from problem
    obstacles = {program.name: program.obstacle(facts.version, facts.installed) for program in of_suite}
    return python, {name: obstacle for name, obstacle in obstacles.items() if obstacle}


def usable_configurations(arguments: argparse.Namespace, python: str) -> tuple[list[Configuration], str]:
    """Those that this machine can run, and what Python says it is; the others are said and skipped."""
    usable: list[Configuration] = []
    version = ""
    for name in configurations.expand(arguments.configurations):
        if name not in configurations.KNOWN:
            known = [*configurations.KNOWN, *configurations.GROUPS]
            raise WrongUse(f"no configuration {name!r}; known: {', '.join(known)}")
        try:
            configuration = configurations.build(name, arguments.tarn.absolute())
            version = configurations.probe(configuration, python)
            usable.append(configuration)
        except Unavailable as reason:
            print(f"bench-python: {name} skipped: {reason}", file=sys.stderr)
    if len(usable) < 2:
        raise WrongUse("nothing to compare: that takes two configurations")
    return usable, version


def warn_of_variables() -> None:
    """Say which settings of the caller's don't reach the programs, though they would change what is measured."""
    telling = ("TARN_", "PYTHONMALLOC", "LD_PRELOAD", "MALLOC_", "GLIBC_TUNABLES")
    ignored = sorted(name for name in os.environ if name.startswith(telling))
    if ignored:
        print(f"bench-python: not passed on to the programs: {', '.join(ignored)}", file=sys.stderr)


def results_for(
    arguments: argparse.Namespace, usable: list[Configuration], python: str, version: str, skipped: dict[str, str]
) -> Results:
    """Empty ones; or those that were interrupted, with all that they have."""
    found = Results(
        machine=machine.describe(),
        # Paths inside the project are shown from its root, so that results don't tell where it lies.
        python={"path": python.replace(f"{ROOT}/", ""), "version": version},
        configurations={one.name: one.description(python).replace(f"{ROOT}/", "") for one in usable},
        rounds_wanted=arguments.rounds,
        scale=arguments.scale,
        startup=Measured(programs.STARTUP),
        skipped=skipped,
        suite=arguments.suite.name if arguments.suite else None,
    )
    if not arguments.resume or not arguments.json.exists():
        return found
    earlier = results.read(arguments.json)
    for what in ("configurations", "python", "scale", "suite"):
        was, now = getattr(earlier, what), getattr(found, what)
        if was != now or (what == "configurations" and list(was) != list(now)):
            raise WrongUse(
                f"--resume: {arguments.json} has other {what}: {was}, not {now}; write to another file, or ask for the same"
            )
    earlier.rounds_wanted = arguments.rounds
    # What has been installed since, runs now; what didn't run stays out.
    earlier.skipped = {**{name: why for name, why in earlier.skipped.items() if "not installed" not in why}, **skipped}
    return earlier

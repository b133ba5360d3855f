"""The command line of `scripts/bench-retention`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
from pathlib import Path

from python_bench import command_line, machine, programs
from python_bench.command_line import WrongUse, check_output, names, number_up_to, round_count
from python_bench.configurations import Configuration, Unavailable, probe
from python_bench.plot import NoPlot
from python_bench.plot import check as check_plot
from python_bench.programs import Program
from python_bench.report import WIDTH

from retention import benchmark, configurations, plot, report, results
from retention.progress import Progress
from retention.results import Results

ROOT = Path(__file__).resolve().parents[2]

EXAMPLES = """\
examples:
  scripts/bench-retention                                 every program under every manager: ten minutes
  scripts/bench-retention --only session_cache --configs stock,tarn
  scripts/bench-retention --scale 0.05 --idle 2           a quick look
  scripts/bench-retention --json results.json --plot results.svg
  scripts/bench-retention --read results.json --plot results.svg

exit status: 0 all is well; 1 a program failed or checksums differ; 2 a wrong argument or nothing to measure;
130 interrupted (what was measured is printed all the same)
"""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench-retention",
        description="Run Python programs whose load rises and falls, and measure what stays resident afterwards.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--only", type=names, action="extend", default=[], metavar="A,B", help="these programs only")
    add("--list", action="store_true", help="list the programs and leave")
    add(
        "--configs", "--configurations", type=names, default=configurations.DEFAULT, metavar="A,B",
        help=f"the memory managers, the first compared with all others (default {','.join(configurations.DEFAULT)}); "
        f"known: {', '.join(configurations.KNOWN)}",
    )  # fmt: skip
    add("--scale", type=number_up_to(100), default=1.0, metavar="FLOAT", help="size of the programs' load (default 1)")
    add("--idle", type=number_up_to(100), default=10.0, metavar="S", help="seconds that a program idles (default 10)")
    add("--rounds", type=round_count, default=1, metavar="N", help="runs of each; medians are shown (default 1)")
    add("--json", type=Path, metavar="FILE", help="write every measurement here")
    add("--plot", type=Path, metavar="FILE.svg", help="draw memory over time (needs matplotlib)")
    add("--read", type=Path, metavar="FILE", help="measure nothing: show (and plot) what --json wrote before")
    add(
        "--python", default="/usr/bin/python3", metavar="PATH",
        help="the Python that runs the programs (default %(default)s)",
    )  # fmt: skip
    add(
        "--tarn", type=Path, default=ROOT / "build/release/bin/tarn", metavar="PATH",
        help="the tarn command (default build/release/bin/tarn)",
    )  # fmt: skip
    add(
        "--programs", type=Path, default=ROOT / "bench/retention/programs", metavar="DIR",
        help="a folder of programs (default bench/retention/programs)",
    )  # fmt: skip
    add(
        "--timeout", type=number_up_to(100_000), default=300.0, metavar="S",
        help="seconds that a run may take (default 300)",
    )  # fmt: skip
    return parser


def _say(text: str) -> None:
    print(f"bench-retention: {text}", file=sys.stderr)


def _configurations(arguments: argparse.Namespace, python: str) -> tuple[list[Configuration], str]:
    """Those that this machine can run, and what Python says it is; the others are said and skipped."""
    usable: list[Configuration] = []
    version = ""
    for name in dict.fromkeys(arguments.configs):
        if name not in configurations.KNOWN:
            raise WrongUse(f"no configuration {name!r}; known: {', '.join(configurations.KNOWN)}")
        try:
            configuration = configurations.KNOWN[name](arguments.tarn.absolute())
            version = probe(configuration, python)
            usable.append(configuration)
        except Unavailable as reason:
            _say(f"{name} skipped: {reason}")
    if not usable:
        raise WrongUse("no configuration is left to measure")
    return usable, version


def _programs(arguments: argparse.Namespace, python: str) -> list[Program]:
    """Those that were asked for and whose packages are there; the others are said and skipped."""
    known = programs.find(arguments.programs)
    if not known:
        raise WrongUse(f"no programs in {arguments.programs}")
    try:
        chosen = programs.choose(known, arguments.only)
    except programs.UnknownProgram as problem:
        raise WrongUse(str(problem)) from problem
    usable = []
    for program in chosen:
        missing = benchmark.missing_modules(program, python)
        if missing:
            _say(
                f"{program.name} skipped: {python} has no module {' or '.join(missing)}; "
                "on Debian: scripts/install-dependencies retention"
            )
        else:
            usable.append(program)
    if not usable:
        raise WrongUse("no program is left to measure")
    return usable


def _warn_of_variables() -> None:
    """Say which settings of the caller's don't reach the programs, though they would change what is measured."""
    telling = ("TARN_", "PYTHONMALLOC", "LD_PRELOAD", "MALLOC_", "GLIBC_TUNABLES")
    ignored = sorted(name for name in os.environ if name.startswith(telling))
    if ignored:
        _say(f"not passed on to the programs: {', '.join(ignored)}")


def _measure(arguments: argparse.Namespace) -> Results:
    python = shutil.which(arguments.python)
    if python is None:
        raise WrongUse(f"--python {arguments.python}: no such program")
    python = os.path.abspath(python)
    chosen = _programs(arguments, python)
    _warn_of_variables()
    usable, version = _configurations(arguments, python)
    found = Results(
        machine=machine.describe(),
        python={"path": python, "version": version},
        # Paths inside the project are shown from its root, so that results don't tell where it lies.
        configurations={one.name: one.description(python).replace(f"{ROOT}/", "") for one in usable},
        rounds_wanted=arguments.rounds,
        scale=arguments.scale,
        idle=arguments.idle,
    )
    progress = Progress(len(chosen) * len(usable) * arguments.rounds, arguments.idle)
    benchmark.Benchmark(found, usable, python, arguments.timeout, progress).run(chosen)
    progress.clear()
    return found


def _run(arguments: argparse.Namespace) -> int:
    if arguments.list:
        for program in programs.find(arguments.programs).values():
            print(textwrap.fill(f"{program.name:<21}{program.summary}", WIDTH, subsequent_indent=" " * 21))
        return 0
    if arguments.read and arguments.json:
        raise WrongUse("--read measures nothing, so there is nothing for --json to write")
    for path in (arguments.json, arguments.plot):
        check_output(path)
    try:
        if arguments.plot:
            check_plot(arguments.plot)
        found = results.read(arguments.read) if arguments.read else _measure(arguments)
    except (NoPlot, results.UnreadableResults) as problem:
        raise WrongUse(str(problem)) from problem
    if arguments.json:
        results.write(found, arguments.json)
    print(report.render(found, sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    if arguments.plot:
        if plot.is_drawable(found):
            plot.draw(found, arguments.plot)
        else:
            _say(f"nothing to draw, so {arguments.plot} wasn't written")
    if found.interrupted and not arguments.read:
        return 130
    return 1 if found.failures else 0


def main(words: list[str]) -> int:
    arguments = make_parser().parse_args(words)
    return command_line.run("bench-retention", lambda: _run(arguments))

"""The command line of `scripts/bench-python`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
from pathlib import Path

from python_bench import command_line, configurations, machine, plot, programs, report, results
from python_bench.benchmark import Benchmark
from python_bench.command_line import WrongUse, check_output, names
from python_bench.comparison import compare_all
from python_bench.configurations import Configuration, Unavailable
from python_bench.progress import Progress
from python_bench.results import Measured, Results

ROOT = Path(__file__).resolve().parents[2]

EXAMPLES = """\
examples:
  scripts/bench-python                                    all programs, stock against Tarn
  scripts/bench-python --only json_dumps,btree --rounds 15
  scripts/bench-python --configurations stock,tarn,mimalloc,jemalloc,tcmalloc
  scripts/bench-python --json results.json --plot results.svg
  scripts/bench-python --read results.json --plot results.svg

exit status: 0 all is well; 1 a program failed or checksums differ; 2 a wrong argument or nothing to compare;
130 interrupted (what was measured is printed all the same)
"""


def _count(text: str) -> int:
    if not text.isdigit() or int(text) > 100000:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a count")
    return int(text)


def _positive_count(text: str) -> int:
    if _count(text) == 0:
        raise argparse.ArgumentTypeError("0 is too few")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number over 0")
    return value


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench-python",
        description="Run real Python programs on stock memory and on Tarn, in turns, and compare time and peak memory.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--only", type=names, default=[], metavar="A,B", help="these programs only; `startup` is the start-up test")
    add("--list", action="store_true", help="list the programs and leave")
    add("--rounds", type=_positive_count, default=7, metavar="N", help="rounds for each program (default 7)")
    add("--scale", type=_positive, default=1.0, metavar="FLOAT", help="size of the programs' work (default 1)")
    add("--startup-runs", type=_count, default=40, metavar="N", help="runs of `-c pass` each (default 40; 0 for none)")
    add(
        "--configurations", type=names, default=["stock", "tarn"], metavar="A,B",
        help="what to compare, the first with all others (default stock,tarn); known: "
        + ", ".join(configurations.KNOWN),
    )  # fmt: skip
    add(
        "--python", default="/usr/bin/python3", metavar="PATH",
        help="the Python that runs the programs (default %(default)s)",
    )  # fmt: skip
    add(
        "--tarn", type=Path, default=ROOT / "build/release/bin/tarn", metavar="PATH",
        help="the tarn command (default build/release/bin/tarn)",
    )  # fmt: skip
    add(
        "--programs", type=Path, default=ROOT / "bench/programs", metavar="DIR",
        help="a folder of programs (default bench/programs)",
    )  # fmt: skip
    add("--timeout", type=_positive, default=120.0, metavar="S", help="seconds that a run may take (default 120)")
    add("--json", type=Path, metavar="FILE", help="write every measurement here")
    add("--plot", type=Path, metavar="FILE.svg", help="draw the ratios (needs matplotlib)")
    add("--read", type=Path, metavar="FILE", help="measure nothing: show (and plot) what --json wrote before")
    return parser


def _configurations(arguments: argparse.Namespace, python: str) -> tuple[list[Configuration], str]:
    """Those that this machine can run, and what Python says it is; the others are said and skipped."""
    usable: list[Configuration] = []
    version = ""
    for name in dict.fromkeys(arguments.configurations):
        if name not in configurations.KNOWN:
            raise WrongUse(f"no configuration {name!r}; known: {', '.join(configurations.KNOWN)}")
        try:
            configuration = configurations.build(name, arguments.tarn.absolute())
            version = configurations.probe(configuration, python)
            usable.append(configuration)
        except Unavailable as reason:
            print(f"bench-python: {name} skipped: {reason}", file=sys.stderr)
    if len(usable) < 2:
        raise WrongUse("nothing to compare: that takes two configurations")
    return usable, version


def _warn_of_variables() -> None:
    """Say which settings of the caller's don't reach the programs, though they would change what is measured."""
    telling = ("TARN_", "PYTHONMALLOC", "LD_PRELOAD", "MALLOC_", "GLIBC_TUNABLES")
    ignored = sorted(name for name in os.environ if name.startswith(telling))
    if ignored:
        print(f"bench-python: not passed on to the programs: {', '.join(ignored)}", file=sys.stderr)


def _measure(arguments: argparse.Namespace) -> Results:
    known = programs.find(arguments.programs)
    if not known:
        raise WrongUse(f"no programs in {arguments.programs}")
    try:
        chosen = programs.choose(known, arguments.only)
    except programs.UnknownProgram as problem:
        raise WrongUse(str(problem)) from problem
    python = shutil.which(arguments.python)
    if python is None:
        raise WrongUse(f"--python {arguments.python}: no such program")
    python = os.path.abspath(python)
    _warn_of_variables()
    usable, version = _configurations(arguments, python)
    found = Results(
        machine=machine.describe(),
        python={"path": python, "version": version},
        # Paths inside the project are shown from its root, so that results don't tell where it lies.
        configurations={one.name: one.description(python).replace(f"{ROOT}/", "") for one in usable},
        rounds_wanted=arguments.rounds,
        scale=arguments.scale,
        startup=Measured(programs.STARTUP),
    )
    wants_startup = not arguments.only or programs.STARTUP in arguments.only
    progress = Progress(len(chosen), arguments.rounds, list(found.configurations))
    benchmark = Benchmark(found, usable, python, arguments.timeout, progress)
    benchmark.run(chosen, arguments.startup_runs if wants_startup else 0)
    progress.clear()
    return found


def _run(arguments: argparse.Namespace) -> int:
    if arguments.list:
        for program in programs.find(arguments.programs).values():
            print(textwrap.fill(f"{program.name:<17} {program.summary}", report.WIDTH, subsequent_indent=" " * 18))
        return 0
    if arguments.read and arguments.json:
        raise WrongUse("--read measures nothing, so there is nothing for --json to write")
    for path in (arguments.json, arguments.plot):
        check_output(path)
    try:
        if arguments.plot:
            plot.check(arguments.plot)
        found = results.read(arguments.read) if arguments.read else _measure(arguments)
    except (plot.NoPlot, results.UnreadableResults) as problem:
        raise WrongUse(str(problem)) from problem
    comparisons = compare_all(found)
    if arguments.json:
        results.write(found, comparisons, arguments.json)
    print(report.render(found, comparisons, sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    if arguments.plot:
        if found.usable:
            plot.draw(found, comparisons, arguments.plot)
        else:
            print("bench-python: no program was measured, so there is nothing to plot", file=sys.stderr)
    if found.interrupted and not arguments.read:
        return 130
    return 1 if found.failures else 0


def main(words: list[str]) -> int:
    arguments = make_parser().parse_args(words)
    return command_line.run("bench-python", lambda: _run(arguments))

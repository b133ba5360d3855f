"""The command line of `scripts/bench-python`."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from pathlib import Path

from python_bench import command_line, configurations, markdown, plot, preparation, programs, report, results
from python_bench.benchmark import Benchmark
from python_bench.command_line import WrongUse, check_output, names
from python_bench.comparison import compare_all
from python_bench.progress import Progress
from python_bench.preparation import ROOT
from python_bench.results import Results

EXAMPLES = """\
examples:
  scripts/bench-python                                    all programs, stock against Tarn
  scripts/bench-python --only json_dumps,btree --rounds 15
  scripts/bench-python --configurations all --json results.json --markdown table.md --plot results.svg
  scripts/bench-python --json results.json --resume       what an interrupt left out
  scripts/bench-python --suite ~/pyperformance            a checkout of github.com/python/pyperformance
  scripts/bench-python --read results.json --plot results.svg

With --json, every round that was measured is in the file at once, whatever happens then.

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
        + ", ".join([*configurations.KNOWN, *(f"{name} (several)" for name in configurations.GROUPS)]),
    )  # fmt: skip
    add(
        "--python", default="/usr/bin/python3", metavar="PATH",
        help="the Python that runs the programs (default %(default)s); with --suite, one without pyperf makes a "
        "virtual environment",
    )  # fmt: skip
    add(
        "--tarn", type=Path, default=ROOT / "build/release/bin/tarn", metavar="PATH",
        help="the tarn command (default build/release/bin/tarn)",
    )  # fmt: skip
    add(
        "--programs", type=Path, default=ROOT / "bench/programs", metavar="DIR",
        help="a folder of programs (default bench/programs)",
    )  # fmt: skip
    add("--suite", type=Path, metavar="DIR", help="the programs of this checkout of pyperformance, in place of ours")
    add(
        "--suite-environment", type=Path, default=ROOT / "build/suite-python", metavar="DIR",
        help="where --suite makes a virtual environment, with pyperf from PyPI (default build/suite-python)",
    )  # fmt: skip
    add("--install", action="store_true", help="with --suite: install from PyPI there what the programs need")
    add("--timeout", type=_positive, default=120.0, metavar="S", help="seconds that a run may take (default 120)")
    add("--json", type=Path, metavar="FILE", help="write every measurement here")
    add("--resume", action="store_true", help="go on with what --json wrote before; rounds in it aren't run again")
    add(
        "--markdown", type=Path, metavar="FILE.md",
        help="write the tables here; between two lines that say bench-python, where FILE has them",
    )  # fmt: skip
    add("--plot", type=Path, metavar="FILE.svg", help="draw the ratios (needs matplotlib)")
    add("--read", type=Path, metavar="FILE", help="measure nothing: show (and plot) what --json wrote before")
    return parser


def _measure(arguments: argparse.Namespace) -> Results:
    chosen = preparation.choose_programs(arguments)
    python, skipped = preparation.find_python(arguments, chosen)
    preparation.warn_of_variables()
    usable, version = preparation.usable_configurations(arguments, python)
    found = preparation.results_for(arguments, usable, python, version, skipped)
    wants_startup = not arguments.only or programs.STARTUP in arguments.only
    left = [program for program in chosen if not found.is_done(program.name)]
    progress = Progress(len(left), arguments.rounds, list(found.configurations))
    for name, why in skipped.items():
        progress.say(f"{name} can't run: {why}")

    def save() -> None:
        if arguments.json:
            results.write(found, [], arguments.json)

    benchmark = Benchmark(found, usable, python, arguments.timeout, progress, save)
    benchmark.run(left, arguments.startup_runs if wants_startup else 0)
    progress.clear()
    return found


def _run(arguments: argparse.Namespace) -> int:
    if arguments.list:
        for program in preparation.find_programs(arguments).values():
            print(textwrap.fill(f"{program.name:<17} {program.summary}", report.WIDTH, subsequent_indent=" " * 18))
        return 0
    if arguments.read and arguments.json:
        raise WrongUse("--read measures nothing, so there is nothing for --json to write")
    if arguments.resume and not arguments.json:
        raise WrongUse("--resume goes on with the file that --json names")
    if arguments.install and not arguments.suite:
        raise WrongUse("--install is for --suite")
    for path in (arguments.json, arguments.plot, arguments.markdown):
        check_output(path)
    try:
        if arguments.plot:
            plot.check(arguments.plot)
        if arguments.markdown:
            markdown.check(arguments.markdown)
        found = results.read(arguments.read) if arguments.read else _measure(arguments)
    except (plot.NoPlot, markdown.NoPlace, results.UnreadableResults) as problem:
        raise WrongUse(str(problem)) from problem
    comparisons = compare_all(found)
    if arguments.json:
        results.write(found, comparisons, arguments.json)
    print(report.render(found, comparisons, sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    if found.usable:
        if arguments.plot:
            plot.draw(found, comparisons, arguments.plot)
        if arguments.markdown:
            markdown.write(found, comparisons, arguments.markdown, arguments.plot)
    elif arguments.plot or arguments.markdown:
        print("bench-python: no program was measured, so there is nothing to plot", file=sys.stderr)
    if found.interrupted and not arguments.read:
        return 130
    return 1 if found.failures else 0


def main(words: list[str]) -> int:
    arguments = make_parser().parse_args(words)
    return command_line.run("bench-python", lambda: _run(arguments))

"""The command line of `scripts/bench-objects`."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from pathlib import Path

from python_bench import command_line, machine
from python_bench.command_line import WrongUse, check_output, names, number_up_to, round_count
from python_bench.plot import NoPlot
from python_bench.plot import check as check_plot
from python_bench.report import WIDTH

from objects import plot, report, results
from objects.benchmark import Benchmark
from objects.cases import CASES, Case
from objects.peers import KNOWN, Peer, Unavailable
from objects.progress import Progress
from objects.results import Results

ROOT = Path(__file__).resolve().parents[2]
QUICK_SCALE = 0.01

EXAMPLES = """\
examples:
  scripts/bench-objects                                   every case with every peer, three rounds: about ten minutes
  scripts/bench-objects --only trees,gcbench --peers tarn,floor,cppgc --rounds 7
  scripts/bench-objects --quick                           one round at a hundredth of the size: seconds
  scripts/bench-objects --json results.json --plot results.svg
  scripts/bench-objects --read results.json --plot results.svg

exit status: 0 all is well; 1 a program failed or checksums differ; 2 a wrong argument or nothing to measure;
130 interrupted (what was measured is printed all the same)
"""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench-objects",
        description="Build object graphs in Tarn and in other object systems, by turns: time, longest pause, peak memory.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--only", type=names, default=[], metavar="A,B", help=f"these cases only, of: {', '.join(CASES)}")
    add("--peers", type=names, default=[], metavar="A,B", help=f"these peers only, of: {', '.join(KNOWN)}")
    add("--list", action="store_true", help="list the cases and the peers, and leave")
    add("--rounds", type=round_count, metavar="N", help="how often each is measured (default 3)")
    add("--scale", type=number_up_to(100), metavar="FLOAT", help="size of the cases (default 1)")
    add("--quick", action="store_true", help=f"one round at a scale of {QUICK_SCALE:g}: whether it all works")
    add("--json", type=Path, metavar="FILE", help="write every measurement here")
    add("--plot", type=Path, metavar="FILE.svg", help="draw the ratios (needs matplotlib)")
    add("--read", type=Path, metavar="FILE", help="measure nothing: show (and plot) what --json wrote before")
    add("--no-build", action="store_true", help="measure the programs that are there")
    add(
        "--programs", type=Path, default=ROOT / "build/objects/bin", metavar="DIR",
        help="where the peers' programs are; they are built in build/objects only (default build/objects/bin)",
    )  # fmt: skip
    add(
        "--timeout", type=number_up_to(100_000), default=300.0, metavar="S",
        help="seconds that a run may take (default 300)",
    )  # fmt: skip
    return parser


def _say(text: str) -> None:
    print(f"bench-objects: {text}", file=sys.stderr)


def _chosen(kind: str, wanted: list[str], known: list[str]) -> list[str]:
    for name in wanted:
        if name not in known:
            raise WrongUse(f"no {kind} {name!r}; known: {', '.join(known)}")
    return [name for name in known if not wanted or name in wanted]


def _peers(arguments: argparse.Namespace) -> list[Peer]:
    """Those that this machine can run; the others are said and skipped."""
    usable = []
    for name in _chosen("peer", arguments.peers, list(KNOWN)):
        try:
            KNOWN[name].check(arguments.programs)
            usable.append(KNOWN[name])
        except Unavailable as reason:
            _say(f"{name} skipped: {reason}")
    if not usable:
        raise WrongUse("no peer is left to measure")
    return usable


def _measure(arguments: argparse.Namespace) -> Results:
    cases: list[Case] = [CASES[name] for name in _chosen("case", arguments.only, list(CASES))]
    peers = _peers(arguments)
    found = Results(
        machine=machine.describe(),
        peers={peer.name: peer.summary for peer in peers},
        rounds_wanted=arguments.rounds or (1 if arguments.quick else 3),
        scale=arguments.scale or (QUICK_SCALE if arguments.quick else 1.0),
    )
    progress = Progress(cases, len(peers), found.rounds_wanted, found.scale)
    Benchmark(found, peers, arguments.programs.absolute(), arguments.timeout, progress).run(cases)
    progress.clear()
    return found


def _list() -> None:
    for kind in (CASES, KNOWN):
        for name, one in kind.items():
            print(textwrap.fill(f"{name:<15}{one.summary}", WIDTH, subsequent_indent=" " * 15))
        print()


def _run(arguments: argparse.Namespace) -> int:
    if arguments.list:
        _list()
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
    return command_line.run("bench-objects", lambda: _run(arguments))

"""Prints the progress and the summary."""

from __future__ import annotations

import collections
import textwrap
from collections.abc import Iterable, Sequence
from typing import TextIO

from .comparison import Difference, Verdict
from .result import ModuleResult
from .snapshots import Heard
from .whole_run import Observer


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class Progress(Observer):
    def __init__(self, stream: TextIO, other: str) -> None:
        self._stream = stream
        self._other = other

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)

    def module_done(self, done: int, of: int, verdict: Verdict, will_retry: bool) -> None:
        stock, other = verdict.runs[0]
        times = f"stock {stock.seconds:.1f} s, {self._other} {other.seconds:.1f} s"
        if verdict.differences:
            what = f"DIFFERS: {describe(verdict)}" + ("; will run again" if will_retry else "")
        elif verdict.expected:
            what = f"{stock.outcome} as expected ({count(len(verdict.expected), 'expected difference')})"
        else:
            what = f"{stock.outcome}, same ({count(verdict.tests_compared, 'test')})"
        self._say(f"[{done:{len(str(of))}}/{of}] {verdict.module}: {what}  ({times})")

    def side_done(self, done: int, of: int, result: ModuleResult) -> None:
        self._say(f"[{done:{len(str(of))}}/{of}] {result.module}: {result.outcome} "
                  f"({count(result.test_count, 'test')})  ({result.seconds:.1f} s)")

    def not_retried(self, modules: int) -> None:
        self._say(f"{modules} modules differ: too many for chance, so none is run again")

    def retry_done(self, attempt: int, verdict: Verdict) -> None:
        what = f"still differs: {describe(verdict)}" if verdict.differences else "agrees now: flaky"
        self._say(f"run again ({attempt}) {verdict.module}: {what}")


def describe(verdict: Verdict) -> str:
    parts = [f"{one.stock} / {one.other}" for one in verdict.differences if one.is_of_module]
    tests = sum(not one.is_of_module for one in verdict.differences)
    if tests:
        parts.append(count(tests, "test"))
    return ", ".join(parts)


def _kind(difference: Difference) -> tuple[str, str, str]:
    return difference.subject.rpartition(".")[0], difference.stock, difference.other


# A class whose setUpClass fails takes hundreds of tests with it.
SHOWN_OF_A_KIND = 5


def _print_differences(stream: TextIO, title: str, differences: Iterable[Difference], other: str,
                       reasons: dict[str, str] | None = None) -> None:
    differences = list(differences)
    if not differences:
        return
    print(f"\n{title}", file=stream)
    width = max(len("stock"), len(other))
    kinds = collections.Counter(map(_kind, differences))
    shown: collections.Counter[tuple[str, str, str]] = collections.Counter()
    for one in differences:
        kind = _kind(one)
        shown[kind] += 1
        if shown[kind] > SHOWN_OF_A_KIND:
            if shown[kind] == kinds[kind]:
                more = count(kinds[kind] - SHOWN_OF_A_KIND, "more test")
                print(f"  … and {more} of {kind[0]} with the same two outcomes (--json has them all)", file=stream)
            continue
        name = f"{one.subject} (the module)" if one.is_of_module else one.subject
        print(f"  {name}", file=stream)
        print(f"      {'stock':{width}}  {one.stock}\n      {other:{width}}  {one.other}", file=stream)
        if one.message:
            print(textwrap.indent(one.message, " " * 8 + "| "), file=stream)
        if reasons and one.subject in reasons:
            print(f"      expected: {reasons[one.subject]}", file=stream)


def _print_outcomes(stream: TextIO, verdicts: Sequence[Verdict], other: str) -> None:
    stock_counts = collections.Counter(verdict.runs[0][0].outcome for verdict in verdicts)
    other_counts = collections.Counter(verdict.runs[0][1].outcome for verdict in verdicts)
    width = max(map(len, stock_counts | other_counts), default=0)
    print(f"\n{'modules by outcome':{width + 2}}  {'stock':>6}  {other:>6}", file=stream)
    for outcome, _ in (stock_counts | other_counts).most_common():
        print(f"  {outcome:{width + 2}}{stock_counts[outcome]:>6}  {other_counts[outcome]:>6}", file=stream)
    for heading, outcome in (("failed on both", "failed"), ("changed their environment on both", "env changed")):
        both = [verdict.module for verdict in verdicts if {side.outcome for side in verdict.runs[0]} == {outcome}]
        if both:
            print(f"{heading}: {', '.join(both)}", file=stream)
    seconds = [sum(verdict.runs[0][side].seconds for verdict in verdicts) for side in (0, 1)]
    print(f"time in the modules: stock {seconds[0]:.0f} s, {other} {seconds[1]:.0f} s", file=stream)


def print_summary(stream: TextIO, verdicts: Sequence[Verdict], expected: dict[str, str], other: str) -> None:
    """The last three lines are the result; everything above explains it."""
    _print_outcomes(stream, verdicts, other)
    flaky = [one for verdict in verdicts for one in verdict.flaky]
    explained = [one for verdict in verdicts for one in verdict.expected]
    differences = [one for verdict in verdicts for one in verdict.differences]
    stale = [test for verdict in verdicts for test in verdict.stale]
    _print_differences(stream, "flaky (agreed on retry)", flaky, other)
    _print_differences(stream, "expected differences", explained, other, expected)
    if stale:
        print("\nexpected to differ, and did not: take them out of the list of expected differences", file=stream)
        for test in stale:
            print(f"  {test}  {expected[test]}", file=stream)
    _print_differences(stream, "DIFFERENCES", differences, other)

    same = sum(not verdict.differences for verdict in verdicts)
    print(f"\nmodules the same: {same:,} of {len(verdicts):,}", file=stream)
    print(f"test methods compared: {sum(verdict.tests_compared for verdict in verdicts):,}", file=stream)
    print(f"differences: {len(differences):,} ({len(explained):,} expected besides, {len(flaky):,} flaky, "
          f"{len(stale):,} no longer there)", file=stream)


def print_snapshots(stream: TextIO, heard: Heard) -> None:
    print(f"\nsnapshots taken: {heard.taken:,} files of {len(heard.processes):,} processes, {heard.only_heard:,} streams besides; "
          f"{heard.refused:,} refused: ending, starting or busy; {heard.unreadable:,} objects could not be read", file=stream)
    if not heard.taken:
        print("NO SNAPSHOT was taken: no module ran for long enough, or no process could be reached", file=stream)
    for one in heard.findings:
        print(f"SNAPSHOT  {one}", file=stream)


def print_stock_summary(stream: TextIO, results: Sequence[ModuleResult], slow: float = 20.0) -> None:
    counts = collections.Counter(result.outcome for result in results)
    print("\nmodules by outcome: " + ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common()),
          file=stream)
    for result in results:
        if result.outcome not in ("success", "skipped"):
            failing = sorted(test for test in result.messages if result.tests[test] not in (["ok"], ["skipped"]))
            print(f"  {result.module}: {result.outcome} {result.detail}".rstrip(), file=stream)
            for test in failing:
                print(f"      {test}: {', '.join(result.tests[test])}", file=stream)
    print(f"slower than {slow:.0f} s:", file=stream)
    for result in sorted(results, key=lambda each: -each.seconds):
        if result.seconds > slow:
            print(f"  {result.seconds:7.1f} s  {result.module}", file=stream)
    print(f"time in the modules: {sum(result.seconds for result in results):.0f} s, "
          f"{count(sum(result.test_count for result in results), 'test')}", file=stream)

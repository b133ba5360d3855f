"""All modules run on both sides, and what differs runs again."""

from __future__ import annotations

import threading
import unittest
from collections.abc import Callable

from .regrtest import Selection, Side
from .result import ModuleResult
from .whole_run import MANY, Observer, WholeRun

STOCK, OTHER = Side("stock"), Side("tarn")


class FakeRunner:
    """`outcome(side's name, module, how often it ran before)` decides what a run comes to."""

    def __init__(self, outcome: Callable[[str, str, int], str]) -> None:
        self._outcome = outcome
        self._lock = threading.Lock()
        self.calls: list[tuple[str, str]] = []
        self.is_stopped = False

    def run(self, side: Side, selection: Selection) -> ModuleResult:
        call = (side.name, selection.module)
        with self._lock:
            before = self.calls.count(call)
            self.calls.append(call)
        test = self._outcome(side.name, selection.module, before)
        if test.startswith("crashed"):
            return ModuleResult(selection.module, test)
        outcome = "success" if test == "ok" else "failed"
        return ModuleResult(selection.module, outcome, 0.0, {f"{selection.module}.T.test_x": [test]})

    def stop(self) -> None:
        self.is_stopped = True


def make_run(runner: FakeRunner, retries: int = 2, known: dict[str, ModuleResult] | None = None,
                 observer: Observer | None = None) -> WholeRun:
    return WholeRun(runner, STOCK, OTHER, expected={}, jobs=2, retries=retries, observer=observer or Observer(),
                   known_stock=known)


class WholeRuns(unittest.TestCase):
    def test_each_module_runs_once_on_each_side_and_verdicts_keep_the_order(self) -> None:
        runner = FakeRunner(lambda side, module, before: "ok")
        verdicts = make_run(runner).compare([Selection("test_b"), Selection("test_a")])
        self.assertEqual([verdict.module for verdict in verdicts], ["test_b", "test_a"])
        self.assertEqual(sorted(runner.calls),
                         [("stock", "test_a"), ("stock", "test_b"), ("tarn", "test_a"), ("tarn", "test_b")])

    def test_a_lasting_difference_runs_again_as_often_as_allowed_on_both_sides(self) -> None:
        runner = FakeRunner(lambda side, module, before: "ok" if side == "stock" else "failed: AssertionError")
        verdict, = make_run(runner).compare([Selection("test_a")])
        self.assertEqual(len(verdict.differences), 1)
        self.assertEqual((runner.calls.count(("stock", "test_a")), runner.calls.count(("tarn", "test_a"))), (3, 3))

    def test_differences_in_very_many_modules_are_not_run_again(self) -> None:
        runner = FakeRunner(lambda side, module, before: "ok" if side == "stock" else "failed: AssertionError")
        verdicts = make_run(runner).compare([Selection(f"test_{number}") for number in range(MANY + 1)])
        self.assertEqual([len(verdict.differences) for verdict in verdicts], [1] * (MANY + 1))
        self.assertEqual(len(runner.calls), 2 * (MANY + 1))

    def test_the_runs_end_when_both_sides_agree(self) -> None:
        runner = FakeRunner(lambda side, module, before: "ok" if side == "stock" or before else "failed: OSError")
        verdict, = make_run(runner).compare([Selection("test_a")])
        self.assertEqual((len(verdict.differences), len(verdict.flaky), len(verdict.runs)), (0, 1, 2))

    def test_a_crash_does_not_run_again(self) -> None:
        runner = FakeRunner(lambda side, module, before: "ok" if side == "stock" else "crashed (SIGSEGV)")
        verdict, = make_run(runner).compare([Selection("test_a")])
        self.assertEqual((len(verdict.differences), len(runner.calls)), (1, 2))

    def test_known_results_of_stock_are_not_run_until_something_differs(self) -> None:
        known = {"test_a": ModuleResult("test_a", "success", 0.0, {"test_a.T.test_x": ["ok"]})}
        runner = FakeRunner(lambda side, module, before: "ok")
        make_run(runner, known=known).compare([Selection("test_a")])
        self.assertEqual(runner.calls, [("tarn", "test_a")])
        runner = FakeRunner(lambda side, module, before: "failed: OSError")
        verdict, = make_run(runner, known=known).compare([Selection("test_a")])
        self.assertIn(("stock", "test_a"), runner.calls)
        self.assertEqual((len(verdict.differences), len(verdict.flaky)), (0, 1))

    def test_an_interruption_stops_what_runs(self) -> None:
        class Interrupting(Observer):
            def module_done(self, *_arguments: object) -> None:
                raise KeyboardInterrupt

        runner = FakeRunner(lambda side, module, before: "ok")
        with self.assertRaises(KeyboardInterrupt):
            make_run(runner, observer=Interrupting()).compare([Selection("test_a"), Selection("test_b")])
        self.assertTrue(runner.is_stopped)

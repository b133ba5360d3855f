"""Runs all selected modules on both sides, several at a time, and runs again what differs."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from .comparison import Verdict, is_worth_a_retry, judge
from .regrtest import Selection, Side
from .result import ModuleResult


# When so many modules differ, chance is not the reason, and to run them all again would only take long.
MANY = 20


class Runs(Protocol):
    def run(self, side: Side, selection: Selection) -> ModuleResult: ...

    def stop(self) -> None:
        """Ends all that runs now and lets nothing more begin."""


class Observer:
    """Hears of each step as it happens."""

    def module_done(self, done: int, of: int, verdict: Verdict, will_retry: bool) -> None: ...

    def side_done(self, done: int, of: int, result: ModuleResult) -> None: ...

    def not_retried(self, modules: int) -> None: ...

    def retry_done(self, attempt: int, verdict: Verdict) -> None: ...


class WholeRun:
    """`known_stock`: results of an earlier run by module, which spare the first run on stock (retries run both)."""

    def __init__(self, runner: Runs, stock: Side, other: Side, *, expected: Mapping[str, str], jobs: int, retries: int,
                 observer: Observer, known_stock: Mapping[str, ModuleResult] | None = None) -> None:
        self._runner = runner
        self._stock = stock
        self._other = other
        self._expected = expected
        self._jobs = jobs
        self._retries = retries
        self._observer = observer
        self._known_stock = dict(known_stock or {})

    def compare(self, selections: Sequence[Selection]) -> list[Verdict]:
        """One verdict for each selection, in their order."""
        verdicts: dict[str, Verdict] = {}
        halves: dict[str, dict[str, ModuleResult]] = {selection.module: {} for selection in selections}
        tasks: list[tuple[Side, Selection]] = []
        by_module = {selection.module: selection for selection in selections}

        def take(side: Side, selection: Selection, result: ModuleResult) -> None:
            half = halves[selection.module]
            half[side.name] = result
            if len(half) == 2:
                run = (half[self._stock.name], half[self._other.name])
                verdict = judge([run], self._expected, selection.is_whole)
                verdicts[selection.module] = verdict
                will_retry = self._retries > 0 and is_worth_a_retry(verdict)
                self._observer.module_done(len(verdicts), len(selections), verdict, will_retry)

        for selection in selections:
            if selection.module in self._known_stock:
                halves[selection.module][self._stock.name] = self._known_stock[selection.module]
            else:
                tasks.append((self._stock, selection))
            tasks.append((self._other, selection))
        self._run_all(tasks, take)
        differing = [module for module, verdict in verdicts.items() if self._retries and is_worth_a_retry(verdict)]
        if len(differing) > MANY:
            self._observer.not_retried(len(differing))
        else:
            for module in differing:
                verdicts[module] = self._retry(by_module[module], verdicts[module])
        return [verdicts[selection.module] for selection in selections]

    def run_stock(self, selections: Sequence[Selection]) -> list[ModuleResult]:
        """Only the one side, to be kept for later comparisons."""
        results: dict[str, ModuleResult] = {}

        def take(_side: Side, selection: Selection, result: ModuleResult) -> None:
            results[selection.module] = result
            self._observer.side_done(len(results), len(selections), result)

        self._run_all([(self._stock, selection) for selection in selections], take)
        return [results[selection.module] for selection in selections]

    def _run_all(self, tasks: Sequence[tuple[Side, Selection]],
                 take: Callable[[Side, Selection, ModuleResult], None]) -> None:
        with concurrent.futures.ThreadPoolExecutor(self._jobs) as executor:
            futures = {executor.submit(self._runner.run, side, selection): (side, selection)
                       for side, selection in tasks}
            try:
                for future in concurrent.futures.as_completed(futures):
                    side, selection = futures[future]
                    take(side, selection, future.result())
            except BaseException:
                # Before the executor is left, which waits for its threads: they wait for the modules they run.
                executor.shutdown(wait=False, cancel_futures=True)
                self._runner.stop()
                raise

    def _retry(self, selection: Selection, verdict: Verdict) -> Verdict:
        """Alone on the machine, so that load is no longer the reason."""
        for attempt in range(1, self._retries + 1):
            if not is_worth_a_retry(verdict):
                break
            run = (self._runner.run(self._stock, selection), self._runner.run(self._other, selection))
            verdict = judge([*verdict.runs, run], self._expected, selection.is_whole)
            self._observer.retry_done(attempt, verdict)
        return verdict

"""What differs between two runs of a module, and which of it counts.

A difference counts when it is there in every run. Tests that depend on time or on the machine's load differ in one run
and agree in the next: those are flaky, and are named, not dropped. A crash is never flaky: memory that is wrong
once in three times is wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from .result import ModuleResult, is_failing

ABSENT = "absent"

Run = tuple[ModuleResult, ModuleResult]


@dataclasses.dataclass(frozen=True)
class Difference:
    """`subject` is a test's id, or the module's name where the module as a whole came out differently."""

    module: str
    subject: str
    stock: str
    other: str
    message: str = ""

    @property
    def is_of_module(self) -> bool:
        return self.module == self.subject


@dataclasses.dataclass
class Verdict:
    """What all runs of one module say together."""

    module: str
    runs: list[Run]
    differences: list[Difference]
    expected: list[Difference]
    flaky: list[Difference]
    stale: list[str]

    @property
    def is_same(self) -> bool:
        return not self.differences and not self.expected

    @property
    def tests_compared(self) -> int:
        stock, other = self.runs[0]
        return sum(len(stock.tests[test]) for test in stock.tests if test in other.tests)


def _outcome(result: ModuleResult, test: str) -> str:
    return ", ".join(result.tests[test]) if test in result.tests else ABSENT


def _test_differences(stock: ModuleResult, other: ModuleResult) -> Iterable[Difference]:
    if not stock.tests or not other.tests:
        # A module that was skipped, or broke before its first test: the module's outcome says it all.
        return
    absence_counts = stock.is_complete and other.is_complete
    for test in sorted(stock.tests.keys() | other.tests.keys()):
        on_stock, on_other = _outcome(stock, test), _outcome(other, test)
        if on_stock == on_other or (ABSENT in (on_stock, on_other) and not absence_counts):
            continue
        message = other.messages.get(test) or stock.messages.get(test, "")
        yield Difference(stock.module, test, on_stock, on_other, message)


def _explains(differences: Sequence[Difference], stock: ModuleResult, other: ModuleResult) -> bool:
    """Whether the modules' outcomes differ because a test fails, which is then listed by itself."""
    outcomes = {stock.outcome, other.outcome}
    if "failed" not in outcomes or not outcomes <= {"success", "env changed", "failed"}:
        return False
    return any(is_failing(difference.stock) or is_failing(difference.other) for difference in differences)


def compare(stock: ModuleResult, other: ModuleResult) -> list[Difference]:
    differences = list(_test_differences(stock, other))
    if stock.outcome != other.outcome and not _explains(differences, stock, other):
        reasons = [f"{name}: {detail}" for name, detail in (("stock", stock.detail), ("other", other.detail)) if detail]
        differences.insert(0, Difference(stock.module, stock.module, stock.outcome, other.outcome, "\n".join(reasons)))
    return differences


def _agree(run: Run, subject: str) -> bool:
    """Whether this run shows that both sides do the same with the subject. Not having seen it shows nothing."""
    stock, other = run
    if subject == stock.module:
        return not any(difference.is_of_module for difference in compare(stock, other))
    if subject in stock.tests or subject in other.tests:
        return stock.tests.get(subject) == other.tests.get(subject)
    return stock.is_complete and other.is_complete


def judge(runs: Sequence[Run], expected: Mapping[str, str] | None = None, is_whole: bool = True) -> Verdict:
    """`expected`: test id -> reason. `is_whole`: no pattern left out any of the module's tests."""
    expected = expected or {}
    module = runs[0][0].module
    first_seen: dict[str, Difference] = {}
    crashes: dict[str, Difference] = {}
    for stock, other in runs:
        for difference in compare(stock, other):
            first_seen.setdefault(difference.subject, difference)
            if difference.is_of_module and other.is_crashed and not stock.is_crashed:
                crashes[module] = difference
    # A later run's crash must not hide behind an earlier, milder difference of the same module.
    seen = list({**first_seen, **crashes}.values())

    verdict = Verdict(module, list(runs), [], [], [], [])
    for difference in seen:
        is_agreed = any(_agree(run, difference.subject) for run in runs)
        if is_agreed and difference.subject not in crashes:
            verdict.flaky.append(difference)
        elif difference.subject in expected:
            verdict.expected.append(difference)
        else:
            verdict.differences.append(difference)

    stock, other = runs[0]
    if stock.is_complete and other.is_complete and stock.tests and other.tests:
        for test in expected:
            belongs = test in stock.tests or (is_whole and test.startswith(module + "."))
            if belongs and test not in first_seen:
                verdict.stale.append(test)
    return verdict


def is_worth_a_retry(verdict: Verdict) -> bool:
    """Whether another run could change the verdict: not when all is expected, and never after a crash."""
    if any(other.is_crashed and not stock.is_crashed for stock, other in verdict.runs):
        return False
    return bool(verdict.differences)

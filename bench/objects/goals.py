"""The figures that the project set itself, and whether they are reached."""

from __future__ import annotations

from dataclasses import dataclass

from objects.peers import BASELINE, FLOOR
from objects.results import Quantity, Results, seconds_of


@dataclass(frozen=True)
class Goal:
    """The peer's time (or memory) over Tarn's is to be so much at least."""

    case: str
    peer: str
    least: float
    part: str | None = None
    is_memory: bool = False

    @property
    def title(self) -> str:
        what = f"{self.case}, {self.part}" if self.part else self.case
        return f"{what}: {'memory' if self.is_memory else 'time'} of {self.peer} over Tarn's"

    def value(self, results: Results) -> float | None:
        case = results.case(self.case)
        if case is None or self.part and not (case.has_part(BASELINE, self.part) and case.has_part(self.peer, self.part)):
            return None
        quantity: Quantity = (lambda run: float(run.peak_kib)) if self.is_memory else seconds_of(self.part)
        estimate = case.over(BASELINE, self.peer, quantity)
        return estimate.value if estimate else None


TREE_CASES = ("trees", "gcbench")
# At most 1.3 times the floor's time.
OVER_FLOOR = 1.3
GOALS = [
    *(Goal(case, peer, least) for case in TREE_CASES
      for peer, least in (("cpython", 8), ("shared_ptr", 2.5), ("bdwgc", 4), ("cppgc", 1), (FLOOR, 1 / OVER_FLOOR))),
    *(Goal(case, peer, 2, is_memory=True) for case in TREE_CASES for peer in ("cpython", "shared_ptr", "bdwgc", "cppgc")),
    Goal("graph", "cpython", 3, part="collection"),
]  # fmt: skip
# A copy of a reference and its release, nanoseconds.
MOST_NANOSECONDS_A_COPY = 1.0


def lines(results: Results) -> list[str]:
    """One for each goal that these results can judge."""
    if BASELINE not in results.peers:
        return []
    found = []
    for goal in GOALS:
        value = goal.value(results)
        if value is not None:
            found.append(_line(goal.title, f"{value:.2f}", f"{goal.least:.2f} at least", value >= goal.least))
    references = results.case("references")
    if references is not None and references.has_part(BASELINE, "copy"):
        value = references.median(BASELINE, lambda run: run.parts["copy"].nanoseconds)
        if value is not None:
            wanted = f"{MOST_NANOSECONDS_A_COPY:g} ns at most"
            found.append(_line("references, copy: Tarn's", f"{value:.2f} ns", wanted, value <= MOST_NANOSECONDS_A_COPY))
    return found


def _line(title: str, value: str, wanted: str, is_reached: bool) -> str:
    return f"{'reached' if is_reached else 'NOT reached':<12} {title}: {value} (to reach: {wanted})"

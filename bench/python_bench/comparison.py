"""Each configuration set against the baseline: per program and over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from python_bench.results import Measured, Results
from python_bench.statistics import Estimate, difference, geometric_mean_estimate, median_estimate, pairwise, ratio

QUANTITIES = ("wall", "cpu", "peak_rss_kib")


@dataclass(frozen=True)
class Ratios:
    """Other over baseline: wall time, CPU time and peak resident memory."""

    time: Estimate
    cpu: Estimate
    memory: Estimate


@dataclass(frozen=True)
class Comparison:
    """One configuration against the baseline."""

    other: str
    programs: dict[str, Ratios]
    # None where no program was measured, or no start-up.
    mean: Ratios | None
    startup_milliseconds: Estimate | None


def _ratios(results: Results, program: Measured, other: str) -> list[list[float]]:
    return [
        pairwise(program.values(results.baseline, quantity), program.values(other, quantity), ratio)
        for quantity in QUANTITIES
    ]


def _startup(startup: Measured, baseline: str, other: str) -> Estimate:
    later = pairwise(startup.values(baseline, "wall"), startup.values(other, "wall"), difference)
    return median_estimate([seconds * 1000 for seconds in later])


def _compare(results: Results, other: str) -> Comparison:
    per_program = [_ratios(results, program, other) for program in results.usable]
    programs = {
        program.name: Ratios(*map(median_estimate, ratios)) for program, ratios in zip(results.usable, per_program)
    }
    mean = Ratios(*(geometric_mean_estimate(ratios) for ratios in zip(*per_program))) if per_program else None
    was_started = results.startup.rounds and not results.startup.failure
    startup = _startup(results.startup, results.baseline, other) if was_started else None
    return Comparison(other, programs, mean, startup)


def compare_all(results: Results) -> list[Comparison]:
    return [_compare(results, other) for other in results.compared]


def medians(program: Measured, names: list[str], quantity: str) -> list[float]:
    return [median(program.values(name, quantity)) for name in names]

"""Medians of pairwise ratios, geometric means, and bootstrap intervals for both.

Why pairs: the machine's speed drifts (other work, clock frequency), and two runs side by side share the drift, so
their ratio doesn't carry it. Why the median: a run that was interrupted is late by any amount, never early.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median

CONFIDENCE = 0.95
# Below this many pairs not even the range from the least to the greatest holds the true median 95 times in 100
# (1 - 2 * 0.5**n): no interval is given then.
LEAST_PAIRS = 6
SEED = 20231122


@dataclass(frozen=True)
class Estimate:
    """A value and the bounds of its confidence interval; no bounds where there are too few measurements."""

    value: float
    low: float | None = None
    high: float | None = None

    def is_surely_below(self, bound: float) -> bool:
        return self.high is not None and self.high < bound

    def is_surely_above(self, bound: float) -> bool:
        return self.low is not None and self.low > bound


def pairwise(
    baseline: Sequence[float], other: Sequence[float], compare: Callable[[float, float], float]
) -> list[float]:
    """`compare(baseline, other)` for each round."""
    if len(baseline) != len(other):
        raise ValueError(f"pairs need as many of both: {len(baseline)} and {len(other)}")
    if not baseline:
        raise ValueError("no pairs to compare")
    return [compare(one, two) for one, two in zip(baseline, other)]


def ratio(baseline: float, other: float) -> float:
    if baseline <= 0 or other <= 0:
        raise ValueError(f"a ratio needs two values over zero, not {other} and {baseline}")
    return other / baseline


def difference(baseline: float, other: float) -> float:
    return other - baseline


def geometric_mean(values: Sequence[float]) -> float:
    if not values:
        raise ValueError("the geometric mean of nothing")
    return exp(sum(map(log, values)) / len(values))


def quantile(ordered: Sequence[float], fraction: float) -> float:
    """The value below which `fraction` of `ordered` lies, interpolated between neighbours."""
    place = fraction * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _interval(replicates: list[float]) -> tuple[float, float]:
    replicates.sort()
    tail = (1 - CONFIDENCE) / 2
    return quantile(replicates, tail), quantile(replicates, 1 - tail)


def median_estimate(values: Sequence[float], resamples: int = 4000) -> Estimate:
    """The median with its bootstrap interval: how it would vary had other rounds of the same kind been drawn."""
    if len(values) < LEAST_PAIRS:
        return Estimate(median(values))
    chance = random.Random(SEED)
    low, high = _interval([median(chance.choices(values, k=len(values))) for _ in range(resamples)])
    return Estimate(median(values), low, high)


def geometric_mean_estimate(ratios_by_program: Sequence[Sequence[float]], resamples: int = 2000) -> Estimate:
    """The geometric mean of the programs' median ratios.

    The interval covers the noise of measuring these programs (rounds are drawn anew within each); it says nothing
    about programs that aren't among them.
    """
    value = geometric_mean([median(ratios) for ratios in ratios_by_program])
    if min(map(len, ratios_by_program)) < LEAST_PAIRS:
        return Estimate(value)
    chance = random.Random(SEED)
    low, high = _interval(
        [
            geometric_mean([median(chance.choices(ratios, k=len(ratios))) for ratios in ratios_by_program])
            for _ in range(resamples)
        ]
    )
    return Estimate(value, low, high)

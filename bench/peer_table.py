"""From Google Benchmark's JSON to ratios: each peer's time per operation over Tarn's, and their means."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

BASELINE = "tarn"
# In the order of the table's columns.
PEERS = ["pymalloc", "glibc", "mimalloc", "mi heap", "jemalloc", "tcmalloc", "pmr", "pmr sync", "boost", "tarn::Heap"]
# Any size, any time: what a program could put in malloc's place. boost::pool has one size, and the
# std::pmr pools are told the size at each free.
GENERAL = ["glibc", "mimalloc", "mi heap", "jemalloc", "tcmalloc"]
GROUPS = ["pairs", "batch", "mix", "growth", "realloc"]


@dataclass(frozen=True)
class Goal:
    title: str
    peer: str | None  # None: the best of GENERAL, in each workload anew
    ratio: float


GOALS = [Goal("vs pymalloc", "pymalloc", 1.5), Goal("vs the best general allocator", None, 1.2)]
GOAL_GROUPS = ["pairs", "mix"]


@dataclass
class Table:
    """Nanoseconds of CPU time per operation, the median over the repetitions, by workload and peer."""

    times: dict[str, dict[str, float]]
    context: dict[str, str] = field(default_factory=dict)

    @property
    def workloads(self) -> list[str]:
        return list(self.times)

    def of_group(self, group: str) -> list[str]:
        return [workload for workload in self.times if workload.split()[0] == group]

    def ratio(self, workload: str, peer: str) -> float | None:
        """The peer's time over Tarn's: above 1 Tarn is faster. None: the peer doesn't do this workload."""
        times = self.times[workload]
        return times[peer] / times[BASELINE] if peer in times and BASELINE in times else None

    def best_general(self, workload: str) -> tuple[str, float] | None:
        ratios = {peer: self.ratio(workload, peer) for peer in GENERAL}
        present = {peer: ratio for peer, ratio in ratios.items() if ratio is not None}
        if not present:
            return None
        best = min(present, key=lambda peer: present[peer])
        return best, present[best]

    def goal_ratio(self, workload: str, goal: Goal) -> float | None:
        if goal.peer is not None:
            return self.ratio(workload, goal.peer)
        best = self.best_general(workload)
        return None if best is None else best[1]

    def mean(self, workloads: Iterable[str], peer: str) -> float | None:
        return geometric_mean(self.ratio(workload, peer) for workload in workloads)


def geometric_mean(ratios: Iterable[float | None]) -> float | None:
    present = [ratio for ratio in ratios if ratio is not None]
    return math.exp(sum(map(math.log, present)) / len(present)) if present else None


def read(paths: Iterable[Path]) -> Table:
    samples: dict[tuple[str, str], list[float]] = defaultdict(list)
    order: list[str] = []
    context: dict[str, str] = {}
    for path in paths:
        document = json.loads(path.read_text())
        context.update({key: str(value) for key, value in document["context"].items()})
        for run in document["benchmarks"]:
            if run["run_type"] != "iteration":
                continue
            # "workload/peer/iterations:N"; interleaving shuffles them, so the order is found again below.
            workload, peer = run["name"].split("/")[:2]
            samples[workload, peer].append(1e9 / run["items_per_second"])
            order.append(workload)
    times: dict[str, dict[str, float]] = {}
    for workload in sorted(dict.fromkeys(order), key=_place):
        times[workload] = {
            peer: statistics.median(values) for (of, peer), values in samples.items() if of == workload
        }
    return Table(times, context)


def _place(workload: str) -> tuple[int, float, str]:
    """Groups as GROUPS has them, within a group by count or size."""
    group, *rest = workload.split()
    number = next((word for word in rest if word[0].isdigit()), "0")
    value = float(number.rstrip("kM")) * {"k": 1e3, "M": 1e6}.get(number[-1], 1)
    return GROUPS.index(group), value, workload


def text(table: Table) -> str:
    peers = [peer for peer in PEERS if any(peer in times for times in table.times.values())]
    width = max(len(workload) for workload in table.workloads) + 2
    lines = [
        "Each peer's time over Tarn's: above 1 Tarn is faster. Median CPU time per operation.",
        "",
        f"{'':{width}}{'tarn':>10}" + "".join(f"{peer:>11}" for peer in peers),
    ]

    def row(name: str, tarn: str, ratios: Iterable[float | None]) -> str:
        cells = "".join(f"{'-' if ratio is None else format(ratio, '.2f'):>11}" for ratio in ratios)
        return f"{name:{width}}{tarn:>10}{cells}"

    for group in GROUPS:
        workloads = table.of_group(group)
        for workload in workloads:
            tarn = f"{table.times[workload][BASELINE]:.1f} ns" if BASELINE in table.times[workload] else "-"
            lines.append(row(workload, tarn, [table.ratio(workload, peer) for peer in peers]))
        if len(workloads) > 1:
            lines.append(row("  geometric mean", "", [table.mean(workloads, peer) for peer in peers]))
        if workloads:
            lines.append("")
    lines.append(row("geometric mean", "", [table.mean(table.workloads, peer) for peer in peers]))
    lines += ["", *goal_lines(table)]
    return "\n".join(lines)


def goal_lines(table: Table) -> list[str]:
    """Whether the figures that the project set itself are reached, and where they aren't."""
    lines = []
    for goal in GOALS:
        for group in GOAL_GROUPS:
            ratios = {workload: table.goal_ratio(workload, goal) for workload in table.of_group(group)}
            mean = geometric_mean(ratios.values())
            if mean is None:
                continue
            verdict = "reached" if mean >= goal.ratio else "not reached"
            line = f"{goal.title}, {group}: {mean:.2f} (to reach: {goal.ratio:.1f}), {verdict}"
            below = [f"{workload} {ratio:.2f}" for workload, ratio in ratios.items() if ratio is not None and ratio < goal.ratio]
            lines.append(line + (f"; below it: {', '.join(below)}" if below else ""))
    slower = []
    for workload in table.workloads:
        best = table.best_general(workload)
        if best is not None and best[1] < 1:
            slower.append(f"{workload} ({best[0]} {best[1]:.2f})")
    if slower:
        lines.append(f"a general allocator is faster than Tarn in: {', '.join(slower)}")
    return lines

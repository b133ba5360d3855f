"""The tables: for each case a line per peer."""

from __future__ import annotations

import textwrap

from python_bench.report import BUSY, WIDTH, Paint
from python_bench.statistics import LEAST_PAIRS, Estimate

from objects import goals
from objects.cases import CASES
from objects.results import Measured, Results, seconds_of


def _header(results: Results) -> list[str]:
    machine = results.machine
    runs = f"{results.rounds_wanted} of each, by turns" if results.rounds_wanted > 1 else "one of each"
    if results.scale != 1:
        runs += f", cases at {results.scale:g} of their size"
    lines = [
        ("Machine", f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}"),
        ("System", f"{machine['system']}, {machine['kernel']}"),
        *results.peers.items(),
        ("Runs", runs),
        ("Load", f"average {machine['load']} at the start, {results.load_at_end or '?'} at the end"),
    ]
    width = max(len(name) for name, _ in lines) + 2
    text = [f"{name:<{width}}{value}" for name, value in lines]
    if float(machine["load"]) > BUSY:
        text.append(f"{'':<{width}}The machine was busy with other work at the start: don't trust small differences.")
    return text


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _estimate(estimate: Estimate | None) -> str:
    return "-" if estimate is None else f"{estimate.value:.2f}"


def _interval(estimate: Estimate | None) -> str:
    """Of the ratio of time."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"  {estimate.low:.2f}–{estimate.high:.2f}"


def _part_cell(case: Measured, peer: str, part: str, is_per_operation: bool) -> str:
    if not case.has_part(peer, part):
        return "-"
    if is_per_operation:
        return _number(case.median(peer, lambda run: run.parts[part].nanoseconds), 2)
    return _number(case.median(peer, seconds_of(part)), 3)


def _table(results: Results, case: Measured, paint: Paint) -> list[str]:
    known = CASES.get(case.name)
    is_per_operation = known is not None and known.is_per_operation
    parts = case.parts if len(case.parts) > 1 else []
    over = f"over {results.baseline}'s"
    lines = [
        *(paint("bold", line) for line in textwrap.wrap(f"{case.name}: {known.summary if known else ''}", WIDTH)),
        f"{'':<15}{'time, s':>9}" + "".join(f"{part:>11}" for part in parts)
        + f"{'pause, ms':>11}{'peak, MiB':>11}   {over}: time, CPU, memory",
        "─" * WIDTH,
    ]  # fmt: skip
    for peer in results.peers:
        if not case.good(peer):
            lines.append(f"{peer:<15}{'-':>9}")
            continue
        pause, peak = case.median(peer, lambda run: run.pause * 1e3), case.median(peer, lambda run: run.peak_kib / 1024)
        time = case.over(results.baseline, peer, seconds_of(None))
        cpu = case.over(results.baseline, peer, lambda run: run.cpu)
        memory = case.over(results.baseline, peer, lambda run: float(run.peak_kib))
        lines.append(
            f"{peer:<15}{_number(case.median(peer, seconds_of(None)), 3):>9}"
            + "".join(f"{_part_cell(case, peer, part, is_per_operation):>11}" for part in parts)
            + f"{_number(pause, 2):>11}{_number(peak, 1):>11}{_estimate(time):>9}{_estimate(cpu):>7}{_estimate(memory):>7}{_interval(time)}"
        )
    return lines


LEGEND = (
    "A line is a peer; times are medians over the rounds. CPU: of all threads, a collector's too; other work on the "
    "machine disturbs it less than time. pause: the longest time between two of the program's own steps, which are some "
    "thousand objects apart, whatever filled it: a collection, the freeing of a large structure, the operating system. "
    "peak: resident memory of the whole process at its highest. Peers that collect no cycles break them by hand, or "
    "have weak links instead: '-' where there is nothing to collect."
)


def render(results: Results, is_coloured: bool) -> str:
    paint = Paint(is_coloured)
    sections = [_header(results), *(_table(results, case, paint) for case in results.cases)]
    if results.cases:
        sections.append(textwrap.wrap(LEGEND, WIDTH))
        if results.rounds_wanted < LEAST_PAIRS:
            sections[-1].append(f"Too few rounds for intervals: they take {LEAST_PAIRS}.")
    judged = goals.lines(results)
    if judged:
        small = [f"These are set for the full size; this run is at {results.scale:g} of it."] if results.scale != 1 else []
        sections.append([paint("bold", "Figures to reach"), *judged, *small])
    if results.failures:
        failed = [f"  {case} with {peer}: {failure}" for case, peer, failure in results.failures]
        sections.append([paint("slower", "FAILED, and left out of all figures:"), *failed])
    elif results.cases:
        sections.append(["Checksums agree in every run."])
    if results.interrupted:
        sections.append(["Interrupted: only the runs that had ended by then are counted."])
    return "\n\n".join("\n".join(section) for section in sections)

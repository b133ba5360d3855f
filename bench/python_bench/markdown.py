"""The results as Markdown, for a page of documentation: what was measured on, a table per quantity, the picture."""

from __future__ import annotations

import os
from pathlib import Path

from python_bench.command_line import write_whole
from python_bench.comparison import Comparison, medians
from python_bench.results import Results
from python_bench.statistics import Estimate

# Two lines of this in a file are the place between which the tables go; what is around them stays.
MARK = "<!-- bench-python -->"


class NoPlace(Exception):
    pass


def check(path: Path) -> None:
    """Raise NoPlace where `write` would overwrite what somebody wrote by hand."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as problem:
        raise NoPlace(f"--markdown {path}: {problem}") from problem
    if text.count(MARK) != 2:
        raise NoPlace(f"--markdown {path}: it is there, and hasn't two lines {MARK} to put the tables between")


def write(results: Results, comparisons: list[Comparison], path: Path, plot: Path | None) -> None:
    picture = os.path.relpath(plot.absolute(), path.absolute().parent) if plot else None
    body = f"{MARK}\n{render(results, comparisons, picture)}\n{MARK}"
    if path.exists():
        before, _, after = path.read_text(encoding="utf-8").split(MARK)
        write_whole(path, before + body + after)
    else:
        write_whole(path, f"# Python programs\n\n{body}\n")


def render(results: Results, comparisons: list[Comparison], picture: str | None) -> str:
    sections = [_conditions(results), _means(results, comparisons)]
    if picture:
        sections.append(f"![Time and peak memory of each program, {results.baseline} = 1]({picture})")
    sections.append(_programs(results, comparisons))
    if results.skipped:
        sections.append("Not run: " + "; ".join(f"`{name}` ({why})" for name, why in results.skipped.items()) + ".")
    if results.failures:
        sections.append("Failed, and left out: " + "; ".join(f"`{one.name}` ({one.failure})" for one in results.failures))
    return "\n\n".join(sections)


def _conditions(results: Results) -> str:
    machine = results.machine
    rounds = sorted({len(program.rounds) for program in results.usable})
    spread = f"{rounds[0]}" if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
    what = f"pyperformance ({results.suite})" if results.suite else "`bench/programs`"
    return (
        f"{results.python['version']}, {len(results.usable)} programs of {what}, {spread} rounds, interleaved. "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}, "
        f"{machine['kernel']}; load {machine['load']} at the start, {results.load_at_end or '?'} at the end. "
        f"Ratios to {results.baseline}, medians of the rounds' ratios; in brackets 95 % intervals, where there are rounds "
        f"enough for them."
    )


def _cell(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} – {estimate.high:.3f})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _means(results: Results, comparisons: list[Comparison]) -> str:
    head = [f"geometric mean, {results.baseline} = 1", "time", "CPU time", "peak memory", "start-up, ms"]
    rows = []
    for comparison in comparisons:
        mean, startup = comparison.mean, comparison.startup_milliseconds
        assert mean is not None
        later = "" if startup is None else f"{startup.value:+.2f}"
        rows.append([f"`{comparison.other}`", _cell(mean.time), _cell(mean.cpu), _cell(mean.memory), later])
    return _table(head, rows)


def _programs(results: Results, comparisons: list[Comparison]) -> str:
    head = ["program", f"{results.baseline}, s", "MiB"]
    for comparison in comparisons:
        head += [f"`{comparison.other}`: time", "memory"]
    rows = []
    for program in results.usable:
        (seconds,), (kib,) = (
            medians(program, [results.baseline], quantity) for quantity in ("wall", "peak_rss_kib")
        )  # fmt: skip
        row = [program.name, f"{seconds:.3f}", f"{kib / 1024:.1f}"]
        for comparison in comparisons:
            ratios = comparison.programs[program.name]
            row += [_cell(ratios.time), f"{ratios.memory.value:.3f}"]
        rows.append(row)
    return _table(head, rows)

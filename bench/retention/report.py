"""The tables, in at most a hundred columns: for each program a line per configuration."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from python_bench.report import WIDTH, Paint

from retention.results import FLOOR_AT, READINGS, Measured, Results, Run


def _retained(seconds: float) -> Callable[[Run], float | None]:
    return lambda run: run.retained_kib(seconds)


def _peak(run: Run) -> float | None:
    return run.peak_kib


def _floor(run: Run) -> float | None:
    return run.page_floor_kib


def last_reading(results: Results) -> float | None:
    """The latest one that the idle time has room for."""
    return max((seconds for seconds in READINGS if seconds <= results.idle), default=None)


def _mebibytes(kib: float | None) -> str:
    return "-" if kib is None else f"{kib / 1024:.1f}"


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _ratio(value: float | None, baseline: float | None) -> str:
    return _number(value / baseline if value is not None and baseline else None)


def _header(results: Results) -> list[str]:
    machine = results.machine
    cores = f"{machine['cores']} core{'s' if machine['cores'] != '1' else ''}"
    runs = f"{results.rounds_wanted} of each" if results.rounds_wanted > 1 else "one of each"
    if results.scale != 1:
        runs += f", programs at {results.scale:g} of their size"
    runs += f", {results.idle:g} s idle after the drop"
    lines = [
        ("Machine", f"{machine['processor']}, {cores}, {machine['memory']}"),
        ("System", f"{machine['system']}, {machine['kernel']}"),
        ("Python", f"{results.python['version']}, {results.python['path']}"),
        *results.configurations.items(),
        ("Runs", runs),
        ("Load", f"average {machine['load']} at the start, {results.load_at_end or '?'} at the end"),
    ]
    width = max(len(name) for name, _ in lines) + 2
    return [
        part
        for name, value in lines
        for part in textwrap.wrap(
            value, 100, initial_indent=f"{name:<{width}}", subsequent_indent=" " * width, break_long_words=False
        )
    ]


def _table(results: Results, program: Measured, paint: Paint) -> list[str]:
    last = last_reading(results)
    title = f"{program.name}: {program.summary[:1].lower()}{program.summary[1:]}"
    against = f"against {results.baseline}"
    left = f"{'MiB':<16}{'peak':>8}" + "".join(f"{f'{seconds:g} s':>8}" for seconds in READINGS)
    right = f"{'floor':>8}{'× floor':>9}{'CPU s':>8}  {'peak':>7}{'kept':>7}{'CPU':>7}"
    lines = [
        *(paint("bold", line) for line in textwrap.wrap(title, WIDTH)),
        f"{'':<24}{'idle for':^24}{'':<27}{against:>21}",
        left + right,
        "─" * WIDTH,
    ]
    for name in program.runs:
        if not program.good(name):
            lines.append(f"{name:<16}{'failed':>8}")
            continue

        def both(quantity: Callable[[Run], float | None]) -> tuple[float | None, float | None]:
            return program.median(name, quantity), program.median(results.baseline, quantity)

        kept = both(_retained(last)) if last else (None, None)
        line = f"{name:<16}{_mebibytes(program.median(name, _peak)):>8}"
        line += "".join(f"{_mebibytes(program.median(name, _retained(seconds))):>8}" for seconds in READINGS)
        line += f"{_mebibytes(program.median(name, _floor)):>8}{_number(program.median(name, Run.over_floor)):>9}"
        cpu = program.cpu(name)
        line += f"{_number(cpu):>8}  "
        line += f"{_ratio(*both(_peak)):>7}{_ratio(*kept):>7}{_ratio(cpu, program.cpu(results.baseline)):>7}"
        lines.append(line)
    return lines + _workers(results, program)


def _workers(results: Results, program: Measured) -> list[str]:
    last = last_reading(results)
    dirty = {
        name: program.median(name, lambda run: run.workers_dirty_kib(last)) if last else None for name in program.runs
    }
    cells = [f"{name} {kib / 1024:.1f}" for name, kib in dirty.items() if kib is not None]
    if not cells:
        return []
    return textwrap.wrap(
        f"Private_Dirty of the workers together after {last:g} s, MiB: {', '.join(cells)}",
        WIDTH, subsequent_indent="   ",
    )  # fmt: skip


def _legend(results: Results) -> list[str]:
    last = last_reading(results)
    text = (
        "Memory is RSS; of a program with several processes the sum of PSS. "
        f"× floor: RSS after {FLOOR_AT:g} s idle over the page floor, the least an allocator that can't move objects "
        "can keep; - where the allocator doesn't tell. CPU: all processes, from start to exit, the idle time included."
    )
    if results.rounds_wanted == 1:
        text += " Where there is a floor the CPU time has the report in it that tells it: take --rounds 2 or more."
    if last:
        text += f" kept: after {last:g} s idle."
    return textwrap.wrap(text, WIDTH)


def render(results: Results, is_coloured: bool) -> str:
    paint = Paint(is_coloured)
    sections = [_header(results)]
    sections += [_table(results, program, paint) for program in results.programs]
    if results.programs:
        sections.append(_legend(results))
    if results.failures:
        failed = [f"  {program} under {name}: {failure}" for program, name, failure in results.failures]
        sections.append([paint("slower", "FAILED, and left out of all figures:"), *failed])
    elif results.programs and len(results.configurations) > 1:
        names = list(results.configurations)
        sections.append([f"Checksums agree in every run of {', '.join(names[:-1])} and {names[-1]}."])
    if results.interrupted:
        sections.append(["Interrupted: only the runs that had ended by then are counted."])
    return "\n\n".join("\n".join(section) for section in sections)

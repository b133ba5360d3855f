"""The tables, in at most a hundred columns: a line per program for each configuration compared, then the means."""

from __future__ import annotations

from python_bench.comparison import Comparison, medians
from python_bench.results import Results
from python_bench.statistics import LEAST_PAIRS, Estimate

# How far over the baseline a program must be to be named: less than this nobody notices.
NOTABLE = 1.02
# How many programs a sentence names.
MOST_NAMES = 8
# From this load average on, other work is likely to disturb the measurement.
BUSY = 0.7
WIDTH = 97


class Paint:
    """Colour for a terminal, or none."""

    CODES = {"bold": "1", "faster": "32", "slower": "31"}

    def __init__(self, is_on: bool) -> None:
        self._is_on = is_on

    def __call__(self, kind: str, text: str) -> str:
        return f"\x1b[{self.CODES[kind]}m{text}\x1b[0m" if self._is_on and kind in self.CODES else text


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.low:.3f} – {estimate.high:.3f}"


def _verdict(time: Estimate) -> str:
    if time.is_surely_below(1):
        return "faster"
    if time.is_surely_above(1):
        return "slower"
    return ""


def _header(results: Results) -> list[str]:
    machine = results.machine
    cores = f"{machine['cores']} core{'s' if machine['cores'] != '1' else ''}"
    runs = f"{results.rounds_wanted} round{'s' if results.rounds_wanted > 1 else ''}, interleaved"
    if results.scale != 1:
        runs += f", programs at {results.scale:g} of their size"
    load = f"average {machine['load']} at the start, {results.load_at_end or '?'} at the end"
    lines = [
        ("Machine", f"{machine['processor']}, {cores}, {machine['memory']}"),
        ("System", f"{machine['system']}, {machine['kernel']}"),
        ("Python", f"{results.python['version']}, {results.python['path']}"),
        *results.configurations.items(),
        *([("Suite", f"{results.suite}: time is what pyperf measured, CPU time the process's")] if results.suite else []),
        ("Runs", runs),
        ("Load", load),
    ]
    width = max(len(name) for name, _ in lines) + 2
    text = [f"{name:<{width}}{value}" for name, value in lines]
    if float(machine["load"]) > BUSY:
        text.append(f"{'':<{width}}The machine was busy with other work at the start: expect wide intervals.")
    return text


def _program_table(results: Results, comparison: Comparison, paint: Paint) -> list[str]:
    names = [results.baseline, comparison.other]
    one, two = (name[:8] for name in names)
    rule = "─" * WIDTH
    lines = [
        paint("bold", f"{comparison.other} against {results.baseline}"),
        f"{'':<16}{'time, median s':>18}{'ratio of time':>20}{'peak memory, MiB':>31}",
        f"{'program':<16}{one:>9}{two:>9}{'wall':>8}{'95 % interval':>16}{'CPU':>7} {one:>9}{two:>9}{'ratio':>7}",
        rule,
    ]
    for program in results.usable:
        ratios = comparison.programs[program.name]
        seconds = medians(program, names, "wall")
        memory = [kib / 1024 for kib in medians(program, names, "peak_rss_kib")]
        verdict = _verdict(ratios.time)
        lines.append(
            f"{program.name:<16}{seconds[0]:>9.3f}{seconds[1]:>9.3f}"
            f"{ratios.time.value:>8.3f}{_interval(ratios.time):>16}{ratios.cpu.value:>7.3f} "
            f"{memory[0]:>9.1f}{memory[1]:>9.1f}{ratios.memory.value:>7.3f} {paint(verdict, verdict)}".rstrip()
        )
    mean = comparison.mean
    assert mean is not None
    last = f"{'geometric mean':<34}{mean.time.value:>8.3f}{_interval(mean.time):>16}{mean.cpu.value:>7.3f}"
    lines += [rule, paint("bold", f"{last}{mean.memory.value:>26.3f}")]
    return lines


def _named(ratios: dict[str, float], total: int) -> str:
    """How many of them, and the farthest off by name."""
    if not ratios:
        return "none"
    ordered = sorted(ratios.items(), key=lambda item: -item[1])
    names = ", ".join(f"{name} {value:.3f}" for name, value in ordered[:MOST_NAMES])
    more = f", and {len(ordered) - MOST_NAMES} more" if len(ordered) > MOST_NAMES else ""
    return f"{len(ordered)} of {total}: {names}{more}"


def _verdicts(results: Results, comparison: Comparison) -> list[str]:
    programs = comparison.programs
    faster = sum(ratios.time.is_surely_below(1) for ratios in programs.values())
    slower = {name: one.time.value for name, one in programs.items() if one.time.is_surely_above(NOTABLE)}
    larger = {name: one.memory.value for name, one in programs.items() if one.memory.value > NOTABLE}
    if all(one.time.low is None for one in programs.values()):
        lines = [f"Too few rounds for intervals (it takes {LEAST_PAIRS}): nothing is said of faster or slower."]
    else:
        lines = [
            f"Faster beyond noise (interval below 1): {faster} of {len(programs)}" if faster
            else "Faster beyond noise (interval below 1): none",
            f"Slower beyond noise (interval above {NOTABLE:g}): {_named(slower, len(programs))}",
        ]  # fmt: skip
    lines.append(f"Peak memory more than 2 % over {results.baseline}'s: {_named(larger, len(programs))}")
    return [part for line in lines for part in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    """Broken at commas and indented, where a line would be too wide."""
    lines = [""]
    for piece in line.replace(", ", ",\0").split("\0"):
        if len(lines[-1]) + len(piece) > WIDTH:
            lines.append("   ")
        lines[-1] += piece if lines[-1].isspace() or not lines[-1] else f" {piece}"
    return lines


def _means_table(results: Results, comparisons: list[Comparison], paint: Paint) -> list[str]:
    """All configurations side by side."""
    lines = [
        paint("bold", f"Geometric mean over {len(results.usable)} programs, {results.baseline} = 1 (95 % intervals)"),
        f"{'':<14}{'wall time':^26}{'CPU time':^26}{'peak memory':^26}".rstrip(),
    ]
    for comparison in comparisons:
        mean = comparison.mean
        assert mean is not None
        cells = [f"{one.value:.3f}  {_interval(one)}" for one in (mean.time, mean.cpu, mean.memory)]
        lines.append(f"{comparison.other:<14}" + "".join(f"{cell:^26}" for cell in cells).rstrip())
    return lines


def _startup(results: Results, comparisons: list[Comparison], paint: Paint) -> list[str]:
    startup = results.startup
    if not startup.rounds or startup.failure:
        return []
    lines = [paint("bold", f"Start-up (-c pass), median of {len(startup.rounds)} runs")]
    later = {comparison.other: comparison.startup_milliseconds for comparison in comparisons}
    for name in results.configurations:
        (seconds,) = medians(startup, [name], "wall")
        (kib,) = medians(startup, [name], "peak_rss_kib")
        line = f"{name:<14}{seconds * 1000:>8.2f} ms{kib / 1024:>9.1f} MiB"
        estimate = later.get(name)
        if estimate is not None:
            line += f"   {estimate.value:+.2f} ms"
            if estimate.low is not None and estimate.high is not None:
                line += f"  ({estimate.low:+.2f} to {estimate.high:+.2f})"
        lines.append(line)
    return lines


def render(results: Results, comparisons: list[Comparison], is_coloured: bool) -> str:
    paint = Paint(is_coloured)
    sections = [_header(results)]
    if results.usable:
        for comparison in comparisons:
            sections.append(_program_table(results, comparison, paint))
            sections.append(_verdicts(results, comparison))
        sections.append(_means_table(results, comparisons, paint))
    sections.append(_startup(results, comparisons, paint))
    if results.failures:
        failed = [f"  {program.name}: {program.failure}" for program in results.failures]
        sections.append([paint("slower", "FAILED, and left out of all figures:"), *failed])
    elif results.usable and not results.suite:
        names = list(results.configurations)
        sections.append([f"Checksums agree in every run of {', '.join(names[:-1])} and {names[-1]}."])
    if results.skipped:
        sections.append(["Not run:", *(f"  {name}: {why}" for name, why in results.skipped.items())])
    if results.interrupted:
        sections.append(["Interrupted: only the rounds that were complete by then are counted."])
    return "\n\n".join("\n".join(section) for section in sections if section)

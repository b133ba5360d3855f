"""The ratios as a picture: a line per program with its interval, time on the left and peak memory on the right."""

from __future__ import annotations

import sys
from pathlib import Path

from python_bench.comparison import Comparison
from python_bench.results import Results
from python_bench.statistics import Estimate

ENDINGS = (".svg", ".png", ".pdf")
# Dark enough on white, and told apart by people who are colour-blind.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555"]


class NoPlot(Exception):
    pass


def check(path: Path) -> None:
    """Raise NoPlot unless `draw` can do its work; asked before measuring, which takes minutes."""
    if path.suffix not in ENDINGS:
        raise NoPlot(f"--plot {path}: the name must end in {', '.join(ENDINGS)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise NoPlot(
            f"--plot needs matplotlib, which {sys.executable} doesn't have; on Debian: apt-get install "
            "python3-matplotlib (and run this script by /usr/bin/python3)"
        ) from None


def draw(results: Results, comparisons: list[Comparison], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    # Without these two the file would differ from run to run though the figures are the same.
    matplotlib.rcParams["svg.hashsalt"] = "bench-python"
    metadata = {"Date": None} if path.suffix == ".svg" else None
    import matplotlib.pyplot as pyplot

    by_time = comparisons[0].programs
    # Rows are counted from the bottom: the slowest programs come out on top.
    programs = sorted(by_time, key=lambda name: by_time[name].time.value)
    labels = [*programs, "geometric mean"]
    # The mean is at the bottom and set apart.
    rows = [float(number) for number in range(1, len(programs) + 1)] + [-0.5]
    figure, (left, right) = pyplot.subplots(
        1, 2, sharey=True, figsize=(9, 1.4 + 0.22 * len(rows)), layout="constrained"
    )
    step = 0.6 / len(comparisons)
    for number, comparison in enumerate(comparisons):
        assert comparison.mean is not None
        every = [comparison.programs[name] for name in programs] + [comparison.mean]
        shift = (number - (len(comparisons) - 1) / 2) * step
        for axes, estimates in ((left, [one.time for one in every]), (right, [one.memory for one in every])):
            axes.errorbar(
                [one.value for one in estimates],
                [row - shift for row in rows],
                xerr=_bars(estimates),
                fmt="o", markersize=4, linewidth=1.2, color=COLOURS[number % len(COLOURS)], label=comparison.other,
            )  # fmt: skip
    left.set_yticks(rows, labels, fontsize=8)
    left.get_yticklabels()[-1].set_fontweight("bold")
    for axes, title in ((left, "time"), (right, "peak memory")):
        axes.axvline(1, color="black", linewidth=0.8)
        axes.axhline(0.25, color="#999999", linewidth=0.6)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_title(f"{title}, {results.baseline} = 1 (less is better)", fontsize=10)
        axes.set_ylim(rows[-1] - 0.6, len(programs) + 0.6)
    # One line above the axes, where no program's bar can run under it: the title on the left, the key on the right.
    figure.suptitle(
        f"{results.python['version']} on {results.machine['processor']}, {results.rounds_wanted} rounds",
        fontsize=9, x=0.01, horizontalalignment="left",
    )  # fmt: skip
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="upper right", fontsize=8, ncols=len(names), frameon=False, borderaxespad=0.2)
    figure.savefig(path, metadata=metadata)
    pyplot.close(figure)


def _bars(estimates: list[Estimate]) -> list[list[float]] | None:
    if any(one.low is None or one.high is None for one in estimates):
        return None
    # A median can lie outside its percentile interval by a rounding's breadth; matplotlib takes no negative bars.
    return [
        [max(0.0, one.value - (one.low or 0.0)) for one in estimates],
        [max(0.0, (one.high or 0.0) - one.value) for one in estimates],
    ]

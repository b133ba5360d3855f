"""Prints the table of the allocators' ratios, and draws it: one row a workload, one mark a peer.

    plot_peers.py [--plot FILE.svg] RESULT.json...
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from peer_table import BASELINE, GROUPS, Table, geometric_mean, read, text  # noqa: E402

# Okabe and Ito's colours, which people who are colour-blind tell apart; the marks differ too.
STYLES = {
    "pymalloc": ("#d55e00", "o"),
    "glibc": ("#555555", "s"),
    "mimalloc": ("#0072b2", "^"),
    "mi heap": ("#56b4e9", "v"),
    "jemalloc": ("#009e73", "D"),
    "tcmalloc": ("#cc79a7", "P"),
}
LABELS = {"mi heap": "mimalloc, small heap call"}
GROUP_TITLES = {
    "pairs": "allocate and free at once, by bytes",
    "batch": "many allocated, then all freed (64 bytes)",
    "mix": "Python's sizes, random replacement, by live blocks",
    "growth": "Python's sizes, growth and drain",
    "realloc": "reallocation",
}
LEAST, MOST = 0.125, 8.0


def draw(table: Table, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    # Without these two the file would differ from run to run though the figures are the same.
    matplotlib.rcParams["svg.hashsalt"] = "bench"
    metadata = {"Date": None} if path.suffix == ".svg" else None
    import matplotlib.pyplot as pyplot

    rows: list[tuple[str, float]] = []
    titles: list[tuple[str, float]] = []
    place = 0.0
    for group in GROUPS:
        workloads = table.of_group(group)
        if not workloads:
            continue
        titles.append((GROUP_TITLES[group], place))
        for workload in workloads:
            place += 1
            rows.append((workload, place))
        place += 1.6
    last = place
    figure, axes = pyplot.subplots(figsize=(8, 1.2 + 0.235 * (last + 1)), layout="constrained")
    axes.set_xscale("log", base=2)
    axes.set_xlim(LEAST, MOST)
    axes.set_ylim(last + 0.6, -0.7)
    axes.axvline(1, color="black", linewidth=1)
    ticks = [0.125, 0.25, 0.5, 1, 2, 4, 8]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.set_yticks(
        [at for _, at in rows] + [last], [workload.split(" ", 1)[1] for workload, _ in rows] + ["geometric mean"], fontsize=8
    )
    axes.get_yticklabels()[-1].set_fontweight("bold")
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for title, at in titles:
        axes.text(LEAST * 1.03, at, title, fontsize=8, style="italic", verticalalignment="center", color="#333333",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    for spine in ("top", "right", "left"):
        axes.spines[spine].set_visible(False)
    for peer, (colour, mark) in STYLES.items():
        ratios = [(table.ratio(workload, peer), at) for workload, at in rows]
        mean = geometric_mean(ratio for ratio, _ in ratios)
        if mean is None:
            continue
        points = [(ratio, at) for ratio, at in [*ratios, (mean, last)] if ratio is not None]
        inside = [(min(max(ratio, LEAST), MOST), at) for ratio, at in points]
        axes.plot([x for x, _ in inside], [y for _, y in inside], linestyle="none", marker=mark, markersize=5,
                  color=colour, markeredgecolor="white", markeredgewidth=0.5, label=LABELS.get(peer, peer),
                  clip_on=False)  # fmt: skip
    axes.set_xlabel("the allocator's time / Tarn's time    (right of 1: Tarn is faster)", fontsize=9)
    figure.legend(loc="upper center",
                  ncols=6, fontsize=8, frameon=False, handletextpad=0.2, columnspacing=1.2)  # fmt: skip
    axes.set_title(" ", fontsize=9)
    figure.savefig(path, metadata=metadata, dpi=150)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=Path, help="draw to this file (.svg, .png or .pdf)")
    parser.add_argument("results", nargs="+", type=Path, help="Google Benchmark's JSON")
    options = parser.parse_args()
    table = read(options.results)
    if not any(BASELINE in times for times in table.times.values()):
        sys.exit("plot_peers: the results hold no measurement of Tarn")
    print(text(table))
    if options.plot is not None:
        options.plot.parent.mkdir(parents=True, exist_ok=True)
        draw(table, options.plot)
        print(f"drawn: {options.plot}")


if __name__ == "__main__":
    main()

"""The ratios as a picture: a field each for time and for peak memory, a row per case, a mark per peer."""

from __future__ import annotations

from pathlib import Path

from objects.results import Quantity, Results, seconds_of

# Okabe and Ito's colours, which people who are colour-blind tell apart; the marks differ too.
STYLES = {
    "floor": ("#000000", "|"),
    "intrusive_ptr": ("#555555", "s"),
    "shared_ptr": ("#0072b2", "^"),
    "shared_ptr-mt": ("#56b4e9", "v"),
    "bdwgc": ("#009e73", "D"),
    "cppgc": ("#cc79a7", "P"),
    "cppgc-large": ("#e69f00", "X"),
    "cpython": ("#d55e00", "o"),
}
LEAST, MOST = 0.25, 32.0
TICKS = [0.25, 0.5, 1, 2, 4, 8, 16, 32]


def _rows(results: Results) -> list[tuple[str, str, str | None]]:
    """Label, case and part: each case as a whole, and the parts of which figures are asked."""
    rows: list[tuple[str, str, str | None]] = []
    for case in results.cases:
        if case.name == "references":
            rows += [(f"reference, {part}", case.name, part) for part in case.parts]
            continue
        rows.append((case.name, case.name, None))
        if case.has_part(results.baseline, "collection"):
            rows.append((f"{case.name}, collection", case.name, "collection"))
    return rows


def is_drawable(results: Results) -> bool:
    return any(case.good(results.baseline) for case in results.cases) and len(results.peers) > 1


def draw(results: Results, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    # Without these two the file would differ from run to run though the figures are the same.
    matplotlib.rcParams["svg.hashsalt"] = "bench-objects"
    metadata = {"Date": None} if path.suffix == ".svg" else None
    import matplotlib.pyplot as pyplot

    rows = _rows(results)
    figure, fields = pyplot.subplots(
        1, 2, sharey=True, figsize=(10, 1.3 + 0.32 * len(rows)), layout="constrained", facecolor="white",
        gridspec_kw={"width_ratios": [3, 2]},
    )  # fmt: skip
    peak: Quantity = lambda run: float(run.peak_kib)  # noqa: E731
    for axes, title, is_memory in ((fields[0], "time", False), (fields[1], "peak memory", True)):
        axes.set_xscale("log", base=2)
        axes.set_xlim(LEAST, MOST)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.axvline(1, color="#d55e00", linewidth=1.2)
        axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS], fontsize=8)
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
        axes.set_yticks(range(len(rows)), [label for label, _, _ in rows], fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_title(f"{title} over {results.baseline}'s (right of the line: {results.baseline} needs less)", fontsize=9)
        for spine in ("top", "right", "left"):
            axes.spines[spine].set_visible(False)
        for peer, (colour, mark) in STYLES.items():
            points = []
            for at, (_, name, part) in enumerate(rows):
                case = results.case(name)
                if case is None or is_memory and part or part and not case.has_part(peer, part):
                    continue
                estimate = case.over(results.baseline, peer, peak if is_memory else seconds_of(part))
                if estimate is not None:
                    points.append((min(max(estimate.value, LEAST), MOST), at))
            if points:
                axes.plot([x for x, _ in points], [y for _, y in points], linestyle="none", marker=mark, color=colour,
                          markersize=9 if mark == "|" else 6, markeredgewidth=2 if mark == "|" else 0.5,
                          markeredgecolor=colour if mark == "|" else "white", label=peer, clip_on=False)  # fmt: skip
    # Room for the key above the fields.
    figure.suptitle(" ", fontsize=9)
    handles, names = fields[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="upper center", fontsize=8, ncols=max(1, len(names)), frameon=False,
                  handletextpad=0.2, columnspacing=1.2, borderaxespad=0.2)  # fmt: skip
    figure.savefig(path, metadata=metadata)
    pyplot.close(figure)

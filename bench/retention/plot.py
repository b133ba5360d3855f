"""Memory over time as a picture: a field for each program, a line for each configuration, time from the drop on."""

from __future__ import annotations

from pathlib import Path

from retention.results import Measured, Results, Run

# In the order of configurations.DEFAULT: dark enough on white, and told apart by people who are colour-blind.
# Those that lie close together differ in their dashes too.
COLOURS = {
    "stock": "#000000",
    "tarn": "#d55e00",
    "mimalloc": "#0072b2",
    "jemalloc": "#009e73",
    "jemalloc-decay0": "#56b4e9",
    "tcmalloc": "#cc79a7",
    "glibc": "#999999",
}
DASHES = {
    "mimalloc": (0, (5, 1.5)),
    "jemalloc": (0, (1.5, 1)),
    "jemalloc-decay0": (0, (6, 1.5, 1.5, 1.5)),
    "tcmalloc": (0, (3, 1, 1, 1, 1, 1)),
}
FLOOR = "page floor"
OTHERS = ["#e69f00", "#7f3c8d", "#80ba5a", "#555555"]
COLUMNS = 2


def shown_run(program: Measured, name: str) -> Run | None:
    """Of several rounds the first that went well."""
    return next((run for run in program.good(name) if "dropped" in run.phases), None)


def points(run: Run) -> tuple[list[float], list[float]]:
    """Seconds from the drop on, and MiB; until the idle time is over."""
    dropped = run.phases["dropped"]
    end = run.phases.get("done", float("inf"))
    series = [(seconds - dropped, kib / 1024) for seconds, kib in run.series if seconds <= end]
    return [seconds for seconds, _ in series], [mebibytes for _, mebibytes in series]


def _drawable(results: Results) -> list[Measured]:
    return [one for one in results.programs if any(shown_run(one, name) for name in one.runs)]


def is_drawable(results: Results) -> bool:
    return bool(_drawable(results))


def _colours(names: list[str]) -> dict[str, str]:
    unnamed = [name for name in names if name not in COLOURS]
    return {**COLOURS, **{name: OTHERS[number % len(OTHERS)] for number, name in enumerate(unnamed)}}


def draw(results: Results, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    # Without these two the file would differ from run to run though the figures are the same.
    matplotlib.rcParams["svg.hashsalt"] = "bench-retention"
    metadata = {"Date": None} if path.suffix == ".svg" else None
    import matplotlib.pyplot as pyplot

    programs = _drawable(results)
    names = list(results.configurations)
    colours = _colours(names)
    columns = min(COLUMNS, len(programs))
    rows = -(-len(programs) // columns)
    # The page is white whatever is around it: the colours and the text are made for white.
    figure, grid = pyplot.subplots(
        rows, columns, figsize=(5 * columns, 0.8 + 2.5 * rows), layout="constrained", squeeze=False, facecolor="white"
    )
    fields = list(grid.flat)
    for axes, program in zip(fields, programs):
        for name in names:
            run = shown_run(program, name)
            if run is None:
                continue
            is_tarn = name.startswith("tarn")
            axes.plot(
                *points(run), color=colours[name], label=name, linewidth=2.2 if is_tarn else 1.2,
                linestyle=DASHES.get(name, "solid"), zorder=3 if is_tarn else 2,
            )  # fmt: skip
            if run.page_floor_kib and run.over_floor() is not None and len(run.readings["2"]) == 1:
                axes.axhline(
                    run.page_floor_kib / 1024, color=colours[name], linewidth=0.9, linestyle=":", zorder=1,
                    label=f"{FLOOR} ({name})",
                )  # fmt: skip
        axes.axvline(0, color="#999999", linewidth=0.6)
        axes.set_title(program.name, fontsize=10)
        axes.set_ylim(bottom=0)
        axes.set_xlim(right=results.idle * 1.02)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.tick_params(labelsize=8)
        axes.set_axisbelow(True)
    for axes in fields[len(programs) :]:
        axes.set_visible(False)
    figure.supxlabel("seconds since the load fell", fontsize=9)
    figure.supylabel("resident memory, MiB", fontsize=9)
    # Room for the key above the fields.
    figure.suptitle(" ", fontsize=9)
    handles = {}
    for axes in fields:
        handles.update({label: handle for handle, label in zip(*axes.get_legend_handles_labels())})
    shown = [name for name in [*names, *(f"{FLOOR} ({name})" for name in names)] if name in handles]
    figure.legend(
        [handles[name] for name in shown], shown,
        loc="upper center", fontsize=8, ncols=len(handles), frameon=False, borderaxespad=0.2,
    )  # fmt: skip
    figure.savefig(path, metadata=metadata)
    pyplot.close(figure)

"""The arithmetic behind the table of scripts/bench."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import peer_table  # noqa: E402


def results(folder: pathlib.Path, times: dict[str, list[float]]) -> pathlib.Path:
    """A file as Google Benchmark writes it; nanoseconds per operation, one for each repetition."""
    runs = [
        {"name": f"{name}/iterations:10", "run_type": "iteration", "items_per_second": 1e9 / time}
        for name, repetitions in times.items()
        for time in repetitions
    ]
    runs += [{"name": "pairs 16/tarn/iterations:10_mean", "run_type": "aggregate", "items_per_second": 1.0}]
    path = folder / "results.json"
    path.write_text(json.dumps({"context": {"tarn": "face"}, "benchmarks": runs}))
    return path


class PeerTable(unittest.TestCase):
    def table(self, times: dict[str, list[float]]) -> peer_table.Table:
        with tempfile.TemporaryDirectory() as folder:
            return peer_table.read([results(pathlib.Path(folder), times)])

    def test_a_ratio_is_the_peers_median_time_over_tarns(self) -> None:
        table = self.table({"pairs 16/tarn": [2.0, 9.0, 1.0], "pairs 16/pymalloc": [5.0, 3.0, 100.0]})
        self.assertAlmostEqual(table.ratio("pairs 16", "pymalloc"), 2.5)

    def test_aggregates_that_google_benchmark_adds_are_not_counted(self) -> None:
        table = self.table({"pairs 16/tarn": [2.0]})
        self.assertAlmostEqual(table.times["pairs 16"]["tarn"], 2.0)

    def test_workloads_come_in_the_order_of_groups_and_then_of_counts(self) -> None:
        names = ["mix 1M", "mix 1k", "pairs 512", "pairs 16", "batch 10k LIFO", "batch 100 LIFO", "realloc to 512"]
        table = self.table({f"{name}/tarn": [1.0] for name in names})
        expected = ["pairs 16", "pairs 512", "batch 100 LIFO", "batch 10k LIFO", "mix 1k", "mix 1M", "realloc to 512"]
        self.assertEqual(table.workloads, expected)

    def test_the_mean_of_ratios_is_geometric_and_leaves_out_what_a_peer_does_not_do(self) -> None:
        table = self.table(
            {"pairs 16/tarn": [1.0], "pairs 16/boost": [0.5], "pairs 32/tarn": [1.0], "pairs 32/boost": [8.0], "mix 1k/tarn": [1.0]}
        )
        self.assertAlmostEqual(table.mean(table.workloads, "boost"), 2.0)

    def test_the_best_general_allocator_is_the_fastest_in_each_workload_anew(self) -> None:
        table = self.table(
            {
                "pairs 16/tarn": [1.0], "pairs 16/glibc": [3.0], "pairs 16/mimalloc": [2.0], "pairs 16/boost": [0.1],
                "pairs 32/tarn": [1.0], "pairs 32/glibc": [1.5], "pairs 32/mimalloc": [2.0],
            }
        )  # fmt: skip
        self.assertEqual(table.best_general("pairs 16")[0], "mimalloc")
        self.assertEqual(table.best_general("pairs 32")[0], "glibc")

    def test_a_figure_that_is_not_reached_is_said_and_where(self) -> None:
        table = self.table(
            {"mix 1k/tarn": [1.0], "mix 1k/pymalloc": [2.0], "mix 1M/tarn": [2.0], "mix 1M/pymalloc": [1.0], "mix 1M/glibc": [1.8]}
        )
        self.assertEqual(
            peer_table.goal_lines(table),
            [
                "vs pymalloc, mix: 1.00 (to reach: 1.5), not reached; below it: mix 1M 0.50",
                "vs the best general allocator, mix: 0.90 (to reach: 1.2), not reached; below it: mix 1M 0.90",
                "a general allocator is faster than Tarn in: mix 1M (glibc 0.90)",
            ],
        )

    def test_a_figure_that_is_reached_is_said(self) -> None:
        table = self.table({"pairs 16/tarn": [1.0], "pairs 16/pymalloc": [1.6]})
        self.assertEqual(peer_table.goal_lines(table), ["vs pymalloc, pairs: 1.60 (to reach: 1.5), reached"])

    def test_a_peer_without_a_workload_has_a_dash_in_its_cell(self) -> None:
        table = self.table({"pairs 16/tarn": [1.0], "pairs 16/boost": [2.0], "mix 1k/tarn": [1.0]})
        row = next(line for line in peer_table.text(table).splitlines() if line.startswith("mix 1k"))
        self.assertEqual(row.split(), ["mix", "1k", "1.0", "ns", "-"])


if __name__ == "__main__":
    unittest.main()

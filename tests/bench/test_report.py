"""The tables say what was measured, in words and columns that fit a terminal."""

import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from python_bench import results  # noqa: E402
from python_bench.comparison import compare_all  # noqa: E402
from python_bench.progress import in_words  # noqa: E402
from python_bench.report import render  # noqa: E402
from python_bench.results import Measured, Results, Sample  # noqa: E402


def sample(seconds: float, mebibytes: float) -> Sample:
    return Sample(seconds, seconds * 0.9, seconds * 0.05, round(mebibytes * 1024), 100, 0)


def measured(name: str, time_ratio: float, memory_ratio: float = 1.0, rounds: int = 7) -> Measured:
    drift = [1 + 0.3 * (number % 3) for number in range(rounds)]
    wobble = [1 + 0.002 * (number % 2) for number in range(rounds)]
    return Measured(
        name,
        [
            {"stock": sample(one, 50), "tarn": sample(one * time_ratio * two, 50 * memory_ratio)}
            for one, two in zip(drift, wobble)
        ],
        "00ff",
    )


def make_results(*programs: Measured) -> Results:
    machine = {
        "processor": "Test",
        "cores": "2",
        "memory": "4.0 GiB",
        "kernel": "Linux 6",
        "system": "Debian",
        "load": "0.10",
    }
    return Results(
        machine=machine,
        python={"path": "/usr/bin/python3", "version": "CPython 3.11.2"},
        configurations={"stock": "/usr/bin/python3", "tarn": "tarn run -- /usr/bin/python3"},
        rounds_wanted=7,
        scale=1.0,
        startup=measured("startup", 1.1),
        programs=list(programs),
        load_at_end="1.00",
    )


def rendered(found: Results) -> str:
    return render(found, compare_all(found), is_coloured=False)


class Report(unittest.TestCase):
    def line(self, text: str, start: str) -> str:
        lines = [line for line in text.splitlines() if line.startswith(start)]
        self.assertTrue(lines, f"no line starts with {start!r} in:\n{text}")
        return lines[0]

    def test_fits_a_hundred_columns(self) -> None:
        programs = [measured(f"program_named_{number:02}", 1.2, 1.3) for number in range(40)]
        found = make_results(*programs)
        found.scale = 0.125
        for line in rendered(found).splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_shows_medians_ratio_and_verdict(self) -> None:
        text = rendered(make_results(measured("quick", 0.9, 0.8), measured("slow", 1.1)))
        self.assertRegex(self.line(text, "quick"), r"1\.300 +1\.17\d +0\.900 .* 50\.0 +40\.0 +0\.800 faster$")
        self.assertRegex(self.line(text, "slow"), r" slower$")

    def test_names_those_that_are_slower_beyond_noise_and_how_many_are_faster(self) -> None:
        text = rendered(make_results(measured("quick", 0.9), measured("slow", 1.1), measured("barely", 1.01)))
        self.assertEqual(self.line(text, "Slower"), "Slower beyond noise (interval above 1.02): 1 of 3: slow 1.100")
        self.assertEqual(self.line(text, "Faster"), "Faster beyond noise (interval below 1): 1 of 3")

    def test_gives_the_geometric_mean_of_time_processor_and_memory(self) -> None:
        text = rendered(make_results(measured("one", 0.5, 0.5), measured("two", 1.0, 2.0)))
        self.assertRegex(self.line(text, "geometric mean"), r"0\.707 .* 1\.000$")

    def test_gives_the_difference_at_start_up_in_milliseconds(self) -> None:
        text = rendered(make_results(measured("one", 1.0)))
        self.assertIn("+130", text)

    def test_says_that_too_few_rounds_tell_nothing(self) -> None:
        text = rendered(make_results(measured("one", 0.5, rounds=3)))
        self.assertIn("Too few rounds for intervals (it takes 6)", text)
        self.assertNotIn("faster\n", text)

    def test_leaves_a_failed_program_out_and_says_so(self) -> None:
        broken = measured("broken", 0.1)
        broken.failure = "checksum 0 under tarn, where another run gave 1"
        text = rendered(make_results(measured("one", 1.0), broken))
        self.assertIn("  broken: checksum 0 under tarn", text)
        self.assertRegex(self.line(text, "geometric mean"), r" 1\.00\d ")
        self.assertNotIn("Checksums agree", text)

    def test_of_an_interrupted_run_says_so(self) -> None:
        found = make_results(measured("one", 1.0))
        found.interrupted = True
        self.assertIn("Interrupted: only the rounds that were complete", rendered(found))

    def test_warns_of_a_busy_machine(self) -> None:
        found = make_results(measured("one", 1.0))
        self.assertNotIn("busy", rendered(found))
        found.machine["load"] = "2.31"
        self.assertIn("busy with other work", rendered(found))


class File(unittest.TestCase):
    def test_read_back_gives_the_same_report(self) -> None:
        found = make_results(measured("one", 0.93), measured("two", 1.2, 0.7))
        with TemporaryDirectory() as folder:
            path = Path(folder) / "results.json"
            results.write(found, compare_all(found), path)
            self.assertEqual(list(Path(folder).iterdir()), [path])
            again = results.read(path)
        self.assertEqual(again, found)
        self.assertEqual(rendered(again), rendered(found))

    def test_that_is_something_else_is_refused_in_one_line(self) -> None:
        for content in ("", "[]", "{}", '{"format": "bench-python 1"}', '{"format": "other"}'):
            with TemporaryDirectory() as folder:
                path = Path(folder) / "results.json"
                path.write_text(content)
                with self.assertRaises(results.UnreadableResults) as caught:
                    results.read(path)
            self.assertTrue(str(caught.exception).startswith(f"{path}: "))
            self.assertNotIn("\n", str(caught.exception))


class TimeLeft(unittest.TestCase):
    def test_is_said_roughly(self) -> None:
        self.assertEqual(in_words(4), "some seconds left")
        self.assertEqual(in_words(43), "about 45 s left")
        self.assertEqual(in_words(400), "about 7 min left")
        self.assertEqual(in_words(9000), "about 2.5 h left")


if __name__ == "__main__":
    unittest.main()

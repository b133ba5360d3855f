"""Runs are measured as they are: their own memory, their own environment, and what went wrong in plain words."""

import os
import sys
import time
import unittest
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from python_bench import measure  # noqa: E402


def run_python(code: str, environment: "dict[str, str] | None" = None, timeout: float = 30) -> measure.Run:
    return measure.run([sys.executable, "-c", code], environment or {}, timeout)


class TurnOrder(unittest.TestCase):
    def test_of_two_is_a_b_b_a_and_then_b_a_a_b(self) -> None:
        rounds = ["".join(measure.turn_order(["A", "B"], number)) for number in range(4)]
        self.assertEqual(rounds, ["AB", "BA", "BA", "AB"])

    def test_puts_each_configuration_equally_often_in_each_place(self) -> None:
        for count in range(2, 7):
            names = [f"c{number}" for number in range(count)]
            places = Counter(
                (place, name) for turn in range(2 * count) for place, name in enumerate(measure.turn_order(names, turn))
            )
            self.assertEqual(set(places.values()), {2}, f"{count} configurations")
            self.assertEqual(len(places), count * count)


class Sample(unittest.TestCase):
    def test_holds_the_processor_time_and_the_time_on_the_clock(self) -> None:
        run = run_python("import time\nwhile time.process_time() < 0.2: pass\ntime.sleep(0.3)")
        self.assertGreaterEqual(run.sample.cpu, 0.2)
        self.assertGreaterEqual(run.sample.wall, 0.5)
        self.assertLess(run.sample.cpu, run.sample.wall)

    def test_holds_the_peak_of_memory_that_was_given_back(self) -> None:
        run = run_python("block = bytearray(100 << 20); del block")
        self.assertGreater(run.sample.peak_rss_kib, 100 << 10)
        self.assertLess(run.sample.peak_rss_kib, 130 << 10)

    def test_does_not_count_the_memory_of_the_process_that_measures(self) -> None:
        ballast = bytearray(b"x") * (200 << 20)
        run = measure.run(["true"], {}, timeout=30)
        self.assertEqual(len(ballast), 200 << 20)
        self.assertLess(run.sample.peak_rss_kib, 9 << 10)


class Environment(unittest.TestCase):
    def test_fixes_the_hash_seed_and_writes_no_bytecode(self) -> None:
        run = run_python("import sys; print(sys.flags.hash_randomization, sys.dont_write_bytecode)")
        self.assertEqual(run.output.split(), ["0", "True"])

    def test_does_not_pass_on_what_would_change_the_measurement(self) -> None:
        settings = {"PYTHONMALLOC": "malloc", "TARN_GEOMETRY": "classic", "MALLOC_ARENA_MAX": "1"}
        with mock.patch.dict(os.environ, settings):
            run = run_python("import os; print(sorted(os.environ))")
        for name in settings:
            self.assertNotIn(name, run.output)

    def test_holds_what_the_configuration_asks_for(self) -> None:
        run = run_python("import os; print(os.environ['SETTING'])", {"SETTING": "with = and spaces"})
        self.assertEqual(run.output.strip(), "with = and spaces")


class Failure(unittest.TestCase):
    def test_gives_the_exit_status_and_the_last_line_of_the_errors(self) -> None:
        run = run_python("import sys; print('first\\nlast', file=sys.stderr); sys.exit(3)")
        self.assertEqual(run.failure, "exit status 3: last")

    def test_names_the_signal(self) -> None:
        run = run_python("import os; os.abort()")
        self.assertEqual(run.failure, "killed by SIGABRT")

    def test_names_a_program_that_is_not_there(self) -> None:
        self.assertEqual(measure.run(["no-such-program"], {}, 5).failure, "no-such-program: no such program")

    def test_after_too_long_ends_the_program_and_its_children(self) -> None:
        with TemporaryDirectory() as folder:
            note = Path(folder) / "children"
            write = f"open({str(note)!r}, 'a').write(f'{{os.getpid()}}\\n')"
            code = f"import os, time\nos.fork()\n{write}\ntime.sleep(60)"
            started = time.monotonic()
            run = run_python(code, timeout=1)
            self.assertEqual(run.failure, "still running after 1 s")
            self.assertLess(time.monotonic() - started, 20)
            numbers = note.read_text().split()
            self.assertEqual(len(numbers), 2)
            for number in numbers:
                self.assert_is_gone(int(number))

    def assert_is_gone(self, number: int) -> None:
        # The kernel needs a moment, and in a container nobody may reap an orphan: a zombie is gone too.
        for _ in range(100):
            try:
                state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
            except FileNotFoundError:
                return
            if state == "Z":
                return
            time.sleep(0.05)
        self.fail(f"process {number} still runs")


class Checksum(unittest.TestCase):
    def test_is_the_second_word_of_the_last_line(self) -> None:
        self.assertEqual(measure.checksum_of("words\nchecksum 00ff\n"), "00ff")

    def test_is_missing_where_the_last_line_is_another(self) -> None:
        for output in ("", "checksum 00ff\nmore\n", "checksum\n", "sum 00ff\n"):
            self.assertIsNone(measure.checksum_of(output), output)


if __name__ == "__main__":
    unittest.main()

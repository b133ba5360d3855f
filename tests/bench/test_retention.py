"""What is measured when a load falls: readings at the right moments, floors, ratios, tables, the file of results."""

import json
import os
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from retention import configurations, floor, memory, plot, report, results  # noqa: E402
from retention.memory import Memory  # noqa: E402
from retention.observer import INTERVAL, Observer  # noqa: E402
from retention.results import Measured, Results, Run  # noqa: E402

ROLLUP = """\
55f0c1a0e000-7ffd2b5f6000 ---p 00000000 00:00 0                          [rollup]
Rss:                9476 kB
Pss:                5018 kB
Pss_Dirty:          2904 kB
Private_Clean:      1208 kB
Private_Dirty:      2904 kB
Referenced:         9476 kB
"""
KIB = 1024


class Machine:
    """In the place of the module `memory`: processes of any size."""

    def __init__(self) -> None:
        self.sizes = {}
        self.peaks = {}
        self.exact_readings = 0

    def exactly(self, process):
        self.exact_readings += 1
        size = self.sizes.get(process)
        return None if size is None else Memory(size, size // 2, size // 4)

    def quickly(self, process):
        return self.sizes.get(process)

    def peak_kib(self, process):
        return self.peaks.get(process)


class Observed(unittest.TestCase):
    def setUp(self) -> None:
        self.machine = Machine()
        self.machine.sizes[7] = 1000
        self.observer = Observer(self.machine)

    def say(self, now: float, *lines: str) -> None:
        self.observer.hear("".join(f"{line}\n" for line in lines).encode(), now)

    def pass_time(self, start: float, end: float) -> None:
        """As the runner does: wait until something is due, look."""
        while True:
            due = self.observer.next_due()
            if due is None or due > end:
                return
            self.observer.observe(max(due, start))

    def test_nothing_is_read_before_a_process_is_announced(self) -> None:
        self.assertIsNone(self.observer.next_due())
        self.observer.observe(1.0)
        self.assertEqual(self.observer.run.series, [])

    def test_memory_is_sampled_at_equal_intervals(self) -> None:
        self.say(0.0, "process 7")
        self.pass_time(0.0, 1.01)
        times = [seconds for seconds, _ in self.observer.run.series]
        self.assertEqual(len(times), round(1 / INTERVAL) + 1)
        self.assertAlmostEqual(times[1] - times[0], INTERVAL)

    def test_lines_may_come_in_pieces(self) -> None:
        self.observer.hear(b"proc", 0.0)
        self.assertEqual(self.observer.processes, [])
        self.observer.hear(b"ess 7\nphase lo", 0.0)
        self.observer.hear(b"ading\n", 0.1)
        self.assertEqual(self.observer.processes, [7])
        self.assertEqual(self.observer.phase, "loading")

    def test_lines_that_make_no_sense_are_passed_over(self) -> None:
        self.say(0.0, "process seven", "phase", "", "tea is ready", "process 7")
        self.assertEqual(self.observer.processes, [7])

    def test_memory_is_read_exactly_after_half_a_second_two_and_ten(self) -> None:
        self.say(0.0, "process 7", "phase loading")
        self.say(3.0, "phase dropped")
        for end, size in ((3.49, 900), (4.9, 800), (12.9, 700), (13.2, 600)):
            self.machine.sizes[7] = size
            self.pass_time(3.0, end)
        retained = [self.observer.run.retained_kib(seconds) for seconds in results.READINGS]
        self.assertEqual(retained, [800, 700, 600])

    def test_readings_that_the_idle_time_has_no_room_for_are_not_made_up(self) -> None:
        self.say(0.0, "process 7", "phase dropped")
        self.pass_time(0.0, 1.0)
        self.say(1.0, "phase done")
        self.pass_time(1.0, 20.0)
        self.assertEqual(list(self.observer.run.readings), ["0.5"])

    def test_a_peak_between_two_samples_is_known_from_the_kernel(self) -> None:
        self.machine.peaks[7] = 5000
        self.say(0.0, "process 7", "phase peak", "phase dropped")
        self.assertEqual(self.observer.run.peak_kib, 5000)

    def test_the_way_out_is_not_part_of_the_picture(self) -> None:
        self.say(0.0, "process 7", "phase dropped")
        self.pass_time(0.0, 1.0)
        self.machine.sizes[7] = 9999
        self.say(1.01, "phase done")
        self.pass_time(1.01, 2.0)
        self.assertLess(self.observer.run.peak_kib, 9999)

    def test_several_processes_count_by_their_share(self) -> None:
        self.machine.sizes[8] = 3000
        self.say(0.0, "process 7", "process 8", "phase dropped")
        self.pass_time(0.0, 0.6)
        self.assertEqual(self.observer.run.retained_kib(0.5), (1000 + 3000) // 2)
        self.assertEqual(self.observer.run.workers_dirty_kib(0.5), 750)

    def test_a_process_that_ended_early_leaves_no_reading(self) -> None:
        self.say(0.0, "process 7", "process 8", "phase dropped")
        self.pass_time(0.0, 0.6)
        self.assertEqual(self.observer.run.readings, {})

    def test_samples_that_take_long_become_rare(self) -> None:
        self.machine.sizes[8] = 1000
        self.say(0.0, "process 7", "process 8")
        self.observer.observe(0.0)
        self.observer.postpone(0.04)
        self.assertAlmostEqual(self.observer.next_due(), 0.4)

    def test_cpu_time_of_others_is_summed(self) -> None:
        self.say(0.0, "process 7", "others 0.25", "others 1.5")
        self.assertEqual(self.observer.others_cpu, 1.75)


class ReadFromLinux(unittest.TestCase):
    def test_a_rollup_is_understood(self) -> None:
        self.assertEqual(memory.parse_rollup(ROLLUP), Memory(9476, 5018, 2904))

    def test_this_process_is_found_by_every_way_of_reading(self) -> None:
        exact, quick, peak = (read(os.getpid()) for read in (memory.exactly, memory.quickly, memory.peak_kib))
        self.assertLess(abs(exact.rss_kib - quick), 4096)
        self.assertGreaterEqual(peak + 4096, quick)

    def test_one_that_is_gone_reads_as_nothing(self) -> None:
        gone = 2**22 + 1
        self.assertEqual([memory.exactly(gone), memory.quickly(gone), memory.peak_kib(gone)], [None] * 3)


class PageFloor(unittest.TestCase):
    def read(self, document: object, *processes: int):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "report.json"
            path.write_text(document if isinstance(document, str) else json.dumps(document))
            return floor.read(path, processes)

    def test_is_in_kib(self) -> None:
        self.assertEqual(self.read({"report": {"pid": 7, "page_floor": 8192}, "further": []}, 7), 8)

    def test_is_summed_over_processes(self) -> None:
        further = [{"pid": 8, "page_floor": 2048}, {"pid": 9, "page_floor": 4096}]
        self.assertEqual(self.read({"report": {"pid": 7, "page_floor": 1024}, "further": further}, 7, 8), 3)

    def test_is_unknown_where_a_process_left_none(self) -> None:
        self.assertIsNone(self.read({"report": {"pid": 7, "page_floor": 1024}, "further": [{"pid": 8}]}, 7, 8))
        self.assertIsNone(self.read({"report": {"pid": 7}, "further": []}, 7))
        self.assertIsNone(self.read({"report": None, "further": []}, 7))
        self.assertIsNone(self.read("not JSON", 7))

    def test_is_unknown_without_a_report(self) -> None:
        self.assertIsNone(floor.read(Path("/nowhere/report.json"), [7]))


def run_of(peak: int, kept: int, page_floor: "int | None" = None, cpu: float = 1.0) -> Run:
    """Sizes in MiB."""
    readings = {f"{seconds:g}": [Memory(kept * KIB, kept * KIB, 0)] for seconds in results.READINGS}
    return Run(
        phases={"loading": 0.1, "peak": 2.0, "dropped": 2.5, "done": 12.8},
        series=[(0.1, 9 * KIB), (2.0, peak * KIB), (2.6, kept * KIB), (12.5, kept * KIB)],
        readings=readings,
        peak_kib=peak * KIB,
        cpu=cpu,
        page_floor_kib=page_floor * KIB if page_floor else None,
        checksum="00ff",
    )


def make_results(*programs: Measured) -> Results:
    machine = {"processor": "Test", "cores": "2", "memory": "4 GiB", "kernel": "Linux", "system": "Debian", "load": "0"}
    return Results(
        machine=machine,
        python={"path": "/usr/bin/python3", "version": "CPython 3.11.2"},
        configurations={"stock": "/usr/bin/python3", "tarn": "tarn run -- /usr/bin/python3"},
        rounds_wanted=1,
        scale=1.0,
        idle=10.0,
        programs=list(programs),
        load_at_end="1.00",
    )


def cache() -> Measured:
    runs = {"stock": [run_of(200, 190)], "tarn": [run_of(198, 44, 40, cpu=0.9)]}
    return Measured("cache", "A cache that shrinks.", runs)


class Figures(unittest.TestCase):
    def test_over_the_floor_count_shared_pages_in_each_process(self) -> None:
        run = run_of(100, 50, 100)
        run.readings["2"] = [Memory(60 * KIB, 35 * KIB, 0), Memory(50 * KIB, 25 * KIB, 10 * KIB)]
        self.assertAlmostEqual(run.over_floor(), 1.1)
        self.assertEqual(run.retained_kib(2.0), 60 * KIB)
        self.assertEqual(run.workers_dirty_kib(2.0), 10 * KIB)

    def test_of_several_rounds_are_medians_of_those_that_went_well(self) -> None:
        failed = run_of(900, 900)
        failed.failure = "killed"
        program = Measured("one", "", {"stock": [run_of(10, 1), run_of(30, 1), failed, run_of(20, 1)]})
        self.assertEqual(program.median("stock", lambda run: run.peak_kib), 20 * KIB)

    def test_cpu_time_is_of_runs_without_a_report_if_there_are_some(self) -> None:
        reported = run_of(10, 1, 1, cpu=9.0)
        reported.has_reported = True
        program = Measured("one", "", {"tarn": [reported]})
        self.assertEqual(program.cpu("tarn"), 9.0)
        program.runs["tarn"] += [run_of(10, 1, cpu=1.0), run_of(10, 1, cpu=2.0)]
        self.assertEqual(program.cpu("tarn"), 1.5)
        self.assertIsNone(program.cpu("stock"))


class Tables(unittest.TestCase):
    def line(self, text: str, start: str) -> str:
        return next(line for line in text.splitlines()[9:] if line.startswith(start))

    def test_show_what_is_kept_the_floor_and_the_ratios(self) -> None:
        text = report.render(make_results(cache()), is_coloured=False)
        self.assertIn("cache: a cache that shrinks.", text)
        self.assertEqual(
            self.line(text, "tarn ").split(),
            "tarn 198.0 44.0 44.0 44.0 40.0 1.10 0.90 0.99 0.23 0.90".split(),
        )
        self.assertEqual(
            self.line(text, "stock ").split(), "stock 200.0 190.0 190.0 190.0 - - 1.00 1.00 1.00 1.00".split()
        )

    def test_fit_a_hundred_columns(self) -> None:
        found = make_results(cache())
        found.programs[0].summary = "A program " + "about which much can be said " * 9
        for line in report.render(found, is_coloured=False).splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_leave_a_failed_run_out_and_say_so(self) -> None:
        found = make_results(cache())
        found.programs[0].runs["tarn"][0].failure = "killed by SIGSEGV"
        text = report.render(found, is_coloured=False)
        self.assertIn("cache under tarn: killed by SIGSEGV", text)
        self.assertEqual(self.line(text, "tarn ").split(), ["tarn", "failed"])

    def test_name_the_pages_that_workers_have_to_themselves(self) -> None:
        found = make_results(cache())
        for name, dirty in (("stock", 30), ("tarn", 20)):
            found.programs[0].runs[name][0].readings["10"] = [Memory(9, 9, 9), Memory(9, 9, dirty * KIB)]
        text = report.render(found, is_coloured=False)
        self.assertIn("Private_Dirty of the workers together after 10 s, MiB: stock 30.0, tarn 20.0", text)

    def test_hold_the_last_reading_that_there_is_against_the_first_configuration(self) -> None:
        found = make_results(cache())
        found.idle = 3.0
        self.assertEqual(report.last_reading(found), 2.0)
        found.idle = 0.2
        self.assertIsNone(report.last_reading(found))
        report.render(found, is_coloured=False)


class File(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name) / "results.json"

    def test_is_read_as_it_was_written(self) -> None:
        found = make_results(cache())
        results.write(found, self.path)
        self.assertEqual(results.read(self.path), found)

    def test_that_is_something_else_is_refused_in_a_sentence(self) -> None:
        for text in ("", "[]", '{"format": "bench-python 1"}', '{"format": "bench-retention 1"}'):
            self.path.write_text(text)
            with self.assertRaisesRegex(results.UnreadableResults, "results.json: "):
                results.read(self.path)


class Picture(unittest.TestCase):
    def test_starts_at_the_drop_and_ends_with_the_idle_time(self) -> None:
        seconds, mebibytes = plot.points(run_of(100, 50))
        self.assertEqual([round(one, 3) for one in seconds], [-2.4, -0.5, 0.1, 10.0])
        self.assertEqual(mebibytes, [9.0, 100.0, 50.0, 50.0])

    def test_of_the_same_figures_is_the_same(self) -> None:
        try:
            import matplotlib  # noqa: F401
        except ImportError:
            self.skipTest("no matplotlib")
        with TemporaryDirectory() as folder:
            pictures = []
            for name in ("one.svg", "two.svg"):
                plot.draw(make_results(cache()), Path(folder) / name)
                pictures.append((Path(folder) / name).read_bytes())
        self.assertEqual(*pictures)
        self.assertIn(b"<svg", pictures[0])

    def test_the_key_tells_the_lines_apart_without_colours_and_names_the_floor(self) -> None:
        try:
            import matplotlib  # noqa: F401
        except ImportError:
            self.skipTest("no matplotlib")
        near = [name for name in configurations.DEFAULT if name not in ("stock", "tarn", "glibc")]
        dashes = [plot.DASHES[name] for name in near]
        self.assertEqual(len(dashes), len(set(dashes)))
        self.assertEqual(len({plot.COLOURS[name] for name in configurations.DEFAULT}), len(configurations.DEFAULT))
        with TemporaryDirectory() as folder:
            plot.draw(make_results(cache()), Path(folder) / "one.svg")
            # Text is drawn as outlines; what it says stands beside them.
            self.assertIn("page floor (tarn)", (Path(folder) / "one.svg").read_text())


if __name__ == "__main__":
    unittest.main()

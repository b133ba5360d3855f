"""`scripts/bench-objects`: its command on programs of its own, its tables, its figures to reach."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from objects import benchmark, goals, peers, report, results  # noqa: E402
from objects.cases import CASES  # noqa: E402
from objects.results import Measured, Part, Results, Run  # noqa: E402

GOOD = """#!/bin/sh
echo "part build 0.5 0.375 1000 0.25"
echo "part drop 0.25 0.125 1000 0.125"
echo "memory 4096 1024"
echo "checksum 7"
"""
FAILING = "#!/bin/sh\necho 'out of tea' >&2\nexit 3\n"
DISAGREEING = GOOD.replace("checksum 7", "checksum 8")
MUTE = "#!/bin/sh\n"
GARBLED = "#!/bin/sh\necho part build soon\n"
# Its number goes to a file first, so that the test knows that it runs and later that it doesn't.
SLOW = "#!/bin/sh\necho $$ >{note}\nexec sleep 600\n"


class Command(unittest.TestCase):
    def setUp(self) -> None:
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def add(self, peer: str, code: str) -> None:
        program = self.folder / f"objects-{peer}"
        program.write_text(code)
        program.chmod(0o755)

    def command(self, *arguments: str) -> "list[str]":
        return [sys.executable, "-B", "-m", "objects", "--programs", str(self.folder), "--rounds", "1", *arguments]

    def run_command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        settings = {**os.environ, "PYTHONPATH": str(ROOT / "bench")}
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, env=settings)

    def test_measures_writes_json_and_reads_it_again(self) -> None:
        self.add("tarn", GOOD)
        self.add("floor", GOOD.replace("0.5 0.375", "0.25 0.25").replace("4096", "2048"))
        file = self.folder / "results.json"
        ended = self.run_command("--peers", "tarn,floor", "--only", "trees,list", "--json", str(file))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("[4/4] list", ended.stderr)
        self.assertIn("Checksums agree in every run", ended.stdout)
        row = next(line for line in ended.stdout.splitlines() if line.startswith("floor ") and "0.500" in line)
        self.assertEqual(row.split(), ["floor", "0.500", "0.250", "0.250", "250.00", "2.0", "0.67", "0.75", "0.50"])
        run = json.loads(file.read_text())["cases"][0]["rounds"][0]["floor"]
        self.assertEqual(run["parts"]["build"], {"seconds": 0.25, "cpu": 0.25, "operations": 1000, "pause": 0.25})
        self.assertEqual((run["peak_kib"], run["before_kib"], run["checksum"]), (2048, 1024, "7"))
        self.assertEqual(self.run_command("--read", str(file)).stdout, ended.stdout)

    def test_says_which_peer_is_missing_and_why(self) -> None:
        self.add("tarn", GOOD)
        (self.folder / "objects-cppgc.missing").write_text("no headers\n")
        ended = self.run_command("--only", "list", "--peers", "tarn,cppgc,bdwgc")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("cppgc skipped: no headers", ended.stderr)
        self.assertIn(f"bdwgc skipped: there is no {self.folder}/objects-bdwgc", ended.stderr)

    def test_says_what_failed_and_measures_the_others(self) -> None:
        for name, code in (("tarn", GOOD), ("floor", FAILING), ("bdwgc", DISAGREEING), ("cppgc", MUTE), ("cpython", GARBLED)):
            self.add(name, code)
        ended = self.run_command("--only", "list", "--peers", "tarn,floor,bdwgc,cppgc,cpython", "--rounds", "2")
        self.assertEqual(ended.returncode, 1)
        for expected in (
            "list with floor: exit status 3: out of tea",
            "list with bdwgc: checksum 8, where another run gave 7",
            "list with cppgc: it didn't end with a checksum line",
            "list with cpython: it printed 'part build soon'",
        ):
            self.assertIn(expected, ended.stdout)
        self.assertRegex(ended.stdout, r"\ntarn +0.750")
        self.assertEqual(ended.stderr.count("FAILED"), 4, "a peer that failed isn't run again")

    def test_that_is_interrupted_keeps_what_was_measured_and_leaves_nothing_running(self) -> None:
        note = self.folder / "note"
        self.add("tarn", GOOD)
        self.add("floor", SLOW.format(note=note))
        file = self.folder / "results.json"
        process = subprocess.Popen(
            self.command("--only", "list", "--peers", "tarn,floor", "--json", str(file)),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "bench")},
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not (note.exists() and note.read_text().strip()):
            self.assertLess(time.monotonic(), deadline, "the second program never started")
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, errors)
        self.assertNotIn("Traceback", errors)
        self.assertIn("Interrupted:", output)
        self.assertEqual(list(json.loads(file.read_text())["cases"][0]["rounds"][0]), ["tarn"])
        # What was killed and not yet buried by its parent has no command line any more.
        left = Path(f"/proc/{note.read_text().strip()}/cmdline")
        self.assertEqual(left.read_bytes() if left.exists() else b"", b"", "the program was left running")

    def test_refuses_what_makes_no_sense(self) -> None:
        self.add("tarn", GOOD)
        for arguments, expected in (
            (["--only", "tree"], "no case 'tree'; known: gcbench, trees"),
            (["--peers", "boehm"], "no peer 'boehm'; known: tarn, tarn-off, floor"),
            (["--peers", "bdwgc"], "no peer is left to measure"),
            (["--scale", "0"], "--scale"),
            (["--rounds", "0"], "--rounds"),
            (["--json", str(self.folder / "none/results.json")], "its folder isn't there"),
            (["--read", str(self.folder / "none.json")], "No such file"),
            (["--read", str(self.folder / "objects-tarn")], "not a file that `bench-objects --json` wrote"),
        ):
            with self.subTest(arguments):
                ended = self.run_command(*arguments)
                self.assertEqual(ended.returncode, 2, ended.stdout + ended.stderr)
                self.assertEqual(ended.stdout, "")
                self.assertIn(expected, ended.stderr)


def run_of(seconds: float, kib: int = 1000, part: str = "all") -> Run:
    return Run(parts={part: Part(seconds, seconds, 100, 0.001)}, peak_kib=kib, before_kib=10, checksum="1")


def results_of(*cases: Measured) -> Results:
    machine = {"processor": "a", "cores": "2", "memory": "1 GiB", "system": "s", "kernel": "k", "load": "0.0"}
    names = dict.fromkeys(name for case in cases for runs in case.rounds for name in runs)
    return Results(machine, {name: "words" for name in names}, 1, 1.0, list(cases))


class Figures(unittest.TestCase):
    def test_are_ratios_over_tarn_round_by_round(self) -> None:
        case = Measured("trees", [{"tarn": run_of(1), "floor": run_of(2)}, {"tarn": run_of(10), "floor": run_of(30)}])
        estimate = case.over("tarn", "floor", results.seconds_of(None))
        self.assertEqual(estimate.value, 2.5)
        self.assertIsNone(estimate.low)

    def test_have_no_ratio_where_a_run_failed(self) -> None:
        case = Measured("trees", [{"tarn": run_of(1), "floor": Run(failure="no")}])
        self.assertIsNone(case.over("tarn", "floor", results.seconds_of(None)))

    def test_that_are_reached_and_missed_are_told_apart(self) -> None:
        case = Measured("trees", [{"tarn": run_of(1.2, 500), "cpython": run_of(12, 900), "floor": run_of(1, 400)}])
        lines = "\n".join(goals.lines(results_of(case)))
        self.assertRegex(lines, r"\nNOT reached +trees: memory of cpython over Tarn's: 1.80 \(to reach: 2.00 at least\)")
        self.assertRegex(lines, r"reached +trees: time of cpython over Tarn's: 10.00 \(to reach: 8.00 at least\)")
        self.assertRegex(lines, r"\nreached +trees: time of floor over Tarn's: 0.83 \(to reach: 0.77 at least\)")
        self.assertNotIn("shared_ptr", lines)

    def test_of_a_collection_are_of_that_part_alone(self) -> None:
        one, other = run_of(1, part="collection"), run_of(2.5, part="collection")
        one.parts["build"] = Part(50, 50, 100, 0)
        lines = goals.lines(results_of(Measured("graph", [{"tarn": one, "cpython": other}])))
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], "NOT reached +graph, collection: time of cpython over Tarn's: 2.50")

    def test_of_a_copy_are_in_nanoseconds(self) -> None:
        lines = goals.lines(results_of(Measured("references", [{"tarn": run_of(80e-9, part="copy")}])))
        self.assertRegex(lines[0], r"^reached +references, copy: Tarn's: 0.80 ns \(to reach: 1 ns at most\)")

    def test_without_tarn_none_is_judged_and_the_first_peer_is_the_measure(self) -> None:
        found = results_of(Measured("trees", [{"floor": run_of(1), "cppgc": run_of(2)}]))
        self.assertEqual(goals.lines(found), [])
        self.assertIn("over floor's", report.render(found, is_coloured=False))


class Programs(unittest.TestCase):
    """The real ones, where they have been built: in this tree with -DTARN_OBJECT_BENCHMARKS=ON, or by the command."""

    def setUp(self) -> None:
        trees = [Path(os.environ.get("TARN_BUILD", ROOT / "build/objects")), ROOT / "build/objects"]
        self.folder = next((tree / "bin" for tree in trees if (tree / "bin/objects-floor").exists()), None)
        if self.folder is None:
            self.skipTest("not built: scripts/bench-objects does that")

    def test_of_every_peer_agree_on_every_case(self) -> None:
        folder = self.folder
        known = [peer for peer in peers.KNOWN.values() if (folder / peer.program).exists()]
        for case in CASES:
            found = {}
            for peer in known:
                words = peer.command(folder, case, 0.001)
                ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(ended.returncode, 0, f"{words}: {ended.stderr}")
                found[peer.name] = benchmark.parse(ended.stdout).checksum
            self.assertEqual(len(set(found.values())), 1, f"{case}: {found}")

    def test_refuse_wrong_words_in_one_line(self) -> None:
        program = self.folder / "objects-floor"
        for words in ([], ["tree"], ["trees", "--scale", "0"], ["trees", "--scale"], ["trees", "--variant", "x"], ["a", "b"]):
            with self.subTest(words):
                ended = subprocess.run([str(program), *words], capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(ended.returncode, 2)
                self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)


if __name__ == "__main__":
    unittest.main()

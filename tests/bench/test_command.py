"""`scripts/bench-python` as its user meets it: runs, refusals, interruption, and disagreement found."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/bench-python"

QUICK = "print('checksum 1')\n"
DISAGREEING = "import os\nprint('checksum', os.environ.get('PYTHONMALLOC', 'stock'))\n"
FAILING = "import sys\nsys.exit('out of tea')\n"
SILENT = "print('done')\n"
SLOW = "import time\ntime.sleep(600)\n"
NOT_FOR_MODERN = (
    "import os, sys\nif os.environ.get('TARN_GEOMETRY') == 'modern': sys.exit('modern')\nprint('checksum 1')\n"
)


class Command(unittest.TestCase):
    def setUp(self) -> None:
        self.temporary = TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = Path(self.temporary.name)
        self.programs = self.folder / "programs"
        self.programs.mkdir()

    def add(self, name: str, code: str) -> None:
        (self.programs / f"{name}.py").write_text(code)

    def command(self, *arguments: str, interpreter: "tuple[str, ...]" = ()) -> "list[str]":
        interpreter = interpreter or (sys.executable,)
        return [*interpreter, str(SCRIPT), "--programs", str(self.programs), "--python", sys.executable, *arguments]

    def run_command(self, *arguments: str, **options: "tuple[str, ...]") -> "subprocess.CompletedProcess[str]":
        settings = {name: value for name, value in os.environ.items() if not name.startswith("TARN_")}
        command = self.command(*arguments, **options)
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=settings)

    def compare(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Stock against glibc's malloc, which need nothing installed."""
        return self.run_command("--configurations", "stock,glibc", "--rounds", "2", "--startup-runs", "2", *arguments)

    def fake_tarn(self, body: str) -> Path:
        path = self.folder / "tarn"
        path.write_text(f'#!/bin/sh\nshift 2\n{body}\nexec "$@"\n')
        path.chmod(0o755)
        return path

    def fake_hook(self) -> Path:
        """A library by the hook's name that does nothing: a copy of the C library's mathematics."""
        mapped = {
            line.split(None, 5)[5].strip() for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line
        }
        source = next(path for path in sorted(mapped) if Path(path).name.startswith("libm.so"))
        return Path(shutil.copy(source, self.folder / "libtarn-python.so"))


class Runs(Command):
    def test_measure_every_program_and_start_up(self) -> None:
        self.add("one", QUICK)
        self.add("two", QUICK)
        self.add("_shared", FAILING)
        ended = self.compare()
        self.assertEqual(ended.returncode, 0, ended.stderr)
        for expected in (
            "\none ",
            "\ntwo ",
            "geometric mean",
            "Start-up",
            "Checksums agree in every run of stock and glibc.",
        ):
            self.assertIn(expected, ended.stdout)
        self.assertIn("[2/2] two", ended.stderr)
        self.assertNotIn("_shared", ended.stdout + ended.stderr)

    def test_are_written_as_json_and_read_again(self) -> None:
        self.add("one", QUICK)
        file = self.folder / "results.json"
        ended = self.compare("--json", str(file))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        document = json.loads(file.read_text())
        self.assertEqual(list(document["configurations"]), ["stock", "glibc"])
        self.assertEqual(len(document["programs"][0]["rounds"]), 2)
        again = self.run_command("--read", str(file))
        self.assertEqual(again.stdout, ended.stdout)

    def test_only_those_that_were_chosen(self) -> None:
        self.add("one", QUICK)
        self.add("two", FAILING)
        ended = self.compare("--only", "one")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertNotIn("Start-up", ended.stdout)
        ended = self.compare("--only", "startup")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("Start-up", ended.stdout)
        self.assertNotIn("geometric", ended.stdout)

    def test_write_no_bytecode(self) -> None:
        self.add("one", "import _shared\nprint('checksum 1')\n")
        self.add("_shared", "")
        self.assertEqual(self.compare("--only", "one").returncode, 0)
        self.assertEqual(list(self.programs.rglob("*.pyc")), [])


class Failures(Command):
    def test_of_checksums_that_differ_end_with_status_one(self) -> None:
        self.add("fine", QUICK)
        self.add("split", DISAGREEING)
        ended = self.compare()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("split: under glibc: checksum malloc, where another run gave stock", ended.stdout)
        self.assertIn("\nfine ", ended.stdout)

    def test_of_a_program_are_told_and_the_others_are_measured(self) -> None:
        self.add("broken", FAILING)
        self.add("mute", SILENT)
        self.add("whole", QUICK)
        ended = self.compare()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("broken: under stock: exit status 1: out of tea", ended.stdout)
        self.assertIn("mute: under stock: it didn't end with a checksum line", ended.stdout)
        self.assertIn("\nwhole ", ended.stdout)

    def test_to_end_in_time_are_told(self) -> None:
        self.add("slow", SLOW)
        ended = self.compare("--timeout", "1", "--only", "slow")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("slow: under stock: still running after 1 s", ended.stdout)


class Interruption(Command):
    def test_keeps_and_prints_what_was_measured_and_leaves_nothing_running(self) -> None:
        self.add("first", QUICK)
        note = self.folder / "number"
        self.add("second", f"import os\nopen({str(note)!r}, 'w').write(str(os.getpid()))\n" + SLOW)
        file = self.folder / "results.json"
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                note.unlink(missing_ok=True)
                command = self.command(
                    "--configurations", "stock,glibc", "--rounds", "2", "--startup-runs", "0", "--json", str(file)
                )
                process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                deadline = time.monotonic() + 60
                while not (note.exists() and note.read_text()):
                    self.assertLess(time.monotonic(), deadline, "the second program never started")
                    time.sleep(0.05)
                process.send_signal(number)
                output, errors = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 130, errors)
                self.assertIn("\nfirst ", output)
                self.assertIn("Interrupted:", output)
                self.assertNotIn("Traceback", errors)
                self.assertEqual([one["name"] for one in json.loads(file.read_text())["programs"]], ["first"])
                self.assertFalse(self.runs(int(note.read_text())), "the second program was left running")

    def runs(self, number: int) -> bool:
        for _ in range(100):
            try:
                if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    return False
            except FileNotFoundError:
                return False
            time.sleep(0.05)
        return True


class Refusals(Command):
    def refused(self, *arguments: str, **options: "tuple[str, ...]") -> str:
        ended = self.run_command(*arguments, **options)
        self.assertEqual(ended.returncode, 2, ended.stdout + ended.stderr)
        self.assertEqual(ended.stdout, "")
        return ended.stderr

    def test_of_an_unknown_program_offer_the_nearest(self) -> None:
        self.add("json_dumps", QUICK)
        self.assertIn("no program 'jsondumps'; did you mean json_dumps?", self.refused("--only", "jsondumps"))

    def test_of_an_unknown_configuration_list_the_known(self) -> None:
        self.add("one", QUICK)
        self.assertIn("no configuration 'stok'; known: stock, tarn", self.refused("--configurations", "stok,glibc"))

    def test_of_nothing_to_compare(self) -> None:
        self.add("one", QUICK)
        self.assertIn("takes two configurations", self.refused("--configurations", "stock"))

    def test_of_a_folder_without_programs(self) -> None:
        self.assertIn(f"no programs in {self.programs}", self.refused())

    def test_of_numbers_that_are_none(self) -> None:
        for arguments in (["--rounds", "0"], ["--rounds", "x"], ["--scale", "-1"], ["--timeout", "soon"]):
            self.assertIn(arguments[0], self.refused(*arguments))

    def test_of_a_place_that_can_not_be_written_come_before_measuring(self) -> None:
        self.add("slow", SLOW)
        self.assertIn("its folder isn't there", self.refused("--json", str(self.folder / "none/results.json")))

    def test_of_a_plot_without_matplotlib_say_how_to_get_it(self) -> None:
        self.add("slow", SLOW)
        # Without site-packages there is no matplotlib, whether or not it is installed.
        errors = self.refused("--plot", str(self.folder / "plot.svg"), interpreter=(sys.executable, "-I", "-S"))
        self.assertIn("needs matplotlib", errors)
        self.assertIn("python3-matplotlib", errors)


class Tarn(Command):
    def test_that_is_not_built_is_said_and_skipped(self) -> None:
        self.add("one", QUICK)
        ended = self.compare("--configurations", "stock,tarn,glibc", "--tarn", str(self.folder / "none"))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("tarn skipped:", ended.stderr)
        self.assertIn("scripts/build", ended.stderr)
        self.assertIn("glibc against stock", ended.stdout)

    def measure_under(self, tarn: Path, name: str = "tarn") -> "subprocess.CompletedProcess[str]":
        self.add("one", QUICK)
        return self.run_command(
            "--configurations", f"stock,{name}", "--tarn", str(tarn), "--rounds", "1", "--startup-runs", "0"
        )

    def test_that_does_not_load_is_not_taken_for_tarn(self) -> None:
        ended = self.measure_under(self.fake_tarn(""))
        self.assertEqual(ended.returncode, 2)
        self.assertIn("libtarn-python.so didn't load", ended.stderr)

    def test_that_stays_off_is_not_taken_for_tarn(self) -> None:
        report = "printf 'tarn-report 1\\nstate off\\nreason it rains\\nend\\n' > $TARN_REPORT_DIR/1"
        ended = self.measure_under(self.fake_tarn(f"export LD_PRELOAD={self.fake_hook()}\n{report}"))
        self.assertEqual(ended.returncode, 2)
        self.assertIn("Tarn stayed off", ended.stderr)
        self.assertIn("it rains", ended.stderr)

    def test_that_loads_is_measured_with_the_geometry_asked_for(self) -> None:
        tarn = self.fake_tarn(f"export LD_PRELOAD={self.fake_hook()}")
        ended = self.measure_under(tarn)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("tarn against stock", ended.stdout)
        self.add("geometry", NOT_FOR_MODERN)
        ended = self.measure_under(tarn, "tarn-classic")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        ended = self.measure_under(tarn, "tarn-modern")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("geometry: under tarn-modern: exit status 1: modern", ended.stdout)


if __name__ == "__main__":
    unittest.main()

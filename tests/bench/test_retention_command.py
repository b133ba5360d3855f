"""`scripts/bench-retention` as its user meets it, and the programs that it runs, at a fiftieth of their size."""

import ast
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
sys.path.insert(0, str(ROOT / "bench"))

from python_bench import configurations as python_configurations  # noqa: E402
from python_bench import programs  # noqa: E402
from python_bench.configurations import Configuration  # noqa: E402
from retention import benchmark, configurations, running  # noqa: E402

SCRIPT = ROOT / "scripts/bench-retention"
FOLDER = ROOT / "bench/retention/programs"
PROGRAMS = programs.find(FOLDER)

HEAD = '"""A program for tests, which does next to nothing."""\nfrom _program import run\n'
QUICK = f"{HEAD}def main(load):\n    load.check(1)\n    load.peak()\n    load.idle()\nrun(main)\n"
FAILING = f"{HEAD}import sys\ndef main(load):\n    load.peak()\n    sys.exit('out of tea')\nrun(main)\n"
SILENT = f"{HEAD}run(lambda load: load.peak())\n"
SLOW = f"{HEAD}import time\nrun(lambda load: time.sleep(600))\n"
DISAGREEING = QUICK.replace("load.check(1)", "import os; load.check(os.environ.get('PYTHONMALLOC'))")
NEEDY = QUICK.replace("def main", "NEEDS = ('module_of_nobody',)\ndef main")
REPORTING = """#!/bin/sh
for word; do case $word in --report=*) file=${word#--report=} ;; esac; shift; [ "$word" = -- ] && break; done
export LD_PRELOAD=%s
"$@" &
wait $!
status=$?
printf '{"report": {"pid": %%d, "page_floor": 1048576}, "further": []}' $! >"$file"
exit $status
"""


class Command(unittest.TestCase):
    def setUp(self) -> None:
        self.temporary = TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = Path(self.temporary.name)
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        shutil.copy(FOLDER / "_program.py", self.programs)

    def add(self, name: str, code: str) -> None:
        (self.programs / f"{name}.py").write_text(code)

    def command(self, *arguments: str) -> "list[str]":
        fixed = ["--programs", str(self.programs), "--python", sys.executable, "--idle", "0.6"]
        return [sys.executable, str(SCRIPT), *fixed, *arguments]

    def run_command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Stock and glibc's malloc unless the arguments say otherwise: they need nothing installed."""
        settings = {name: value for name, value in os.environ.items() if not name.startswith("TARN_")}
        command = self.command("--configs", "stock,glibc", *arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=settings)


class Runs(Command):
    def test_measure_every_program_write_json_and_are_read_again(self) -> None:
        self.add("one", QUICK)
        self.add("two", QUICK)
        file = self.folder / "results.json"
        ended = self.run_command("--json", str(file))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        for expected in ("one: a program for tests", "two: a program for tests", "Checksums agree in every run"):
            self.assertIn(expected, ended.stdout)
        self.assertIn("[4/4] two", ended.stderr)
        run = json.loads(file.read_text())["programs"][0]["runs"]["stock"][0]
        self.assertEqual(list(run["phases"]), ["loading", "peak", "dropped", "done"])
        self.assertGreater(run["readings"]["0.5"][0]["rss_kib"], 1000)
        self.assertGreaterEqual(run["peak_kib"], max(kib for _, kib in run["series"]))
        self.assertGreater(run["cpu"], 0)
        self.assertEqual(self.run_command("--read", str(file)).stdout, ended.stdout)

    def test_only_those_that_were_chosen(self) -> None:
        for name in ("one", "two", "three"):
            self.add(name, QUICK)
        ended = self.run_command("--only", "one", "--only", "three", "--configs", "stock")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertNotIn("two", ended.stdout)
        self.assertIn("[2/2] three", ended.stderr)

    def test_say_what_failed_and_measure_the_others(self) -> None:
        self.add("broken", FAILING)
        self.add("mute", SILENT)
        self.add("split", DISAGREEING)
        self.add("whole", QUICK)
        ended = self.run_command()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("broken under stock: exit status 1: out of tea", ended.stdout)
        self.assertIn("mute under stock: it never announced the phase dropped", ended.stdout)
        self.assertRegex(ended.stdout, r"split under glibc: checksum \w+, where another run gave \w+")
        self.assertIn("whole: a program for tests", ended.stdout)

    def test_that_take_too_long_are_ended(self) -> None:
        self.add("slow", SLOW)
        ended = self.run_command("--timeout", "1", "--configs", "stock")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("slow under stock: still running after 1 s", ended.stdout)

    def test_skip_a_program_whose_package_is_missing(self) -> None:
        self.add("needy", NEEDY)
        self.add("one", QUICK)
        ended = self.run_command("--configs", "stock")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stderr, "needy skipped: .* no module module_of_nobody; .*install-dependencies retention")

    def test_that_are_interrupted_keep_what_was_measured_and_leave_nothing_running(self) -> None:
        self.add("first", QUICK)
        note = self.folder / "number"
        self.add("second", SLOW.replace("run(", f"import os; open({str(note)!r}, 'w').write(str(os.getpid()))\nrun("))
        file = self.folder / "results.json"
        command = self.command("--configs", "stock", "--json", str(file))
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not (note.exists() and note.read_text()):
            self.assertLess(time.monotonic(), deadline, "the second program never started")
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn("first: ", output)
        self.assertIn("Interrupted:", output)
        self.assertNotIn("Traceback", errors)
        self.assertEqual([one["name"] for one in json.loads(file.read_text())["programs"]], ["first"])
        self.assertFalse(Path(f"/proc/{note.read_text()}/maps").exists(), "the second program was left running")


class Tarn(Command):
    def test_tells_its_page_floor_in_its_report(self) -> None:
        lines = Path("/proc/self/maps").read_text().splitlines()
        mapped = {line.split(None, 5)[5].strip() for line in lines if ".so" in line}
        source = next(path for path in sorted(mapped) if Path(path).name.startswith("libm.so"))
        hook = shutil.copy(source, self.folder / "libtarn-python.so")
        tarn = self.folder / "tarn"
        tarn.write_text(REPORTING % hook)
        tarn.chmod(0o755)
        self.add("one", QUICK)
        file = self.folder / "results.json"
        # Without --report the shell writes to "", which fails; that is only the probe.
        ended = self.run_command("--configs", "tarn", "--tarn", str(tarn), "--json", str(file))
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        run = json.loads(file.read_text())["programs"][0]["runs"]["tarn"][0]
        self.assertEqual(run["page_floor_kib"], 1024)


class Refusals(Command):
    def refused(self, *arguments: str) -> str:
        ended = self.run_command(*arguments)
        self.assertEqual(ended.returncode, 2, ended.stdout + ended.stderr)
        self.assertEqual(ended.stdout, "")
        return ended.stderr

    def test_name_what_is_wrong(self) -> None:
        self.add("session_cache", SLOW)
        for arguments, expected in (
            (["--only", "sessioncache"], "no program 'sessioncache'; did you mean session_cache?"),
            (["--configs", "stok"], "no configuration 'stok'; known: stock, tarn"),
            (["--scale", "0"], "--scale"),
            (["--idle", "nan"], "--idle"),
            (["--rounds", "0"], "--rounds"),
            (["--json", str(self.folder / "none/results.json")], "its folder isn't there"),
            (["--read", str(self.folder / "none.json")], "No such file"),
            (["--python", "/nowhere/python3"], "no such program"),
            (["--configs", "tarn", "--tarn", str(self.folder / "none")], "no configuration is left to measure"),
        ):
            with self.subTest(arguments):
                self.assertIn(expected, self.refused(*arguments))


class Configurations(unittest.TestCase):
    def test_of_jemalloc_without_decay_add_its_settings(self) -> None:
        try:
            found = configurations.KNOWN["jemalloc-decay0"](Path("tarn"))
        except python_configurations.Unavailable:
            self.skipTest("no jemalloc")
        self.assertEqual(found.environment["MALLOC_CONF"], "dirty_decay_ms:0,muzzy_decay_ms:0")
        self.assertEqual(found.environment["PYTHONMALLOC"], "malloc")

    def test_of_tarn_ask_for_a_report(self) -> None:
        tarn = Configuration("tarn", ("tarn", "run", "--"), {}, configurations.TARN_LIBRARY)
        words = configurations.command(tarn, "python3", ["app.py"], Path("/r.json"))
        self.assertEqual(words, ["tarn", "run", "--report=/r.json", "--", "python3", "app.py"])


class Programs(unittest.TestCase):
    def test_are_six_at_least_and_say_in_a_sentence_what_they_do(self) -> None:
        self.assertGreaterEqual(len(PROGRAMS), 6)
        for program in PROGRAMS.values():
            self.assertGreater(len(program.summary.split()), 5, program.name)

    def test_announce_every_phase_and_end_with_the_same_checksum_whatever_the_memory_manager(self) -> None:
        for program in PROGRAMS.values():
            with self.subTest(program.name):
                if benchmark.missing_modules(program, sys.executable):
                    continue
                checksums = set()
                for name in ("stock", "glibc"):
                    configuration = python_configurations.build(name, Path("tarn"))
                    arguments = [str(program.path), "--scale", "0.02", "--idle", "0.1"]
                    run = running.run(configuration, sys.executable, arguments, timeout=60)
                    self.assertIsNone(run.failure)
                    self.assertGreater(run.peak_kib, 1000)
                    checksums.add(run.checksum)
                self.assertEqual(len(checksums), 1)

    def test_that_fork_are_measured_with_their_children(self) -> None:
        stock = python_configurations.build("stock", Path("tarn"))
        arguments = [str(PROGRAMS["fork_workers"].path), "--scale", "0.02", "--idle", "0.6"]
        run = running.run(stock, sys.executable, arguments, timeout=60)
        self.assertEqual(len(run.readings["0.5"]), 5)
        self.assertGreater(run.workers_dirty_kib(0.5), 0)

    def test_refuse_wrong_options_in_one_line(self) -> None:
        path = PROGRAMS["session_cache"].path
        for arguments in (["--scale", "much"], ["--scale", "0"], ["--idle", "nan"], ["--size", "1"], ["--scale"]):
            with self.subTest(arguments):
                ended = subprocess.run([sys.executable, "-B", str(path), *arguments], capture_output=True, text=True)
                self.assertEqual(ended.returncode, 2)
                self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)

    def test_import_the_standard_library_and_what_they_say_they_need(self) -> None:
        for path in FOLDER.glob("*.py"):
            allowed = {*sys.stdlib_module_names, "_program", *benchmark.needs(programs.Program(path.stem, path))}
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                for name in names:
                    self.assertIn(name.partition(".")[0], allowed, f"{path.name} imports {name}")


if __name__ == "__main__":
    unittest.main()

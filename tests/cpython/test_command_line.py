"""The whole command, on a few test modules made for it and this machine's own test runner."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

from .regrtest import Options, Selection, Side, command_for, environment_for

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "scripts" / "cpython-tests"
PYTHON = "/usr/bin/python3"

SAMPLES = {
    "test_alike": """
        import unittest
        class Alike(unittest.TestCase):
            def test_ok(self): pass
            def test_wrong(self): self.fail("on both sides")
            @unittest.skip("here as there")
            def test_skipped(self): pass
        """,
    "test_differs": """
        import os, unittest
        class Differs(unittest.TestCase):
            def test_ok(self): pass
            def test_in_parts(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertFalse(number == 1 and "SAMPLE" in os.environ)
        """,
    "test_flaky": """
        import os, pathlib, unittest
        class Flaky(unittest.TestCase):
            def test_first_time(self):
                if "SAMPLE" in os.environ:
                    seen = pathlib.Path(os.environ["SAMPLE"])
                    if not seen.exists():
                        seen.touch()
                        self.fail("only the first time")
        """,
    "test_crash": """
        import os, signal, unittest
        class Crash(unittest.TestCase):
            def test_before(self): pass
            def test_crash(self):
                if "SAMPLE" in os.environ:
                    os.kill(os.getpid(), signal.SIGSEGV)
        """,
    "test_signals": """
        import signal, unittest
        class Signals(unittest.TestCase):
            def test_interrupt(self): self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
            def test_others(self):
                for name in ("SIGHUP", "SIGQUIT", "SIGTERM"):
                    self.assertIs(signal.getsignal(getattr(signal, name)), signal.SIG_DFL, name)
        """,
    "test_hangs": """
        import pathlib, os, time, unittest
        class Hangs(unittest.TestCase):
            def test_hang(self):
                with open(os.environ["PIDS"], "a") as stream: print(os.getpid(), file=stream, flush=True)
                time.sleep(600)
        """,
}


def _has_runner() -> bool:
    return subprocess.run([PYTHON, "-c", "import test.libregrtest"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(_has_runner(), f"{PYTHON} has no test.libregrtest: apt-get install libpython3.11-testsuite")
class Command(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.samples = self.directory / "samples"
        self.samples.mkdir()
        for name, source in SAMPLES.items():
            (self.samples / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        self.expected = self.directory / "expected.txt"
        self.json = self.directory / "results.json"

    def arguments(self, *arguments: str) -> list[str]:
        return [sys.executable, str(SCRIPT), "--testdir", str(self.samples), *arguments]

    def run_command(self, *arguments: str, other: bool = True) -> subprocess.CompletedProcess[str]:
        prefix = ("--other", f"env SAMPLE={self.directory / 'seen'}") if other else ()
        return subprocess.run(self.arguments(*prefix, *arguments), capture_output=True, text=True, check=False,
                              timeout=120)

    def test_modules_that_do_alike_are_the_same_though_they_fail(self) -> None:
        done = self.run_command("test_alike")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("failed on both: test_alike", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-3:], [
            "modules the same: 1 of 1",
            "test methods compared: 3",
            "differences: 0 (0 expected besides, 0 flaky, 0 no longer there)",
        ])

    def test_a_difference_is_named_with_both_outcomes(self) -> None:
        done = self.run_command("--retries", "1", "test_alike", "test_differs")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("run again (1) test_differs: still differs: 1 test", done.stdout)
        self.assertIn("test_differs.Differs.test_in_parts\n      stock  ok\n"
                      "      other  failed: AssertionError in (number=1)\n", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-3], "modules the same: 1 of 2")

    def test_an_expected_difference_is_well_and_its_absence_is_not(self) -> None:
        self.expected.write_text("test_differs.Differs.test_in_parts  must differ\n", encoding="utf-8")
        done = self.run_command("--expected", str(self.expected), "test_differs")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("expected: must differ", done.stdout)
        self.expected.write_text("test_alike.Alike.test_ok  must differ\n", encoding="utf-8")
        done = self.run_command("--expected", str(self.expected), "test_alike")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("test_alike.Alike.test_ok  must differ", done.stdout)

    def test_a_flaky_test_is_well_and_is_named(self) -> None:
        done = self.run_command("test_flaky")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("flaky (agreed on retry)\n  test_flaky.Flaky.test_first_time", done.stdout)

    def test_a_crash_says_in_which_test_it_was(self) -> None:
        done = self.run_command("test_crash")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("crashed (SIGSEGV)", done.stdout)
        self.assertIn("while running test_crash.Crash.test_crash", done.stdout)
        self.assertNotIn("run again", done.stdout)

    def test_a_module_past_its_time_is_timed_out(self) -> None:
        done = self.run_command("--keep-env", "PIDS", "--timeout", "1", "test_hangs")
        # Both sides lack the variable here and fail alike; with it both hang alike.
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        environment = {**os.environ, "PIDS": str(self.directory / "pids")}
        done = subprocess.run(self.arguments("--other", "env", "--keep-env", "PIDS", "--timeout", "1", "test_hangs"),
                              capture_output=True, text=True, check=False, timeout=120, env=environment)
        self.assertIn("timed out", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_an_interruption_leaves_no_process_and_no_file_behind(self) -> None:
        pids = self.directory / "pids"
        environment = {**os.environ, "PIDS": str(pids), "TMPDIR": str(self.directory)}
        process = subprocess.Popen(self.arguments("--other", "env", "--keep-env", "PIDS", "test_hangs"), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        deadline = time.monotonic() + 60
        while not (pids.exists() and len(pids.read_text().split()) == 2):
            self.assertLess(time.monotonic(), deadline, "the two children did not start")
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        self.assertEqual((process.returncode, errors), (130, "\ncpython-tests: interrupted; all children were stopped\n"))
        for pid in pids.read_text().split():
            self.assertFalse(os.path.exists(f"/proc/{pid}"), f"process {pid} is still there")
        self.assertEqual(list(self.directory.glob("tarn-cpython-*")), [])

    def test_signals_that_the_caller_ignores_reach_the_tests(self) -> None:
        quoted = shlex.join(self.arguments("--other", "env", "test_signals"))
        done = subprocess.run(["/bin/sh", "-c", f"trap '' INT QUIT HUP; exec {quoted}"], capture_output=True, text=True,
                              check=False, timeout=120)
        self.assertIn("test_signals: success, same (2 tests)", done.stdout)

    def test_results_of_stock_can_be_kept_and_used_again(self) -> None:
        done = self.run_command("--only-stock", "--json", str(self.json), "test_alike", "test_differs", other=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = self.run_command("--stock-results", str(self.json), "--retries", "0", "test_alike", "test_differs")
        self.assertIn("stock's results of 2 modules are from", done.stdout)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines()[-3:-1], ["modules the same: 1 of 2", "test methods compared: 5"])

    def test_results_of_another_interpreter_are_refused(self) -> None:
        self.run_command("--only-stock", "--json", str(self.json), "test_alike", other=False)
        changed = json.loads(self.json.read_text())
        changed["python"]["sha256"] = "0"
        self.json.write_text(json.dumps(changed))
        done = self.run_command("--stock-results", str(self.json), "test_alike")
        self.assertEqual(done.returncode, 2)
        self.assertIn("was made with another interpreter: sha256 '0' there", done.stderr)

    def test_the_file_of_results_holds_every_test(self) -> None:
        self.run_command("--retries", "0", "--json", str(self.json), "test_differs")
        record = json.loads(self.json.read_text())
        self.assertEqual(record["stock"][0]["tests"], {"test_differs.Differs.test_ok": ["ok"],
                                                       "test_differs.Differs.test_in_parts": ["ok"]})
        self.assertEqual(record["verdicts"][0]["differences"][0]["subject"], "test_differs.Differs.test_in_parts")

    def test_wrong_arguments_say_what_is_wrong(self) -> None:
        for arguments, message in (
            (["test_nowhere"], "no such test module: test_nowhere"),
            (["--python", "/nowhere/python", "test_alike"], "no Python at /nowhere/python"),
            (["-u", "network", "test_alike"], "tests that need the network aren't comparable"),
            (["--ci", "test_alike"], "--ci brings its own modules"),
            (["-x", "test_alike", "test_alike"], "nothing is left to run"),
            (["--stock-results", "/nowhere/file", "test_alike"], "/nowhere/file"),
        ):
            with self.subTest(arguments=arguments):
                done = self.run_command(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(message, done.stderr)

    def test_a_tarn_that_is_not_there_or_is_off_is_refused(self) -> None:
        done = self.run_command("--tarn", "/nowhere/tarn", "test_alike", other=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no tarn at /nowhere/tarn; build it with scripts/build", done.stderr)
        for report, why in (("true", "it left no report"),
                            ("printf 'tarn-report 1\\nstate off\\nreason PYTHONMALLOC=malloc\\n' > $TARN_REPORT_DIR/1",
                             "PYTHONMALLOC=malloc")):
            fake = self.directory / "tarn"
            fake.write_text(f"#!/bin/sh\n{report}\n")
            fake.chmod(0o755)
            done = self.run_command("--tarn", str(fake), "test_alike", other=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"doesn't live on Tarn: {why}", done.stderr)


class HowAModuleIsRun(unittest.TestCase):
    def test_the_command_has_the_prefix_the_patterns_and_the_module_last(self) -> None:
        side = Side("tarn", ("tarn", "run", "--"))
        command = command_for(side, Options("py", timeout=9), Selection("test_gc", ("a",), ("b",)), "j.xml", "work")
        self.assertEqual(command[:6], ["tarn", "run", "--", "py", "-m", "test"])
        self.assertEqual(command[-5:], ["-m", "a", "-i", "b", "test_gc"])
        self.assertEqual(command[command.index("--timeout") + 1], "9")

    def test_the_callers_variables_do_not_reach_the_tests(self) -> None:
        inherited = {"PATH": "/bin", "PYTHONMALLOC": "malloc", "LD_PRELOAD": "x.so", "TARN_CHECKS": "debug", "HOME": "/me"}
        place = pathlib.Path("/p")
        environment = environment_for(Side("stock"), Options("py"), Selection("test_gc"), place, inherited)
        self.assertEqual(environment, {"PATH": "/bin", "HOME": "/p/home", "TMPDIR": "/p/tmp", "LANG": "C.UTF-8",
                                       "TERM": "dumb", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"})

    def test_a_side_may_add_variables_and_tests_of_bytecode_may_write_it(self) -> None:
        side = Side("tarn", (), (("TARN_QUIET", "1"),))
        environment = environment_for(side, Options("py"), Selection("test_importlib.test_abc"), pathlib.Path("/p"), {})
        self.assertEqual(environment["TARN_QUIET"], "1")
        self.assertNotIn("PYTHONDONTWRITEBYTECODE", environment)

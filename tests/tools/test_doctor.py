"""`tarn doctor`: the verdict on Pythons of many kinds, some of them no Pythons at all."""

from __future__ import annotations

import json
import sys
import time
import unittest
from pathlib import Path

from command_support import PYTHON, STAND_IN, CommandTest, wait_until


class DoctorTest(CommandTest):
    def fake(self, output: str, name: str = "fake") -> str:
        """A program that answers the probe so, and leaves no report."""
        self.write("answer", output)
        return str(self.write(name, f"#!/bin/sh\ncat {self.folder}/answer\n", 0o755))

    def answer(self, **changes: str) -> str:
        facts = {"version": "3.11.2", "major": "3", "minor": "11", "implementation": "cpython",
                 "free_threaded": "0", "pointer_bits": "64", "executable": "", "libpython": ""}
        facts.update(changes)
        return "\n".join(["tarn-probe 1", *(f"{k} {v}" for k, v in facts.items()), "end", ""])

    def verdict(self, *words: str, status: int) -> str:
        result = self.tarn("doctor", *words)
        self.assertEqual((result.returncode, result.stderr), (status, ""))
        return result.stdout.splitlines()[-1]

    def test_python3_from_path_is_examined(self) -> None:
        result = self.tarn("doctor")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        version = ".".join(map(str, sys.version_info[:3]))
        self.assertRegex(result.stdout, rf"(?m)^python         {self.binaries}/python3 \(")
        self.assertRegex(result.stdout, rf"(?m)^version        CPython {version}")
        self.assertRegex(result.stdout, r"(?m)^build          with the GIL, 64 bits$")
        self.assertRegex(result.stdout, r"(?m)^libpython      (static|shared, /)")
        self.assertIn(f"\nhook           {STAND_IN}, by LD_PRELOAD\n", result.stdout)
        self.assertIn("\nPYTHONMALLOC   not set\n", result.stdout)
        self.assertIn("\ntried          on Tarn: geometry tarn, addresses by range, 3 arenas at most\n",
                      result.stdout)
        self.assertTrue(result.stdout.endswith("\n\nThis Python can live on Tarn.\n"))
        self.assert_nothing_is_left()

    def test_json_has_the_same_verdict(self) -> None:
        for words in (("--json",), ("--json", PYTHON), (PYTHON, "--json")):
            result = self.tarn("doctor", *words)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            findings = json.loads(result.stdout)
            self.assertIs(findings["can_live"], True)
            self.assertEqual(findings["hook"], STAND_IN)
            self.assertEqual(findings["facts"]["implementation"], "cpython")
            self.assertEqual(findings["trial"]["state"], "on")

    def test_no_such_python(self) -> None:
        self.check(self.tarn("doctor", "python9"), 127, errors="tarn: python9: command not found\n")

    def test_a_python_that_reports_to_be_off_has_the_reason(self) -> None:
        self.write("report", "tarn-report 1\npid @PID@\nprogram python3\npython 3.11.2\nstate off\n"
                   "reason a bad day\nend\n")
        self.assertEqual(self.verdict(status=1), "This Python can't live on Tarn: a bad day.")

    def test_pythonmalloc_in_the_environment(self) -> None:
        self.environment["PYTHONMALLOC"] = "malloc"
        self.assertEqual(self.verdict(status=1), "This Python can't live on Tarn: PYTHONMALLOC=malloc "
                         "chooses another allocator; unset PYTHONMALLOC.")
        self.environment["PYTHONMALLOC"] = "debug"
        self.assertEqual(self.verdict(status=0), "This Python can live on Tarn.")

    def test_a_pythonmalloc_that_python_does_not_know(self) -> None:
        self.environment["PYTHONMALLOC"] = "nonsense"
        result = self.tarn("doctor")
        self.assertEqual(result.returncode, 1)
        self.assertIn("\nPYTHONMALLOC   nonsense: Python knows no such allocator, and won't start\n",
                      result.stdout)
        self.assertIn("PYTHONMALLOC: unknown allocator", result.stdout)

    def test_a_free_threaded_build_is_refused(self) -> None:
        python = self.fake(self.answer(version="3.13.1", minor="13", free_threaded="1"))
        self.assertEqual(self.verdict(python, status=1), "This Python can't live on Tarn: its cycle "
                         "collector finds objects by walking the heaps of its own allocator, mimalloc; "
                         "use a build with the GIL (python3.13).")

    def test_versions_and_implementations_that_are_not_supported(self) -> None:
        for changes, because in (
            ({"version": "3.7.16", "minor": "7"}, "CPython 3.7.16 is not supported"),
            ({"version": "3.15.0a1", "minor": "15"}, "CPython 3.15.0a1 is not supported"),
            ({"implementation": "pypy"},
             "it is pypy, which has a memory manager that can't be replaced"),
        ):
            python = self.fake(self.answer(**changes))
            self.assertEqual(self.verdict(python, status=1),
                             f"This Python can't live on Tarn: {because}; use CPython 3.8 to 3.14.")

    def test_what_is_no_python(self) -> None:
        result = self.tarn("doctor", "/bin/true")
        self.assertEqual(result.returncode, 1)
        self.assertIn("\nprobe          it doesn't answer as a Python does\n", "\n" + result.stdout)
        result = self.tarn("doctor", "/bin/false")
        self.assertIn("probe          it ended with status 1\n", result.stdout)

    def test_an_answer_that_is_nonsense_is_not_shown_as_it_is(self) -> None:
        python = self.fake("\x1b[2J\x1b]0;title\x07\n")
        result = self.tarn("doctor", python)
        self.assertEqual(result.returncode, 1)
        self.assertNotIn("\x1b", result.stdout)
        self.write("loud", "#!/bin/sh\nprintf 'a\\033[2Jb\\n' >&2; exit 3\n", 0o755)
        result = self.tarn("doctor", "./loud")
        self.assertIn("it ended with status 3: a\\x1b[2Jb\n", result.stdout)

    def test_an_answer_without_an_end(self) -> None:
        self.write("endless", "#!/bin/sh\nexec yes\n", 0o755)
        result = self.tarn("doctor", "./endless")
        self.assertEqual(result.returncode, 1)
        self.assertIn("it printed more than 64 KiB", result.stdout)

    def test_no_answer_within_ten_seconds(self) -> None:
        self.write("slow", "#!/bin/sh\nsleep 1000\n", 0o755)
        start = time.monotonic()
        result = self.tarn("doctor", "./slow")
        self.assertEqual(result.returncode, 1)
        self.assertIn("it did not end within 10 seconds", result.stdout)
        self.assertLess(time.monotonic() - start, 20)

    def test_a_signal_ends_it_and_what_it_started(self) -> None:
        self.write("slow", f"#!/bin/sh\necho $$ > {self.folder}/pid\nsleep 1000\n", 0o755)
        process = self.start("doctor", "./slow")
        wait_until(lambda: (self.folder / "pid").exists() and (self.folder / "pid").read_text() != "")
        process.terminate()
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, -15)
        pid = int((self.folder / "pid").read_text())
        wait_until(lambda: not Path(f"/proc/{pid}").exists())
        self.assert_nothing_is_left()

    def test_a_python_without_a_report(self) -> None:
        del self.environment["STAND_IN_REPORT"]
        self.assertEqual(self.verdict(status=1), "This Python can't live on Tarn: it was run with the "
                         "hook, but it left no report: the hook was not loaded, or took it for no Python.")

    def test_what_the_hook_says_is_shown(self) -> None:
        self.environment["STAND_IN_MESSAGE"] = "tarn: off: \x1b[2J"
        self.assertIn("\n               it wrote: tarn: off: \\x1b[2J\n", self.tarn("doctor").stdout)

    def test_a_missing_hook(self) -> None:
        self.environment["TARN_LIBRARY"] = "/nowhere/lib.so"
        result = self.tarn("doctor")
        self.assertEqual(result.returncode, 1)
        self.assertIn("\nhook           TARN_LIBRARY names no file: /nowhere/lib.so\n", result.stdout)
        self.assertTrue(result.stdout.endswith(
            "\nThis Python can't live on Tarn: the hook can't be preloaded.\n"))

    def test_a_wrapper_script_is_looked_through(self) -> None:
        self.write("wrapper", f'#!/bin/sh\n"{PYTHON}" "$@"\n', 0o755)
        self.assertEqual(self.verdict("./wrapper", status=0), "This Python can live on Tarn.")


if __name__ == "__main__":
    unittest.main()

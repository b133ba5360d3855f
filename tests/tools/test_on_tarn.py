"""The command with the library it is for: an unmodified Python that lives on Tarn, and what it reports."""

from __future__ import annotations

import json
import os
import sys
import unittest
from pathlib import Path

from command_support import TARN, CommandTest

HOLD = "kept = [object() for _ in range(100_000)]"  # of one size class, to the end


class OnTarnTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        del self.environment["TARN_LIBRARY"]  # it is found beside the command

    def report(self, *words: str) -> dict:
        self.check(self.tarn("run", "--report=report.json", *words), 0)
        return json.loads((self.folder / "report.json").read_text())

    def test_the_report_knows_what_the_program_holds(self) -> None:
        report = self.report("-c", HOLD)["report"]
        self.assertEqual(report["state"], "on")
        self.assertEqual(report["python"].split("+")[0], sys.version.split()[0].split("+")[0])
        self.assertGreaterEqual(max(row["blocks_allocated"] for row in report["classes"]), 100_000)
        arenas = report["arenas"]
        self.assertEqual(arenas["now"], arenas["mapped"] - arenas["released"])
        self.assertGreaterEqual(arenas["peak"], arenas["now"])
        for state in ("used", "full"):
            self.assertEqual(sum(row[f"pools_{state}"] for row in report["classes"]),
                             report["pools"][state] + report["medium"]["pools"][state])

    def test_the_text_has_the_same_sections(self) -> None:
        result = self.tarn("run", "--report", "-c", HOLD)
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        for line in (r"tarn: \S*python3 \(process \d+\) on Python 3\.", r"arenas +[1-9]", r"pools +[1-9]",
                     r"blocks +1\d\d,\d\d\d", r"obj +\d+ +\d+ +[\d,]+ +[\d,]+ +1\d\d,\d\d\d",
                     r"requests over 32 KiB and first ones: [1-9]"):
            self.assertRegex(result.stderr, rf"(?m)^{line}")
        self.assertEqual([line for line in result.stderr.splitlines() if len(line) > 80], [])

    def test_the_options_arrive(self) -> None:
        report = self.report("--geometry=classic", "--checks=debug", "-c", "pass")["report"]
        self.assertEqual((report["geometry"], report["arena_size"], report["checks"]),
                         ("classic", 256 * 1024, "debug"))

    def test_a_program_at_the_end_of_a_very_long_path(self) -> None:
        """Its name has bytes that a report escapes, so that it is longer there than a path may be."""
        folder = os.fsencode(self.folder)
        while len(folder) < 3600:
            folder += b"/" + b"\xff" * 200
            os.mkdir(folder)
        python = folder + b"/python3"
        os.symlink(sys.executable, python)
        result = self.tarn("run", "--report=report.json", "--", os.fsdecode(python), "-c", "pass")
        self.check(result, 0)
        report = json.loads((self.folder / "report.json").read_text())["report"]
        self.assertEqual(report["state"], "on")
        self.assertLess(len(report.get("program", "")), 4096)

    def test_further_processes_report_too(self) -> None:
        code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'], check=True)"
        report = self.report("-c", code)
        self.assertEqual([further["state"] for further in report["further"]], ["on"])
        self.assertEqual(report["further"][0]["parent"], report["pid"])

    def test_it_is_never_silently_off(self) -> None:
        self.environment["PYTHONMALLOC"] = "malloc"
        result = self.tarn("run", "-c", "pass")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertRegex(result.stderr, r"\Atarn: .*PYTHONMALLOC.*\n\Z")
        self.check(self.tarn("run", "--quiet", "-c", "pass"), 0)
        report = self.report("--quiet", "-c", "pass")["report"]
        self.assertEqual(report["state"], "off")
        self.assertIn("PYTHONMALLOC", report["reason"])

    def test_the_doctor_finds_it_sound(self) -> None:
        result = self.tarn("doctor")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        library = Path(TARN[-1]).parent.parent / "lib/libtarn-python.so"
        self.assertIn(f"\nhook           {library}, by LD_PRELOAD\n", result.stdout)
        self.assertRegex(result.stdout, r"\ntried          on Tarn: geometry tarn, addresses by range, ")
        self.assertTrue(result.stdout.endswith("\nThis Python can live on Tarn.\n"))

    def test_the_doctor_knows_why_it_is_off(self) -> None:
        self.environment["PYTHONMALLOC"] = "pymalloc"
        result = self.tarn("doctor", "--json")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertEqual(json.loads(result.stdout)["trial"]["state"], "off")


if __name__ == "__main__":
    unittest.main()

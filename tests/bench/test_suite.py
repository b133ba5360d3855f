"""`scripts/bench-python --suite`: benchmarks of pyperformance's form are found, run, and left out with the reason."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "bench"), str(Path(__file__).resolve().parent)]

from python_bench import suite  # noqa: E402
from test_command import Command  # noqa: E402

# As much of pyperf as the tests need: a worker that writes its figures.
PYPERF = """
import json, sys
def bench(seconds):
    arguments = sys.argv
    assert arguments[1] == "--worker" and arguments[arguments.index("--values") + 1] == "1"
    loops = int(arguments[arguments.index("--loops") + 1])
    run = {"values": [seconds], "metadata": {"loops": loops}}
    document = {"benchmarks": [{"runs": [run]}, {"runs": [run]}], "metadata": {"inner_loops": 2}}
    open(arguments[arguments.index("--output") + 1], "w").write(json.dumps(document))
"""
FINE = "import pyperf\npyperf.bench(0.001)\n"
PROJECT = '[project]\nname = "pyperformance_bm_{0}"\ndependencies = ["pyperf"{1}]\n[tool.pyperformance]\nname = "{0}"\n'


class Suite(Command):
    def setUp(self) -> None:
        super().setUp()
        self.suite = self.folder / "checkout"
        packages = self.folder / "packages"
        (packages / "pyperf-1.dist-info").mkdir(parents=True)
        (packages / "pyperf-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: pyperf\nVersion: 1\n")
        (packages / "pyperf.py").write_text(PYPERF)
        self.python = self.folder / "python"
        self.python.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec {sys.executable} "$@"\n')
        self.python.chmod(0o755)

    def add_benchmark(self, name: str, code: str = FINE, needs: str = "", more: str = "") -> Path:
        folder = self.suite / suite.PLACES[0] / f"bm_{name}"
        folder.mkdir(parents=True)
        (folder / "run_benchmark.py").write_text(code)
        (folder / "pyproject.toml").write_text(PROJECT.format(name, needs) + more)
        return folder

    def measure(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run_command(
            "--suite", str(self.suite), "--python", str(self.python), "--configurations", "stock,glibc",
            "--rounds", "1", "--startup-runs", "0", *arguments,
        )  # fmt: skip

    def test_time_is_what_pyperf_measured_and_loops_are_chosen_once(self) -> None:
        self.add_benchmark("one")
        file = self.folder / "results.json"
        ended = self.measure("--json", str(file))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        (program,) = json.loads(file.read_text())["programs"]
        for sample in program["rounds"][0].values():
            # Two parts of two inner loops of a millisecond.
            self.assertAlmostEqual(sample["wall"], 0.004 * program["loops"])
            self.assertGreaterEqual(sample["wall"], 0.25)
        self.assertIn("what pyperf measured", ended.stdout)
        self.assertNotIn("Checksums", ended.stdout)

    def test_names_and_options_come_from_the_files_of_toml(self) -> None:
        folder = self.add_benchmark("tree", more='extra_opts = ["none"]\n')
        (folder / "bm_tree_io.toml").write_text('[tool.pyperformance]\nname = "tree_io"\nextra_opts = ["io", "--fast"]\n')
        (folder / "bm_tree_new.toml").write_text(
            '[project]\nrequires-python = ">=3.99"\n[tool.pyperformance]\nname = "tree_new"\n'
        )
        found = suite.find(self.suite)
        self.assertEqual(list(found), ["tree", "tree_io", "tree_new"])
        self.assertEqual([one.options for one in found.values()], [("none",), ("io", "--fast"), ("none",)])
        ended = self.measure("--only", "tree_new,tree")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("tree_new: needs Python 3.99", ended.stdout)

    def test_what_can_not_run_is_listed_with_the_reason(self) -> None:
        self.add_benchmark("fine")
        self.add_benchmark("poor", needs=', "No.Such_thing>=2"')
        self.add_benchmark("broken", "import sys\nsys.exit('no hg here')\n")
        self.add_benchmark("mute", "")
        ended = self.measure()
        self.assertEqual(ended.returncode, 0, ended.stderr)
        for reason in (
            "poor: not installed: No.Such_thing",
            "broken: exit status 1: no hg here",
            "mute: pyperf left no figures",
        ):
            self.assertIn(f"\n  {reason}", ended.stdout)
        self.assertIn("\nfine ", ended.stdout)

    def test_what_fails_under_one_configuration_only_is_a_failure(self) -> None:
        self.add_benchmark("one", FINE + "import os, sys\nif 'PYTHONMALLOC' in os.environ: sys.exit('glibc')\n")
        ended = self.measure()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("one: under glibc: exit status 1: glibc", ended.stdout)

    def test_a_folder_that_holds_no_suite_is_refused(self) -> None:
        self.suite.mkdir()
        ended = self.measure()
        self.assertEqual(ended.returncode, 2)
        self.assertIn("no bm_*/run_benchmark.py", ended.stderr)
        folder = self.add_benchmark("one")
        (folder / "pyproject.toml").write_text("[tool")
        ended = self.measure()
        self.assertEqual(ended.returncode, 2)
        self.assertIn("can't understand", ended.stderr)


class Resuming(Command):
    def test_goes_on_where_an_interrupt_left_off(self) -> None:
        count = self.folder / "count"
        self.add("one", f"open({str(count)!r}, 'a').write('1')\nprint('checksum 1')\n")
        file = self.folder / "results.json"
        self.assertEqual(self.compare("--json", str(file), "--resume").returncode, 0)
        self.assertEqual(count.read_text(), "1111")
        self.add("two", "print('checksum 2')\n")
        ended = self.compare("--json", str(file), "--resume", "--rounds", "3")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(count.read_text(), "111111")
        document = json.loads(file.read_text())
        self.assertEqual({one["name"]: len(one["rounds"]) for one in document["programs"]}, {"one": 3, "two": 3})
        self.assertEqual(len(document["startup"]["rounds"]), 2)

    def test_every_round_is_in_the_file_at_once(self) -> None:
        file = self.folder / "results.json"
        self.add("one", f"import os, sys\nif os.path.exists({str(file)!r}): sys.exit(open({str(file)!r}).read())\n"
                 "print('checksum 1')\n")  # fmt: skip
        ended = self.compare("--only", "one", "--json", str(file))
        self.assertEqual(ended.returncode, 1)
        self.assertIn('"format": "bench-python 1"', ended.stdout + file.read_text())

    def test_other_conditions_are_refused(self) -> None:
        self.add("one", "print('checksum 1')\n")
        file = self.folder / "results.json"
        self.assertEqual(self.compare("--json", str(file)).returncode, 0)
        ended = self.compare("--json", str(file), "--resume", "--scale", "2")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("has other scale: 1.0, not 2.0", ended.stderr)
        ended = self.compare("--resume")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("the file that --json names", ended.stderr)


class Markdown(Command):
    def test_goes_between_its_marks_and_leaves_the_rest(self) -> None:
        self.add("one", "print('checksum 1')\n")
        page = self.folder / "page.md"
        page.write_text("before\n<!-- bench-python -->\nold\n<!-- bench-python -->\nafter\n")
        ended = self.compare("--markdown", str(page), "--only", "one")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        text = page.read_text()
        self.assertTrue(text.startswith("before\n<!-- bench-python -->\nCPython"), text)
        self.assertTrue(text.endswith("<!-- bench-python -->\nafter\n"), text)
        self.assertIn("| one |", text)
        self.assertNotIn("old", text)
        self.assertEqual(self.compare("--markdown", str(page), "--only", "one").returncode, 0)

    def test_never_overwrites_a_page_without_marks(self) -> None:
        self.add("one", "print('checksum 1')\n")
        page = self.folder / "page.md"
        page.write_text("by hand\n")
        ended = self.compare("--markdown", str(page), "--only", "one")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("to put the tables between", ended.stderr)
        self.assertEqual(page.read_text(), "by hand\n")
        page.unlink()
        self.assertEqual(self.compare("--markdown", str(page), "--only", "one").returncode, 0)
        self.assertTrue(page.read_text().startswith("# Python programs\n"))
        self.assertFalse([one for one in os.listdir(self.folder) if one.startswith(".page")])


if __name__ == "__main__":
    unittest.main()

"""The programs are deterministic, small enough to read, and stand on the standard library alone."""

import ast
import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from python_bench import measure, programs  # noqa: E402

FOLDER = ROOT / "bench/programs"
PROGRAMS = programs.find(FOLDER)


def run(path: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    settings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", **environment}
    command = [sys.executable, str(path), *arguments]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120)


class Programs(unittest.TestCase):
    def test_are_eighteen_at_least(self) -> None:
        self.assertGreaterEqual(len(PROGRAMS), 18)

    def test_end_with_the_same_checksum_whatever_the_memory_manager(self) -> None:
        for program in PROGRAMS.values():
            with self.subTest(program.name):
                stock = run(program.path, "--scale", "0.01")
                self.assertEqual(stock.returncode, 0, stock.stderr)
                checksum = measure.checksum_of(stock.stdout)
                self.assertIsNotNone(checksum, stock.stdout)
                other = run(program.path, "--scale", "0.01", PYTHONMALLOC="malloc")
                self.assertEqual(measure.checksum_of(other.stdout), checksum)

    def test_do_other_work_at_another_scale(self) -> None:
        program = PROGRAMS["json_dumps"]
        small, large = (measure.checksum_of(run(program.path, "--scale", scale).stdout) for scale in ("0.01", "0.05"))
        self.assertNotEqual(small, large)

    def test_refuse_a_wrong_scale_in_one_line(self) -> None:
        path = PROGRAMS["nbody"].path
        for arguments in (["--scale", "much"], ["--scale", "0"], ["--scale", "nan"], ["--size", "1"], ["--scale"]):
            with self.subTest(arguments):
                ended = run(path, *arguments)
                self.assertEqual(ended.returncode, 2)
                self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)

    def test_say_in_a_sentence_what_they_do(self) -> None:
        for program in PROGRAMS.values():
            self.assertGreater(len(program.summary.split()), 5, program.name)

    def test_do_not_take_the_name_of_a_standard_module(self) -> None:
        # Its folder comes first on the path of a program: json.py here would be what `import json` finds.
        self.assertEqual(set(PROGRAMS) & set(sys.stdlib_module_names), set())

    def test_import_the_standard_library_only(self) -> None:
        for path in FOLDER.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                for name in names:
                    top = name.partition(".")[0]
                    self.assertTrue(top in sys.stdlib_module_names or top == "_program", f"{path.name} imports {name}")


if __name__ == "__main__":
    unittest.main()

"""What using a reference costs in the release build, against the golden table."""

from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import hot_path  # noqa: E402
import object_paths  # noqa: E402


class ObjectPathsOfThisBuild(unittest.TestCase):
    table: hot_path.Table
    golden: hot_path.Table

    @classmethod
    def setUpClass(cls) -> None:
        if "TARN_BUILD" not in os.environ:
            raise unittest.SkipTest("TARN_BUILD doesn't name a release build; run this through ctest")
        cls.table = object_paths.count(Path(os.environ["TARN_BUILD"]) / "lib" / "libgolden_objects.a")
        cls.golden = hot_path.from_text(object_paths.GOLDEN.read_text())

    def test_are_within_their_bounds(self) -> None:
        self.assertEqual(object_paths.over_bounds(self.table), [])

    def test_are_the_golden_ones(self) -> None:
        if self.table.compiler != self.golden.compiler:
            self.skipTest(
                f"built by {self.table.compiler}, the table by {self.golden.compiler}: only the bounds were compared"
            )
        self.assertEqual(self.table.paths, self.golden.paths)


class Counting(unittest.TestCase):
    def test_reads_each_function_to_its_first_return(self) -> None:
        text = (
            "0000000000000000 <tarn::golden::copy(int)>:\n   0:\tmov    %rax\n   3:\tje     8\n   5:\tret\n"
            "   6:\tcall   0\n\n0000000000000010 <other()>:\n  10:\tnop\n"
        )
        path = object_paths.paths_of(text)["copy"]
        self.assertEqual(path.mnemonics, ("mov", "je", "ret"))
        self.assertEqual(path.branches, 1)

    def test_finds_more_than_allowed(self) -> None:
        table = hot_path.Table("GCC 12", {"borrow": hot_path.HotPath(("mov", "mov", "ret"))})
        self.assertEqual(
            object_paths.over_bounds(table),
            ["borrow has 3 instructions and 0 conditional branches; the most it may have is 2 and 0"],
        )

    def test_golden_table_is_within_the_bounds(self) -> None:
        golden = hot_path.from_text(object_paths.GOLDEN.read_text())
        self.assertEqual(set(golden.paths), set(object_paths.BOUNDS))
        self.assertEqual(object_paths.over_bounds(golden), [])


if __name__ == "__main__":
    unittest.main()

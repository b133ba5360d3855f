"""The hot path of the release build against the golden table, and the reading of both."""

from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import hot_path  # noqa: E402

ALLOCATE = (
    "tarn::heap::functions_of<tarn::heap::DomainHeap<tarn::alloc::TarnGeometry, "
    "tarn::alloc::ReservedRange<tarn::alloc::TarnGeometry>, tarn::heap::NoFill, tarn::heap::MediumRequests<x> > >"
    "::{lambda(void*, unsigned long)#1}::_FUN(void*, unsigned long)"
)


def disassembly(symbol: str, *mnemonics: str) -> str:
    lines = [f"0000000000000000 <{symbol}>:"]
    lines += [f"   {i:x}:\t{mnemonic}    %rax" for i, mnemonic in enumerate(mnemonics)]
    return "\n".join(lines) + "\n\n0000000000000000 <other>:\n   0:\tnop\n"


class HotPathOfThisBuild(unittest.TestCase):
    table: hot_path.Table
    golden: hot_path.Table

    @classmethod
    def setUpClass(cls) -> None:
        if "TARN_BUILD" not in os.environ:
            raise unittest.SkipTest("TARN_BUILD doesn't name a release build; run this through ctest")
        cls.table = hot_path.count(Path(os.environ["TARN_BUILD"]) / "lib" / "libtarn.a")
        cls.golden = hot_path.from_text(hot_path.GOLDEN.read_text())

    def test_is_within_its_bounds(self) -> None:
        self.assertEqual(hot_path.over_bounds(self.table), [])

    def test_is_the_golden_one(self) -> None:
        if self.table.compiler != self.golden.compiler:
            self.skipTest(
                f"built by {self.table.compiler}, the table by {self.golden.compiler}: only the bounds were compared"
            )
        self.assertEqual(hot_path.differences(self.table, self.golden), [])


class GoldenTable(unittest.TestCase):
    def test_survives_being_written_and_read(self) -> None:
        table = hot_path.Table("GCC 12", {"allocate": hot_path.HotPath(("mov", "je", "ret"))})
        self.assertEqual(hot_path.from_text(hot_path.as_text(table)), table)

    def test_in_the_repository_is_within_the_bounds(self) -> None:
        golden = hot_path.from_text(hot_path.GOLDEN.read_text())
        self.assertEqual(set(golden.paths), set(hot_path.BOUNDS))
        self.assertEqual(hot_path.over_bounds(golden), [])


class Counting(unittest.TestCase):
    def test_stops_at_the_first_return(self) -> None:
        path = hot_path.hot_path(disassembly(ALLOCATE, "mov", "je", "mov", "ret", "jmp"), "allocate", "here")
        self.assertEqual(path.mnemonics, ("mov", "je", "mov", "ret"))
        self.assertEqual(path.branches, 1)

    def test_takes_an_unconditional_jump_for_no_branch(self) -> None:
        self.assertFalse(hot_path.is_conditional_branch("jmp"))
        self.assertTrue(hot_path.is_conditional_branch("jae"))

    def test_refuses_a_path_that_leaves_the_function(self) -> None:
        with self.assertRaisesRegex(hot_path.CountError, "doesn't fall through to a return: mov jmp"):
            hot_path.hot_path(disassembly(ALLOCATE, "mov", "jmp", "ret"), "allocate", "here")

    def test_says_that_the_function_is_missing(self) -> None:
        with self.assertRaisesRegex(hot_path.CountError, "here has no 'free' of Tarn's geometry"):
            hot_path.hot_path(disassembly(ALLOCATE, "ret"), "free", "here")

    def test_says_that_the_library_is_missing(self) -> None:
        with self.assertRaisesRegex(hot_path.CountError, "there is no nowhere/libtarn.a; build it with scripts/build"):
            hot_path.count(Path("nowhere/libtarn.a"))

    def test_finds_more_instructions_than_allowed(self) -> None:
        paths = {"allocate": hot_path.HotPath(("mov",) * 12 + ("ret",)), "free": hot_path.HotPath(("ret",))}
        self.assertEqual(
            hot_path.over_bounds(hot_path.Table("GCC 12", paths)),
            ["allocate has 13 instructions and 0 conditional branches; the most it may have is 12 and 1"],
        )

    def test_finds_more_branches_than_allowed(self) -> None:
        paths = {"allocate": hot_path.HotPath(("je", "jne", "ret")), "free": hot_path.HotPath(("ret",))}
        self.assertEqual(len(hot_path.over_bounds(hot_path.Table("GCC 12", paths))), 1)

    def test_finds_an_instruction_that_changed(self) -> None:
        new = hot_path.Table("GCC 12", {"free": hot_path.HotPath(("add", "ret"))})
        old = hot_path.Table("GCC 12", {"free": hot_path.HotPath(("mov", "ret"))})
        self.assertEqual(
            hot_path.differences(new, old),
            ["free is now 'add ret', in the table 'mov ret'; if that is meant, run scripts/count-instructions --update"],
        )


if __name__ == "__main__":
    unittest.main()

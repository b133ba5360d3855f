"""The summary names everything that matters, once."""

from __future__ import annotations

import io
import unittest

from .comparison import judge
from .report import print_stock_summary, print_summary
from .result import ModuleResult


class Summary(unittest.TestCase):
    def test_many_alike_differences_of_a_class_are_shortened_and_still_counted(self) -> None:
        names = [f"test_gc.T.test_{number}" for number in range(9)]
        stock = ModuleResult("test_gc", "success", 1.0, {name: ["ok"] for name in names})
        other = ModuleResult("test_gc", "failed", 1.0, {name: ["failed: OSError"] for name in names})
        stream = io.StringIO()
        print_summary(stream, [judge([(stock, other)])], {}, "tarn")
        text = stream.getvalue()
        self.assertIn("test_gc.T.test_4\n", text)
        self.assertNotIn("test_gc.T.test_5\n", text)
        self.assertIn("… and 4 more tests of test_gc.T with the same two outcomes", text)
        self.assertIn("differences: 9 (", text)

    def test_the_modules_are_counted_by_outcome_on_each_side(self) -> None:
        stock = ModuleResult("test_gc", "success")
        stream = io.StringIO()
        print_summary(stream, [judge([(stock, stock)]), judge([(stock, ModuleResult("test_gc", "crashed (SIGABRT)"))])],
                      {}, "tarn")
        rows = [line.split() for line in stream.getvalue().splitlines()]
        self.assertIn(["success", "2", "1"], rows)
        self.assertIn(["crashed", "(SIGABRT)", "0", "1"], rows)
        self.assertIn(["modules", "the", "same:", "1", "of", "2"], rows)

    def test_a_run_of_stock_alone_names_what_failed_and_what_is_slow(self) -> None:
        results = [ModuleResult("test_gc", "failed", 25.0, {"test_gc.T.test_x": ["failed: OSError"]},
                                {"test_gc.T.test_x": "OSError"}), ModuleResult("test_sys", "success", 2.0)]
        stream = io.StringIO()
        print_stock_summary(stream, results)
        self.assertIn("test_gc.T.test_x: failed: OSError", stream.getvalue())
        self.assertIn("25.0 s  test_gc", stream.getvalue())
        self.assertNotIn("2.0 s  test_sys", stream.getvalue())

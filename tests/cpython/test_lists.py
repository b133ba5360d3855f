"""The lists are read strictly: a line that isn't understood is an error with its place."""

from __future__ import annotations

import pathlib
import tempfile
import unittest

from . import lists
from .regrtest import Selection


class ListFiles(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "list.txt"

    def write(self, text: str) -> pathlib.Path:
        self.path.write_text(text, encoding="utf-8")
        return self.path

    def test_an_expected_difference_is_a_test_and_its_reason(self) -> None:
        path = self.write("# why\n\ntest_sys.C.test_x   asks for the allocator's name\n")
        self.assertEqual(lists.read_expected_differences(path), {"test_sys.C.test_x": "asks for the allocator's name"})

    def test_an_expected_difference_without_a_reason_is_refused(self) -> None:
        with self.assertRaisesRegex(lists.ListError, r"list\.txt:2: test_sys\.C\.test_x has no reason"):
            lists.read_expected_differences(self.write("# why\ntest_sys.C.test_x\n"))

    def test_a_whole_module_cannot_be_expected_to_differ(self) -> None:
        with self.assertRaisesRegex(lists.ListError, "test_sys is not a test"):
            lists.read_expected_differences(self.write("test_sys  is strange\n"))

    def test_an_expected_difference_listed_twice_is_refused(self) -> None:
        with self.assertRaisesRegex(lists.ListError, r"list\.txt:2: .* listed twice"):
            lists.read_expected_differences(self.write("test_sys.C.test_x one\ntest_sys.C.test_x two\n"))

    def test_a_module_may_have_patterns(self) -> None:
        path = self.write("test_gc\ntest_subprocess -m 'Process*' -m test_x -i test_y  # slow\n")
        self.assertEqual(lists.read_modules(path),
                         [Selection("test_gc"), Selection("test_subprocess", ("Process*", "test_x"), ("test_y",))])

    def test_a_module_line_with_an_unknown_option_is_refused_with_its_place(self) -> None:
        with self.assertRaisesRegex(lists.ListError, r"list\.txt:1: .*-z"):
            lists.read_modules(self.write("test_gc -z\n"))
        with self.assertRaisesRegex(lists.ListError, r"list\.txt:1: No closing quotation"):
            lists.read_modules(self.write("test_gc -m 'x\n"))

    def test_a_module_listed_twice_is_refused(self) -> None:
        with self.assertRaisesRegex(lists.ListError, "listed twice"):
            lists.read_modules(self.write("test_gc\ntest_gc -m x\n"))


class OurLists(unittest.TestCase):
    def test_continuous_integration_has_at_least_forty_modules(self) -> None:
        modules = {selection.module.split(".")[0] for selection in lists.read_modules(lists.CI_MODULES)}
        self.assertGreaterEqual(len(modules), 40)

    def test_every_expected_difference_is_of_a_module_that_continuous_integration_runs(self) -> None:
        # Otherwise nobody would notice that it is no longer there.
        modules = {selection.module for selection in lists.read_modules(lists.CI_MODULES)}
        for test in lists.read_expected_differences(lists.EXPECTED_DIFFERENCES):
            self.assertIn(test.split(".")[0], modules)

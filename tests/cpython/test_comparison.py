"""What counts as a difference, and what is only named."""

from __future__ import annotations

import unittest

from .comparison import ABSENT, compare, is_worth_a_retry, judge
from .result import ModuleResult


def module(outcome: str = "success", **tests: str) -> ModuleResult:
    """A run of test_gc; `module(test_list="ok")` is a run with that one test."""
    return ModuleResult("test_gc", outcome, 1.0, {f"test_gc.T.{name}": [result] for name, result in tests.items()})


def subjects(differences: list) -> list[tuple[str, str, str]]:
    return [(one.subject, one.stock, one.other) for one in differences]


OK = module(test_list="ok", test_dict="ok")
FAILING = module("failed", test_list="ok", test_dict="failed: AssertionError")
CRASHED = module("crashed (SIGSEGV)", test_list="ok")
DICT_FAILS = ("test_gc.T.test_dict", "ok", "failed: AssertionError")


class Compare(unittest.TestCase):
    def test_equal_runs_do_not_differ(self) -> None:
        self.assertEqual(compare(OK, OK), [])
        self.assertEqual(compare(FAILING, FAILING), [])

    def test_a_failing_test_explains_its_module(self) -> None:
        self.assertEqual(subjects(compare(OK, FAILING)), [DICT_FAILS])

    def test_modules_that_fail_in_different_tests_differ(self) -> None:
        other = module("failed", test_list="failed: AssertionError", test_dict="ok")
        self.assertEqual(subjects(compare(FAILING, other)), [
            ("test_gc.T.test_dict", "failed: AssertionError", "ok"),
            ("test_gc.T.test_list", "ok", "failed: AssertionError"),
        ])

    def test_failing_with_another_exception_differs(self) -> None:
        other = module("failed", test_list="ok", test_dict="error: MemoryError")
        self.assertEqual(subjects(compare(FAILING, other)),
                         [("test_gc.T.test_dict", "failed: AssertionError", "error: MemoryError")])

    def test_a_test_that_is_missing_differs(self) -> None:
        self.assertEqual(subjects(compare(OK, module(test_list="ok"))), [("test_gc.T.test_dict", "ok", ABSENT)])

    def test_a_crash_is_one_difference_and_not_one_for_each_test_it_prevented(self) -> None:
        self.assertEqual(subjects(compare(OK, CRASHED)), [("test_gc", "success", "crashed (SIGSEGV)")])

    def test_a_test_seen_before_the_crash_still_compares(self) -> None:
        other = module("crashed (SIGSEGV)", test_list="failed: MemoryError")
        self.assertEqual([one.subject for one in compare(OK, other)], ["test_gc", "test_gc.T.test_list"])

    def test_two_different_crashes_differ(self) -> None:
        self.assertEqual(subjects(compare(CRASHED, module("crashed (SIGABRT)", test_list="ok"))),
                         [("test_gc", "crashed (SIGSEGV)", "crashed (SIGABRT)")])

    def test_a_changed_environment_is_not_explained_by_anything(self) -> None:
        other = module("env changed", test_list="ok", test_dict="ok")
        self.assertEqual(subjects(compare(OK, other)), [("test_gc", "success", "env changed")])

    def test_a_module_that_fails_without_a_failing_test_differs_itself(self) -> None:
        other = module("failed", test_list="ok", test_dict="skipped")
        self.assertEqual([one.subject for one in compare(OK, other)], ["test_gc", "test_gc.T.test_dict"])

    def test_a_module_that_is_skipped_is_one_difference(self) -> None:
        self.assertEqual(subjects(compare(OK, module("skipped"))), [("test_gc", "success", "skipped")])


class Judge(unittest.TestCase):
    def test_what_differs_in_every_run_counts(self) -> None:
        verdict = judge([(OK, FAILING)] * 3)
        self.assertEqual(subjects(verdict.differences), [DICT_FAILS])
        self.assertFalse(verdict.is_same)

    def test_what_agrees_once_is_flaky_and_is_named(self) -> None:
        verdict = judge([(OK, FAILING), (OK, OK)])
        self.assertEqual(verdict.differences, [])
        self.assertEqual(subjects(verdict.flaky), [DICT_FAILS])

    def test_failing_alike_on_both_sides_agrees_too(self) -> None:
        verdict = judge([(OK, FAILING), (FAILING, FAILING)])
        self.assertEqual((verdict.differences, len(verdict.flaky)), ([], 1))

    def test_a_difference_that_appears_only_in_a_retry_is_flaky(self) -> None:
        worse = module("failed", test_list="failed: AssertionError", test_dict="failed: AssertionError")
        verdict = judge([(OK, FAILING), (OK, worse)])
        self.assertEqual(subjects(verdict.differences), [DICT_FAILS])
        self.assertEqual([one.subject for one in verdict.flaky], ["test_gc.T.test_list"])

    def test_a_retry_that_did_not_get_to_the_test_does_not_clear_it(self) -> None:
        timed_out = module("timed out", test_list="ok")
        verdict = judge([(OK, FAILING), (timed_out, timed_out)])
        self.assertEqual(subjects(verdict.differences), [DICT_FAILS])

    def test_a_crash_is_never_flaky(self) -> None:
        verdict = judge([(OK, CRASHED), (OK, OK), (OK, OK)])
        self.assertEqual([one.subject for one in verdict.differences], ["test_gc"])

    def test_a_crash_in_a_retry_counts_as_well(self) -> None:
        verdict = judge([(OK, FAILING), (OK, CRASHED)])
        self.assertIn(("test_gc", "success", "crashed (SIGSEGV)"), subjects(verdict.differences))

    def test_a_crash_hides_behind_no_milder_difference(self) -> None:
        verdict = judge([(OK, module("env changed", test_list="ok", test_dict="ok")), (OK, CRASHED)])
        self.assertEqual(subjects(verdict.differences), [("test_gc", "success", "crashed (SIGSEGV)")])

    def test_a_crash_on_stock_alone_may_be_flaky(self) -> None:
        verdict = judge([(CRASHED, OK), (OK, OK)])
        self.assertEqual((verdict.differences, len(verdict.flaky)), ([], 1))

    def test_a_crash_is_not_worth_a_retry_and_a_failure_is(self) -> None:
        self.assertFalse(is_worth_a_retry(judge([(OK, CRASHED)])))
        self.assertTrue(is_worth_a_retry(judge([(OK, FAILING)])))
        self.assertFalse(is_worth_a_retry(judge([(OK, OK)])))

    def test_the_number_of_compared_tests_counts_those_on_both_sides(self) -> None:
        self.assertEqual(judge([(OK, CRASHED)]).tests_compared, 1)
        self.assertEqual(judge([(OK, FAILING)]).tests_compared, 2)


class ExpectedDifferences(unittest.TestCase):
    LIST = {"test_gc.T.test_dict": "asks for the allocator's name"}

    def test_an_expected_difference_does_not_count(self) -> None:
        verdict = judge([(OK, FAILING)], self.LIST)
        self.assertEqual(verdict.differences, [])
        self.assertEqual(subjects(verdict.expected), [DICT_FAILS])
        self.assertEqual(verdict.stale, [])
        self.assertFalse(is_worth_a_retry(verdict))

    def test_it_does_not_cover_another_test_of_the_module(self) -> None:
        other = module("failed", test_list="failed: AssertionError", test_dict="failed: AssertionError")
        verdict = judge([(OK, other)], self.LIST)
        self.assertEqual([one.subject for one in verdict.differences], ["test_gc.T.test_list"])

    def test_it_does_not_cover_a_crash(self) -> None:
        verdict = judge([(OK, CRASHED)], self.LIST)
        self.assertEqual([one.subject for one in verdict.differences], ["test_gc"])

    def test_one_that_does_not_occur_is_stale(self) -> None:
        self.assertEqual(judge([(OK, OK)], self.LIST).stale, ["test_gc.T.test_dict"])

    def test_one_whose_test_does_not_exist_is_stale(self) -> None:
        self.assertEqual(judge([(OK, OK)], {"test_gc.T.test_gone": "x"}).stale, ["test_gc.T.test_gone"])

    def test_one_whose_test_was_not_selected_is_not_stale(self) -> None:
        self.assertEqual(judge([(OK, OK)], {"test_gc.T.test_gone": "x"}, is_whole=False).stale, [])
        self.assertEqual(judge([(OK, OK)], {"test_sys.T.test_other": "x"}).stale, [])

"""What the runner leaves behind is read to the last test."""

from __future__ import annotations

import unittest

from .reading import normalise, read_module_result

JUNIT = """<testsuites tests="5"><testsuite tests="5">
<testcase name="test.test_gc.GCTests.test_list" status="run" result="completed" time="0.1" />
<testcase name="test.test_gc.GCTests.test_dict" status="run"><failure type="AssertionError" message="AssertionError: 1 != 2
">Traceback</failure></testcase>
<testcase name="test.test_gc.GCTests.test_tuple" status="run"><error type="MemoryError" message="MemoryError">Traceback</error></testcase>
<testcase name="test.test_gc.GCTests.test_debug" status="run"><skipped>built with -NDEBUG</skipped></testcase>
<testcase name="test.test_gc.GCTests.test_known" status="run"><output type="AssertionError">x</output></testcase>
<testcase name="test.test_gc.GCTests.test_surprise" status="run"><outcome>UNEXPECTED_SUCCESS</outcome></testcase>
</testsuite></testsuites>"""

SUCCESS = """0:00:00 load avg: 0.16 [1/1] test_gc
test_list (test.test_gc.GCTests.test_list) ... ok

----------------------------------------------------------------------
Ran 1 test in 1.728s

OK

== Tests result: SUCCESS ==

1 test OK.

Total duration: 1.9 sec
Tests result: SUCCESS
"""

SUB_TEST_FAILURES = """test_list (test.test_gc.GCTests.test_list) ... ok
test_sizes (test.test_gc.GCTests.test_sizes)
Doc line of it. ...
  test_sizes (test.test_gc.GCTests.test_sizes) (size=1)
Doc line of it. ... FAIL

======================================================================
ERROR: setUpClass (test.test_gc.Broken)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "test_gc.py", line 28, in setUpClass
    def setUpClass(cls): raise RuntimeError("no class")
                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
RuntimeError: no class

======================================================================
FAIL: test_sizes (test.test_gc.GCTests.test_sizes) (size=1)
Doc line of it.
----------------------------------------------------------------------
Traceback (most recent call last):
  File "test_gc.py", line 7, in test_sizes
    self.assertNotEqual(i % 2, 1)
AssertionError: 1 == 1

Stdout:
ValueError: only printed

======================================================================
FAIL: test_sizes (test.test_gc.GCTests.test_sizes) (size=3)
Doc line of it.
----------------------------------------------------------------------
Traceback (most recent call last):
  File "test_gc.py", line 7, in test_sizes
    self.assertNotEqual(i % 2, 1)
AssertionError: 1 == 1

----------------------------------------------------------------------
Ran 2 tests in 0.005s

FAILED (failures=2, errors=1)

== Tests result: FAILURE ==

1 test failed:
    test_gc
"""

SEGMENTATION_FAULT = """0:00:00 load avg: 0.16 [1/1] test_gc
test_list (test.test_gc.GCTests.test_list) ... ok
test_dict (test.test_gc.GCTests.test_dict)
With a doc line. ... ok
test_debug (test.test_gc.GCTests.test_debug) ... skipped 'built with -NDEBUG'
test_wrong (test.test_gc.GCTests.test_wrong) ... FAIL
test_tuple (test.test_gc.GCTests.test_tuple) ... Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "test_gc.py", line 7 in test_tuple
"""


class JUnitFile(unittest.TestCase):
    def test_each_outcome_has_its_name_and_a_failure_its_exception(self) -> None:
        result = read_module_result("test_gc", 2, "== Tests result: FAILURE ==\n\n1 test failed:\n", JUNIT, 1.0)
        self.assertEqual(result.tests, {
            "test_gc.GCTests.test_list": ["ok"],
            "test_gc.GCTests.test_dict": ["failed: AssertionError"],
            "test_gc.GCTests.test_tuple": ["error: MemoryError"],
            "test_gc.GCTests.test_debug": ["skipped"],
            "test_gc.GCTests.test_known": ["expected failure"],
            "test_gc.GCTests.test_surprise": ["unexpected success"],
        })
        self.assertEqual(result.messages["test_gc.GCTests.test_dict"], "AssertionError: 1 != 2")
        self.assertEqual(result.messages["test_gc.GCTests.test_debug"], "built with -NDEBUG")

    def test_an_id_that_occurs_twice_keeps_both_outcomes(self) -> None:
        twice = JUNIT.replace("test_dict", "test_list")
        result = read_module_result("test_gc", 2, "== Tests result: FAILURE ==\n1 test failed:\n", twice, 1.0)
        self.assertEqual(result.tests["test_gc.GCTests.test_list"], ["failed: AssertionError", "ok"])

    def test_a_test_without_a_name_gets_it_from_the_text(self) -> None:
        junit = '<testsuites><testsuite><testcase name="test.test_gc.GCTests.test_list"/><testcase/></testsuite></testsuites>'
        result = read_module_result("test_gc", 2, SUB_TEST_FAILURES, junit, 1.0)
        self.assertEqual(result.outcome, "failed")
        self.assertEqual(result.tests, {
            "test_gc.GCTests.test_list": ["ok"],
            "test_gc.GCTests.test_sizes": ["failed: AssertionError in (size=1); failed: AssertionError in (size=3)"],
            "test_gc.Broken.setUpClass": ["error: RuntimeError"],
        })
        self.assertEqual(result.messages["test_gc.GCTests.test_sizes"], "(size=1) AssertionError: 1 == 1")

    def test_a_test_without_a_name_anywhere_is_still_counted(self) -> None:
        junit = "<testsuites><testsuite><testcase/><testcase/></testsuite></testsuites>"
        result = read_module_result("test_gc", 0, SUCCESS, junit, 1.0)
        self.assertEqual(result.tests, {"test_gc.(unnamed)": ["failed in a sub-test"] * 2})

    def test_a_file_that_is_no_xml_is_replaced_by_the_text(self) -> None:
        result = read_module_result("test_gc", 0, SUCCESS, "<testsuites>\x00", 1.0)
        self.assertEqual(result.tests, {"test_gc.GCTests.test_list": ["ok"]})


class ModuleOutcome(unittest.TestCase):
    def read(self, exit_status: int, lines: str, was_killed: bool = False) -> str:
        return read_module_result("test_gc", exit_status, lines, None, 1.0, was_killed).outcome

    def test_the_runner_says_it_itself(self) -> None:
        head = "== Tests result: SUCCESS ==\n\n"
        self.assertEqual(self.read(0, head + "1 test OK.\n"), "success")
        self.assertEqual(self.read(2, "== Tests result: FAILURE ==\n\n1 test failed:\n    test_gc\n"), "failed")
        self.assertEqual(self.read(0, head + "1 test altered the execution environment:\n    test_gc\n"), "env changed")
        self.assertEqual(self.read(3, head + "1 test altered the execution environment (env changed):\n"), "env changed")
        self.assertEqual(self.read(0, head + "1 test skipped:\n    test_gc\n"), "skipped")
        self.assertEqual(self.read(0, head + "1 test run no tests:\n    test_gc\n"), "no tests")

    def test_what_a_test_prints_about_results_is_not_the_result(self) -> None:
        inner = "== Tests result: FAILURE ==\n\n1 test failed:\n    test_inner\n"
        self.assertEqual(self.read(0, inner + "== Tests result: SUCCESS ==\n\n1 test OK.\n"), "success")

    def test_a_signal_is_a_crash_and_is_named(self) -> None:
        result = read_module_result("test_gc", -11, SEGMENTATION_FAULT, None, 1.0)
        self.assertEqual(result.outcome, "crashed (SIGSEGV)")
        self.assertEqual(result.detail, "while running test_gc.GCTests.test_tuple")
        self.assertEqual(result.tests, {
            "test_gc.GCTests.test_list": ["ok"],
            "test_gc.GCTests.test_dict": ["ok"],
            "test_gc.GCTests.test_debug": ["skipped"],
            "test_gc.GCTests.test_wrong": ["failed"],
        })

    def test_a_signal_that_a_shell_reports_is_a_crash_too(self) -> None:
        self.assertEqual(self.read(134, "test_list (test.test_gc.GCTests.test_list) ... "), "crashed (SIGABRT)")

    def test_a_death_while_finalizing_is_a_crash_though_all_tests_were_well(self) -> None:
        self.assertEqual(self.read(-6, SUCCESS), "crashed (SIGABRT, after all tests)")
        self.assertEqual(self.read(120, SUCCESS), "crashed (exit status 120, after all tests)")

    def test_a_runner_that_says_nothing_has_crashed(self) -> None:
        self.assertEqual(self.read(1, "Traceback (most recent call last):\n"), "crashed (exit status 1)")

    def test_a_time_limit_is_no_crash(self) -> None:
        text = "test_list (test.test_gc.GCTests.test_list) ... Timeout (0:04:00)!\nThread 0x0 (most recent call first):\n"
        self.assertEqual(self.read(1, text), "timed out")
        self.assertEqual(self.read(-11, text), "crashed (SIGSEGV)")
        self.assertEqual(self.read(-9, "test_list (test.test_gc.GCTests.test_list) ... ", was_killed=True), "timed out")

    def test_the_reason_of_a_skipped_module_is_kept(self) -> None:
        text = "test_gc skipped -- no gc here\ntest_gc skipped\n\n== Tests result: SUCCESS ==\n\n1 test skipped:\n    test_gc\n"
        self.assertEqual(read_module_result("test_gc", 0, text, None, 1.0).detail, "no gc here")

    def test_the_exception_of_a_module_that_cannot_be_imported_is_kept(self) -> None:
        text = ("test test_gc crashed -- Traceback (most recent call last):\n"
                '  File "runtest.py", line 1, in x\n    import y\nModuleNotFoundError: No module named \'y\'\n\n'
                "test_gc failed (uncaught exception)\n\n== Tests result: FAILURE ==\n\n1 test failed:\n    test_gc\n")
        result = read_module_result("test_gc", 2, text, None, 1.0)
        self.assertEqual(result.outcome, "failed")
        self.assertIn("ModuleNotFoundError: No module named 'y'", result.detail)


class Exceptions(unittest.TestCase):
    def read(self, *traceback: str) -> list[str]:
        text = "\n".join(["=" * 70, "FAIL: test_x (test.test_gc.T.test_x) (n=1)", "-" * 70, *traceback, "", "-" * 70])
        return read_module_result("test_gc", 2, text, "<testsuites/>", 1.0).tests["test_gc.T.test_x"]

    def test_a_childs_traceback_in_the_message_is_not_the_exception(self) -> None:
        self.assertEqual(self.read("Traceback (most recent call last):", '  File "a.py", line 1, in b',
                                   "AssertionError: Process return code is 1", "stderr:",
                                   "Traceback (most recent call last):", '  File "c.py", line 1', "KeyError: 'd'"),
                         ["failed: AssertionError in (n=1)"])

    def test_the_last_exception_of_a_chain_counts(self) -> None:
        self.assertEqual(self.read("Traceback (most recent call last):", '  File "a.py", line 1, in b', "KeyError: 'd'", "",
                                   "During handling of the above exception, another exception occurred:", "",
                                   "Traceback (most recent call last):", '  File "c.py", line 1', "  indented",
                                   "my.module.Error", "  more"),
                         ["failed: my.module.Error in (n=1)"])

    def test_a_traceback_of_another_shape_is_unknown(self) -> None:
        self.assertEqual(self.read("  + Exception Group Traceback (most recent call last):", "  | x"),
                         ["failed: unknown exception in (n=1)"])


class Names(unittest.TestCase):
    def test_addresses_and_the_package_are_left_out(self) -> None:
        self.assertEqual(normalise("test.test_x.C.test_y <f at 0x7f00deadbeef>"), "test_x.C.test_y <f at 0x…>")
        self.assertEqual(normalise("ctypes.test.test_x.C.test_y"), "ctypes.test.test_x.C.test_y")

    def test_the_short_form_before_python_3_11_gives_the_same_id(self) -> None:
        short = SUCCESS.replace("(test.test_gc.GCTests.test_list)", "(test.test_gc.GCTests)")
        result = read_module_result("test_gc", 0, short, None, 1.0)
        self.assertEqual(result.tests, {"test_gc.GCTests.test_list": ["ok"]})

    def test_a_class_that_skips_itself_is_noticed(self) -> None:
        text = "setUpClass (test.test_gc.Big) ... skipped 'too big'\n" + SUCCESS
        result = read_module_result("test_gc", 0, text, "<testsuites/>", 1.0)
        self.assertEqual(result.tests, {"test_gc.Big.setUpClass": ["skipped"]})

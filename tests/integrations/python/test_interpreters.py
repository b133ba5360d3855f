"""Interpreters in one process, those with a GIL of their own among them."""

from __future__ import annotations

import unittest

from hook_support import HookTest

OWN_GIL = """
import sys, threading
try: import _interpreters as interpreters
except ImportError: import _xxsubinterpreters as interpreters
before = [str(i) for i in range(30000)]
code = "for r in range(4):\\n  x=[str(i)*3 for i in range(30000)]\\n  d={i:[i] for i in range(20000)}"
run = getattr(interpreters, "run_string", None) or interpreters.exec
def go():
    for _ in range(3):
        one = interpreters.create()
        failed = run(one, code)
        assert failed is None, failed
        interpreters.destroy(one)
threads = [threading.Thread(target=go) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert before == [str(i) for i in range(30000)]
print("done")
"""

SHARED_GIL = """
import _xxsubinterpreters as interpreters
for _ in range(3):
    one = interpreters.create()
    interpreters.run_string(one, "import json, sys; json.dumps(list(range(9999))); assert sys.getallocatedblocks() > 999")
    interpreters.destroy(one)
print("done")
"""


class Interpreters(HookTest):
    def test_with_a_gil_each_run_side_by_side_behind_a_lock(self) -> None:
        for python in self.each((3, 12)):
            for options in ((), ("-X", "dev"), ("-X", "tracemalloc")):
                outcome = self.on_tarn(python, OWN_GIL, *options)
                self.assertEqual(outcome.out, "done\n")
                self.assertEqual(outcome.report["synchronisation"], "locked", options)

    def test_with_a_gil_each_run_side_by_side_on_the_checked_heap(self) -> None:
        for python in self.each((3, 12)):
            outcome = self.on_tarn(python, OWN_GIL, changes={"TARN_CHECKS": "debug"})
            self.assertEqual(outcome.report["synchronisation"], "locked")

    def test_under_one_gil_need_no_lock(self) -> None:
        for python in self.each():
            if python.version >= (3, 12):
                continue
            outcome = self.on_tarn(python, SHARED_GIL)
            self.assertEqual(outcome.out, "done\n")
            self.assertEqual(outcome.report["synchronisation"], "caller")

    def test_that_are_never_made_cost_no_lock(self) -> None:
        for python in self.each((3, 12)):
            self.assertEqual(self.on_tarn(python, "pass").report["synchronisation"], "caller")


if __name__ == "__main__":
    unittest.main()

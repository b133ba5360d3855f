"""Collections of cycles: programs built to hold garbage, the program's own say, and every life a process can have.

A program prints its peak, less what it had at the start, in MiB; the bound is the rule's (pacing_rule.h): the larger
of 16 MiB and a quarter of what lives, and what pools and a look at every quarter of a MiB add.
"""

from __future__ import annotations

import unittest

from hook_support import HookTest, Python, pythons

HELPERS = """
import gc, os, threading, time

class Node:
    pass

def ring(count, size=0):
    # A cycle of so many objects, with so many bytes at the last.
    first = node = Node()
    for _ in range(count - 1):
        node.next = Node()
        node = node.next
    node.next = first
    node.bytes = bytearray(size)
    return first

def peak():
    # Not getrusage: that counts in what the process was before it executed Python.
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) // 1024

at_start = peak()
def print_growth():
    print(peak() - at_start)
"""

SLACK = 10


class PacingTest(HookTest):
    def growth(self, python: Python, code: str, **changes: str) -> int:
        outcome = self.on_tarn(python, HELPERS + code + "\nprint_growth()", changes=changes)
        self.assertEqual(outcome.report["gc_state"], "stock" if changes else "pacing")
        return int(outcome.out)

    # The invariant.

    def test_cycles_of_a_thousand_objects_for_ever(self) -> None:
        for python in self.each():
            self.assertLessEqual(self.growth(python, "for _ in range(800): ring(1000)"), 16 + SLACK)

    def test_megabytes_held_through_one_small_object(self) -> None:
        code = "for _ in range(300): ring(1, 1 << 20)"
        for python in self.each():
            self.assertLessEqual(self.growth(python, code), 16 + SLACK)
        self.assertGreater(self.growth(pythons()[0], code, TARN_GC="stock"), 100, "else the test shows nothing")

    def test_cycles_that_grow_old_and_die_then(self) -> None:
        # A window of 100 cycles, 10 MiB, of which each one dies in the oldest generation.
        code = """
window = [None] * 100
for turn in range(2500):
    window[turn % 100] = ring(20, 100000)
    if turn % 25 == 0:
        gc.collect(1)
"""
        for python in self.each():
            self.assertLessEqual(self.growth(python, code), 10 + 16 + SLACK)

    def test_a_quarter_of_a_large_heap(self) -> None:
        code = """
kept = [bytes(100000) for _ in range(2000)]
before = peak()
for _ in range(1500): ring(1, 100000)
assert peak() - before <= 200 / 4 + 10, (before, peak())
"""
        for python in self.each():
            self.growth(python, code)

    def test_garbage_in_the_place_of_what_is_freed(self) -> None:
        # The heap stands still, and CPython's count of containers too.
        code = """
import weakref
kept = [Node() for _ in range(1000)]
for node in kept: node.bytes = bytearray(60000)
died = []
while kept or len(died) < 1000:
    if kept: kept.pop()
    else: kept = [Node() for _ in range(1000)]
    old = ring(1, 60000)
    weakref.finalize(old, died.append, None)
    del old
    assert len(weakref.finalize._registry) < 1000 + 6000, "nothing is ever collected"
"""
        for python in self.each():
            self.growth(python, code)

    # The program's say.

    def assert_yields(self, code: str, reason: str, python: Python | None = None) -> None:
        for each in [python] if python else self.each():
            outcome = self.on_tarn(each, HELPERS + "defaults_of_cpython = (10, 10, 10)\n" + code)
            self.assertEqual((outcome.report["gc_state"], outcome.report.get("gc_reason")), ("yielded", reason))

    def test_a_program_that_sets_thresholds_keeps_them(self) -> None:
        self.assert_yields("""
gc.set_threshold(500, 5, 5)
for _ in range(100): ring(1000)
assert gc.get_threshold() == (500, 5, 5)
""", "the program set thresholds")

    def test_thresholds_that_the_program_does_not_name_are_those_of_cpython(self) -> None:
        self.assert_yields("""
gc.set_threshold(500)
for _ in range(100): ring(1000)
assert gc.get_threshold() == (500, *defaults_of_cpython[1:]), gc.get_threshold()
""", "the program set thresholds")

    def test_thresholds_that_the_program_puts_back_were_never_the_pacers(self) -> None:
        self.assert_yields("""
found = gc.get_threshold()
gc.set_threshold(50)
for _ in range(10): ring(1000)
gc.set_threshold(*found)
for _ in range(100): ring(1000)
assert gc.get_threshold() in ((700, 10, 10), (2000, 10, 10)), gc.get_threshold()
""", "the program set thresholds")

    def test_anybody_may_call_what_is_in_the_callbacks(self) -> None:
        for python in self.each():
            self.on_tarn(python, """
import gc
for arguments in (), (5, 6), ("stop", 6), ("start", {}), ("stop", {"generation": 7}), ("stop", {"generation": None}):
    gc.callbacks[0](*arguments)
""")

    def test_a_program_that_freezes_is_left_alone(self) -> None:
        self.assert_yields("""
kept = [ring(1000) for _ in range(10)]
gc.freeze()
gc.collect()
assert gc.get_threshold() in ((700, 10, 10), (2000, 10, 10))
""", "the program froze objects")

    def test_a_program_that_collects_by_itself_is_left_alone(self) -> None:
        self.assert_yields("""
for _ in range(5): gc.collect()
assert gc.get_threshold() in ((700, 10, 10), (2000, 10, 10))
""", "the program collects by itself")

    def test_a_program_that_empties_the_callbacks_is_left_alone(self) -> None:
        self.assert_yields("""
gc.callbacks.clear()
kept = [bytes(1000) for _ in range(40000)]
for _ in range(1000): pass
""", "the program changed gc.callbacks", pythons()[0])

    def test_a_collector_that_is_disabled_stays_so(self) -> None:
        for python in self.each():
            outcome = self.on_tarn(python, HELPERS + """
gc.disable()
for _ in range(60): ring(1, 1 << 20)
assert peak() - at_start >= 60
assert len([1 for each in gc.get_objects() if type(each) is Node]) == 60
gc.enable()
for _ in range(60): ring(1, 1 << 20)
assert len([1 for each in gc.get_objects() if type(each) is Node]) < 60
gc.disable()
for _ in range(60): ring(1, 1 << 20)
""")
            self.assertEqual((outcome.report["gc_state"], outcome.report["gc_disabled"]), ("pacing", "1"))

    def test_the_pace_of_cpython_when_that_is_asked_for(self) -> None:
        for python in self.each():
            outcome = self.on_tarn(python, HELPERS + """
for _ in range(100): ring(1000)
assert gc.get_threshold() in ((700, 10, 10), (2000, 10, 10))
""", changes={"TARN_GC": "stock"})
            self.assertEqual((outcome.report["gc"], outcome.report["gc_state"]), ("stock", "stock"))
            self.assertGreater(int(outcome.report["gc_young_pauses"]), 20)

    # The report.

    def test_the_report_has_the_pauses(self) -> None:
        for python in self.each():
            report = self.on_tarn(python, HELPERS + """
kept = [ring(1000) for _ in range(300)]
del kept
gc.collect()
""").report
            for generation in ("young", "full"):
                pauses, longest, total = (int(report[f"gc_{generation}_{fact}"])
                                          for fact in ("pauses", "longest", "total"))
                self.assertGreater(pauses, 0)
                self.assertTrue(0 < longest <= total <= longest * pauses)
            self.assertGreaterEqual(int(report["gc_full_collected"]), 300_000)
            self.assertEqual(report["gc_by_program"], "1")
            self.assertGreaterEqual(int(report["gc_full_started"]), 1)
            self.assertGreaterEqual(int(report["gc_threshold_young"]), 700)

    # The lives of a process.

    def test_a_forked_child_goes_on(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
for _ in range(20): ring(1, 1 << 20)
child = os.fork()
if child == 0:
    at_start = peak()
    for _ in range(150): ring(1, 1 << 20)
    os._exit(0 if peak() - at_start <= 26 else 1)
assert os.waitpid(child, 0)[1] == 0
""")

    def test_threads_make_garbage_while_the_main_thread_waits(self) -> None:
        for python in self.each():
            self.assertLessEqual(self.growth(python, """
def work():
    for _ in range(200): ring(1000)
workers = [threading.Thread(target=work) for _ in range(4)]
for worker in workers: worker.start()
for worker in workers: worker.join()
"""), 16 + SLACK)

    def test_the_youngest_is_left_alone_while_nothing_dies_in_cycles(self) -> None:
        for python in self.each():
            outcome = self.on_tarn(python, HELPERS + """
kept = [[] for _ in range(50000)]
assert gc.get_threshold()[0] == 1 << 30, gc.get_threshold()
before = gc.get_stats()[0]["collections"]
kept += [[] for _ in range(50000)]
assert gc.get_stats()[0]["collections"] == before
for _ in range(3000): ring(50, 1000)
assert gc.get_threshold()[0] <= 1000, "cycles die: it's watched again"
print("done")
""")
            self.assertEqual(outcome.out, "done\n")

    def test_the_youngest_is_never_left_alone_where_threads_allocate(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
kept = [[] for _ in range(50000)]
assert gc.get_threshold()[0] == 1 << 30, gc.get_threshold()
def work():
    end = time.monotonic() + 10
    while gc.get_threshold()[0] == 1 << 30 and time.monotonic() < end:
        kept.append([bytes(1000) for _ in range(500)])
        time.sleep(0.001)
    assert gc.get_threshold()[0] <= 1000, gc.get_threshold()
    kept.append([[] for _ in range(50000)])
    assert gc.get_threshold()[0] <= 1000, gc.get_threshold()
    print("done")
worker = threading.Thread(target=work)
worker.start()
worker.join()
""")

    def test_threads_hold_megabytes_while_the_main_thread_waits(self) -> None:
        for python in self.each():
            self.assertLessEqual(self.growth(python, """
def collections():
    return sum(each["collections"] for each in gc.get_stats()[1:])
def work():
    for _ in range(8):
        before = collections()
        for _ in range(20): ring(1, 1 << 20)
        # The thread that collects needs a processor too.
        end = time.monotonic() + 10
        while collections() == before and time.monotonic() < end: time.sleep(0.001)
worker = threading.Thread(target=work)
worker.start()
worker.join()
"""), 20 + 16 + 2 * SLACK)

    def test_a_main_thread_that_waits_for_long_does_not_fill_the_queue(self) -> None:
        # More collections than Python's queue has places, each asked of the main thread first.
        for python in self.each():
            self.assertLessEqual(self.growth(python, """
def work():
    for turn in range(2500):
        ring(1, 1 << 20)
        if turn % 4 == 0:
            time.sleep(0.001)  # the thread that collects needs a processor too
worker = threading.Thread(target=work)
worker.start()
worker.join()
"""), 16 + 15 * SLACK)

    def test_finalizers_that_let_the_main_thread_run_meanwhile(self) -> None:
        # It is called then, too, and what goes on is no collection of the program's.
        for python in self.each():
            outcome = self.on_tarn(python, HELPERS + """
class Slow(Node):
    def __del__(self):
        time.sleep(0.002)
def work():
    for _ in range(700):
        slow = Slow()
        slow.self, slow.bytes = slow, bytearray(1 << 20)
worker = threading.Thread(target=work)
worker.start()
while worker.is_alive(): time.sleep(0.02)
""")
            self.assertEqual((outcome.report["gc_state"], outcome.report["gc_by_program"]), ("pacing", "0"))

    def test_functions_of_atexit_make_garbage(self) -> None:
        # 3.8 takes no calls any more by then, and says so.
        for python in self.each():
            outcome = self.on_tarn(python, HELPERS + """
import atexit
def at_exit():
    for _ in range(100): ring(1, 1 << 20)
    print("done")
atexit.register(at_exit)
""")
            self.assertEqual((outcome.out, outcome.err), ("done\n", ""))

    def test_finalizers_that_make_garbage(self) -> None:
        for python in self.each():
            self.assertLessEqual(self.growth(python, """
class Loud(Node):
    def __del__(self):
        ring(10, 100000)
for _ in range(200):
    loud = Loud()
    loud.self, loud.bytes = loud, bytearray(200000)
"""), 16 + SLACK)

    def test_interpreters_with_a_gil_each_are_left_alone(self) -> None:
        for python in self.each((3, 12)):
            self.assert_yields("""
try:
    import _interpreters as interpreters
    interpreter = interpreters.create()
except ImportError:
    import _xxsubinterpreters as interpreters
    interpreter = interpreters.create(isolated=True)
kept = [ring(1000) for _ in range(100)]
assert gc.get_threshold() in ((700, 10, 10), (2000, 10, 10)), gc.get_threshold()
interpreters.destroy(interpreter)
""", "interpreters with a GIL each share the heap", python)


if __name__ == "__main__":
    unittest.main()

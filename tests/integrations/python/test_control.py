"""The control channel: a process answers its own user at a socket, whatever it does meanwhile."""

from __future__ import annotations

import time
import unittest

from control_support import SCATTERED, ControlTest, facts
from hook_support import pythons


class WhatItAnswers(ControlTest):
    def test_it_releases_and_tells_what_is_resident(self) -> None:
        for python in self.each():
            running = self.running(python, SCATTERED)
            before = facts(running.ask("statistics\n"))
            released = running.ask("release\n")
            self.assertRegex(released, r"\Atarn-control 1\nbegun\nreleased \d{8,}\nend\n\Z")
            after = facts(running.ask("statistics\n"))
            self.assertGreater(int(before["resident_pools"]), 2 * int(after["resident_pools"]))
            # All pages without a live block are gone, and only those.
            self.assertLess(int(after["resident_pools"]) - int(after["resident_live_pages"]), 1 << 18)
            # The program's own threads may run a little meanwhile.
            self.assertAlmostEqual(int(before["resident_live_pages"]), int(after["resident_live_pages"]),
                                   delta=1 << 16)
            running.do("whole()")
            for one in (before, after):
                parts = ("live_raw", "live_mem", "live_obj", "free", "untouched", "empty")
                self.assertEqual(sum(int(one[f"resident_{part}"]) for part in parts), int(one["resident_pools"]))
            self.ends_well(running)

    def test_a_pulse_agrees_with_the_statistics(self) -> None:
        for python in self.each():
            running = self.running(python, SCATTERED)
            pulse = running.ask("pulse\n")
            self.assertRegex(pulse, r"\Atarn-control 1\nbegun\ntarn-pulse 1\npid \d+\n")
            self.assertTrue(pulse.endswith("\nend\n"))
            statistics = facts(running.ask("statistics\n"))
            said = facts(pulse)
            live = sum(int(statistics[f"resident_live_{domain}"]) for domain in ("raw", "mem", "obj"))
            # Each arena was looked at when all turns are round.
            counted = 0
            looked_at = [0, 0]
            tiers = [list(map(int, line.split()[1:])) for line in pulse.splitlines() if line.startswith("tier ")]
            while looked_at < [tier[4] for tier in tiers]:
                lines = [line.split() for line in running.ask("pulse\n").splitlines()]
                wanted = {tier[0] for tier in tiers if looked_at[tier[0]] < tier[4]}
                for words in lines:
                    if words[0] == "tier" and int(words[1]) in wanted:
                        looked_at[int(words[1])] += int(words[7])
                    if words[0] == "class" and int(words[1]) in wanted:
                        counted += int(words[3]) * int(words[5])
            self.assertEqual(looked_at, [tier[4] for tier in tiers])
            self.assertAlmostEqual(counted, live, delta=0.05 * live)
            # The meter is behind by an eighth of what came back to each pool.
            self.assertGreater(int(said["allocated"]), 0.9 * live)
            arenas = [line.split()[5] for line in pulse.splitlines() if line.startswith("tier ")]
            self.assertEqual(arenas, [statistics["arenas_now"], statistics["medium_arenas_now"]])
            self.assertLess(int(said["held"]), 20_000_000)
            turn = int(facts(running.ask("pulse\n"))["turn"])
            self.assertEqual(int(facts(running.ask("pulse\n"))["turn"]), turn + 1)
            self.ends_well(running)

    def test_it_releases_what_the_raw_domain_has_freed(self) -> None:
        for python in self.each():
            running = self.running(python, """
import ctypes, os
raw = ctypes.CDLL(None)
raw.PyMem_RawCalloc.restype = ctypes.c_void_p
raw.PyMem_RawCalloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
raw.PyMem_RawFree.argtypes = [ctypes.c_void_p]
blocks = [raw.PyMem_RawCalloc(400_000, 1) for _ in range(100)]
for block in blocks: ctypes.memset(block, 1, 400_000)
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
""", TARN_RAW="on")
            running.do("for block in blocks: raw.PyMem_RawFree(block)")
            before = int(running.do("print(resident())"))
            running.ask("release\n")
            self.assertLess(int(running.do("print(resident())")), before - (30 << 20))
            self.ends_well(running)

    def test_the_program_goes_on_while_it_releases(self) -> None:
        """A thread sees the memory fall step by step, which it couldn't if it had to wait for the end."""
        for python in self.each():
            code = SCATTERED.replace("1200000", "2600000") + """
import os, threading, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
seen, over = [], threading.Event()
def look():
    while not over.is_set():
        seen.append(resident())
        time.sleep(0.0005)
watcher = threading.Thread(target=look)
def steps():
    over.set()
    watcher.join()
    top, bottom = max(seen), min(seen)
    step = (top - bottom) // 8
    return len({(one - bottom) // step for one in seen if bottom + step <= one < top - step})
"""
            # Nothing goes back before it's asked for, and collections come when they come in both: else the
            # two have not as much to give.
            alone = {"TARN_RELEASE": "off", "TARN_GC": "stock"}
            running = self.running(python, code, **alone)
            running.do("watcher.start()")
            released = int(facts(running.ask("release\n"))["released"])
            # Most of the eight on an idle machine; none, if it had to wait.
            self.assertGreaterEqual(int(running.do("print(steps())")), 1)
            running.do("whole()")
            # As much as at once.
            at_once = self.running(python, code + """
import ctypes
tarn_release = ctypes.PyDLL(None).tarn_release
tarn_release.restype = ctypes.c_size_t
""", **alone)
            self.assertAlmostEqual(released, int(at_once.do("print(tarn_release())")), delta=released // 50)
            for one in (running, at_once):
                self.ends_well(one)

    def test_a_program_that_never_stops_freeing_is_answered(self) -> None:
        python = pythons()[0]
        running = self.running(python, SCATTERED + """
import threading
over = threading.Event()
def churn():
    while not over.is_set():
        rows = [(number, str(number)) for number in range(50000)]
        del rows[::2]
worker = threading.Thread(target=churn)
worker.start()
""")
        started = time.monotonic()
        self.assertIn("released", running.ask("release\n"))
        self.assertLess(time.monotonic() - started, 15)
        running.do("over.set(); worker.join(); whole()")
        self.ends_well(running)

    def test_programs_release_by_a_call(self) -> None:
        for python in self.each():
            self.on_tarn(python, SCATTERED + """
import ctypes
tarn_release = ctypes.PyDLL(None).tarn_release
tarn_release.restype = ctypes.c_size_t
assert tarn_release() > 1 << 23
assert tarn_release() < 1 << 20
whole()
""", changes={"TARN_RELEASE": "off"})

    def test_threads_churn_while_it_is_asked(self) -> None:
        for python in self.each():
            running = self.running(python, """
import threading, time
end = time.monotonic() + 1.5
failures = []
def work():
    while time.monotonic() < end:
        rows = [(number, str(number)) for number in range(20000)]
        kept = rows[::100]
        del rows
        if not all(text == str(number) for number, text in kept):
            failures.append(1)
workers = [threading.Thread(target=work) for _ in range(3)]
for worker in workers: worker.start()
""")
            for request in ("release", "statistics") * 10:
                self.assertTrue(running.ask(request + "\n").endswith("\nend\n"))
            running.do("[worker.join() for worker in workers]; assert not failures")
            self.ends_well(running)

    def test_it_keeps_out_while_tracemalloc_traces(self) -> None:
        """Asking for the GIL then crashes CPython when tracing stops meanwhile."""
        for python in self.each():
            running = self.running(python, "import tracemalloc")
            running.do("tracemalloc.start()")
            self.assertIn("error tracemalloc traces its allocations", running.ask("statistics\n"))
            running.do("tracemalloc.stop()")
            self.assertNotIn("error", running.ask("statistics\n"))
            self.ends_well(running)

    def test_tracing_starts_and_stops_while_it_is_asked(self) -> None:
        for python in self.each():
            running = self.running(python, "import time, tracemalloc")
            stop = time.monotonic() + 3
            answers = 0
            while time.monotonic() < stop:
                assert running.process.stdin is not None and running.process.stdout is not None
                running.process.stdin.write("for _ in range(8): tracemalloc.start(); time.sleep(.003); "
                                            "x = [bytes(9) for _ in range(20000)]; tracemalloc.stop()\n")
                running.process.stdin.flush()
                answers += running.ask("statistics\n").endswith("end\n")
                self.assertEqual(running.process.stdout.readline(), "done\n")
            self.assertGreater(answers, 3)
            self.ends_well(running)

    def test_interpreters_with_a_gil_each_run_while_it_is_asked(self) -> None:
        for python in self.each((3, 12)):
            running = self.running(python, """
import threading
try:
    import _interpreters as interpreters
    create = lambda: interpreters.create()
except ImportError:
    import _xxsubinterpreters as interpreters
    create = lambda: interpreters.create(isolated=True)
run = getattr(interpreters, "exec", None) or interpreters.run_string
def work():
    interpreter = create()
    run(interpreter, '''
import time
end = time.monotonic() + 1.5
while time.monotonic() < end:
    rows = [(number, str(number)) for number in range(20000)]
    kept = rows[::100]
    del rows
    assert all(text == str(number) for number, text in kept)
''')
    interpreters.destroy(interpreter)
workers = [threading.Thread(target=work) for _ in range(2)]
for worker in workers: worker.start()
""")
            for request in ("release", "statistics") * 10:
                self.assertTrue(running.ask(request + "\n").endswith("\nend\n"))
            running.do("[worker.join() for worker in workers]")
            self.ends_well(running)


if __name__ == "__main__":
    unittest.main()

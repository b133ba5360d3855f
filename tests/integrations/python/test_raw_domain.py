"""TARN_RAW=on: what Python allocates without the GIL lives on Tarn too."""

from __future__ import annotations

import unittest

from hook_support import HookTest, Python, run

# Raw memory of all sizes, by the functions themselves: ctypes.CDLL calls without the GIL.
PRELUDE = """
import ctypes, os, sys, threading
raw = ctypes.CDLL(None)
raw.PyMem_RawMalloc.restype = raw.PyMem_RawRealloc.restype = raw.PyMem_RawCalloc.restype = ctypes.c_void_p
raw.PyMem_RawMalloc.argtypes = [ctypes.c_size_t]
raw.PyMem_RawRealloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
raw.PyMem_RawCalloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
raw.PyMem_RawFree.argtypes = [ctypes.c_void_p]
def use(rounds):
    kept = []
    for i in range(rounds):
        size = (16, 100, 700, 5000, 40000, 2 << 20)[i % 6] if i % 60 else 9 << 20
        block = raw.PyMem_RawMalloc(size)
        ctypes.memset(block, i % 251, size)
        block = raw.PyMem_RawRealloc(block, 2 * size)
        assert ctypes.string_at(block, size) == bytes([i % 251]) * size
        zeroed = raw.PyMem_RawCalloc(size, 1)
        assert not any(ctypes.string_at(zeroed, size))
        raw.PyMem_RawFree(zeroed)
        kept.append(block)
        if len(kept) > 20:
            raw.PyMem_RawFree(kept.pop(i % 20))
    for block in kept:
        raw.PyMem_RawFree(block)
"""

THREADS = PRELUDE + """
threads = [threading.Thread(target=use, args=(300,)) for _ in range(6)]
[t.start() for t in threads]; [t.join() for t in threads]
print("done")
"""

FORKS = PRELUDE + """
stop = False
def busy():
    while not stop: use(30)
threads = [threading.Thread(target=busy) for _ in range(3)]
[t.start() for t in threads]
for i in range(25):
    pid = os.fork()
    if not pid:
        use(60)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop = True
[t.join() for t in threads]
print("done")
"""

RELEASED = PRELUDE + """
import time
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
blocks = [raw.PyMem_RawMalloc(size) for size in [200] * 50000 + [100000] * 100]
for i, block in enumerate(blocks): ctypes.memset(block, 1, 200 if i < 50000 else 100000)
before = resident()
for i, block in enumerate(blocks):
    if i % 1000: raw.PyMem_RawFree(block)
for i in range(40):
    time.sleep(0.1)
    if resident() < before - (15 << 20): break
else: raise SystemExit(f"{before >> 20} MiB, and still {resident() >> 20}")
print("done")
"""


class RawDomain(HookTest):
    def check_done(self, python: Python, code: str, **changes: str) -> None:
        outcome = run([python.path, "-c", code], {"TARN_RAW": "on", **changes})
        self.assertEqual((outcome.status, outcome.out, outcome.err), (0, "done\n", ""))

    def test_threads_use_it_at_once(self) -> None:
        for python in self.each():
            self.check_done(python, THREADS)

    def test_a_fork_waits_for_its_lock(self) -> None:
        for python in self.each():
            if python.version >= (3, 12):  # which warns of a fork among threads
                self.check_done(python, "import warnings; warnings.simplefilter('ignore')\n" + FORKS)
            else:
                self.check_done(python, FORKS)

    def test_its_memory_goes_back_too(self) -> None:
        for python in self.each():
            self.check_done(python, RELEASED)

    def test_it_is_checked_too(self) -> None:
        for python in self.each():
            self.check_done(python, THREADS.replace("300", "40"), TARN_CHECKS="debug")

    def test_it_lives_with_debug_hooks_and_tracemalloc(self) -> None:
        for python in self.each():
            for arguments in (["-X", "dev"], ["-X", "tracemalloc"]):
                outcome = run([python.path, *arguments, "-c", THREADS.replace("300", "40")],
                              {"TARN_RAW": "on"})
                self.assertEqual((outcome.status, outcome.out), (0, "done\n"), outcome.err)

    def test_it_is_off_unless_asked_for(self) -> None:
        for python in self.each():
            code = "import sys; sys._debugmallocstats()"
            counts = []
            for changes in ({}, {"TARN_RAW": "on"}):
                outcome = run([python.path, "-c", code], changes)
                self.assertEqual(outcome.status, 0, outcome.err)
                counts.append(sum(line.split()[1:2] == ["raw"] for line in outcome.err.splitlines()))
            self.assertEqual(counts[0], 0)
            self.assertGreater(counts[1], 3)


if __name__ == "__main__":
    unittest.main()

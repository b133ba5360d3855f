"""Allocation itself: what Python asks for is served by Tarn, whatever else hooks into its allocators."""

from __future__ import annotations

import os
import resource
import unittest
from pathlib import Path

from hook_support import HOOK, HookTest, VersionsThatAreMissing, pythons, run  # noqa: F401

WORK = """
import gc, json, re, threading
class Node:
    def __init__(self, below): self.below = below; self.name = str(id(below)); self.all = {"a": [below]}
def work():
    top = None
    for i in range(20000):
        top = Node(top) if i % 100 else None
    text = json.dumps([{"n": i, "s": "x" * (i % 700)} for i in range(3000)])
    assert json.loads(text)[2999]["n"] == 2999
    assert len(re.findall(r"[0-9]+", text)) == 3000
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
cycle = []
for _ in range(100000): cycle = [cycle, {}]; cycle.append(cycle)
del cycle
gc.collect()
print("done")
"""

FOREIGN = """
import ctypes
api = ctypes.pythonapi
for name in ("PyMem_Malloc", "PyObject_Malloc", "PyMem_Realloc", "PyObject_Realloc", "PyMem_RawMalloc"):
    getattr(api, name).restype = ctypes.c_void_p
for name in ("PyMem_Free", "PyObject_Free"):
    getattr(api, name).argtypes = [ctypes.c_void_p]
for name in ("PyMem_Realloc", "PyObject_Realloc"):
    getattr(api, name).argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for size in (1, 40, 512, 513, 5000, 300000):
    for _ in range(50):
        api.PyMem_Free(ctypes.c_void_p(api.PyObject_Malloc(ctypes.c_size_t(size))))  # domains mixed
        api.PyObject_Free(ctypes.c_void_p(api.PyMem_Malloc(ctypes.c_size_t(size))))
        api.PyObject_Free(ctypes.c_void_p(libc.malloc(ctypes.c_size_t(size))))       # the C library's block
        block = api.PyMem_Realloc(libc.malloc(ctypes.c_size_t(size)), 2 * size)
        api.PyMem_Free(ctypes.c_void_p(api.PyObject_Realloc(block, size // 2)))
print("done")
"""


class PythonOnTarn(HookTest):
    def test_works_on_every_version(self) -> None:
        for python in self.each():
            outcome = self.on_tarn(python, WORK)
            self.assertEqual(outcome.out, "done\n")
            self.assertGreater(int(outcome.report["arenas_peak"]), 1)
            self.assertEqual(outcome.report["synchronisation"], "caller")
            self.assertEqual(outcome.report["python"][: len("3.11")].rstrip("."),
                             f"{python.version[0]}.{python.version[1]}")

    def test_works_on_every_geometry_with_and_without_checks(self) -> None:
        for python in self.each():
            if python.version not in ((3, 8), (3, 11), (3, 13)):
                continue  # the geometries know nothing of versions; these three cover the ways of hooking
            for geometry in ("tarn", "classic", "modern"):
                for checks in ("none", "debug"):
                    outcome = self.on_tarn(python, WORK, changes={"TARN_GEOMETRY": geometry, "TARN_CHECKS": checks})
                    self.assertEqual(outcome.report["geometry"], geometry)
                    self.assertEqual(outcome.report["checks"], checks)

    def test_takes_blocks_that_are_not_its_own(self) -> None:
        for python in self.each():
            for options in ((), ("-X", "tracemalloc")):
                self.assertEqual(self.on_tarn(python, FOREIGN, *options).out, "done\n")

    def test_falls_back_to_the_page_map_under_a_limit_on_addresses(self) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        code = "\n".join(["held = []", "try:", "    while True: held.append([object() for _ in range(10000)])",
                          "except MemoryError:", "    count = len(held); del held; print(count > 100)"])
        for python in self.each():
            outcome = self.on_tarn(python, code, before=limit)
            self.assertEqual(outcome.out, "True\n")
            self.assertEqual(outcome.report["address_map"], "page_map")

    def test_a_program_may_limit_its_addresses_itself(self) -> None:
        # Little more than it would need without Tarn.
        code = "\n".join([
            "import resource, threading",
            "before = [object() for _ in range(100000)]",
            "limit = 400 << 20",
            "resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))",
            "size = lambda: int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()",
            "assert size() < limit, size()",
            "thread = threading.Thread(target=list); thread.start(); thread.join()",
            "block = bytearray(50 << 20); del block",
            "held = []",
            "try:",
            "    while True: held.append([object() for _ in range(10000)])",
            "except MemoryError:", "    count = len(held); del held",
            "assert count > 100, count",
            "before = held = [[str(i)] for i in range(100000)]; del before, held",
            "print('done')"])
        for python in self.each():
            outcome = self.on_tarn(python, code)
            self.assertEqual(outcome.out, "done\n")
            self.assertEqual(outcome.report["address_map"], "range")

    def test_answers_sys_from_tarn(self) -> None:
        code = ("import sys; before = sys.getallocatedblocks(); x = [object() for _ in range(50000)]; "
                "print(49000 < sys.getallocatedblocks() - before < 51000); sys._debugmallocstats()")
        for python in self.each():
            outcome = self.on_tarn(python, code)
            self.assertEqual(outcome.out, "True\n")
            self.assertIn("Small block threshold = 512, in 56 size classes.", outcome.err)
            self.assertIn("Tarn: ", outcome.err)
            self.assertIn("free PyFloatObjects" if python.version < (3, 14) else "Tarn", outcome.err)


class Tracemalloc(HookTest):
    def test_starts_stops_and_finds_what_was_allocated(self) -> None:
        code = "\n".join([
            "import tracemalloc", "kept = [bytes(100) for _ in range(1000)]",
            "for _ in range(3):", "    tracemalloc.start()", "    more = [bytes(100) for _ in range(1000)]",
            "    size = sum(s.size for s in tracemalloc.take_snapshot().statistics('lineno'))",
            "    assert size > 100000, size", "    del kept[::2]", "    tracemalloc.stop()", "    del more",
            "    kept = [bytes(100) for _ in range(1000)]", "print('done')"])
        for python in self.each():
            for options, changes in (((), {}), (("-X", "tracemalloc=5"), {}), ((), {"PYTHONTRACEMALLOC": "1"})):
                self.assertEqual(self.on_tarn(python, code, *options, changes=changes).out, "done\n")

    def test_stops_again_and_again_while_memory_goes_back(self) -> None:
        """A thread that asks for the GIL while tracing stops crashes CPython: Tarn's don't (threads_keep_out)."""
        code = "\n".join([
            "import time, tracemalloc", "end = time.monotonic() + 4", "while time.monotonic() < end:",
            "    blocks = [bytes(100) for _ in range(20000)]", "    tracemalloc.start()", "    del blocks[::2]",
            "    stop = time.monotonic() + 0.012", "    while time.monotonic() < stop: pass",
            "    tracemalloc.stop()", "    del blocks", "print('done')"])
        for python in self.each():
            self.assertEqual(self.on_tarn(python, code).out, "done\n")


class TheLibrary(HookTest):
    """Some 190 KiB of it; layout.ld says what. 64 KiB more are one function that a start needs and isn't named there."""

    def test_is_resident_only_as_far_as_it_is_needed(self) -> None:
        cache = (Path(os.environ["TARN_BUILD"]) / "CMakeCache.txt").read_text()
        if "CMAKE_BUILD_TYPE:STRING=Release" not in cache or "TARN_COVERAGE:BOOL=ON" in cache:
            self.skipTest("its code is laid out for what people run")
        if any(linker in Path(HOOK).read_bytes() for linker in (b".note.gnu.gold-version\0", b"\0mold ")):
            self.skipTest("gold and mold take no layout.ld")
        code = ("import sys\nwhole = inside = 0\nfor line in open('/proc/self/smaps'):\n"
                "    words = line.split()\n"
                "    if '-' in words[0]: inside = words[-1].endswith(sys.argv[1])\n"
                "    elif words[0] == 'Rss:' and inside: whole += int(words[1])\n"
                "print(whole)")
        for python in self.each():
            with self.subTest(python=str(python)):
                # It goes by the addresses, too, which are others each time.
                least = 1 << 20
                for _ in range(3):
                    outcome = run([python.path, "-c", code, Path(HOOK).name])
                    self.assertEqual(outcome.status, 0, outcome.err)
                    least = min(least, int(outcome.out))
                self.assertGreater(least, 0)
                self.assertLess(least, 256, "KiB")


class TheCheckedHeap(HookTest):
    def errors(self, python_code: str) -> str:
        code = "import ctypes; api = ctypes.pythonapi; api.PyMem_Malloc.restype = ctypes.c_void_p\n" + python_code
        outcome = run([pythons()[0].path, "-c", code], {"TARN_CHECKS": "debug"})
        self.assertEqual(outcome.status, -6)
        return outcome.err

    def test_reports_a_double_free(self) -> None:
        text = self.errors("p = ctypes.c_void_p(api.PyMem_Malloc(448)); api.PyMem_Free(p); api.PyMem_Free(p)")
        self.assertRegex(text, r"tarn: double free of 0x[0-9a-f]+ in domain mem\n  block \d+ of \d+, \d+ bytes each, "
                               r"at 0x[0-9a-f]+: free\n  pool \d+ of 64, at 0x[0-9a-f]+: used, size class \d+, ")

    def test_reports_a_write_past_the_end(self) -> None:
        text = self.errors("p = api.PyMem_Malloc(40); ctypes.memset(p + 40, 65, 1); api.PyMem_Free(ctypes.c_void_p(p))")
        self.assertRegex(text, r"tarn: write past the end of 0x[0-9a-f]+ in domain mem\n  the guard byte at 0x")

    def test_reports_a_wrong_domain(self) -> None:
        text = self.errors("api.PyObject_Free(ctypes.c_void_p(api.PyMem_Malloc(40)))")
        self.assertRegex(text, r"tarn: wrong domain: free of 0x[0-9a-f]+ in domain obj\n  it was allocated in domain mem")


if __name__ == "__main__":
    unittest.main()

"""Never silently off: what replaces Python's allocators, and what Tarn then does and says."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from hook_support import HookTest, all_pythons, compiler, run

OTHERS = "PYTHONMALLOC chooses another allocator"
PASS = "import sys; print(sys.getallocatedblocks() > 1000)"

FREE_THREADED = r"""
#include <stddef.h>
typedef struct { void *ctx, *a, *b, *c, *d; } Allocator;
const char *Py_GetVersion(void) { return "3.13.0 experimental free-threading build (main, Oct  7 2024) [GCC 12.2.0]"; }
void PyMem_GetAllocator(int domain, Allocator *a) { }
void PyMem_SetAllocator(int domain, Allocator *a) { __builtin_abort(); }
int Py_IsInitialized(void) { return 0; }
int main(void) { return 0; }
"""


class Tarn(HookTest):
    def test_stays_on_below_pythons_debug_hooks(self) -> None:
        for python in self.each():
            for options, changes in ((("-X", "dev"), {}), ((), {"PYTHONDEVMODE": "1"}), ((), {"PYTHONMALLOC": "debug"}),
                                     ((), {"PYTHONMALLOC": "default"})):
                self.assertEqual(self.on_tarn(python, PASS, *options, changes=changes).out, "True\n")

    def test_leaves_pythons_debug_hooks_their_work(self) -> None:
        code = ("import ctypes; api = ctypes.pythonapi; api.PyMem_Malloc.restype = ctypes.c_void_p; "
                "p = api.PyMem_Malloc(40); ctypes.memset(p + 40, 65, 1); api.PyMem_Free(ctypes.c_void_p(p))")
        for python in self.each():
            outcome = run([python.path, "-X", "dev", "-c", code])
            self.assertEqual(outcome.status, -6)
            self.assertIn("bad trailing pad byte", outcome.err)

    def test_is_off_and_says_so_when_another_allocator_is_chosen(self) -> None:
        for python in self.each():
            for value in ("malloc", "malloc_debug", "pymalloc", "pymalloc_debug"):
                outcome = run([python.path, "-c", "pass"], {"PYTHONMALLOC": value})
                self.assertEqual(outcome.status, 0, outcome.err)
                self.assertRegex(outcome.err, rf"^tarn: Tarn is off in process \d+: {OTHERS}; .*\n$")
                self.assertEqual(outcome.report["state"], "off")
                self.assertTrue(outcome.report["reason"].startswith(OTHERS))

    def test_is_on_when_python_ignores_its_environment(self) -> None:
        for python in self.each():
            for option in ("-E", "-I", "-sE", "-BI", "-WerrorE"):
                outcome = run([python.path, option, "-c", PASS], {"PYTHONMALLOC": "malloc"})
                on = option != "-WerrorE"  # that's -W with the value "errorE"
                self.assertEqual(outcome.report["state"], "on" if on else "off", option)

    def test_is_quiet_when_asked(self) -> None:
        for python in self.each((3, 11)):
            outcome = run([python.path, "-c", "pass"], {"PYTHONMALLOC": "malloc", "TARN_QUIET": "1"})
            self.assertEqual(outcome.err, "")

    def test_names_a_malformed_setting_and_goes_on(self) -> None:
        for python in self.each((3, 11)):
            outcome = run([python.path, "-c", "pass"], {"TARN_GEOMETRY": "big one"})
            self.assertEqual(outcome.err, "tarn: TARN_GEOMETRY=big\\x20one is none of: tarn classic modern; tarn is used\n")
            self.assertEqual(outcome.report["geometry"], "tarn")

    def test_refuses_a_version_that_it_does_not_know(self) -> None:
        old = [python for python in all_pythons() if (3, 0) <= python.version < (3, 8)]
        if not old:
            self.skipTest("no CPython 3.0 to 3.7 on this machine")
        for python in old:
            outcome = run([python.path, "-c", "print('runs')"])
            self.assertEqual((outcome.status, outcome.out), (0, "runs\n"))
            self.assertIn("this version of Python isn't supported; 3.8 to 3.14 are", outcome.err)

    def test_refuses_a_free_threaded_build(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source, program = Path(folder) / "python.c", Path(folder) / "python"
            source.write_text(FREE_THREADED)
            subprocess.run([compiler(), "-w", "-rdynamic", str(source), "-o", str(program)], check=True)
            outcome = run([str(program)])
        self.assertEqual(outcome.status, 0)
        self.assertIn("a free-threaded build finds its objects by walking its own allocator's heaps", outcome.err)
        self.assertEqual(outcome.report["state"], "off")

    def test_does_nothing_in_a_process_that_is_not_python(self) -> None:
        outcome = run(["/bin/echo", "hello"])
        self.assertEqual((outcome.status, outcome.out, outcome.err, outcome.reports), (0, "hello\n", "", {}))


if __name__ == "__main__":
    unittest.main()

"""Processes: fork, exec, multiprocessing, and what is left behind at their end."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from hook_support import HOOK, HookTest, compiler, environment, pythons, read_report, run

FORK = """
import os, sys, threading
x = [str(i) for i in range(50000)]
def child(depth):
    y = [str(i) * 2 for i in range(20000)]
    del x[::3]
    if depth:
        pid = os.fork()
        if not pid: child(depth - 1)
        assert os.waitpid(pid, 0)[1] == 0
    os._exit(0)
def go():
    pid = os.fork()
    if not pid: child(3)
    assert os.waitpid(pid, 0)[1] == 0
go()
thread = threading.Thread(target=go); thread.start(); thread.join()
print("done")
"""

POOL = """
import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor
def work(n): return sum(len(str(i)) for i in range(n))
if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        context = mp.get_context(method)
        with context.Pool(2) as pool:
            assert pool.map(work, [10000] * 8) == [work(10000)] * 8
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            assert list(pool.map(work, [5000] * 4)) == [work(5000)] * 4
    print("done")
"""


class Children(HookTest):
    def test_of_fork_use_and_free_what_they_inherit(self) -> None:
        for python in self.each():
            self.assertEqual(self.on_tarn(python, FORK).out, "done\n")

    def test_of_every_start_method_work(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "pool.py"
            script.write_text(POOL)
            for python in self.each():
                outcome = run([python.path, str(script)])
                self.assertEqual((outcome.status, outcome.out), (0, "done\n"), outcome.err)

    def test_that_are_not_python_notice_nothing(self) -> None:
        code = ("import subprocess as s; print(s.run(['/bin/sh', '-c', 'echo hi; env true; /bin/ls /etc/hostname'], "
                "capture_output=True))")
        for python in self.each():
            self.assertIn("stdout=b'hi\\n/etc/hostname\\n', stderr=b''", self.on_tarn(python, code).out)

    def test_that_are_python_live_on_tarn_too(self) -> None:
        code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'], check=True)"
        for python in self.each():
            outcome = self.on_tarn(python, code)
            self.assertEqual([report["state"] for report in outcome.reports.values()], ["on", "on"])


class AtItsEnd(HookTest):
    def test_a_process_leaves_a_report_for_its_owner_alone(self) -> None:
        for python in self.each((3, 11)):
            with tempfile.TemporaryDirectory() as folder:
                process = subprocess.Popen([python.path, "-c", "x = [object() for _ in range(9999)]"],
                                           env=environment({"TARN_REPORT_DIR": folder}))
                self.assertEqual(process.wait(), 0)
                path = Path(folder) / str(process.pid)
                self.assertEqual(path.stat().st_mode & 0o7777, 0o600)
                self.assertEqual(read_report(path)["pid"], str(process.pid))

    def test_a_report_follows_no_link_and_overwrites_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "target"
            target.write_text("untouched")
            code = "import os; os.symlink('target', os.path.join(os.environ['TARN_REPORT_DIR'], str(os.getpid())))"
            done = subprocess.run(["/usr/bin/python3", "-c", code], env=environment({"TARN_REPORT_DIR": folder}))
            self.assertEqual(done.returncode, 0)
            self.assertEqual(target.read_text(), "untouched")

    def test_a_program_may_overwrite_its_environment(self) -> None:
        # As setproctitle does, to change what ps shows.
        code = "\n".join([
            "import ctypes, sys", "environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')",
            "raw = ctypes.cast(environ, ctypes.POINTER(ctypes.c_void_p)); i = 0",
            "while raw[i]:", "    ctypes.memset(raw[i], 0, len(environ[i])); i += 1"])
        outcome = run(["/usr/bin/python3", "-c", code])
        self.assertEqual(outcome.status, 0, outcome.err)
        self.assertEqual(outcome.report["state"], "on")

    def test_every_way_out_keeps_its_status(self) -> None:
        for python in self.each():
            for code, status in (("import sys; sys.exit(7)", 7), ("import os; os._exit(9)", 9), ("raise ValueError", 1),
                                 ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
                                 ("import os; os.execv('/bin/sh', ['sh', '-c', 'exit 5'])", 5)):
                self.assertEqual(run([python.path, "-c", code]).status, status, code)


# Another preloaded library that lets nobody watch Python but itself. CPython calls it a success when a hook is refused so.
JEALOUS = r"""
#include <string.h>
extern int PySys_AddAuditHook(int (*)(const char *, void *, void *), void *) __attribute__((weak));
extern void PyErr_SetString(void *, const char *) __attribute__((weak));
extern void *PyExc_RuntimeError __attribute__((weak));
static int hook(const char *event, void *arguments, void *data) {
  if (strcmp(event, "sys.addaudithook")) return 0;
  PyErr_SetString(PyExc_RuntimeError, "no others");
  return -1;
}
__attribute__((constructor)) static void start(void) {
  if (&PySys_AddAuditHook) PySys_AddAuditHook(hook, 0);
}
"""


class TheLibrary(unittest.TestCase):
    def test_that_may_not_watch_for_interpreters_goes_behind_its_lock(self) -> None:
        code = "x = [bytes(n) for n in range(3000)]; print(len(x))"
        with tempfile.TemporaryDirectory() as folder:
            source, library = Path(folder) / "jealous.c", Path(folder) / "jealous.so"
            source.write_text(JEALOUS)
            subprocess.run([compiler(), "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
            for python in pythons():
                with self.subTest(python=str(python)):
                    for preload, watched in ((HOOK, True), (f"{HOOK}:{library}", False), (f"{library}:{HOOK}", False)):
                        outcome = run([python.path, "-c", code], {"LD_PRELOAD": preload})
                        self.assertEqual((outcome.status, outcome.out), (0, "3000\n"), outcome.err)
                        locked = python.version >= (3, 12) and not watched
                        self.assertEqual(outcome.report["synchronisation"], "locked" if locked else "caller")

    def test_needs_the_c_library_and_nothing_else(self) -> None:
        text = subprocess.run(["readelf", "-d", HOOK], capture_output=True, text=True, check=True).stdout
        needed = [line.split("[")[1].rstrip("]") for line in text.splitlines() if "(NEEDED)" in line]
        self.assertEqual(needed, ["libc.so.6"])

    def test_bears_other_preloaded_libraries(self) -> None:
        found = [path for name in ("libmimalloc.so.2", "libjemalloc.so.2")
                 if os.path.exists(path := f"/usr/lib/x86_64-linux-gnu/{name}")]
        if not found:
            self.skipTest("neither mimalloc nor jemalloc is installed")
        for other in found:
            for preload in (f"{HOOK}:{other}", f"{other}:{HOOK}"):
                outcome = run(["/usr/bin/python3", "-c", "x = [bytes(n) for n in range(3000)]; print(len(x))"],
                              {"LD_PRELOAD": preload})
                self.assertEqual((outcome.status, outcome.out), (0, "3000\n"), outcome.err)
                self.assertEqual(outcome.report["state"], "on")


if __name__ == "__main__":
    unittest.main()

"""Programs that embed Python: initialise, end and initialise it again; interpreters made from C."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from hook_support import HookTest, Outcome, Python, compiler, run

AGAIN = r"""
#include <Python.h>
int main(void) {
  for (int life = 0; life < 6; life++) {
    Py_Initialize();
    if (PyRun_SimpleString("import sys, json, re, threading, datetime\n"
                           "x = [object() for _ in range(100000)]\n"
                           "print(sys.getallocatedblocks() > 100000)\n")) return 3;
    if (Py_FinalizeEx() < 0) return 4;
  }
  return 0;
}
"""

INTERPRETERS = r"""
#include <Python.h>
int main(void) {
  Py_Initialize();
  for (int i = 0; i < 3; i++) {
    PyThreadState *main_state = PyThreadState_Get();
    PyThreadState *state = Py_NewInterpreter();
    if (!state || PyRun_SimpleString("import json; x = json.dumps(list(range(9999)))")) return 3;
    Py_EndInterpreter(state);
    PyThreadState_Swap(main_state);
  }
  return Py_FinalizeEx() < 0 ? 4 : 0;
}
"""

# A plugin that only its loader sees brings Python into a program without one.
PLUGIN = "#include <Python.h>\nint run(void) { Py_Initialize(); return PyRun_SimpleString(\"print('hello', flush=True)\"); }\n"
HOST = r"""
#include <dlfcn.h>
int main(int argc, char **argv) {
  void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  int (*run)(void) = plugin ? (int (*)(void))dlsym(plugin, "run") : 0;
  return run ? run() : 9;
}
"""


def config(python: Python, *options: str) -> list[str] | None:
    """What python3-config says; None when this Python can't be embedded here."""
    tool = Path(python.path).with_name(f"python{python.version[0]}.{python.version[1]}-config")
    if not tool.exists():
        return None
    return subprocess.run([str(tool), *options], capture_output=True, text=True, check=True).stdout.split()


class EmbeddedPython(HookTest):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def build(self, python: Python, text: str, *more: str) -> Path | None:
        include, link = config(python, "--includes"), config(python, "--embed", "--ldflags")
        if include is None or link is None:
            return None
        prefix = Path(python.path).parent.parent
        source, program = self.folder / "program.c", self.folder / f"program-{python.version[1]}{''.join(more)}"
        source.write_text(text)
        subprocess.run([compiler(), "-w", *include, str(source), "-o", str(program), *more, *link,
                        f"-Wl,-rpath,{prefix}/lib"], check=True)
        return program

    def run_embedded(self, python: Python, program: Path, *arguments: str, **changes: str) -> Outcome:
        return run([str(program), *arguments], {"PYTHONHOME": str(Path(python.path).parent.parent), **changes})

    def each_built(self, text: str):
        built = 0
        for python in self.each():
            program = self.build(python, text)
            if program is not None:
                built += 1
                yield python, program
        self.assertGreater(built, 0, "no Python here can be embedded")

    def test_may_be_ended_and_initialised_again(self) -> None:
        for python, program in self.each_built(AGAIN):
            outcome = self.run_embedded(python, program)
            self.assertEqual((outcome.status, outcome.out), (0, 6 * "True\n"), outcome.err)
            self.assertEqual(outcome.report["state"], "on")
            self.assertNotIn("tarn:", outcome.err)

    def test_may_be_initialised_again_with_its_raw_domain_on_tarn(self) -> None:
        for python, program in self.each_built(AGAIN):
            outcome = self.run_embedded(python, program, TARN_RAW="on")
            self.assertEqual((outcome.status, outcome.out, outcome.err), (0, 6 * "True\n", ""))

    def test_reports_the_life_that_was_its_last(self) -> None:
        for counts in ((300_000, 1000), (1000, 300_000)):
            lives = "".join(f"""
                Py_Initialize();
                if (PyRun_SimpleString("kept = [object() for _ in range({count})]")) return 3;
                if (Py_FinalizeEx() < 0) return 4;""" for count in counts)
            for python, program in self.each_built(f"#include <Python.h>\nint main(void) {{{lives}\nreturn 0; }}"):
                outcome = self.run_embedded(python, program)
                self.assertEqual(outcome.status, 0, outcome.err)
                # A bare object takes a block of the smallest class.
                allocated = int(outcome.report["class obj 0"].split()[3])
                self.assertAlmostEqual(allocated, counts[-1], delta=1000)

    def test_every_life_is_paced(self) -> None:
        # From 3.12 on an embedded Python may have interpreters with a GIL each, and is left alone.
        text = AGAIN.replace("print(sys.getallocatedblocks() > 100000)", "import gc; print(gc.get_threshold()[2] > 10)")
        self.assertNotEqual(text, AGAIN)
        for python, program in self.each_built(text):
            outcome = self.run_embedded(python, program)
            paced = "True" if python.version < (3, 12) else "False"
            self.assertEqual((outcome.status, outcome.out), (0, 6 * f"{paced}\n"), outcome.err)

    def test_says_that_it_is_off_in_dev_mode(self) -> None:
        for python, program in self.each_built(AGAIN.replace("life < 6", "life < 1")):
            outcome = self.run_embedded(python, program, PYTHONDEVMODE="1")
            self.assertEqual(outcome.status, 0, outcome.err)
            self.assertIn("a program that embeds Python in dev mode", outcome.err)
            self.assertEqual(outcome.report["state"], "off")

    def test_may_make_interpreters(self) -> None:
        for python, program in self.each_built(INTERPRETERS):
            outcome = self.run_embedded(python, program)
            self.assertEqual(outcome.status, 0, outcome.err)
            locked = python.version >= (3, 12)
            self.assertEqual(outcome.report["synchronisation"], "locked" if locked else "caller")

    def test_in_a_plugin_that_only_its_loader_sees_is_left_alone(self) -> None:
        host_source, host = self.folder / "host.c", self.folder / "host"
        host_source.write_text(HOST)
        subprocess.run([compiler(), str(host_source), "-o", str(host), "-ldl"], check=True)
        for python in self.each((3, 11)):
            plugin = self.build(python, PLUGIN, "-shared", "-fPIC")
            if plugin is None:
                continue
            outcome = self.run_embedded(python, host, str(plugin))
            self.assertEqual((outcome.status, outcome.out), (0, "hello\n"), outcome.err)


if __name__ == "__main__":
    unittest.main()

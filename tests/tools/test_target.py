"""tarn release and tarn ledger: another process, on Tarn or not, its own user's or not, there or not."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import unittest
from pathlib import Path

from command_support import PYTHON, SECONDS, TARN, OnTarnTest

SCATTERED = """
import random
records = [(number, str(number)) for number in range(1000000, 1400000)]
survivors = random.Random(5).sample(records, 4000)
del records
"""
COMMANDS = ("release", "ledger")


def resident(pid: int) -> int:
    found = re.search(r"^Rss: +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


class TargetTest(OnTarnTest):
    def says(self, pid: int | str, message: str, status: int = 1, **options: object) -> None:
        for command in COMMANDS:
            with self.subTest(command=command, pid=pid):
                result = self.tarn(command, str(pid), **options)
                self.assertEqual((result.returncode, result.stdout), (status, ""))
                self.assertRegex(result.stderr, rf"\Atarn: {message.replace('COMMAND', command)}\n\Z")

    def test_release_says_how_much_went(self) -> None:
        pid = self.running(SCATTERED)
        before = resident(pid)
        result = self.tarn("release", str(pid))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        size = r"[\d.]+ [KM]iB"
        self.assertRegex(result.stdout, rf"\Aprocess {pid} \(\S+\): resident {size} before, {size} after; "
                                        rf"{size} of addresses given back\n\Z")
        self.assertLess(resident(pid), before // 2)
        figures = json.loads(self.tarn("release", "--json", str(pid)).stdout)
        self.assertEqual(list(figures), ["pid", "released", "resident_before", "resident_after"])
        self.assertEqual(figures["pid"], pid)
        self.assertLess(figures["released"], 1 << 20)  # nothing was left
        self.assertAlmostEqual(figures["resident_after"], resident(pid), delta=1 << 18)

    def test_the_ledger_adds_up_to_what_the_kernel_reports(self) -> None:
        for changes in ({}, {"TARN_ADDRESS_MAP": "page_map"}, {"TARN_GEOMETRY": "classic"},
                        {"TARN_CHECKS": "debug"}):
            with self.subTest(changes=changes):
                pid = self.running(SCATTERED, **changes)
                result = self.tarn("ledger", "--json", str(pid))
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                ledger = json.loads(result.stdout)
                lines = ledger["lines"]
                self.assertEqual(sum(lines.values()), ledger["resident"])
                self.assertAlmostEqual(ledger["resident"], resident(pid), delta=resident(pid) / 100)
                # Nothing is put into the rest that has a line of its own.
                self.assertLess(abs(lines["rest"]), ledger["resident"] / 100)
                self.assertGreater(lines["free"] + lines["empty"], 10 * lines["live_obj"])
                self.assertEqual(ledger["page_floor"], ledger["resident"] - ledger["can_go"])

    def test_the_page_floor_is_what_remains(self) -> None:
        pid = self.running(SCATTERED)
        floor = json.loads(self.tarn("ledger", "--json", str(pid)).stdout)["page_floor"]
        self.tarn("release", str(pid))
        self.assertAlmostEqual(resident(pid), floor, delta=floor / 100)

    def test_the_ledgers_lines_know_what_a_program_holds(self) -> None:
        size = 32 << 20
        plain = json.loads(self.tarn("ledger", "--json", str(self.running("pass"))).stdout)["lines"]
        for line, code in (("live_obj", f"kept = [object() for _ in range({size // 16})]"),
                           ("live_mem", f"kept = [[None] * 60 for _ in range({size // 480})]"),
                           ("empty", f"kept = [object() for _ in range({size // 16})]; kept = kept[::65536]"),
                           ("large", f"kept = [bytearray(1 << 19) for _ in range({size >> 19})]"),
                           ("large", f"kept = bytearray({size})"),
                           ("other_heaps", "import ctypes; c = ctypes.CDLL(None); c.malloc.restype = ctypes.c_void_p; "
                            f"kept = c.malloc({size}); ctypes.memset(kept, 1, {size})"),
                           ("files", f"import mmap; kept = mmap.mmap(-1, {size}); kept.write(b'x' * {size})")):
            with self.subTest(line=line):
                lines = json.loads(self.tarn("ledger", "--json", str(self.running(code))).stdout)["lines"]
                self.assertAlmostEqual(lines[line] - plain[line], size, delta=size / 10)

    def test_the_ledger_for_people(self) -> None:
        pid = self.running(SCATTERED)
        result = self.tarn("ledger", str(pid))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        size = r"-?[\d.]+ [KM]?i?B"
        names = ("live blocks, objects (obj)", "live blocks, buffers (mem)", "free blocks",
                 "untouched blocks, ends of pools", "empty pools", "large blocks",
                 "large blocks, freed and kept", "descriptors of arenas and pools",
                 "other heaps, anonymous memory", "mapped files and libraries", "stacks", "the rest",
                 "resident, as the kernel has it")
        rows = "".join(rf"{re.escape(name)} +{size} +-?[\d.]+ %\n" for name in names)
        self.assertRegex(result.stdout, rf"\A\S+ \(process {pid}\) on Python 3\.\S+\n\n{rows}\n{size} are in pages "
                                        r"without a live block\. The page floor, ")
        self.assertEqual([line for line in result.stdout.splitlines() if len(line) > 80], [])

    def test_words_that_are_no_process(self) -> None:
        for word in ("", "abc", "0", "-1", "+5", "1.5", "12x", "99999999999999999999"):
            for command in COMMANDS:
                with self.subTest(command=command, word=word):
                    result = self.tarn(command, *([word] if word else []))
                    self.assertEqual((result.returncode, result.stdout), (2, ""))
                    self.assertRegex(result.stderr, rf"\Atarn: .+; try 'tarn {command} --help'\n\Z")
        for command in COMMANDS:
            self.check(self.tarn(command, "12", "13"), 2,
                       errors=f"tarn: unexpected argument '13'; try 'tarn {command} --help'\n")

    def test_a_process_that_is_gone(self) -> None:
        gone = subprocess.Popen(["true"])
        gone.wait()
        self.says(gone.pid, f"there is no process {gone.pid}")
        zombie = subprocess.Popen(["true"])
        self.addCleanup(zombie.wait)
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        self.says(zombie.pid, f"process {zombie.pid} has ended")

    def test_a_process_that_is_not_on_tarn(self) -> None:
        other = subprocess.Popen([PYTHON, "-c", "print('up', flush=True); input()"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        self.addCleanup(other.communicate, b"\n")
        assert other.stdout is not None
        other.stdout.readline()
        self.says(other.pid, rf"process {other.pid} \(\S+\): it doesn't live on Tarn; 'tarn run' starts a program "
                             "that does")
        self.assertIsNone(other.poll())

    def test_a_process_whose_control_is_off(self) -> None:
        pid = self.running("pass", TARN_CONTROL="off")
        self.says(pid, rf"process {pid} \(\S+\): it was started with TARN_CONTROL=off")

    def test_a_process_that_is_no_python(self) -> None:
        process = self.start("run", "--", "sleep", "60")
        time.sleep(0.3)
        self.says(process.pid, rf"process {process.pid} \(sleep\): libtarn-python.so is loaded, but nobody listens: "
                               "it isn't Python, .*")
        self.assertIsNone(process.poll())

    def test_a_process_of_another_user(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("only root can be another user")
        pid = self.running("pass")
        self.folder.chmod(0o755)
        command = [*TARN, "ledger", str(pid)]
        if subprocess.run(["true"], user=12345).returncode == 0 and os.access(TARN[-1], os.X_OK):
            done = subprocess.run(command, user=12345, capture_output=True, text=True, timeout=SECONDS)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, rf"\Atarn: process {pid} \(\S+\): it belongs to another user\n\Z")

    def test_a_folder_with_another_mode_is_not_used(self) -> None:
        pid = self.running("pass")
        self.tarn("ledger", str(pid))
        folder = Path(self.environment["XDG_RUNTIME_DIR"]) / "tarn"
        folder.chmod(0o755)
        self.says(pid, rf"process {pid} \(\S+\): {folder} has mode 0755 and not 0700, so it isn't used")

    def test_a_folder_that_cannot_be_used_does_not_hide_the_one_that_is(self) -> None:
        """The process found its own folder open to others, and took the one in /tmp."""
        folder = Path(self.environment["XDG_RUNTIME_DIR"]) / "tarn"
        folder.mkdir()
        folder.chmod(0o755)
        pid = self.running("pass")
        for command in COMMANDS:
            result = self.tarn(command, str(pid))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(list(folder.iterdir()), [])

    def test_a_process_that_holds_the_gil_is_told_from_one_that_is_stopped(self) -> None:
        pid = self.running("""
import ctypes, threading
threading.Timer(0.5, lambda: ctypes.PyDLL(None).sleep(20)).start()
""")
        time.sleep(1)
        result = self.tarn("release", str(pid))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, rf"\Atarn: process {pid} \(\S+\): it has held Python's lock \(the GIL\) for "
                                        r"5 seconds; nothing was done\n\Z")
        stopped = self.running("import time; time.sleep(0.3)")
        self.tarn("ledger", str(stopped))
        os.kill(stopped, signal.SIGSTOP)
        self.addCleanup(os.kill, stopped, signal.SIGCONT)
        result = self.tarn("ledger", str(stopped))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"it doesn't answer for 10 seconds; is it stopped\?\n\Z")

    def test_the_exit_report_has_the_page_floor(self) -> None:
        code = SCATTERED + "import os\nif os.fork() == 0: raise SystemExit\nos.wait()\n"
        self.check(self.tarn("run", "--report=report.json", "-c", code), 0)
        document = json.loads((self.folder / "report.json").read_text())
        for report in (document["report"], *document["further"]):
            parts = report["resident_in"]
            dead = parts["pools"] - parts["live_pages"] + parts["large_kept"]
            self.assertEqual(report["page_floor"], report["resident"] - dead)
            self.assertGreater(dead, 10 << 20)
        self.assertEqual(len(document["further"]), 1)


if __name__ == "__main__":
    unittest.main()

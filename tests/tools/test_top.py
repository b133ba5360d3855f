"""tarn top: on a screen of 80 by 24, of other sizes and kinds, and without one."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest
from collections.abc import Callable
from pathlib import Path

import pyte
from command_support import PYTHON, TARN, OnTarnTest

BUSY = """
import threading
def churn():
    while not done.wait(0.01):
        [str(number) * 3 for number in range(1000)]
done = threading.Event()
kept = [str(number) for number in range(200000)]
threading.Thread(target=churn, daemon=True).start()
"""


class Screen:
    """A terminal that tarn top thinks is one."""

    def __init__(self, test: OnTarnTest, *words: str, columns: int = 80, rows: int = 24,
                 **changes: str) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        environment = {"TERM": "xterm", "LC_ALL": "C.UTF-8", **test.environment, **changes}
        environment.pop("NO_COLOR", None) if "NO_COLOR" not in changes else None
        pid, self.terminal = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(test.folder)
            os.execve(TARN[0], [*TARN, "top", *words], environment)
        self.pid = pid
        self.status: int | None = None
        test.addCleanup(self.put_away)

    def put_away(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.status = -1
        os.close(self.terminal)

    def read(self, seconds: float = 0.05) -> bool:
        """False: tarn is gone."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self.terminal, 65536)
        except OSError:
            return False
        self.bytes += part
        self.stream.feed(part)
        return part != b""

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, pattern: str | Callable[[], bool], seconds: float = 30) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if pattern() if callable(pattern) else re.search(pattern, self.text, re.MULTILINE):
                return self.text
            if not self.read():
                break
        raise AssertionError(f"{pattern!r} isn't on the screen:\n{self.text}")

    def press(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def end(self, seconds: float = 30) -> int:
        """Its wait status, when all that it wrote has been read."""
        end = time.monotonic() + seconds
        while self.read() and time.monotonic() < end:
            pass
        self.status = os.waitpid(self.pid, 0)[1]
        return self.status

    def is_put_back(self) -> bool:
        return self.bytes.rstrip().find(b"\x1b[?1049l") > self.bytes.find(b"\x1b[?1049h") >= 0


class TopTest(OnTarnTest):
    def test_a_screen_of_eighty_by_twenty_four(self) -> None:
        pid = self.running(BUSY)
        screen = Screen(self, str(pid))
        text = screen.wait_for(r"retained +[\d.]+ [KM]iB +of it pinned [\d.]+ [KM]iB, measured [2-9] s ago")
        lines = text.splitlines()
        self.assertEqual(len(lines), 24)
        self.assertRegex(lines[0], rf"^ tarn top  python3 \({pid}\) +\d\d:\d\d:\d\d$")
        for pattern in (r"^resident +[\d.]+ MiB  [█░]+  [▁-█]+$", r"^live +[\d.]+ MiB  [█░]+  [ ▁-█]+$",
                        r"^allocation +[\d.]+ [KM]iB/s  live .* [\d,]+ blocks$", r"^collection +[\d.]+ % of time",
                        r"^small +\d+ x 1 MiB +[\d.]+ % full  [·░▒▓█]+$", r"^medium +\d+ x 4 MiB",
                        r"^large +\d+ blocks?", r" size +pools +live blocks +▾live bytes +free bytes",
                        r"^ q leave   s sort .* by live bytes$"):
            self.assertRegex(text, re.compile(pattern, re.MULTILINE))
        rows = re.findall(r"^ +([\d.]+ (?:B|KiB)) +(\d[\d,]*) +([\d,]+) +([\d.]+) (B|KiB|MiB)", text, re.MULTILINE)
        self.assertGreaterEqual(len(rows), 8)
        self.assertGreater(int(rows[0][2].replace(",", "")), 150000)
        screen.press("q")
        self.assertEqual(screen.end(), 0)
        self.assertTrue(screen.is_put_back())

    def test_its_figures_are_those_of_the_ledger(self) -> None:
        pid = self.running("kept = [str(number) for number in range(300000)]")
        result = self.tarn("top", "--json", "--count", "2", str(pid))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        last = json.loads(result.stdout.splitlines()[-1])
        ledger = json.loads(self.tarn("ledger", "--json", str(pid)).stdout)["lines"]
        live = sum(size for key, size in ledger.items() if key.startswith("live") or key == "large")
        self.assertLess(abs(last["live"] - live), 0.1 * live)
        counted = sum(of["live"] for of in last["classes"]) + last["large"]["bytes"]
        self.assertLess(abs(counted - live), 0.02 * live)
        self.assertLess(last["pulse_ns"], 5_000_000)

    def test_keys_sort_help_release_and_snapshot(self) -> None:
        pid = self.running("import random\nrecords = [str(number) for number in range(400000)]\n"
                           "kept = records[::100]\ndel records")
        screen = Screen(self, str(pid))
        screen.wait_for("▾live bytes")
        screen.press("s")
        screen.wait_for("▾live blocks")
        screen.press("ssss")
        screen.wait_for("▾live bytes")
        screen.press("h")
        screen.wait_for("pinned     the part of it")
        screen.press("x")
        screen.wait_for("▾live bytes")
        screen.press("r")
        screen.wait_for(r"^ resident [\d.]+ MiB before, [\d.]+ MiB after; .* given back$")
        screen.press("n")
        screen.wait_for(r"\.tarn\.sqlite: [\d,]+ live blocks")
        self.assertEqual(len(list(self.folder.glob("*.tarn.sqlite"))), 1)
        screen.press("m")
        screen.wait_for("measured 0 s ago")
        screen.press("q")
        self.assertEqual(screen.end(), 0)

    def test_another_size_while_it_runs(self) -> None:
        pid = self.running(BUSY)
        screen = Screen(self, str(pid))
        screen.wait_for("q leave")
        for columns, rows in ((120, 40), (60, 12), (20, 3), (80, 24)):
            screen.resize(columns, rows)
            screen.wait_for(lambda: screen.screen.display[-1].startswith(" q leave"[:columns]) and
                            screen.screen.display[0].startswith(" tarn top"))

    def test_the_process_ends(self) -> None:
        pid = self.running(BUSY)
        screen = Screen(self, str(pid))
        screen.wait_for("live bytes")
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(screen.end(), 0)
        self.assertTrue(screen.is_put_back())
        self.assertIn(f"tarn: process {pid} (python3) has ended".encode(), screen.bytes)

    def test_a_signal_puts_the_terminal_back(self) -> None:
        pid = self.running(BUSY)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                screen = Screen(self, str(pid))
                screen.wait_for("live bytes")
                os.kill(screen.pid, number)
                self.assertEqual(os.WTERMSIG(screen.end()), number)
                self.assertTrue(screen.is_put_back())

    def test_without_colour(self) -> None:
        pid = self.running(BUSY)
        for changes, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "vt100"}, False)):
            with self.subTest(changes):
                screen = Screen(self, str(pid), **changes)
                screen.wait_for("live bytes")
                screen.press("q")
                self.assertEqual(screen.end(), 0)
                self.assertEqual(re.search(rb"\x1b\[[\d;]*3[1-6]m", screen.bytes) is not None, coloured)

    def test_a_terminal_without_unicode_gets_ascii(self) -> None:
        pid = self.running(BUSY)
        for changes in ({"LC_ALL": "C"}, {"TERM": "vt100"}):
            with self.subTest(changes):
                screen = Screen(self, str(pid), **changes)
                text = screen.wait_for(r"\*live bytes")
                self.assertTrue(text.isascii(), text)

    def test_a_dumb_terminal_gets_lines(self) -> None:
        pid = self.running(BUSY)
        screen = Screen(self, "--count", "2", str(pid), TERM="dumb")
        self.assertEqual(screen.end(), 0)
        self.assertNotIn(b"\x1b", screen.bytes)
        self.assertEqual(len(screen.bytes.splitlines()), 2)

    def test_lines_without_a_terminal(self) -> None:
        pid = self.running(BUSY)
        result = self.tarn("top", "--count=3", str(pid))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r"^\d\d:\d\d:\d\d  resident +[\d.]+ MiB  live +[\d.]+ MiB  arenas +\d+")

    def test_a_process_that_holds_the_lock_is_waited_for(self) -> None:
        pid = self.running("import ctypes, threading, time\n"
                           "def hold():\n    time.sleep(0.3)\n    ctypes.PyDLL(None).usleep(4000000)\n"
                           "threading.Thread(target=hold, daemon=True).start()")
        screen = Screen(self, str(pid))
        screen.wait_for(r"waiting for Python's lock \(the GIL\): [1-4] s")
        screen.wait_for(lambda: "waiting" not in screen.text)

    def test_not_a_process_of_ours(self) -> None:
        plain = subprocess.Popen([PYTHON, "-c", "import time; time.sleep(60)"], env=self.environment)
        self.addCleanup(plain.wait)
        self.addCleanup(plain.kill)
        self.check(self.tarn("top", str(plain.pid)), 1, errors=f"tarn: process {plain.pid} "
                   f"({Path(f'/proc/{plain.pid}/comm').read_text().strip()}): it doesn't live on Tarn; "
                   "'tarn run' starts a program that does\n")
        self.check(self.tarn("top", "4194305"), 1, errors="tarn: there is no process 4194305\n")

    def test_wrong_arguments(self) -> None:
        for words, message in (((), "no process id"), (("app.py",), "'app.py' is not a process id; did you mean "
                                                       "'tarn top -- app.py'?"),
                               (("--",), "no command behind '--'"),
                               (("1", "--", "x"), "either a process id or a command, not both"),
                               (("--count", "0", "1"), "--count: '0' is not a number from 1 on"),
                               (("--output", "x", "1"), "--output is for a command")):
            self.check(self.tarn("top", *words), 2, errors=f"tarn: {message}; try 'tarn top --help'\n")

    def test_a_command_with_its_output_behind_the_screen(self) -> None:
        code = "import time\nprint('said at once', flush=True)\ntime.sleep(3)\nprint('said late')\nraise SystemExit(7)"
        screen = Screen(self, "--", "-c", code)
        text = screen.wait_for("live bytes")
        self.assertNotIn("said", text)
        self.assertEqual(os.waitstatus_to_exitcode(screen.end()), 7)
        behind = screen.bytes.rpartition(b"\x1b[?1049l")[2]
        self.assertRegex(behind, rb"said at once\r\nsaid late\r\n")

    def test_a_command_goes_on_when_top_is_left(self) -> None:
        screen = Screen(self, "--", "-c", "import time\ntime.sleep(3)\nprint('said late')")
        screen.wait_for("live bytes")
        screen.press("q")
        self.assertEqual(screen.end(), 0)
        self.assertIn(b"said late", screen.bytes.rpartition(b"\x1b[?1049l")[2])

    def test_a_command_without_a_terminal(self) -> None:
        result = self.tarn("top", "--", "-c", "import time\nprint('mine')\ntime.sleep(2.5)\nraise SystemExit(3)")
        self.assertEqual((result.returncode, result.stdout), (3, "mine\n"))
        self.assertRegex(result.stderr, r"resident +[\d.]+ MiB  live")
        missing = self.tarn("top", "--", "no-such-program")
        self.assertEqual(missing.returncode, 127)
        self.assertIn("no-such-program", missing.stderr)


if __name__ == "__main__":
    unittest.main()

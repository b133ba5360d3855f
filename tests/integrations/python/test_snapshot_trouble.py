"""Snapshots at bad moments: in deep recursion, at the end of a process, amid forks, refused, broken off. The program goes on as
if nothing was, and a file is whole or not there."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import time
import unittest

from hook_support import environment, pythons
from snapshot_support import COMMAND, SECONDS, SnapshotTest, rows, snapshot, target

WELL_REFUSED = "broke off|breaks off|nobody listens|ending|there is no process|has ended|is gone|doesn't live on Tarn"

DEEP = r"""
import ctypes, json, sys, threading, time
take = ctypes.PyDLL(None).tarn_snapshot
taken = []
def frames(depth):
    kept_at_depth = [depth]
    return taken.append(take(@FILE@)) if depth == 0 else frames(depth - 1)
def nested(depth):
    made = None
    for _ in range(depth):
        made = [made]
    return made
def overflow(depth):
    return overflow(depth + 1)
def work():
    frames(9000)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            overflow(0)
        except RecursionError:
            pass
        kept = nested(100000)       # whose end is a recursion in C
        del kept
        try:
            json.dumps(nested(9000))  # a recursion in C that calls Python's checks
        except RecursionError:
            pass
sys.setrecursionlimit(10000)
threading.stack_size(512 << 20)
thread = threading.Thread(target=work)
print(flush=True)
thread.start()
thread.join()
print(taken)
"""

ENDINGS = {
    "sys.exit(3)": 3,
    "os._exit(4)": 4,
    "os.execv(sys.executable, [sys.executable, '-c', 'raise SystemExit(5)'])": 5,
    "os.kill(os.getpid(), signal.SIGTERM)": -signal.SIGTERM,
    # A thread that is still at it when the interpreter ends, and an interpreter that takes long to.
    "threading.Thread(target=work, daemon=True).start(); atexit.register(time.sleep, 0.1); sys.exit(6)": 6,
}

ENDING = r"""
import atexit, os, signal, sys, threading, time
class Slow:
    def __init__(self, n):
        self.n = n
    def __del__(self):
        str(self.n)
kept = [Slow(n) for n in range(100000)]
def work():
    made = []
    while True:
        made = [str(n) for n in range(1000)]
print(flush=True)
time.sleep(@SECONDS@)
@ENDING@
"""

FORKS = r"""
import ctypes, os, sys, threading, time
take = ctypes.PyDLL(None).tarn_snapshot
kept = [[n] for n in range(20000)]
held, release = os.pipe()
children = []
done = threading.Event()
def pipes():
    links = ["/proc/self/fd/" + name for name in os.listdir("/proc/self/fd")]
    return sum(os.readlink(link).startswith("pipe:") for link in links if os.path.islink(link))
before = pipes()
def fork():
    while not done.is_set() and len(children) < 12:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(release)
                is_clean = pipes() == before - 1
                os.read(held, 1)  # lives on while its parent takes more snapshots
                status = (0 if is_clean else 2) + (0 if take(b"@FOLDER@/%d.sqlite" % os.getpid()) == 0 else 4)
            finally:
                os._exit(status)
        children.append(child)
        time.sleep(0.05)
def spin():
    while not done.is_set():
        sum(range(1000))
threads = [threading.Thread(target=one) for one in (fork, spin, spin)]
for one in threads:
    one.start()
answers = [take(b"@FOLDER@/parent.sqlite") for _ in range(6)]
done.set()
for one in threads:
    one.join()
os.close(release)
print(answers, {os.waitpid(child, 0)[1] for child in children}, len(children) > 1)
"""

# From then on the kernel refuses what a snapshot's copy is made by, and nothing else, in all threads: as a filter or a full
# system does. struct sock_filter: code, jump if true, jump if false, operand.
REFUSE_COPIES = r"""
import ctypes, struct, sys
def refuse_copies(error):
    load, equal, done, allow = 0x20, 0x15, 0x06, 0x7fff0000
    program = [(load, 0, 0, 4), (equal, 1, 0, 0xC000003E), (done, 0, 0, allow), (load, 0, 0, 0), (equal, 0, 3, 56),
               (load, 0, 0, 16), (equal, 0, 1, 0), (done, 0, 0, 0x00050000 | error), (done, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.syscall(317, 1, 1, whole) == 0, ctypes.get_errno()
take = ctypes.PyDLL(None).tarn_snapshot
refuse_copies(@ERROR@)
print(flush=True)
sys.stdin.readline()
print(take(b"@FILE@"), flush=True)
"""


class Moments(SnapshotTest):
    def in_a_loop(self, process: subprocess.Popen[str], *options: str) -> int:
        """Until the process has ended; how many there were."""
        taken = 0
        while process.poll() is None:
            done = snapshot(process, self.file, *options)
            if done.returncode == 0:
                taken += 1
                self.assertEqual(rows(self.file, "PRAGMA quick_check"), [("ok",)])
                os.remove(self.file)
            elif process.poll() is None:
                self.assertRegex(done.stderr, WELL_REFUSED)
            self.assertEqual(os.listdir(self.folder), [])
        return taken

    def test_deep_recursion(self) -> None:
        for python in self.each():
            with target(python, DEEP.replace("@FILE@", f"b'{self.folder}/b.sqlite'")) as process:
                assert process.stdout is not None
                process.stdout.readline()
                taken = 0
                while process.poll() is None:
                    done = snapshot(process, self.file, "--references")
                    taken += done.returncode == 0
                    if done.returncode != 0 and process.poll() is None:
                        self.assertRegex(done.stderr, WELL_REFUSED)
                out, err = process.communicate(timeout=SECONDS)
            self.assertEqual((process.returncode, out, err), (0, "[0]\n", ""))
            self.assertGreater(taken, 0)
            # 1,000 frames are looked at, the innermost first.
            self.assertEqual(rows(f"{self.folder}/b.sqlite", """
                SELECT count(*) FROM root JOIN frame ON frame.id = root.frame
                WHERE root.name = 'kept_at_depth' AND frame.function = 'frames'"""), [(1000,)])
            os.remove(f"{self.folder}/b.sqlite")

    def test_the_end_of_a_process(self) -> None:
        for python in self.each():
            for ending, status in ENDINGS.items():
                for seconds in (0.15, 0.4):
                    with self.subTest(ending=ending, seconds=seconds):
                        code = ENDING.replace("@ENDING@", ending).replace("@SECONDS@", str(seconds))
                        with target(python, code) as process:
                            assert process.stdout is not None
                            process.stdout.readline()
                            self.in_a_loop(process)
                            _, err = process.communicate(timeout=SECONDS)
                        self.assertEqual((process.returncode, err), (status, ""))

    def test_children_forked_while_their_parent_takes_one(self) -> None:
        for python in self.each():
            code = FORKS.replace("@FOLDER@", self.folder)
            # Pipes are counted, and the control's thread makes its own whenever it comes to that.
            done = subprocess.run([python.path, "-W", "ignore", "-c", code], env=environment({"TARN_CONTROL": "off"}),
                                  text=True, capture_output=True, timeout=SECONDS)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "[0, 0, 0, 0, 0, 0] {0} True\n", ""))
            self.assertEqual(rows(f"{self.folder}/parent.sqlite", "SELECT count(*) FROM snapshot"), [(6,)])
            for name in os.listdir(self.folder):
                self.assertEqual(rows(f"{self.folder}/{name}", "PRAGMA quick_check"), [("ok",)])
                os.remove(f"{self.folder}/{name}")


class Refused(SnapshotTest):
    @unittest.skipUnless(platform.machine() == "x86_64", "the filter is for x86-64")
    def test_a_copy_that_the_system_refuses_is_said_in_a_line_and_the_program_goes_on(self) -> None:
        python = pythons()[0]
        for error, why in ((11, "the limit on processes (ulimit -u) is reached"), (12, "the system has no memory for it"),
                           (1, "the system refuses (a seccomp filter?)")):
            code = REFUSE_COPIES.replace("@ERROR@", str(error)).replace("@FILE@", self.file)
            with target(python, code) as process:
                assert process.stdout is not None
                self.assertEqual(process.stdout.readline(), "\n")
                done = snapshot(process, self.file)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, rf"\Atarn: process {process.pid} \([^\n]*\): the process can't be copied: "
                                              rf"{re.escape(why)}\n\Z")
                out, err = process.communicate("\n", timeout=SECONDS)
            self.assertEqual((process.returncode, out), (0, "-1\n"))
            self.assertEqual(err, f"tarn: no snapshot of process {process.pid}: the process can't be copied: {why}\n")
            self.assertEqual(os.listdir(self.folder), [])


class BrokenOff(SnapshotTest):
    """`tarn snapshot` itself is ended while it writes."""

    def setUp(self) -> None:
        super().setUp()
        code = "import sys\nkept = [[n] for n in range(300000)]\nprint(flush=True)\nsys.stdin.readline()"
        self.process = self.enterContext(target(pythons()[0], code)) if hasattr(self, "enterContext") else None
        if self.process is None:
            manager = target(pythons()[0], code)
            self.process = manager.__enter__()
            self.addCleanup(manager.__exit__, None, None, None)
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def first_byte(self, name: str) -> bytes:
        try:
            with open(f"{self.folder}/{name}", "rb") as file:
                return file.read(1)
        except FileNotFoundError:
            return b""

    def end_while_it_writes(self, number: int, beside: str, *options: str) -> subprocess.Popen[str]:
        assert self.process is not None
        command = subprocess.Popen([*COMMAND, "snapshot", "-o", self.file, *options, str(self.process.pid)], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + SECONDS
        while not any(re.fullmatch(beside, name) for name in os.listdir(self.folder)) or (
                beside.endswith("journal") and self.first_byte("a.sqlite-journal") <= b"\0"):
            self.assertLess(time.monotonic(), end)
            self.assertIsNone(command.poll(), "it was too quick")
            time.sleep(0.002)
        command.send_signal(number)
        out, err = command.communicate(timeout=SECONDS)
        self.assertEqual((command.returncode, out, err), (-number, "", ""))
        self.assertIsNone(self.process.poll())
        return command

    def test_by_a_signal_that_asks_it_to_end_leaves_nothing(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.end_while_it_writes(number, r"a\.sqlite\.\w{6}")
            self.assertEqual(os.listdir(self.folder), [])

    def test_while_it_adds_to_a_file_leaves_that_as_it_was(self) -> None:
        assert self.process is not None
        self.taken(self.process)
        self.end_while_it_writes(signal.SIGTERM, r"a\.sqlite-journal", "--append")
        self.assertEqual(os.listdir(self.folder), ["a.sqlite"])
        self.assertEqual(rows(self.file, "PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(rows(self.file, "SELECT count(*), count(DISTINCT snapshot) FROM snapshot, block"), [(
            rows(self.file, "SELECT count(*) FROM block")[0][0], 1)])

    def test_by_force_while_it_adds_to_a_file_is_said_by_who_reads_that_and_put_in_order_by_sqlite(self) -> None:
        assert self.process is not None
        self.taken(self.process, "--references")
        before = rows(self.file, "SELECT count(*) FROM block")
        self.end_while_it_writes(signal.SIGKILL, r"a\.sqlite-journal", "--append")
        for command in ("why", "map"):
            done = subprocess.run([*COMMAND, command, self.file], text=True, capture_output=True, timeout=SECONDS)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"\Atarn: [^\n]*it's being added to, or that was broken off by force[^\n]*\n\Z")
        self.assertEqual(rows(self.file, "SELECT count(*) FROM block"), before)
        self.assertEqual(rows(self.file, "PRAGMA integrity_check"), [("ok",)])
        done = subprocess.run([*COMMAND, "why", self.file], text=True, capture_output=True, timeout=SECONDS)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()

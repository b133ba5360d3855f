"""The control channel: a process answers its own user at a socket, in every life it can have, whoever asks and however."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import stat
import subprocess
import tempfile
import time
import unittest
from collections.abc import Iterator
from pathlib import Path

from hook_support import SECONDS, HookTest, Python, environment, pythons, run

GREETING = "tarn-control 1\n"
SCATTERED = """
import random
records = [(number, str(number)) for number in range(1000000, 1200000)]
survivors = random.Random(5).sample(records, 200)
del records
def whole():
    assert all(text == str(number) for number, text in survivors)
"""


class Running:
    """A process on Tarn that does what is written to it: lines of Python, each answered by "done"."""

    def __init__(self, python: Python, runtime: Path, code: str = "", options: tuple[str, ...] = (),
                 changes: dict[str, str | None] | None = None) -> None:
        loop = "\nimport sys\nfor line in sys.stdin:\n    exec(line)\n    print('done', flush=True)\n"
        self.runtime = runtime
        self.process = subprocess.Popen(
            [python.path, *options, "-c", code + loop], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env=environment({"XDG_RUNTIME_DIR": str(runtime), "TARN_RELEASE": "off", **(changes or {})}))
        self.pid = self.process.pid

    def do(self, line: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        said = []
        while (answer := self.process.stdout.readline()) not in ("done\n", ""):
            said.append(answer)
        assert answer, self.process.stderr.read() if self.process.stderr else ""
        return "".join(said)

    def ask(self, request: str, pid: int | None = None) -> str:
        return ask(wait_for_socket(self.runtime, pid or self.pid), request)

    def end(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, errors


def sockets_of(runtime: Path, pid: int) -> list[Path]:
    return list(runtime.glob(f"tarn/{pid}-*"))


def wait_for_socket(runtime: Path, pid: int) -> Path:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for path in sockets_of(runtime, pid):
            with contextlib.suppress(ConnectionError), connected(path):
                return path
        time.sleep(0.02)
    raise AssertionError(f"process {pid} has no socket in {list(runtime.rglob('*'))}")


@contextlib.contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        end = time.monotonic() + 20
        while True:
            try:
                client.connect(str(path))
                break
            except BlockingIOError:  # as many are waiting as may wait
                if time.monotonic() > end:
                    raise
                time.sleep(0.005)
        yield client


def read_all(client: socket.socket) -> str:
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def ask(path: Path, request: str) -> str:
    with connected(path) as client:
        client.sendall(request.encode())
        return read_all(client)


def facts(answer: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in answer.splitlines() if " " in line)


class ControlTest(HookTest):
    def setUp(self) -> None:
        self.runtime = Path(tempfile.mkdtemp(prefix="tarn-"))  # of mode 0700
        self.addCleanup(shutil.rmtree, self.runtime, ignore_errors=True)

    def running(self, python: Python, code: str = "", *options: str, **changes: str | None) -> Running:
        running = Running(python, self.runtime, code, options, changes)

        def put_away() -> None:
            if running.process.poll() is None:
                running.process.kill()
                running.process.communicate()

        self.addCleanup(put_away)
        running.do("pass")  # the code is over
        return running

    def ends_well(self, running: Running) -> None:
        self.assertEqual(running.end(), (0, ""))
        self.assertEqual(sockets_of(self.runtime, running.pid), [])

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

    def test_only_the_owner_can_reach_the_socket(self) -> None:
        running = self.running(pythons()[0])
        path = wait_for_socket(self.runtime, running.pid)
        folder = path.parent.stat()
        self.assertEqual((stat.S_IMODE(folder.st_mode), folder.st_uid), (0o700, os.geteuid()))
        with connected(path) as client:
            peer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            self.assertEqual(int.from_bytes(peer[:4], "little"), running.pid)
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
            self.assertGreaterEqual(int(running.do("print(steps())")), 3)
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

    def test_python_ends_while_it_releases_though_nobody_is_told(self) -> None:
        for python in self.each():
            running = self.running(python, SCATTERED.replace("1200000", "2600000") + "import atexit, time")
            path = wait_for_socket(self.runtime, running.pid)
            with connected(path) as client:
                client.sendall(b"release\n")
                running.do("atexit._clear(); time.sleep(0.01)")
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

    def test_off_means_no_thread_and_no_file(self) -> None:
        for python in self.each():
            running = self.running(python, TARN_CONTROL="off")
            running.do("import time, os; time.sleep(0.3); print(len(os.listdir('/proc/self/task')))")
            self.assertEqual(running.do("print(len(os.listdir('/proc/self/task')))"), "1\n")
            self.assertEqual(list(self.runtime.rglob("*")), [])
            self.ends_well(running)

    def test_a_malformed_setting_is_said_and_it_is_on(self) -> None:
        outcome = run([pythons()[0].path, "-c", "pass"], {"TARN_CONTROL": "perhaps"})
        self.assertEqual((outcome.status, outcome.err),
                         (0, "tarn: TARN_CONTROL=perhaps is none of: on off; on is used\n"))

    def test_a_short_program_leaves_nothing(self) -> None:
        for python in self.each():
            for code in ("pass", "import sys; sys.exit(0)", "import os; os._exit(0)",
                         "import atexit; atexit._clear()"):
                outcome = run([python.path, "-c", code], {"XDG_RUNTIME_DIR": str(self.runtime)})
                self.assertEqual((outcome.status, outcome.err), (0, ""))
            self.assertEqual(list(self.runtime.rglob("*-*")), [])

    def test_the_file_goes_at_exit_whenever_that_is(self) -> None:
        for python in self.each():
            for seconds in (0.09, 0.1, 0.11, 0.15):
                for ending in ("pass", "import atexit; atexit._clear()"):
                    outcome = run([python.path, "-c", f"import time; time.sleep({seconds}); {ending}"],
                                  {"XDG_RUNTIME_DIR": str(self.runtime)})
                    self.assertEqual((outcome.status, outcome.err), (0, ""))
            self.assertEqual(list(self.runtime.rglob("*-*")), [])

    def test_a_process_ends_while_it_is_asked(self) -> None:
        for python in self.each():
            for request in ("statistics\n", "release\n", "sta", ""):
                running = self.running(python, SCATTERED)
                path = wait_for_socket(self.runtime, running.pid)
                with connected(path) as client:
                    client.sendall(request.encode())
                    started = time.monotonic()
                    self.ends_well(running)
                    self.assertLess(time.monotonic() - started, 5)

    def test_parent_and_child_answer_after_a_fork(self) -> None:
        for python in self.each():
            for thread in (False, True):
                running = self.running(python, """
import os, threading, warnings
def fork_and_wait():
    global child, finish
    wait, finish = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(finish)
        os.read(wait, 1)
        os._exit(0)
    os.close(wait)
def fork_in_thread():
    warnings.simplefilter("ignore")  # two threads are there, whoever made them
    thread = threading.Thread(target=fork_and_wait)
    thread.start()
    thread.join()
""", "-W", "error")
                running.ask("release\n")
                child = int(running.do("fork_in_thread(); print(child)" if thread else "fork_and_wait(); print(child)"))
                self.assertEqual(facts(running.ask("statistics\n"))["pid"], str(running.pid))
                self.assertEqual(facts(running.ask("statistics\n", child))["pid"], str(child))
                running.do("os.close(finish); print(os.waitpid(child, 0))")
                self.assertIn("released", running.ask("release\n"))
                self.ends_well(running)

    def test_children_that_only_execute_have_no_socket(self) -> None:
        for python in self.each():
            running = self.running(python, "import subprocess, time, os")
            running.ask("release\n")
            running.do("children = [subprocess.Popen(['/bin/sleep', '9'], close_fds=close) for close in (False, True)]")
            time.sleep(0.3)
            for child in running.do("print(*[child.pid for child in children])").split():
                self.assertEqual(sockets_of(self.runtime, int(child)), [])
                files = [os.readlink(file) for file in Path(f"/proc/{child}/fd").iterdir()]
                self.assertEqual([file for file in files if file.startswith("socket:")], [])
            running.do("[child.kill() for child in children]; [child.wait() for child in children]")
            running.ask("release\n")
            self.ends_well(running)

    def test_a_program_that_executes_another_in_its_place(self) -> None:
        python = pythons()[0]
        running = self.running(python, "import os, sys")
        path = wait_for_socket(self.runtime, running.pid)
        again = "import sys; print('done', flush=True); sys.stdin.read()"
        running.do(f"os.execv(sys.executable, [sys.executable, '-c', {again!r}])")
        self.assertEqual(wait_for_socket(self.runtime, running.pid), path)
        self.assertIn("released", running.ask("release\n"))
        self.ends_well(running)

    def test_it_forks_again_and_again_while_it_is_asked(self) -> None:
        for python in self.each():
            running = self.running(python, SCATTERED + """
import os, time, warnings
warnings.simplefilter("ignore")
def fork(times):
    for turn in range(times):
        child = os.fork()
        if child == 0:
            whole()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
""")
            wait_for_socket(self.runtime, running.pid)
            assert running.process.stdin is not None and running.process.stdout is not None
            running.process.stdin.write("fork(60)\n")
            running.process.stdin.flush()
            while not select.select([running.process.stdout], [], [], 0)[0]:
                self.assertIn("released", running.ask("release\n"))
            self.assertEqual(running.process.stdout.readline(), "done\n")
            running.do("whole()")
            self.ends_well(running)

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

    def test_hostile_clients(self) -> None:
        for python in self.each():
            running = self.running(python, SCATTERED)
            path = wait_for_socket(self.runtime, running.pid)
            unknown = GREETING + "error unknown request\nend\n"
            too_long = GREETING + "error request too long\nend\n"
            for request, answer in (("\n", unknown), ("frob\n", unknown), ("release \n", unknown),
                                    ("RELEASE\n", unknown), ("\0\xff\x1b[2J\n", unknown),
                                    ("x" * 127 + "\n", unknown), ("x" * 128, too_long), ("x" * 100000, too_long)):
                with connected(path) as client:
                    with contextlib.suppress(ConnectionError):
                        client.sendall(request.encode("latin-1"))
                    self.assertIn(read_all(client), (answer, "") if len(request) > 129 else (answer,))
            with connected(path) as client:  # half a line, then nothing: dropped after a second
                client.sendall(b"relea")
                started = time.monotonic()
                self.assertEqual(read_all(client), "")
                self.assertLess(time.monotonic() - started, 5)
            for _ in range(200):  # gone at once
                with connected(path):
                    pass
            for _ in range(20):  # doesn't read
                with connected(path) as client:
                    client.sendall(b"statistics\n")
            idle = [socket.socket(socket.AF_UNIX) for _ in range(8)]  # many at once, who say nothing
            for client in idle:
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    client.connect(str(path))
            running.do("whole()")
            for client in idle:
                client.close()
            self.assertIn("released", running.ask("release\n"))
            self.assertIn("released", running.ask("release\nrelease\nfrob\n"))
            self.ends_well(running)

    def test_a_client_that_does_not_read_is_dropped(self) -> None:
        running = self.running(pythons()[0])
        path = wait_for_socket(self.runtime, running.pid)
        with connected(path) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.sendall(b"statistics\n")
            started = time.monotonic()
            self.assertIn("released", running.ask("release\n"))
            self.assertLess(time.monotonic() - started, 5)
        self.ends_well(running)

    def test_a_program_closes_every_descriptor(self) -> None:
        for python in self.each():
            running = self.running(python, "import os, resource")
            wait_for_socket(self.runtime, running.pid)
            time.sleep(0.3)  # the client that this was is seen off
            running.do("os.closerange(3, 4096); files = [os.open('/dev/null', os.O_RDONLY) for _ in range(1000)]")
            time.sleep(0.5)  # it's seen, waited for, and opened anew
            self.assertIn("released", running.ask("release\n"))
            running.do("[os.fstat(file) for file in files]; [os.close(file) for file in files]")
            self.assertIn("released", running.ask("release\n"))
            self.ends_well(running)

    def test_stale_files_go_when_a_process_starts(self) -> None:
        python = pythons()[0]
        dead = self.running(python)
        stale = wait_for_socket(self.runtime, dead.pid)
        dead.process.kill()
        dead.process.communicate()
        self.assertTrue(stale.exists())
        other = stale.with_name("notes")
        other.write_text("not a socket's name")
        running = self.running(python)
        wait_for_socket(self.runtime, running.pid)
        self.assertFalse(stale.exists())
        self.assertTrue(other.exists())
        self.ends_well(running)

    def test_a_file_at_which_somebody_listens_stays(self) -> None:
        """As that of a process in another namespace of process ids, which can't be seen from here."""
        python = pythons()[0]
        folder = self.runtime / "tarn"
        folder.mkdir(mode=0o700)
        gone = subprocess.Popen(["true"])
        gone.wait()
        path = folder / f"{gone.pid}-4711"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            running = self.running(python)
            wait_for_socket(self.runtime, running.pid)
            self.assertTrue(path.exists())
            with connected(path):
                pass
            self.ends_well(running)
            self.assertTrue(path.exists())
        running = self.running(python)
        wait_for_socket(self.runtime, running.pid)
        self.assertFalse(path.exists())
        self.ends_well(running)

    def test_a_folder_that_others_can_enter_is_not_used(self) -> None:
        python = pythons()[0]
        folder = self.runtime / "tarn"
        elsewhere = self.runtime / "elsewhere"
        elsewhere.mkdir(mode=0o700)

        def wrong_mode() -> None:
            folder.mkdir()
            folder.chmod(0o750)

        def link() -> None:
            folder.rmdir()
            folder.symlink_to(elsewhere)

        def of_other_user() -> None:
            folder.unlink()
            folder.mkdir(mode=0o700)
            os.chown(folder, 12345, 12345)

        def open_above() -> None:
            os.chown(folder, 0, 0)
            self.runtime.chmod(0o755)

        for prepare in (wrong_mode, link, of_other_user, open_above):
            if prepare in (of_other_user, open_above) and os.geteuid() != 0:
                continue
            with self.subTest(prepare=prepare.__name__):
                prepare()
                running = self.running(python)
                fallback = Path(f"/tmp/tarn-{os.geteuid()}")
                end = time.monotonic() + 20
                while not list(fallback.glob(f"{running.pid}-*")) and time.monotonic() < end:
                    time.sleep(0.02)
                self.assertEqual(len(list(fallback.glob(f"{running.pid}-*"))), 1)
                self.assertEqual(sockets_of(self.runtime, running.pid), [])
                self.assertEqual(list(elsewhere.iterdir()), [])
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

"""What the tests of the control channel share: a process on Tarn that does what it's told, and its socket."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hook_support import SECONDS, HookTest, Python, environment

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

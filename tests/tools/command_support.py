"""What the tests of the `tarn` command share: where it is, a folder per test, and how to run it.

Set by ctest:
  TARN_COMMAND   the command line that starts tarn (a launcher may stand before it)
  TARN_STAND_IN  the library that stands in for libtarn-python.so (stand_in.c)
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

TARN = shlex.split(os.environ["TARN_COMMAND"])
STAND_IN = os.environ["TARN_STAND_IN"]
PYTHON = sys.executable
SECONDS = 60  # for one command; many times what it takes

# Says each signal that it gets, with a flag that tells it is ready; a SIGTERM ends it with 7.
LISTENER = """
import os, signal, sys, time
def say(number, frame):
    os.write(1, (signal.Signals(number).name + "\\n").encode())
    if number == signal.SIGTERM:
        raise SystemExit(7)
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGALRM",
             "SIGCONT", "SIGTSTP"):
    signal.signal(getattr(signal, name), say)
os.write(1, b"ready %d\\n" % os.getpid())
while True:
    time.sleep(0.1)
"""


def sample_report(**changes: str) -> str:
    """The text of a report as the library writes it; @PID@ is filled in by the stand-in."""
    facts = {
        "pid": "@PID@", "parent": "@PARENT@", "program": "python3", "python": "3.11.2",
        "state": "on", "geometry": "tarn", "arena_size": "1048576", "pool_size": "16384",
        "alignment": "16", "small_request_max": "512", "address_map": "range",
        "synchronisation": "caller", "checks": "none", "arenas_now": "2", "arenas_peak": "3",
        "arenas_mapped": "4", "arenas_released": "2", "pools_used": "5", "pools_full": "6",
        "pools_empty": "7", "pools_untouched": "110", "pools_peak": "12", "large_now": "8",
        "large_requests": "9",
    }
    facts.update(changes)
    lines = [f"{key} {value}" for key, value in facts.items()]
    return "\n".join(["tarn-report 1", *lines, "class obj 3 64 5 6 1000 20 3", "end", ""])


class CommandTest(unittest.TestCase):
    """Each test has a folder of its own, in which its commands run, and in which TMPDIR lies."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tarn-test-")).resolve()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.binaries = self.folder / "bin"  # stands first in PATH
        self.binaries.mkdir()
        (self.binaries / "python3").symlink_to(PYTHON)
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("TARN_", "PYTHON", "STAND_IN_")) and name != "LD_PRELOAD"
        }
        self.environment.update(
            PATH=f"{self.binaries}:/usr/bin:/bin", TMPDIR=str(self.temporary),
            TARN_LIBRARY=STAND_IN, STAND_IN_REPORT=str(self.write("report", sample_report())),
        )

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def start(self, *words: str | Path, **options: object) -> subprocess.Popen[str]:
        settings: dict[str, object] = {
            "cwd": self.folder, "env": self.environment, "text": True, "encoding": "utf-8",
            "errors": "surrogateescape", "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
        }
        settings.update(options)
        process = subprocess.Popen([*TARN, *map(str, words)], **settings)  # type: ignore[call-overload]

        def put_away() -> None:
            if process.poll() is None:
                process.kill()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None and not stream.closed:
                    stream.close()
            process.wait()

        self.addCleanup(put_away)
        return process

    def tarn(self, *words: str | Path, input: str | None = None,
             **options: object) -> subprocess.CompletedProcess[str]:
        if input is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*words, **options)
        output, errors = process.communicate(input, timeout=SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def check(self, result: subprocess.CompletedProcess[str], status: int, output: str = "",
              errors: str = "") -> None:
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (status, output, errors))

    def assert_nothing_is_left(self) -> None:
        self.assertEqual(list(self.temporary.iterdir()), [])


class OnTarnTest(CommandTest):
    """With the real library, and a folder for the processes' sockets."""

    def setUp(self) -> None:
        super().setUp()
        del self.environment["TARN_LIBRARY"]  # it is found beside the command
        runtime = self.folder / "run"
        runtime.mkdir(mode=0o700)
        self.environment.update(XDG_RUNTIME_DIR=str(runtime), TARN_RELEASE="off")

    def running(self, code: str, *words: str, **changes: str) -> int:
        """A process that has run the code, says so, and waits for its standard input's end."""
        code += "\nprint('ready', flush=True)\nimport sys; sys.stdin.read()"
        process = self.start(*(words or ("run",)), "-c", code, stdin=subprocess.PIPE,
                             env=self.environment | changes)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "ready\n", process.poll())
        return process.pid


def wait_until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.01)


def state_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]

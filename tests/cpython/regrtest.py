"""Runs one test module with CPython's own runner (`python -m test`), as a process of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping

from .reading import read_module_result
from .result import ModuleResult
from .snapshots import Snapshots

# What the tests may know of the machine. All else is left out, so that two machines give the same results and no
# variable of the caller (PYTHONMALLOC, LD_PRELOAD, a proxy) makes stock something other than stock.
KEPT_VARIABLES = ("PATH", "USER", "LOGNAME", "SHELL", "LD_LIBRARY_PATH",
                  "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")

# Tests run as root, and children with -O would leave bytecode in the system's folders. But these modules test the
# writing of bytecode, in folders of their own, and would skip a hundred tests.
BYTECODE_WRITERS = ("test_imp", "test_import", "test_importlib")

# The runner's own --timeout prints tracebacks and exits. Where even that hangs, the process is killed this much later.
GRACE_SECONDS = 30.0


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the two things that are compared: a name, and what stands before the command."""

    name: str
    prefix: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class Selection:
    """A module, and which of its tests (regrtest's patterns; none means all)."""

    module: str
    match: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return not self.match and not self.ignore


@dataclasses.dataclass(frozen=True)
class Options:
    """How every module is run, the same on both sides."""

    python: str
    resources: str = "cpu,decimal"
    timeout: float = 1200.0
    seed: int = 1
    testdir: str | None = None
    keep_variables: tuple[str, ...] = ()


def environment_for(side: Side, options: Options, selection: Selection, place: pathlib.Path,
                    inherited: Mapping[str, str]) -> dict[str, str]:
    environment = {name: inherited[name] for name in (*KEPT_VARIABLES, *options.keep_variables) if name in inherited}
    environment.update(HOME=str(place / "home"), TMPDIR=str(place / "tmp"), LANG="C.UTF-8", TERM="dumb",
                       PYTHONHASHSEED="0")
    if selection.module.split(".")[0] not in BYTECODE_WRITERS:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.update(side.environment)
    return environment


def command_for(side: Side, options: Options, selection: Selection, junit: str, work: str) -> list[str]:
    command = [*side.prefix, options.python, "-m", "test", "-v", "-u", options.resources,
               "--timeout", f"{options.timeout:g}", "--randseed", str(options.seed),
               "--junit-xml", junit, "--tempdir", work]
    if options.testdir:
        command += ["--testdir", options.testdir]
    for pattern in selection.match:
        command += ["-m", pattern]
    for pattern in selection.ignore:
        command += ["-i", pattern]
    return [*command, selection.module]


class Children:
    """The processes that are running now, so that all of them can be stopped at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def start(self, command: list[str], **arguments: object) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise InterruptedError("stopped")
            # A process group of its own: a test that signals its process group doesn't reach us, and all that a module
            # leaves running can be ended together.
            process = subprocess.Popen(command, start_new_session=True, **arguments)  # type: ignore[call-overload]
            self._running.add(process)
            return process

    def finish(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.discard(process)
            kill_group(process.pid)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                kill_group(process.pid)


def kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


class ModuleRunner:
    """Runs modules below one temporary directory; may be used by several threads. `snapshots` are taken of the side that is
    called tarn."""

    def __init__(self, options: Options, directory: pathlib.Path, logs: pathlib.Path | None = None,
                 snapshots: Snapshots | None = None) -> None:
        self.options = options
        self._children = Children()
        self._directory = directory
        self._logs = logs
        self._snapshots = snapshots
        self._numbers: Iterator[int] = iter(range(1, 1_000_000))
        self._lock = threading.Lock()

    def stop(self) -> None:
        self._children.stop()

    def run(self, side: Side, selection: Selection) -> ModuleResult:
        with self._lock:
            number = next(self._numbers)
        # Short, and as long on either side: tests make sockets below it, whose paths may have 107 bytes.
        place = self._directory / f"{number:05}"
        for name in ("work", "home", "tmp"):
            (place / name).mkdir(parents=True)
        try:
            return self._run_in(place, side, selection)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _run_in(self, place: pathlib.Path, side: Side, selection: Selection) -> ModuleResult:
        junit, output = place / "junit.xml", place / "output.txt"
        command = command_for(side, self.options, selection, str(junit), str(place / "work"))
        environment = environment_for(side, self.options, selection, place, os.environ)
        started = time.monotonic()
        was_killed = False
        # Into a file and not a pipe: a process that a test leaves behind can't hold us up.
        with open(output, "wb") as stream:
            process = self._children.start(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
                                          env=environment, cwd=place / "work")
            try:
                with self._snapshots_of(side, selection, process):
                    exit_status = process.wait(self.options.timeout + GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                was_killed = True
                kill_group(process.pid)
                exit_status = process.wait()
            finally:
                self._children.finish(process)
        seconds = time.monotonic() - started
        text = output.read_text(encoding="utf-8", errors="backslashreplace")
        xml = junit.read_text(encoding="utf-8", errors="replace") if junit.exists() else None
        if self._logs is not None:
            self._keep(selection.module, side.name, text)
        return read_module_result(selection.module, exit_status, text, xml, seconds, was_killed)

    def _snapshots_of(self, side: Side, selection: Selection,
                      process: subprocess.Popen[bytes]) -> contextlib.AbstractContextManager[None]:
        if self._snapshots is None or side.name != "tarn":
            return contextlib.nullcontext()
        return self._snapshots.of_session(selection.module, process.pid)

    def _keep(self, module: str, side: str, text: str) -> None:
        assert self._logs is not None
        self._logs.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 100):
            path = self._logs / (f"{module}.{side}.txt" if attempt == 1 else f"{module}.{side}.retry{attempt - 1}.txt")
            if not path.exists():
                path.write_text(text, encoding="utf-8")
                return


def list_modules(options: Options) -> list[str]:
    """The names of all test modules that this Python has."""
    command = [options.python, "-m", "test", "--list-tests"]
    if options.testdir:
        command += ["--testdir", options.testdir]
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    listing = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if listing.returncode != 0:
        reason = (listing.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"{options.python} -m test doesn't work: {reason}\n"
                           "Debian keeps CPython's tests in a package of their own: "
                           "apt-get install libpython3.11-testsuite")
    return [line.strip() for line in listing.stdout.splitlines() if line.strip().startswith("test_")]

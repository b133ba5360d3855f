"""Starts one program, listens to it, reads its memory while it runs, and says how it ended."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from python_bench import measure
from python_bench.configurations import Configuration

from retention import configurations, floor
from retention.observer import Observer
from retention.results import Run

# How often the end of a silent process is looked for.
GLANCE = 0.1
SECONDS_TO_END = 3.0


def run(
    configuration: Configuration,
    python: str,
    arguments: list[str],
    timeout: float,
    watch: Callable[[Observer], None] = lambda observer: None,
    with_report: bool = True,
) -> Run:
    """Run `python` with `arguments` under `configuration`; `watch` is called after each look at its memory.

    Without a report no page floor is found, but the CPU time is the program's alone.
    """
    with tempfile.TemporaryDirectory(prefix="bench-retention-") as folder, contextlib.ExitStack() as files:
        report = Path(folder) / "report.json"
        output = files.enter_context(open(Path(folder) / "output", "w+", encoding="utf-8", errors="replace"))
        errors = files.enter_context(open(Path(folder) / "errors", "w+", encoding="utf-8", errors="replace"))
        listen, channel = os.pipe()
        files.callback(os.close, listen)
        before = _cpu_of_children()
        try:
            environment = {**measure.base_environment(), **configuration.environment, "RETENTION_CHANNEL": str(channel)}
            process = subprocess.Popen(
                configurations.command(configuration, python, arguments, report if with_report else None),
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment, pass_fds=[channel],
                # Ctrl-C is then ours alone to handle: a terminal sends it to the whole foreground group.
                start_new_session=True,
            )  # fmt: skip
        except OSError as problem:
            return Run(failure=f"can't start {configuration.command(python, [])[0]}: {problem.strerror}")
        finally:
            os.close(channel)
        observer = Observer()
        try:
            ended = _follow(process, listen, observer, timeout, watch)
        finally:
            _end(process)
        found = observer.run
        if not ended:
            found.failure = f"still running after {timeout:g} s"
            return found
        output.seek(0)
        errors.seek(0)
        found.cpu = _cpu_of_children() - before - observer.others_cpu
        found.has_reported = report.exists()
        found.checksum = measure.checksum_of(output.read())
        found.page_floor_kib = floor.read(report, observer.processes)
        found.failure = _what_went_wrong(process.returncode, errors.read(), found)
        return found


def _cpu_of_children() -> float:
    """Of those that have ended and been waited for, and theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _follow(
    process: subprocess.Popen[bytes],
    listen: int,
    observer: Observer,
    timeout: float,
    watch: Callable[[Observer], None],
) -> bool:
    """True when the process has ended, False when its time is over."""
    started = time.monotonic()
    os.set_blocking(listen, False)
    while True:
        now = time.monotonic() - started
        if now > timeout:
            return False
        due = observer.next_due()
        wait = GLANCE if due is None else max(0.0, min(due - now, GLANCE))
        if select.select([listen], [], [], wait)[0]:
            data = os.read(listen, 65536)
            if not data:
                # All ends are closed: only the exit is left.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, timeout - now))
                return process.returncode is not None
            observer.hear(data, time.monotonic() - started)
        elif process.poll() is not None:
            return True
        before = time.monotonic()
        observer.observe(before - started)
        if len(observer.processes) > 1:
            observer.postpone(time.monotonic() - before)
        watch(observer)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the run, all of which is a process group of its own."""
    if process.poll() is None:
        # `tarn run` passes it on, and takes away its folder of reports.
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _what_went_wrong(code: int, errors: str, found: Run) -> str | None:
    lines = errors.strip().splitlines()
    reason = f": {lines[-1].strip()}" if lines else ""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}{reason}"
    if code:
        return f"exit status {code}{reason}"
    missing = [phase for phase in ("peak", "dropped", "done") if phase not in found.phases]
    if missing:
        return f"it never announced the phase {missing[0]}"
    if found.checksum is None:
        return "it didn't end with a checksum line"
    return None

"""Runs commands one at a time and takes their measure; and the order in which configurations take turns."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from python_bench.results import Sample

LAUNCHER = Path(__file__).with_name("launcher.py")
# All that a measured program gets of the caller's environment. Nothing else, because much of it changes how fast
# Python runs (PYTHON…, MALLOC_…, LD_PRELOAD) and even the environment's length moves the stack.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
FIXED = {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class Run:
    """One run: its sample, what it printed, and what went wrong, if anything did."""

    sample: Sample | None
    output: str
    errors: str
    failure: str | None


def base_environment() -> dict[str, str]:
    return {**{name: os.environ[name] for name in PASSED_ON if name in os.environ}, **FIXED}


def turn_order(names: list[str], round_number: int) -> list[str]:
    """A B, B A, B A, A B, …: each configuration is as often early in a round as late, and drift cancels out."""
    count = len(names)
    shift = (round_number // 2) % count
    order = names[shift:] + names[:shift]
    return order if round_number % 2 == 0 else order[::-1]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the launcher and what it started; they are a process group of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # A descendant that left the group may still hold the pipes: what it prints is nobody's business then.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=5)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _status_in_words(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""


def run(command: list[str], environment: dict[str, str], timeout: float) -> Run:
    """Run `command` with `environment` laid over the base one, to its end or for `timeout` seconds."""
    path = shutil.which(command[0])
    if path is None:
        return Run(None, "", "", f"{command[0]}: no such program")
    settings = [f"{name}={value}" for name, value in {**base_environment(), **environment}.items()]
    result_read, result_write = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(result_write), *settings, "--", path, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[result_write],
            # Ctrl-C is then ours alone to handle: a terminal sends it to the whole foreground group.
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return Run(None, "", "", f"still running after {timeout:g} s")
        except BaseException:
            _end(process)
            raise
        os.close(result_write)
        result_write = -1
        with open(result_read, "rb", closefd=False) as pipe:
            fields = pipe.read().split()
    finally:
        os.close(result_read)
        if result_write >= 0:
            os.close(result_write)
    output_text, error_text = output.decode(errors="replace"), errors.decode(errors="replace")
    if len(fields) != 7:
        return Run(None, output_text, error_text, f"the launcher failed{_last_line(error_text)}")
    status = int(fields[0])
    failure = None if status == 0 else _status_in_words(status) + _last_line(error_text)
    sample = Sample(
        wall=int(fields[1]) / 1e9,
        user=float(fields[2]),
        system=float(fields[3]),
        peak_rss_kib=int(fields[4]),
        minor_faults=int(fields[5]),
        involuntary_switches=int(fields[6]),
    )
    return Run(sample, output_text, error_text, failure)


def checksum_of(output: str) -> str | None:
    """The checksum that a program ended with, or None where its last line isn't one."""
    lines = output.strip().splitlines()
    words = lines[-1].split() if lines else []
    return words[1] if len(words) == 2 and words[0] == "checksum" else None

"""Takes snapshots of all processes of a module's run, over and over, while its tests run: see --snapshots.

Whatever a test does then, a copy of its process may be on its way: in deep recursion, amid a fork, between threads, at the
interpreter's end. The tests' results say whether a program can tell; what is heard here says whether the files are whole.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
import socket
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Iterator

SECONDS_FOR_ONE = 300.0
SECONDS_BETWEEN_LOOKS = 0.02
# A file costs ten times what its process spends on it: between two, only the process's part is done.
STREAMS_PER_FILE = 10

# What may come of a process that ends, starts or stands still meanwhile, or that is no Python on Tarn. Anything else that
# `tarn snapshot` says is a finding.
REFUSALS = re.compile(
    r"breaks off|broke off|nobody listens|there is no process|has ended|is gone|doesn't live on Tarn|it belongs to another"
    r"|TARN_CONTROL=off|held Python's lock \(the GIL\) for|is it stopped\?|its control socket is held by"
    r"|too many others ask it|/proc doesn't show|may not be looked into|/proc/\d+/\w+: ")


@dataclasses.dataclass
class Heard:
    """What became of all snapshots of a whole run."""

    taken: int = 0
    only_heard: int = 0  # streams that were read and not made a file of
    refused: int = 0
    processes: set[int] = dataclasses.field(default_factory=set)
    unreadable: int = 0
    findings: list[str] = dataclasses.field(default_factory=list)


def processes_of(session: int) -> list[int]:
    """The processes of a session, but for the copies that a snapshot is written by."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            name, _, rest = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        if len(fields) > 3 and fields[3] == str(session) and fields[0] not in "ZX" and "(tarn-snapshot" not in name:
            found.append(int(folder.name))
    return sorted(found)


class Snapshots:
    """Used by several threads, each for a module of its own."""

    def __init__(self, tarn: str) -> None:
        self._tarn = tarn
        self._lock = threading.Lock()
        self.heard = Heard()

    @contextlib.contextmanager
    def of_session(self, module: str, session: int) -> Iterator[None]:
        """Goes on for as long as the block is in."""
        stop = threading.Event()
        thread = threading.Thread(target=self._go_on, args=(module, session, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _go_on(self, module: str, session: int, stop: threading.Event) -> None:
        broken_off: set[int] = set()
        with tempfile.TemporaryDirectory(prefix="tarn-snapshots-") as folder:
            while not stop.is_set():
                for pid in processes_of(session):
                    if not stop.is_set():
                        self._take(module, pid, pathlib.Path(folder), broken_off)
                    for _ in range(STREAMS_PER_FILE):
                        if stop.is_set() or not listen(pid):
                            break
                        with self._lock:
                            self.heard.only_heard += 1
                stop.wait(SECONDS_BETWEEN_LOOKS)

    def _take(self, module: str, pid: int, folder: pathlib.Path, broken_off: set[int]) -> None:
        path = folder / "snapshot"
        try:
            done = subprocess.run([self._tarn, "snapshot", "--references", "-o", str(path), str(pid)], capture_output=True,
                                  text=True, errors="replace", check=False, timeout=SECONDS_FOR_ONE)
        except subprocess.TimeoutExpired:
            self._find(module, f"no snapshot of process {pid} in {SECONDS_FOR_ONE:.0f} seconds")
            return
        left = sorted(one.name for one in folder.iterdir() if one != path)
        if left:
            self._find(module, f"left beside the file: {', '.join(left)}")
        if done.returncode != 0:
            if path.exists():
                self._find(module, f"there is a file although it says: {done.stderr.strip()}")
                path.unlink()
            elif done.returncode != 1 or not REFUSALS.search(done.stderr):
                self._find(module, f"exit status {done.returncode}: {done.stderr.strip()}")
            else:
                if "the snapshot breaks off" in done.stderr:
                    broken_off.add(pid)
                with self._lock:
                    self.heard.refused += 1
            return
        if pid in broken_off:
            broken_off.remove(pid)
            self._find(module, f"a copy of process {pid} broke off, although the process went on")
        trouble, unreadable = check(path)
        path.unlink()
        if trouble:
            self._find(module, f"of process {pid}: {trouble}")
        with self._lock:
            self.heard.taken += 1
            self.heard.processes.add(pid)
            self.heard.unreadable += unreadable

    def _find(self, module: str, what: str) -> None:
        with self._lock:
            self.heard.findings.append(f"{module}: {what}")


def listen(pid: int) -> bool:
    """Has a process take a snapshot, and forgets what comes; False: it can't, or not now. The module's environment has no
    XDG_RUNTIME_DIR, so the socket is in the folder in /tmp."""
    folder = f"/tmp/tarn-{os.geteuid()}"
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        names = [name for name in os.listdir(folder) if name.startswith(f"{pid}-")]
        if not names:
            return False
        connection.settimeout(30)
        connection.connect(f"{folder}/{names[0]}")
        connection.sendall(b"snapshot\n")
        size = 0
        while part := connection.recv(1 << 20):
            size += len(part)
        return size > 1000
    return False


def check(path: pathlib.Path) -> tuple[str, int]:
    """What is wrong with a file, or nothing; and how many objects could not be read."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            (said,), = database.execute("PRAGMA quick_check(1)")
            if said != "ok":
                return said, 0
            (objects,), = database.execute("SELECT count(*) FROM object")
            (unreadable,), = database.execute("SELECT unreadable FROM snapshot")
    except (sqlite3.Error, ValueError) as error:
        return f"{type(error).__name__}: {error}", 0
    return ("" if objects else "no objects in it"), unreadable

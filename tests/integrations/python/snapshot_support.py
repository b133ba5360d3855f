"""What the tests of snapshots share: programs on Tarn, `tarn snapshot`, and the rows of a file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from hook_support import HookTest, Python, environment

COMMAND = os.environ["TARN_COMMAND"].split()
SECONDS = 120


@contextmanager
def target(python: Python, code: str, changes: dict[str, str | None] | None = None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([python.path, "-c", code], env=environment(changes), text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def snapshot(process: subprocess.Popen[str], path: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, "snapshot", "-o", path, *options, str(process.pid)], text=True, capture_output=True,
                          timeout=SECONDS)


def rows(path: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql, values).fetchall()


class SnapshotTest(HookTest):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.file = f"{self.folder}/a.sqlite"

    def taken(self, process: subprocess.Popen[str], *options: str) -> None:
        done = snapshot(process, self.file, *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

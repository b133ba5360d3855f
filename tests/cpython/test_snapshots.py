"""What is made of the snapshots that are taken while tests run."""

from __future__ import annotations

import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

from .snapshots import Heard, Snapshots, check, processes_of

# Stands for the command: `tarn snapshot --references -o FILE PID`.
STAND_IN = """#!{python}
import sys, sqlite3
path, behaviour = sys.argv[4], open({behaviour!r}).read()
exec(behaviour)
"""
WHOLE = """
database = sqlite3.connect(path)
database.executescript("CREATE TABLE object (id); INSERT INTO object VALUES (1); CREATE TABLE snapshot (unreadable); "
                       "INSERT INTO snapshot VALUES (2)")
"""


class WhatIsHeard(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.behaviour = pathlib.Path(folder.name, "behaviour")
        self.tarn = pathlib.Path(folder.name, "tarn")
        self.tarn.write_text(STAND_IN.format(python=sys.executable, behaviour=str(self.behaviour)))
        self.tarn.chmod(0o755)

    def heard(self, behaviour: str) -> Heard:
        self.behaviour.write_text(behaviour)
        snapshots = Snapshots(str(self.tarn))
        process = subprocess.Popen(["sleep", "60"], start_new_session=True)
        try:
            with snapshots.of_session("test_a", process.pid):
                end = time.monotonic() + 60
                while not (snapshots.heard.taken or snapshots.heard.refused or snapshots.heard.findings):
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.01)
        finally:
            process.kill()
            process.wait()
        return snapshots.heard

    def test_a_whole_file_counts(self) -> None:
        heard = self.heard(WHOLE)
        self.assertEqual(heard.findings, [])
        self.assertGreaterEqual(heard.taken, 1)
        self.assertEqual(heard.unreadable, 2 * heard.taken)
        self.assertEqual(len(heard.processes), 1)

    def test_a_process_that_is_ending_is_no_finding(self) -> None:
        heard = self.heard("sys.exit('tarn: process 1 (python3): it broke off the answer: it is ending, or busy with another')")
        self.assertEqual((heard.findings, heard.taken), ([], 0))
        self.assertGreaterEqual(heard.refused, 1)

    def test_what_nobody_expects_is_a_finding(self) -> None:
        for behaviour, finding in (
                ("sys.exit('tarn: the unheard of')", "test_a: exit status 1: tarn: the unheard of"),
                ("sys.exit(2)", "test_a: exit status 2: "),
                ("import os; os.kill(os.getpid(), 11)", "test_a: exit status -11: "),
                ("open(path, 'w').close()\nsys.exit('tarn: it breaks off')",
                 "test_a: there is a file although it says: tarn: it breaks off"),
                (WHOLE + "open(path + '.abc', 'w')", "test_a: left beside the file: snapshot.abc"),
                ("open(path, 'w').write('no database' * 999)", "DatabaseError"),
                (WHOLE + "database.execute('DELETE FROM object'); database.commit()", "no objects in it")):
            with self.subTest(finding):
                findings = self.heard(behaviour).findings
                self.assertTrue(findings and finding in findings[0], findings)

    def test_a_copy_that_broke_off_of_a_process_that_went_on_is_a_finding(self) -> None:
        first = f"import pathlib\nmark = pathlib.Path({str(self.tarn) + '.mark'!r})\n" \
                "if not mark.exists():\n    mark.touch()\n    sys.exit('tarn: the snapshot breaks off')\n"
        self.behaviour.write_text(first + WHOLE)
        snapshots = Snapshots(str(self.tarn))
        process = subprocess.Popen(["sleep", "60"], start_new_session=True)
        with snapshots.of_session("test_a", process.pid):
            end = time.monotonic() + 60
            while not snapshots.heard.taken and time.monotonic() < end:
                time.sleep(0.01)
        process.kill()
        process.wait()
        self.assertEqual(snapshots.heard.findings,
                         [f"test_a: a copy of process {process.pid} broke off, although the process went on"])


class Parts(unittest.TestCase):
    def test_the_processes_of_a_session_are_found(self) -> None:
        process = subprocess.Popen(["sh", "-c", "sleep 60 & wait"], start_new_session=True)
        try:
            end = time.monotonic() + 60
            while len(found := processes_of(process.pid)) < 2 and time.monotonic() < end:
                time.sleep(0.01)
            self.assertEqual(len(found), 2)
            self.assertIn(process.pid, found)
        finally:
            subprocess.run(["kill", "-9", "--", f"-{process.pid}"], check=True)
            process.wait()

    def test_a_damaged_file_is_told_apart(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "a")
            with sqlite3.connect(path) as database:
                database.executescript("CREATE TABLE object (id); CREATE TABLE snapshot (unreadable)")
            database.close()
            self.assertNotEqual(check(path)[0], "")


if __name__ == "__main__":
    unittest.main()

"""Snapshots of processes whose allocation sites are recorded: each block has the stack that allocated it, in the program,
in a forked child, while threads allocate; and tarn why tells it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hook_support import HookTest, Python, environment, pythons

COMMAND = os.environ["TARN_COMMAND"].split()
SECONDS = 120
EVERY: dict[str, str | None] = {"TARN_SITES": "1"}

# Tells where each object of its list was allocated: at the line of the function's name, called at that of `main`.
KNOWN_LINES = """
import json, sys
class Plain:
    pass
def plain(n):
    return Plain()                           # line 6
def text(n):
    return "text %d of many" % n             # line 8
def numbers(n):
    made = [n]
    made += [n] * 5000                       # line 11: the list grows to a large block
    return made
def nested(n):
    return (lambda: {n: float(n)})()         # line 14
def main():
    for n in range(300):
        facts.append([plain(n), "plain", 6])          # line 17
        facts.append([text(n), "text", 8])
        facts.append([nested(n), "nested.<locals>.<lambda>", 14])
    facts.append([numbers(0), "numbers", None])
facts = []
# Of dicts and lists CPython keeps dead ones for the next: these are the lines' that allocated them first.
kept_ones = [[] for n in range(200)], [{} for n in range(200)]
main()
print(json.dumps([(id(one), name, line) for one, name, line in facts]), flush=True)
sys.stdin.readline()
"""


class SnapshotSitesTest(HookTest):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.program = self.folder / "program.py"
        self.file = self.folder / "heap.sqlite"

    @contextmanager
    def target(self, python: Python, code: str, changes: dict[str, str | None]) -> Iterator[subprocess.Popen[str]]:
        self.program.write_text(code)
        process = subprocess.Popen([python.path, str(self.program)], text=True,
                                   env=environment({"PYTHONWARNINGS": "ignore", **changes}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def line(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return line

    def taken(self, pid: int, *options: str) -> None:
        self.file.unlink(missing_ok=True)
        done = subprocess.run([*COMMAND, "snapshot", "-o", str(self.file), *options, str(pid)], text=True,
                              capture_output=True, timeout=SECONDS)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file)) as database:
            return database.execute(sql, values).fetchall()

    def stacks(self) -> dict[int, list[tuple[str, str, int]]]:
        """Of each object with a site, by its id, the innermost line first."""
        found: dict[int, list[tuple[str, str, int]]] = {}
        for identity, function, file, line in self.rows(
                "SELECT object.id, function, file, line FROM object JOIN site_frame USING (snapshot, site) "
                "JOIN frame ON frame.snapshot = site_frame.snapshot AND frame.id = site_frame.frame "
                "ORDER BY object.id, site_frame.position"):
            found.setdefault(identity, []).append((function, file, line))
        return found

    def expect_known_lines(self, python: Python, facts: list[tuple[int, str, int | None]]) -> None:
        stacks = self.stacks()
        self.assertGreater(len(facts), 900)
        wrong = []
        for identity, name, line in facts:
            function = name if python.version >= (3, 11) else name.rpartition(".")[2]
            stack = stacks.get(identity, [])
            innermost, callers = stack[:1], [frame[0] for frame in stack][-2:]
            expected = [(function, str(self.program), line if line is not None or not stack else stack[0][2])]
            if (innermost, callers) != (expected, ["main", "<module>"]):
                wrong.append((name, line, stack))
        # A dict that came from CPython's free list is where it was allocated first: in the collector's callbacks, say.
        self.assertLessEqual(len(wrong), 6, wrong[:10])
        self.assertEqual({name.rpartition(".")[2] for name, _, _ in wrong} - {"<lambda>"}, set(), wrong)

    def test_each_object_has_its_line_and_its_callers(self) -> None:
        for python in self.each():
            if python.version >= (3, 14):
                continue  # its frames aren't known
            for changes in ({}, {"TARN_GEOMETRY": "classic"}, {"TARN_CHECKS": "debug"}):
                with self.subTest(changes=changes), self.target(python, KNOWN_LINES, EVERY | changes) as process:
                    facts = json.loads(self.line(process))
                    self.taken(process.pid)
                    self.expect_known_lines(python, facts)
                    self.assertEqual(self.rows("SELECT DISTINCT rate FROM site"), [(1,)])
                    self.assertEqual(self.rows("SELECT count(*) FROM sample"), [(0,)], "all were recorded")
                    if not changes and python.version >= (3, 9):  # 3.8 has its list's table from the C library
                        # A large block that came to its size by growth is its first line's.
                        self.assertEqual(self.rows("SELECT allocated_at.function FROM block JOIN allocated_at USING (snapshot, site) "
                                                   "WHERE place = 1 AND file = ?", str(self.program)), [("numbers",)])

    def test_nearly_every_block_has_one_when_all_are_recorded(self) -> None:
        with self.target(pythons()[0], KNOWN_LINES, EVERY) as process:
            self.line(process)
            self.taken(process.pid)
        # Those from before Python could be asked have one too: that without a stack.
        (all_blocks, with_site), = self.rows(
            "SELECT count(*), count(site) FROM block WHERE state = 1 AND place < 2 AND domain > 0")
        self.assertEqual(with_site, all_blocks)

    def test_sampled_blocks_stand_for_the_others(self) -> None:
        code = "import sys\nkept = [bytes(1000) for n in range(40_000)]\nprint('ready', flush=True)\nsys.stdin.readline()\n"
        for python in self.each():
            if python.version >= (3, 14):
                continue
            with self.target(python, code, {"TARN_SITES": "65536", "TARN_SITES_SEED": "5"}) as process:
                self.line(process)
                self.taken(process.pid)
            (estimate, samples), = self.rows(
                "SELECT sum(weight), count(*) FROM sample "
                "JOIN block ON block.snapshot = sample.snapshot AND block.address = sample.block "
                "JOIN allocated_at USING (snapshot, site) WHERE line = 2 AND file = ? AND block.size > 1000", str(self.program))
            self.assertTrue(450 < samples < 850, samples)  # 640 of bytes(1000), whose header is 33 bytes
            self.assertTrue(0.8 < estimate / 40_000 < 1.2, estimate)

    def test_without_them_there_are_none(self) -> None:
        with self.target(pythons()[0], KNOWN_LINES, {}) as process:
            self.line(process)
            self.taken(process.pid)
        for table in ("site", "site_frame", "sample"):
            self.assertEqual(self.rows(f"SELECT count(*) FROM {table}"), [(0,)])
        self.assertEqual(self.rows("SELECT count(*) FROM block WHERE site IS NOT NULL"), [(0,)])

    def test_a_forked_child_has_its_own_and_its_parents(self) -> None:
        code = """
import os, sys
def early():
    return [object() for n in range(100)]   # line 4
def late():
    return [object() for n in range(200)]   # line 6
kept = early()
child = os.fork()
if child == 0:
    mine = late()
    print(os.getpid(), flush=True)
    sys.stdin.readline()
    os._exit(0)
os.waitpid(child, 0)
"""
        for python in self.each():
            if python.version >= (3, 14):
                continue
            with self.target(python, code, EVERY) as process:
                self.taken(int(self.line(process)))
                process.communicate("\n", timeout=SECONDS)
                self.assertEqual(process.returncode, 0)
            counts = dict(self.rows(
                "SELECT line, count(*) FROM object JOIN allocated_at USING (snapshot, site) WHERE type = 'object' AND file = ? "
                "GROUP BY line", str(self.program)))
            self.assertEqual((counts[4], counts[6]), (100, 200))

    def test_snapshots_while_threads_allocate_and_processes_fork(self) -> None:
        code = """
import os, sys, threading, time
stop = False
def work(n):
    kept = []
    while not stop:
        kept.append([bytes(n + 20), {n: str(n)}])   # line 7
        if len(kept) == 5000:
            del kept[:4000]
def fork():
    while not stop:
        child = os.fork()
        if child == 0:
            os._exit(len([object() for n in range(100)]) - 100)
        if os.waitpid(child, 0)[1] != 0:
            os._exit(7)
threads = [threading.Thread(target=work, args=(n,)) for n in range(3)] + [threading.Thread(target=fork)]
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.readline()
stop = True
for thread in threads:
    thread.join()
print("done", flush=True)
"""
        for python in self.each():
            if python.version >= (3, 14):
                continue
            # raw too: that domain is used without the GIL.
            for changes in (EVERY, EVERY | {"TARN_RAW": "on"}, {"TARN_SITES": "4096", "TARN_RAW": "on"}):
                with self.subTest(changes=changes), self.target(python, code, changes) as process:
                    self.line(process)
                    for _ in range(4):
                        self.taken(process.pid)
                        (count, sites), = self.rows(
                            "SELECT count(*), count(DISTINCT site) FROM block JOIN allocated_at USING (snapshot, site) "
                            "WHERE line = 7 AND function = 'work' AND file = ?", str(self.program))
                        self.assertGreater(count, 0)
                        self.assertEqual(sites, 1, "the threads have the same stack")
                    out, errors = process.communicate("\n", timeout=SECONDS)
                    self.assertEqual((process.returncode, out, errors), (0, "done\n", ""))

    def test_why_and_diff_tell_the_line(self) -> None:
        code = """
import sys
class Session:
    def __init__(self, user):
        self.user = user
        self.page = "page of %s" % user
SESSIONS = {}
def login(user):
    SESSIONS["token of %s" % user] = Session(user)   # line 9
def guest(user):
    SESSIONS["token of %s" % user] = Session(user)   # line 11
for n in range(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000):
    login("user %d" % n) if n % 10 else guest("guest %d" % n)
print("ready", flush=True)
for line in sys.stdin:
    for n in range(20_000, 30_000):
        login("user %d" % n)
    print("ready", flush=True)
"""
        for python in self.each():
            if python.version >= (3, 14):
                continue
            with self.target(python, code, EVERY) as process:
                self.line(process)
                self.taken(process.pid, "--references")
                before = self.file.rename(self.folder / "before.sqlite")
                assert process.stdin is not None
                print(file=process.stdin, flush=True)
                self.line(process)
                self.taken(process.pid, "--references")
            done = subprocess.run([*COMMAND, "why", str(before)], text=True, capture_output=True, timeout=SECONDS)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            first = done.stdout[done.stdout.index(" 1. "):].split("\n\n")[0]
            self.assertIn("20,000 objects of type __main__.Session ", first.splitlines()[0])
            self.assertRegex(first, r"\n    allocated at  mostly \S*program.py:9 in login \(90 %\); "
                                    r"\S*program.py:11 in guest \(10 %\)\n")
            self.assertRegex(first, r"\n    held by       __main__.SESSIONS \(dict -> __main__.Session\)")
            diff = subprocess.run([*COMMAND, "diff", "--json", str(before), str(self.file)], text=True,
                                  capture_output=True, timeout=SECONDS)
            grown = json.loads(diff.stdout)["sites"]
            grew = next(one for one in grown if "program.py:9 in login" in one["name"])
            # A Session and its token each.
            self.assertAlmostEqual(grew["objects"], 20_000, delta=200)
            self.assertFalse([one for one in grown if "in guest" in one["name"]])

    def test_why_of_samples_says_so(self) -> None:
        code = """
import sys
class Document:
    def __init__(self, n):
        self.body = [str(n + i) * 30 for i in range(2_000)]   # line 5
DOCUMENTS = [Document(n) for n in range(100)]
print("ready", flush=True)
sys.stdin.readline()
"""
        with self.target(pythons()[0], code, {"TARN_SITES": "524288", "TARN_SITES_SEED": "7"}) as process:
            self.line(process)
            self.taken(process.pid, "--references")
        done = subprocess.run([*COMMAND, "why", str(self.file)], text=True, capture_output=True, timeout=SECONDS)
        first = done.stdout[done.stdout.index(" 1. "):].split("\n\n")[0]
        self.assertIn("100 objects of type __main__.Document pin ", first)
        self.assertRegex(first, r"\n    allocated at  not known, no sample of these; what goes with them: "
                                r"(mostly )?\S*program.py:5 in .*, by \d+ samples\n")


if __name__ == "__main__":
    unittest.main()

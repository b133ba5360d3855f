"""Short texts of simple objects in a snapshot: what repr says of them, only when they're asked for."""

from __future__ import annotations

import json
import os
import subprocess
import unittest
from pathlib import Path

from hook_support import pythons
from snapshot_support import COMMAND, SECONDS, SnapshotTest, rows, snapshot, target

MOST = 40

# Prints each object's id and repr, and waits.
PROGRAM = r"""
import json, random, struct, sys
random.seed(1)
class Text(str): pass
class Number(int): pass
kept = [
    "", "a", "it's", '"quoted"', "both ' and \"", "back\\slash", "line\nand\ttab\r", "\x00\x1f\x7f", "caf\u00e9", "\u4e2d\u6587",
    "\U0001f40d", "\u202e turned", "\ud800 alone", "x" * 38, "x" * 39, "x" * 1000, "\u00e9" * 38, "\U0001f40d" * 500, "\n" * 19,
    "\n" * 20, "'" * 38, "'" * 39 + '"', b"", b"bytes", b"it's", b"\x00\xff\n\\", bytes(range(256)), b"y" * 37, b"y" * 38,
    0.0, -0.0, 0.1, 1.0, -1.5, 1e15, 1e16, 123456789012345.6, 1234567890123456.7, 1e-4, 1e-5, 5e-324, 2.2250738585072014e-308,
    1.7976931348623157e+308, float("inf"), float("-inf"), float("nan"), 9007199254740993.0, 1/3, 100.0, 1e22, 1.5e300,
    123456789, -1, 10**9, 2**30, -2**30, 2**60 - 1, 2**63, -2**63, 2**64, 10**30, -10**35, 2**119, 2**120 - 1, -(2**120 - 1),
    2**120, 2**130, 10**40, 10**1000, True, False, None, 5]
kept += [struct.unpack("d", struct.pack("Q", random.getrandbits(64)))[0] for _ in range(2000)]
kept += [random.random() * 10.0 ** random.randrange(-8, 20) for _ in range(1000)]
kept += [float(random.randrange(10**6)) for _ in range(100)] + [random.randrange(100) / 100 for _ in range(100)]
kept += [random.choice((1, -1)) * random.getrandbits(random.randrange(1, 125)) for _ in range(1000)]
kept += ["".join(chr(random.choice((39, 34, 92, random.randrange(32, 127)))) for _ in range(random.randrange(60))) for _ in range(500)]
kept += [bytes(random.getrandbits(8) for _ in range(random.randrange(30))) for _ in range(300)]
other = [Text("secret of a subclass"), Number(424242), ["in a list"], ("in a tuple",), bytearray(b"an array")]
print(json.dumps([(id(one), repr(one)) for one in kept]))
print(json.dumps([id(one) for one in other]), flush=True)
sys.stdin.readline()
"""


def expected(text: str) -> str:
    """As short as it may be. No escape sequence is cut in two."""
    if len(text) <= MOST:
        return text
    units: list[str] = []
    at = 0
    while at < len(text):
        size = 1
        if text[at] == "\\":
            size = {"x": 4, "u": 6, "U": 10}.get(text[at + 1], 2)
        units.append(text[at:at + size])
        at += size
    kept = ""
    for unit in units:
        if len(kept) + len(unit) > MOST - 1:
            break
        kept += unit
    return kept + "…"


class Values(SnapshotTest):
    def test_are_what_repr_says(self) -> None:
        for python in self.each():
            with target(python, PROGRAM, {"PYTHONIOENCODING": "utf-8"}) as process:
                assert process.stdout is not None
                said = json.loads(process.stdout.readline())
                others = json.loads(process.stdout.readline())
                self.taken(process, "--values")
            values = dict(rows(self.file, """
                SELECT object.id, value.text FROM value JOIN object ON object.snapshot = value.snapshot AND object.block = value.block"""))
            wrong = []
            for identity, text in said:
                wanted = expected(text)
                is_large = text.lstrip("-").isdigit() and abs(int(text)) >= 2 ** 120
                if is_large:
                    wanted = f"<int of {abs(int(text)).bit_length()} bits>"
                if values.get(identity) != wanted:
                    wrong.append((text, wanted, values.get(identity)))
            self.assertEqual(wrong, [])
            self.assertTrue(all(len(text) <= MOST for text in values.values()))
            # Only exact types: who knows what the repr of others is.
            self.assertEqual([values.get(identity) for identity in others], [None] * len(others))
            types = {kind for kind, in rows(self.file, """
                SELECT DISTINCT object.type FROM value JOIN object ON object.snapshot = value.snapshot
                AND object.block = value.block""")}
            self.assertLessEqual(types, {"str", "bytes", "int", "float", "bool", "NoneType"})

    def test_a_locale_with_another_decimal_point_changes_nothing(self) -> None:
        code = ("import locale, sys\nfor name in ('de_DE.UTF-8', 'fr_FR.UTF-8'):\n    try:\n        locale.setlocale(locale.LC_ALL, name)\n"
                "    except locale.Error:\n        pass\nkept = [2.5 + n for n in range(3)]\nprint(locale.localeconv()['decimal_point'], "
                "id(kept[1]), flush=True)\nsys.stdin.readline()")
        with target(pythons()[0], code) as process:
            assert process.stdout is not None
            point, identity = process.stdout.readline().split()
            self.taken(process, "--values")
        self.assertEqual(rows(self.file, "SELECT text FROM value JOIN object USING (snapshot, block) WHERE id = ?", int(identity)),
                         [("3.5",)])
        if point == ".":
            self.skipTest("no locale with a decimal comma is installed")

    def test_are_not_there_unless_asked_for(self) -> None:
        code = "import sys\nkept = ['secret-' + str(n) + 'of mine' for n in range(9)]\nprint(flush=True)\nsys.stdin.readline()"
        with target(pythons()[0], code) as process:
            assert process.stdout is not None
            process.stdout.readline()
            self.taken(process)
            self.assertNotIn(b"secret-", Path(self.file).read_bytes())
            self.assertEqual(rows(self.file, "SELECT count(*) FROM value"), [(0,)])
            done = snapshot(process, self.file, "--append", "--values")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(rows(self.file, "SELECT snapshot, count(*) FROM value WHERE text LIKE '''secret-_of mine''' GROUP BY snapshot"),
                         [(2, 9)])
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)

    def test_a_file_from_before_they_came_is_added_to(self) -> None:
        with target(pythons()[0], "import sys\nprint(flush=True)\nsys.stdin.readline()") as process:
            assert process.stdout is not None
            process.stdout.readline()
            self.taken(process)
            self.assertEqual(rows(self.file, "DROP TABLE value"), [])
            done = snapshot(process, self.file, "--append", "--values")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(rows(self.file, "SELECT count(*) FROM value WHERE snapshot = 2")[0][0], 100)

    def test_of_a_process_that_takes_snapshots_of_itself(self) -> None:
        program = Path(self.folder, "app.py")
        program.write_text("kept = ['mine-%d' % n for n in range(5)]\n")
        for options, count in ((["--snapshot-values"], 5), ([], 0)):
            done = subprocess.run([*COMMAND, "run", "--snapshot-at=exit", f"--snapshot-file={self.file}", *options, str(program)],
                                  text=True, capture_output=True, timeout=SECONDS)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(rows(self.file, "SELECT count(*) FROM value WHERE text LIKE '''mine-_'''"), [(count,)])
            os.remove(self.file)
        done = subprocess.run([*COMMAND, "run", "--snapshot-values", str(program)], text=True, capture_output=True, timeout=SECONDS)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--snapshot-values is for --snapshot-at or --snapshot-signal", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""tarn run --sites and tarn sites, with a Python that lives on Tarn."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import unittest
import xml.etree.ElementTree
from pathlib import Path

from command_support import CommandTest, wait_until

PROGRAM = """
import sys
numbers = list(range(4000))
kept = [None] * 4000
def login():
    for i in numbers: kept[i] = object()
def churn():
    for i in numbers: bytes(600)
login()
churn()
exec(compile("keep = bytearray(500000)", "<script>alert('&')</script>", "exec"))
"""
WAIT = PROGRAM + "print('ready', flush=True)\nsys.stdin.read()\n"


def fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """A message of protocol buffers as numbers of fields and values."""
    def variable(at: int) -> tuple[int, int]:
        value, shift = 0, 0
        while True:
            value |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 0x80:
                return value, at

    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(data):
        key, at = variable(at)
        value, at = variable(at)
        if key & 7 == 0:
            found.append((key >> 3, value))
        else:
            assert key & 7 == 2, key
            found.append((key >> 3, data[at:at + value]))
            at += value
    assert at == len(data)
    return found


def packed(data: bytes) -> list[int]:
    return [value for _, value in fields(b"".join(b"\x08" + part for part in split(data)))]  # type: ignore[misc]


def split(data: bytes) -> list[bytes]:
    parts, start = [], 0
    for at, byte in enumerate(data):
        if byte < 0x80:
            parts.append(data[start:at + 1])
            start = at + 1
    return parts


class SitesTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        del self.environment["TARN_LIBRARY"]
        self.write("app.py", PROGRAM)
        self.write("wait.py", WAIT)
        self.environment["XDG_RUNTIME_DIR"] = str(self.folder)
        self.folder.chmod(0o700)

    def record(self) -> None:
        self.check(self.tarn("run", "--sites=1", "--sites-file=app.sites", "app.py"), 0)

    def test_a_file_of_what_was_recorded_is_shown(self) -> None:
        self.record()
        self.assertEqual((self.folder / "app.sites").stat().st_mode & 0o777, 0o600)
        result = self.tarn("sites", "app.sites")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"(?m)^login \S*app\.py:6 +62\.5 KiB")
        self.assertIn("every block is recorded", result.stdout)
        self.assertEqual([line for line in result.stdout.splitlines() if len(line) > 80], [])
        churn = self.tarn("sites", "--sort=allocated", "--stacks", "--top=1", "app.sites")
        self.assertRegex(churn.stdout, r"(?m)^churn \S*app\.py:8 .*\n    <module> \S*app\.py:10$")

    def test_json_adds_up_and_names_each_site(self) -> None:
        self.record()
        sites = json.loads(self.tarn("sites", "--json", "app.sites").stdout)
        (login,) = (site for site in sites["sites"] if site["stack"] and site["stack"][0]["function"] == "login"
                    and site["stack"][0]["line"] == 6)
        self.assertEqual((login["live_bytes"], login["live_blocks"]), (64000, 4000))
        self.assertEqual(login["kind"], "python")
        self.assertEqual(sites["samples"], sum(site["samples"] for site in sites["sites"]))

    def test_the_report_has_the_sites(self) -> None:
        result = self.tarn("run", "--sites", "--report", "app.py")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertIn("one block in 512 KiB is recorded", result.stderr)
        self.check(self.tarn("run", "--sites=1", "--report=report.json", "app.py"), 0)
        report = json.loads((self.folder / "report.json").read_text())
        self.assertEqual(report["sites"]["rate"], 1)
        self.assertGreater(len(report["sites"]["sites"]), 100)

    def test_a_process_that_runs_is_asked(self) -> None:
        process = self.start("run", "--sites=1", "wait.py", stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), "ready\n")  # type: ignore[union-attr]
        wait_until(lambda: self.tarn("sites", str(process.pid)).returncode == 0)
        for _ in range(3):
            result = self.tarn("sites", "--json", str(process.pid))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            (login,) = (site for site in json.loads(result.stdout)["sites"]
                        if site["stack"] and site["stack"][0]["function"] == "login")
            self.assertEqual(login["live_blocks"], 4000)

    def test_a_process_that_records_nothing_says_so(self) -> None:
        process = self.start("run", "wait.py", stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), "ready\n")  # type: ignore[union-attr]
        result = self.tarn("sites", str(process.pid))
        self.assertEqual(result.returncode, 1)
        self.assertIn("doesn't record where it allocates; start it by 'tarn run --sites'", result.stderr)

    def test_a_flame_graph_is_an_image_and_shows_a_programs_markup_as_text(self) -> None:
        self.record()
        self.check(self.tarn("sites", "--flame=live.svg", "app.sites"), 0)
        text = (self.folder / "live.svg").read_text()
        self.assertNotIn("<script", text)
        root = xml.etree.ElementTree.fromstring(text)
        titles = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}title")]
        self.assertTrue(any(title.startswith("<module> <script>alert('&')</script>:1: ") for title in titles), titles)
        rows = [rectangle for rectangle in root.iter("{http://www.w3.org/2000/svg}rect")][1:]
        self.assertEqual(len(rows), len(titles) - 1)
        for rectangle in rows:
            self.assertGreaterEqual(float(rectangle.get("x", "-1")), 0)
            self.assertLessEqual(float(rectangle.get("x", "0")) + float(rectangle.get("width", "9999")), 1211)

    def test_pprof_gets_a_profile_with_the_same_sums(self) -> None:
        self.record()
        self.check(self.tarn("sites", "--pprof=heap.pb.gz", "--speedscope=heap.json", "app.sites"), 0)
        profile = fields(gzip.decompress((self.folder / "heap.pb.gz").read_bytes()))
        strings = [value.decode() for number, value in profile if number == 6]  # type: ignore[union-attr]
        self.assertEqual(strings[0], "")
        types = [tuple(strings[value] for _, value in fields(data)) for number, data in profile  # type: ignore[index,arg-type]
                 if number == 1]
        self.assertEqual(types, [("alloc_objects", "count"), ("alloc_space", "bytes"),
                                 ("inuse_objects", "count"), ("inuse_space", "bytes")])
        functions = {dict(fields(data))[1]: strings[dict(fields(data))[2]] for number, data in profile if number == 5}  # type: ignore[arg-type,index]
        locations = {}
        for number, data in profile:
            if number == 4:
                location = dict(fields(data))  # type: ignore[arg-type]
                line = dict(fields(location[4]))  # type: ignore[arg-type]
                locations[location[1]] = (functions[line[1]], line[2])
        self.assertEqual(len(locations), max(locations))  # type: ignore[type-var]
        live = 0
        logins = 0
        for number, data in profile:
            if number == 2:
                sample = dict(fields(data))  # type: ignore[arg-type]
                values = packed(sample[2])  # type: ignore[arg-type]
                self.assertEqual(len(values), 4)
                live += values[3]
                stack = [locations[place] for place in packed(sample[1])]  # type: ignore[arg-type]
                logins += values[2] if stack[0] == ("login", 6) else 0
        sites = json.loads(self.tarn("sites", "--json", "app.sites").stdout)["sites"]
        self.assertEqual(live, sum(site["live_bytes"] for site in sites))
        self.assertEqual(logins, 4000)
        speedscope = json.loads((self.folder / "heap.json").read_text())
        self.assertEqual(speedscope["profiles"][0]["endValue"], live)

    def test_pprof_itself_reads_the_profile(self) -> None:
        # As Debian's golang-go brings it. Go's later versions would build theirs first, for minutes.
        found = sorted(Path("/usr/lib").glob("go-*/pkg/tool/*/pprof"))
        if not found:
            self.skipTest("no pprof: scripts/install-dependencies test brings golang-go")
        self.record()
        self.check(self.tarn("sites", "--pprof=heap.pb.gz", "app.sites"), 0)
        sites = json.loads(self.tarn("sites", "--json", "app.sites").stdout)["sites"]

        def shown(*words: str) -> str:
            environment = {**self.environment, "HOME": str(self.folder), "PPROF_TMPDIR": str(self.folder)}
            result = subprocess.run([found[-1], *words, "heap.pb.gz"], cwd=self.folder, env=environment, text=True, capture_output=True,
                                    timeout=60)
            self.assertEqual(result.returncode, 0, result.stderr)
            return result.stdout

        for index, key in (("inuse_space", "live_bytes"), ("inuse_objects", "live_blocks")):
            text = shown("-top", f"-sample_index={index}", "-unit=b", "-nodecount=1000000", "-nodefraction=0")
            self.assertIn(f"Type: {index}", text)
            total = re.search(r"accounting for (\d+)[bB]?, 100% of (\d+)[bB]? total", text)
            self.assertIsNotNone(total, text[:300])
            assert total is not None
            self.assertEqual({int(total[1]), int(total[2])}, {sum(site[key] for site in sites)})
        lines = shown("-top", "-lines", "-sample_index=inuse_objects", "-nodecount=1000000", "-nodefraction=0")
        self.assertRegex(lines, r"(?m)^ +4000 .* login \S*app\.py:6$")

    def test_wrong_words_are_said(self) -> None:
        for words, status, error in (
                (["sites"], 2, "tarn: no process id and no file; try 'tarn sites --help'\n"),
                (["sites", "nothing.sites"], 1, "tarn: can't read nothing.sites: No such file or directory\n"),
                (["sites", "app.py"], 1, "tarn: app.py isn't a file of 'tarn run --sites-file': "
                                         "line 1: not 'tarn-sites 1' but ''\n"),
                (["sites", "--flame=no/such/folder", "app.sites"], 2, None),
                (["run", "--sites=0", "app.py"], 2,
                 "tarn: --sites: '0' is no number of bytes, such as 512K; try 'tarn run --help'\n"),
                (["run", "--sites=1T", "app.py"], 2,
                 "tarn: --sites: '1T' is no number of bytes, such as 512K; try 'tarn run --help'\n"),
                (["run", "--sites-file=no/such/folder", "app.py"], 2, None)):
            if "app.sites" in words:
                self.record()
            with self.subTest(words=words):
                result = self.tarn(*words)
                self.assertEqual(result.returncode, status)
                if error is not None:
                    self.assertEqual(result.stderr, error)

    def test_a_program_that_leaves_no_record_is_said(self) -> None:
        result = self.tarn("run", "--sites-file=app.sites", "-c", "import os; os._exit(3)")
        self.assertEqual((result.returncode, result.stderr),
                         (3, "tarn: app.sites isn't written: the program left no record of its sites\n"))
        self.assertFalse((self.folder / "app.sites").exists())
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()

"""tarn why and tarn diff on snapshot files that were made for it, on damaged ones, and on such as want to do harm."""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import unittest
from pathlib import Path

from command_support import CommandTest
from made_snapshot import PAGE, MadeSnapshot, constants


def sessions(references: bool = True, shared: int = 1) -> MadeSnapshot:
    """A dict of 1024 sessions of 64 bytes, in 16 pages, each with a str of 256, in 64 pages."""
    heap = MadeSnapshot(references=references)
    table = heap.object("dict", 128, global_name="app.SESSIONS")
    heap.part(table, 8192, at=heap.pool(0b1111))
    login = heap.site(heap.frame("login", "app.py", 88))
    for _ in range(1024):
        session = heap.object("app.Session", 64, held_by=table, site=login)
        heap.object("str", 256, held_by=session, refcount=shared)
    return heap


class FileTest(CommandTest):
    def answers(self, path: Path | str, *words: str) -> dict:
        result = self.tarn("why", "--json", *words, path)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    def write_heap(self, heap: MadeSnapshot, name: str = "heap.sqlite") -> Path:
        return heap.write(self.folder / name)


class WhyTest(FileTest):
    def test_an_answer_names_type_site_holder_and_what_comes_back(self) -> None:
        path = self.write_heap(sessions())
        result = self.tarn("why", path)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn(
            " 1. 1,024 objects of type app.Session pin 320 KiB\n"
            "    allocated at  app.py:88 in login\n"
            "    held by       app.SESSIONS (dict -> app.Session)\n"
            "    with them go  320 KiB: 1,024 str (256 KiB), 1,024 app.Session (64 KiB)\n"
            "    all of it     332 KiB if the dict goes, or is emptied\n", result.stdout)

    def test_what_is_returned_is_exact(self) -> None:
        answer = self.answers(self.write_heap(sessions()))["answers"][0]
        # The dict's block is alone in a page, its table has two.
        self.assertEqual(answer["returns"], 80 * PAGE)
        self.assertEqual(answer["pages"], 80 * PAGE)
        self.assertEqual(answer["whole"]["returns"], 83 * PAGE)
        self.assertEqual((answer["objects"], answer["bytes"], answer["freed_bytes"]), (1024, 1024 * 64, 1024 * 320))

    def test_a_page_that_others_use_too_doesnt_come_back(self) -> None:
        heap = sessions()
        first = next(row for row in heap.blocks if row["size"] == 256)
        heap.blocks.remove(first)
        heap.references = [pair for pair in heap.references if pair[1] != first["address"]]
        heap.object("bytes", 256, global_name="other.thing", at=first["address"])
        answers = self.answers(self.write_heap(heap))["answers"]
        self.assertEqual((answers[0]["type"], answers[0]["returns"]), ("app.Session", 79 * PAGE))
        self.assertEqual(answers[0]["pages"], 80 * PAGE)
        self.assertEqual(len(answers), 1, "the other one alone returns nothing")

    def test_pages_that_arent_resident_dont_count(self) -> None:
        heap = sessions()
        for pool in heap.pools:
            heap.pools[pool] = 0b0001
        answer = self.answers(self.write_heap(heap))["answers"][0]
        self.assertEqual(answer["returns"], 20 * PAGE)

    def test_a_large_block_comes_back_whole(self) -> None:
        heap = sessions()
        array = heap.object("bytearray", 64, global_name="app.BUFFER")
        heap.large_block(1 << 20, 9 * PAGE, content=2, owner=array)
        json_answers = self.answers(self.write_heap(heap))["answers"]
        self.assertEqual([(one["type"], one["returns"]) for one in json_answers],
                         [("app.Session", 80 * PAGE), ("bytearray", 10 * PAGE)])

    def test_what_another_name_holds_too_stays(self) -> None:
        heap = sessions(shared=2)
        kept = heap.object("list", 512, global_name="app.kept")
        for row in heap.blocks:
            if row["size"] == 256:
                heap.refer(kept, int(row["address"]))
        answers = self.answers(self.write_heap(heap))["answers"]
        by_type = {one["type"]: one for one in answers}
        self.assertEqual(by_type["app.Session"]["returns"], 16 * PAGE)
        strings = by_type["str"]
        self.assertTrue(strings["is_shared"])
        self.assertEqual(strings["returns"], 64 * PAGE)
        self.assertEqual([one["name"] for one in strings["shared_with"]], ["app.kept -> list"])
        self.assertIn("others too: app.kept -> list", self.tarn("why", self.folder / "heap.sqlite").stdout)

    def test_without_references_there_is_a_range(self) -> None:
        path = self.write_heap(sessions(references=False, shared=2))
        answers = self.answers(path)
        sessions_answer = next(one for one in answers["answers"] if one["type"] == "app.Session")
        self.assertFalse(answers["is_exact"])
        self.assertEqual((sessions_answer["returns"], sessions_answer["returns_at_most"]), (16 * PAGE, 80 * PAGE))
        self.assertIn("pin 64 KiB to 320 KiB\n", self.tarn("why", path).stdout)

    def test_by_type_and_by_site(self) -> None:
        path = self.write_heap(sessions())
        by_type = {one["type"]: one["returns"] for one in self.answers(path, "--by", "type")["answers"]}
        self.assertEqual(by_type, {"dict": 83 * PAGE, "app.Session": 80 * PAGE, "str": 64 * PAGE})
        by_site = self.answers(path, "--by=site")["answers"]
        self.assertEqual([one["returns"] for one in by_site], [80 * PAGE])
        self.assertEqual(by_site[0]["sites"][0]["frames"], [{"function": "login", "file": "app.py", "line": 88}])

    def test_lines_are_told_by_their_shares(self) -> None:
        heap = sessions()
        login, renew = heap.frame("login", "app.py", 88), heap.frame("renew", "app.py", 91)
        # Three stacks: two lead to one line.
        main = heap.frame("main", "app.py", 12)
        ways = [heap.site(login), heap.site(login, main), heap.site(renew, main)]
        for number, row in enumerate(row for row in heap.blocks if row["size"] == 64 and row["place"] == 0):
            row["site"] = ways[0] if number % 10 < 4 else ways[1] if number % 10 < 9 else ways[2]
        path = self.write_heap(heap)
        self.assertIn("    allocated at  mostly app.py:88 in login (90 %); app.py:91 in renew (10 %)\n",
                      self.tarn("why", path).stdout)
        sites = self.answers(path)["answers"][0]["sites"]
        self.assertEqual([(one["objects"], one["samples"], len(one["frames"])) for one in sites],
                         [(922, 922, 2), (102, 102, 2)])

    def test_what_wasnt_recorded_is_no_lines(self) -> None:
        heap = sessions()
        rows = [row for row in heap.blocks if row["size"] == 64 and row["place"] == 0]
        for row in rows[:256]:
            del row["site"]
        self.assertIn("    allocated at  app.py:88 in login, of 768 that were recorded\n",
                      self.tarn("why", self.write_heap(heap)).stdout)

    def test_samples_are_weighed_and_said(self) -> None:
        heap = sessions()
        heap.rate = 4096
        login, renew = heap.site(heap.frame("login", "app.py", 88)), heap.site(heap.frame("renew", "app.py", 91))
        rows = [row for row in heap.blocks if row["size"] == 64 and row["place"] == 0]
        for number, row in enumerate(rows):
            row.pop("site", None)
            if number < 20:
                row["site"] = login if number < 15 else renew
                heap.samples[int(str(row["address"]))] = 10.0 if number < 15 else 90.0
        path = self.write_heap(heap)
        self.assertIn("    allocated at  mostly app.py:91 in renew (75 %); app.py:88 in login (25 %), by 20 samples\n",
                      self.tarn("why", path).stdout)
        sites = self.answers(path)["answers"][0]["sites"]
        self.assertEqual([(one["objects"], one["bytes"], one["samples"]) for one in sites],
                         [(450, 28800, 5), (150, 9600, 15)])
        self.assertIn("Only recorded blocks are told, one in 4 KiB:", self.tarn("why", "--by=site", path).stdout)

    def test_without_a_sample_of_the_objects_what_goes_with_them_is_told(self) -> None:
        heap = sessions()
        heap.rate = 4096
        read = heap.site(heap.frame("read_body", "app.py", 31))
        taken = 0
        for row in heap.blocks:
            row.pop("site", None)
            if row["size"] == 256 and taken < 12:
                row["site"] = read
                heap.samples[int(str(row["address"]))] = 16.5
                taken += 1
        path = self.write_heap(heap)
        self.assertIn("    allocated at  not known, no sample of these; what goes with them: app.py:31 in read_body, "
                      "by 12 samples\n", self.tarn("why", path).stdout)
        answer = self.answers(path)["answers"][0]
        self.assertEqual((answer["sites"], answer["frees_sites"][0]["samples"]), ([], 12))

    def test_a_librarys_line_is_told_with_the_programs_own(self) -> None:
        heap = sessions()
        decode = heap.frame("raw_decode", "/usr/lib/python3.11/json/decoder.py", 353)
        loads = heap.frame("loads", "/usr/lib/python3.11/json/__init__.py", 346)
        here = heap.site(decode, loads, heap.frame("load", "app.py", 12), heap.frame("<module>", "app.py", 90))
        for row in heap.blocks:
            if "site" in row:
                row["site"] = here
        self.assertIn("    allocated at  /usr/lib/python3.11/json/decoder.py:353 in raw_decode, for app.py:12 in load\n",
                      self.tarn("why", self.write_heap(heap)).stdout)

    def test_a_file_of_before_there_were_samples_is_read(self) -> None:
        path = self.write_heap(sessions())
        with sqlite3.connect(path) as database:
            database.executescript("DROP TABLE sample; DROP VIEW allocated_at")
        self.assertIn("    allocated at  app.py:88 in login\n", self.tarn("why", path).stdout)
        self.assertEqual(self.tarn("diff", path).returncode, 0)

    def test_a_class_speaks_for_the_containers_that_it_is_in(self) -> None:
        heap = MadeSnapshot()
        table = heap.object("dict", 128, global_name="app.SESSIONS")
        # In each page sessions and keys, so neither alone gives one back.
        for number in range(512):
            heap.object("app.Session", 64, held_by=table)
            heap.object("str", 64, held_by=table)
            heap.object("bytes", 256, held_by=int(str(heap.blocks[-2]["address"])))
        for row in heap.blocks:
            if row["size"] == 256:
                row["content"] = 1
        path = self.write_heap(heap)
        answer = self.answers(path)["answers"][0]
        self.assertEqual((answer["type"], answer["objects"]), ("app.Session", 512))

    def test_entries_that_share_their_pages_are_let_go_of_with_their_dict(self) -> None:
        heap = MadeSnapshot()
        table = heap.object("dict", 128, global_name="app.SESSIONS")
        for number in range(512):
            heap.object("str", 64, held_by=table)
            session = heap.object("app.Session", 64, held_by=table)
            heap.object("float", 64, held_by=session)
        path = self.write_heap(heap)
        answer = self.answers(path)["answers"][0]
        self.assertEqual((answer["type"], answer["objects"], answer["container"]),
                         ("app.Session", 512, {"type": "dict", "objects": 1}))
        self.assertEqual(answer["returns"], 25 * PAGE)
        self.assertIn(" 1. 512 objects of type app.Session and the dict they are in pin 100 KiB\n"
                      "    held by       app.SESSIONS (dict -> app.Session)\n", self.tarn("why", path).stdout)

    def test_an_instances_dict_belongs_to_it(self) -> None:
        heap = MadeSnapshot()
        heap.python = "3.9.18"
        sessions_list = heap.object("list", 128, global_name="app.SESSIONS")
        for number in range(256):
            session = heap.object("app.Session", 48, held_by=sessions_list)
            attributes = heap.object("dict", 112, held_by=session)
            heap.part(attributes, 256)
            heap.object("str", 64, held_by=attributes)
        answer = self.answers(self.write_heap(heap))["answers"][0]
        self.assertEqual((answer["type"], answer["objects"], answer["chain"]), ("app.Session", 256, ["list", "app.Session"]))
        self.assertEqual([(one["type"], one["objects"], one["bytes"]) for one in answer["frees"]],
                         [("app.Session", 256, 256 * (48 + 112 + 256)), ("str", 256, 256 * 64)])

    def test_by_site_the_class_that_a_line_makes_is_named(self) -> None:
        heap = sessions()
        site = next(int(str(row["site"])) for row in heap.blocks if "site" in row)
        for row in heap.blocks:
            if row["size"] == 256:
                row["site"] = site
        extra = heap.object("list", 128, global_name="app.kept")
        for number in range(2000):
            heap.object("str", 64, held_by=extra, site=site)
        path = self.write_heap(heap)
        answer = self.answers(path, "--by=site")["answers"][0]
        self.assertEqual((answer["type"], answer["objects"], answer["objects_of_type"]), ("app.Session", 4048, 1024))
        self.assertIn(" 1. 4,048 objects (1,024 of type app.Session) pin ", self.tarn("why", "--by=site", path).stdout)

    def test_by_site_without_sites_is_said(self) -> None:
        path = self.write_heap(MadeSnapshot())
        self.check(self.tarn("why", "--by=site", path), 1, errors=f"tarn: {path}: no allocation sites were recorded in it\n")

    def test_a_local_variable_is_told_with_its_function(self) -> None:
        heap = MadeSnapshot()
        serve = heap.frame("serve", "app.py", 12)
        table = heap.object("dict", 64)
        heap.blocks[-1]["root"] = heap.root("local", "cache", table, serve)
        heap.part(table, 4096)
        answer = self.answers(self.write_heap(heap))["answers"][0]
        self.assertEqual(answer["holders"][0]["name"], "cache in serve (app.py:12)")

    def test_the_summary_adds_up(self) -> None:
        heap = sessions()
        heap.resident = 200 * PAGE
        heap.ledger = [("other_heaps", "other heaps, anonymous memory", 40 * PAGE), ("large_kept", "kept", PAGE)]
        heap.mappings = [(0x1000, 60 * PAGE, "heap", "[heap]"), (0x9000_0000, 50 * PAGE, "arenas", "")]
        path = self.write_heap(heap)
        parts = self.answers(path)["parts"]
        self.assertEqual(sum(parts.values()), heap.resident)
        self.assertEqual(parts["other_heaps"], 40 * PAGE)
        # What no block is in is free.
        self.assertEqual(parts["live"] + parts["pinned"], 83 * PAGE)
        self.assertEqual(parts["free"], len(heap.pools) * 4 * PAGE - 83 * PAGE + PAGE)
        self.assertIn("\nWhat isn't Tarn's, by mapping:\n  [heap]  240 KiB\n", self.tarn("why", path).stdout)

    def test_a_long_chain_is_one_group(self) -> None:
        heap = MadeSnapshot()
        last = heap.object("app.Link", 64, global_name="app.CHAIN")
        for _ in range(5000):
            last = heap.object("app.Link", 64, held_by=last)
        answer = self.answers(self.write_heap(heap))["answers"][0]
        self.assertEqual((answer["objects"], answer["chain"]), (5001, ["app.Link"]))

    def test_as_many_answers_as_asked_for(self) -> None:
        heap = MadeSnapshot()
        for number in range(30):
            owner = heap.object("list", 64, global_name=f"app.list_{number}")
            heap.part(owner, 4096)
        path = self.write_heap(heap)
        for count in (1, 7, 29):
            self.assertEqual(len(self.answers(path, "-n", str(count))["answers"]), count)
        for bad in ("0", "101", "-3", "x", "9999999999999"):
            result = self.tarn("why", f"-n{bad}", path)
            self.assertEqual((result.returncode, result.stdout), (2, ""), bad)

    def test_one_snapshot_of_several(self) -> None:
        path = self.write_heap(sessions())
        later = MadeSnapshot(2)
        later.object("app.Later", 4096, global_name="app.later")
        later.write(path)
        self.assertEqual(self.answers(f"{path}#1")["answers"][0]["type"], "app.Session")
        for last in (str(path), f"{path}#2", f"{path}#-1"):
            self.assertEqual(self.answers(last)["answers"][0]["type"], "app.Later")
        for missing in (3, -3):
            self.check(self.tarn("why", f"{path}#{missing}"), 1,
                       errors=f"tarn: {path}: there is no snapshot #{missing} in it, only 2\n")
        path.rename(self.folder / "odd#1")
        self.assertEqual(self.answers(self.folder / "odd#1")["answers"][0]["type"], "app.Later")


class DiffTest(FileTest):
    def before_and_after(self) -> Path:
        path = self.write_heap(sessions())
        later = sessions()
        later.number, later.taken_at, later.resident = 2, 1e9 + 90, 2 << 20
        jobs = later.object("list", 128, global_name="app.JOBS")
        for _ in range(64):
            later.object("app.Job", 64, held_by=jobs)
        later.write(path)
        return path

    def test_what_grew_by_type_class_and_pin(self) -> None:
        path = self.before_and_after()
        result = self.tarn("diff", "--json", f"{path}#1", f"{path}#2")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        found = json.loads(result.stdout)
        self.assertEqual([(one["name"], one["objects"], one["bytes"]) for one in found["types"]],
                         [("app.Job", 64, 4096), ("list", 1, 128)])
        self.assertEqual([(one["name"], one["objects"]) for one in found["classes"]], [("64", 64), ("128", 1)])
        self.assertEqual([(one["name"], one["bytes"], one["before"]["bytes"]) for one in found["pins"]],
                         [("app.Job, held by app.JOBS", 4096, 0)])
        self.assertEqual(found["sites"], [])

    def test_what_grew_by_line(self) -> None:
        path = self.before_and_after()
        with sqlite3.connect(path) as database:
            # Of the sessions of the later one half have another line; samples stand for two each.
            database.execute("INSERT INTO frame VALUES (2, 2, 'renew', 'app.py', 91)")
            database.execute("INSERT INTO site VALUES (2, 2, 4096)")
            database.execute("INSERT INTO site_frame VALUES (2, 2, 0, 2)")
            database.execute("UPDATE block SET site = 2 WHERE snapshot = 2 AND size = 64 AND site = 1 AND address % 128 = 0")
            database.execute("INSERT INTO sample SELECT 2, address, 2 FROM block WHERE snapshot = 2 AND site = 2")
        found = json.loads(self.tarn("diff", "--json", f"{path}#1", f"{path}#2").stdout)
        self.assertEqual([(one["name"], one["objects"], one["bytes"]) for one in found["sites"]],
                         [("app.py:91 in renew", 1024, 65536), ("app.py:88 in login", -512, -32768)])
        text = self.tarn("diff", path).stdout
        self.assertRegex(text, r"\nBy samples, one block in 4 KiB, what follows is estimated:\nallocated at +objects")
        with sqlite3.connect(path) as database:
            database.executescript("DELETE FROM site WHERE snapshot = 1; DELETE FROM site_frame WHERE snapshot = 1")
        self.assertEqual(json.loads(self.tarn("diff", "--json", path).stdout)["sites"], [], "only one has them")

    def test_as_a_table(self) -> None:
        path = self.before_and_after()
        result = self.tarn("diff", path)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertTrue(result.stdout.startswith("app.py (process 4711) -> app.py (process 4711), 1.5 min later\n\n"))
        self.assertRegex(result.stdout, r"\ntype +objects +bytes +before +after\napp\.Job +\+64 +new +\+4 KiB +0 B +4 KiB\n")
        widths = {len(line) for line in result.stdout.splitlines() if line.startswith(("app.Job  ", "list  "))}
        self.assertEqual(len(widths), 1, "columns are aligned")

    def test_the_other_way_round_it_shrank(self) -> None:
        path = self.before_and_after()
        result = self.tarn("diff", f"{path}#2", f"{path}#1")
        self.assertIn("1.5 min earlier\n", result.stdout)
        self.assertRegex(result.stdout, r"\napp\.Job +-64 +gone +-4 KiB +4 KiB +0 B\n")

    def test_of_the_same_there_is_nothing(self) -> None:
        path = self.write_heap(sessions())
        found = json.loads(self.tarn("diff", "--json", path).stdout)
        self.assertEqual([found[name] for name in ("types", "sites", "classes", "pins")], [[], [], [], []])

    def test_wrong_arguments(self) -> None:
        self.check(self.tarn("diff"), 2, errors="tarn: no snapshots; try 'tarn diff --help'\n")
        self.check(self.tarn("diff", "missing"), 1, errors="tarn: missing: No such file or directory\n")


class HostileFileTest(FileTest):
    def refused(self, path: Path, message: str) -> None:
        for words in (["why", path], ["diff", path]):
            self.check(self.tarn(*words), 1, errors=f"tarn: {path}: {message}\n")

    def changed(self, *statements: str) -> Path:
        (self.folder / "heap.sqlite").unlink(missing_ok=True)
        path = self.write_heap(sessions())
        database = sqlite3.connect(path, isolation_level=None)
        for statement in statements:
            database.execute(statement)
        database.close()
        return path

    def test_what_is_no_snapshot(self) -> None:
        self.refused(self.write("text", "no database\n" * 1000), "it is no snapshot: not a SQLite file")
        self.refused(self.folder / "tmp", "it is a folder")
        empty = self.write("empty", "")
        self.refused(empty, "it is a SQLite file, but no snapshot of Tarn's")
        other = self.folder / "other"
        sqlite3.connect(other).execute("CREATE TABLE block (a)").connection.close()
        self.refused(other, "it is a SQLite file, but no snapshot of Tarn's")

    def test_a_newer_version(self) -> None:
        version = constants()[2]
        self.refused(self.changed(f"PRAGMA user_version = {version + 1}"),
                     f"it has version {version + 1} of the tables, and this tarn reads {version}")

    def test_a_view_or_a_virtual_table_in_a_tables_place(self) -> None:
        rest = "AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n AS id FROM r"
        self.refused(self.changed("DROP VIEW object", "DROP VIEW object_size", "DROP TABLE large", f"CREATE VIEW large {rest}"),
                     "it has no plain table large")

    def test_a_generated_column(self) -> None:
        self.refused(self.changed("ALTER TABLE type ADD COLUMN more AS (zeroblob(1000000000))"),
                     "it has no plain table type")

    def test_a_table_without_its_columns(self) -> None:
        self.refused(self.changed("DROP VIEW object", "DROP VIEW object_size", "DROP TABLE type", "CREATE TABLE type (snapshot, id)"),
                     "table type lacks a column")

    def test_rows_that_cant_be(self) -> None:
        for statement, message in {
            "UPDATE block SET size = -1 WHERE place = 0": "table block: size is out of range",
            "UPDATE block SET size = 128 WHERE size = 64": "table block: two blocks overlap",
            "UPDATE pool SET resident_pages = 1 << 60": "table pool: resident_pages has more pages than the pool",
            "DELETE FROM pool": "table block: a block's pool is missing",
            "UPDATE block SET holder = address WHERE size = 64": "table block: a block holds itself",
            "UPDATE block SET place = 1 WHERE size = 256": "table block: a block reaches out of its pool",
            "UPDATE block SET address = 'x' WHERE size = 8192": "table block: address is not a number",
            "UPDATE snapshot SET page_size = 4095": "table snapshot: page_size is out of range",
            "UPDATE root SET name = zeroblob(10)": "table root: name is not text",
            "UPDATE ledger SET bytes = 1": "",
            "DELETE FROM snapshot": "there is no snapshot in it",
        }.items():
            with self.subTest(statement):
                path = self.changed(statement)
                if message:
                    self.refused(path, message)

    def test_no_name_reaches_the_terminal_as_it_is(self) -> None:
        bad = "\x1b]0;title\x07\x9b2J\u202e\u00e9\n<script>"
        heap = MadeSnapshot()
        owner = heap.object(f"app.{bad}", 64, global_name=f"app.{bad}", site=heap.site(heap.frame(bad, bad, 1)))
        heap.large_block(1 << 20, 1 << 20, content=2, owner=owner)
        heap.ledger = [("other", bad, 4096)]
        heap.mappings = [(0x1000, 1 << 20, "file", bad)]
        path = self.write_heap(heap)
        database = sqlite3.connect(path)
        with database:
            database.execute("UPDATE snapshot SET program = ?, python = ?", (bad, bad))
        database.close()
        for words in (["why"], ["why", "--by=type"], ["why", "--by=site"], ["diff"], ["why", "--json"]):
            result = self.tarn(*words, path)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIsNone(re.search(r"[^\n\x20-\x7e]", result.stdout) if "--json" not in words
                              else re.search(r"[\x00-\x09\x0b-\x1f]", result.stdout), words)

    def test_bytes_at_random_are_refused_or_told(self) -> None:
        whole = self.write_heap(sessions()).read_bytes()
        seed = int(os.environ.get("TARN_SEED", "26"))
        chance = random.Random(seed)
        for number in range(150):
            damaged = bytearray(whole)
            if number % 3 == 0:
                del damaged[chance.randrange(len(damaged)):]
            for _ in range(chance.choice((1, 3, 30))):
                if damaged:
                    # Half of them in the first page: the header and the schema.
                    end = len(damaged) if chance.random() < 0.5 else min(len(damaged), 4096)
                    damaged[chance.randrange(end)] = chance.randrange(256)
            path = self.folder / "damaged"
            path.write_bytes(damaged)
            result = self.tarn("why", path)
            self.assertIn(result.returncode, (0, 1), (seed, number, result.stderr))
            self.assertNotRegex(result.stdout + result.stderr, r"[^\n\x20-\x7e]", (seed, number))
            if result.returncode == 1:
                self.assertRegex(result.stderr, r"\Atarn: [^\n]+\n\Z")


if __name__ == "__main__":
    unittest.main()

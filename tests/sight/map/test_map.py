"""tarn map: the page that it writes of a snapshot file, also of files that nobody sound would make."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import sqlite3
import stat
import struct
import sys
import unittest
import zlib
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "tools"), str(Path(__file__).resolve().parent)]

from command_support import CommandTest  # noqa: E402

import make_snapshot  # noqa: E402


def data_of(page: str) -> dict[str, dict[str, object]]:
    """The page's columns by the name of their element."""
    elements = re.findall(r'<script type="application/octet-stream" class="data" data-name="(\w+)">([A-Za-z0-9+/=]*)'
                          r"</script>\n", page)
    return {name: read_columns(zlib.decompress(base64.b64decode(text))) for name, text in elements}


def read_columns(data: bytes) -> dict[str, object]:
    assert data[:8] == b"TARNMAP1"
    columns: dict[str, object] = {}
    at = 16
    for _ in range(struct.unpack_from("<I", data, 8)[0]):
        kind, length = data[at], data[at + 1]
        name = data[at + 2:at + 2 + length].decode()
        at = (at + 2 + length + 7) & ~7
        elements, size = struct.unpack_from("<II", data, at)
        at += 8
        if kind == 5:
            offsets = struct.unpack_from(f"<{elements + 1}I", data, at)
            start = at + 4 * (elements + 1)
            columns[name] = [data[start + offsets[i]:start + offsets[i + 1]].decode() for i in range(elements)]
        else:
            columns[name] = list(struct.unpack_from(f"<{elements}{' BHId'[kind]}", data, at))
        at = (at + size + 7) & ~7
    assert at == len(data)
    return columns


def addresses_of(columns: dict[str, object]) -> dict[int, int]:
    """The block's address by its slot."""
    addresses = {}
    for i, first in enumerate(columns["pool.first_slot"]):
        for index in range(columns["pool.blocks"][i]):
            addresses[first + index] = int(columns["pool.address"][i]) + int(columns["pool.first_at"][i]) + index * int(columns["pool.block_size"][i])
    for address in columns["large.address"] + columns["outside.address"]:
        addresses[len(addresses)] = int(address)
    return addresses


class MapTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder / "service.sqlite"
        make_snapshot.make(self.file, blocks=2000, snapshots=2)

    def change(self, *statements: str) -> None:
        with sqlite3.connect(self.file) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    def rows(self, query: str) -> list[tuple]:
        database = sqlite3.connect(self.file)
        rows = database.execute(query).fetchall()
        database.close()
        return rows

    def page(self, *options: str) -> str:
        result = self.tarn("map", *options, self.file)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        return (self.folder / "service.html").read_text()

    def refused(self, problem: str) -> None:
        (self.folder / "service.html").unlink(missing_ok=True)
        result = self.tarn("map", self.file)
        self.check(result, 1, "", f"tarn: {self.file} can't be shown: {problem}\n")
        self.assertFalse((self.folder / "service.html").exists())


class WritesThePage(MapTest):
    def test_beside_the_snapshot_for_its_owner_alone(self) -> None:
        result = self.tarn("map", self.file)
        page = self.folder / "service.html"
        self.assertEqual(result.returncode, 0, result)
        self.assertRegex(result.stdout, rf"^{re.escape(str(page))}: [0-9.]+ KiB, for a browser\n$")
        self.assertEqual(stat.S_IMODE(page.stat().st_mode), 0o600)

    def test_every_block_is_in_it(self) -> None:
        data = data_of(self.page())
        self.assertEqual(set(data), {"0", "1", "names"})
        names = data["names"]
        for number in (1, 2):
            columns = data[str(number - 1)]
            slots = addresses_of(columns)
            self.assertEqual(sorted(slots), list(range(len(columns["slot.state"]))))
            slot_at = {address: slot for slot, address in slots.items()}
            rows = self.rows(
                "SELECT block.address, state, next_free, content, prefix, refcount, tracked, coalesce(owner, holder),"
                " depth, type.module || '.' || type.name, root.name, (SELECT group_concat(function || char(9) || file ||"
                " char(9) || line, char(10)) FROM (SELECT frame.* FROM site_frame JOIN frame ON frame.id = site_frame.frame"
                " AND frame.snapshot = site_frame.snapshot WHERE site_frame.snapshot = block.snapshot AND"
                " site_frame.site = block.site ORDER BY position)) FROM block"
                " LEFT JOIN type ON type.snapshot = block.snapshot AND type.id = block.type"
                f" LEFT JOIN root ON root.snapshot = block.snapshot AND root.id = block.root WHERE block.snapshot = {number}")
            seen = set()
            for address, state, next_free, content, prefix, count, tracked, up, depth, type_name, root, site in rows:
                slot = slot_at[address]
                seen.add(slot)
                packed = columns["slot.state"][slot]
                self.assertEqual((packed & 3, packed >> 2 & 3, packed >> 4 & 1), (state, content or 0, tracked or 0))
                following = columns["slot.next"][slot]
                if next_free is None:
                    self.assertEqual(following, 0)
                else:
                    size = self.rows(f"SELECT size FROM block WHERE address = {address} AND snapshot = {number}")[0][0]
                    first = max(first for first in columns["pool.first_slot"] if first <= slot)
                    self.assertEqual(slots[first + following - 1], next_free)
                    self.assertEqual((next_free - address) % size, 0)
                if state != 1:
                    continue
                self.assertEqual(columns["slot.prefix"][slot], prefix)
                self.assertEqual(columns["slot.count"][slot], 0xFFFFFFFF if count is None else count)
                self.assertEqual(columns["slot.depth"][slot], depth or 0)
                self.assertEqual(columns["slot.up"][slot], 0 if up is None else slot_at.get(up, -1) + 1)
                kind = columns["slot.type"][slot]
                self.assertEqual(type_name, names["type.module"][kind - 1] + "." + names["type.name"][kind - 1] if kind else None)
                held = columns["slot.root"][slot]
                self.assertEqual(root, names["root.name"][held - 1] if held else None)
                where = columns["slot.site"][slot]
                self.assertEqual(site, names["site.frames"][where - 1] if where else None)
            for slot in set(slots) - seen:
                self.assertEqual(columns["slot.state"][slot], 0)

    def test_a_block_is_as_old_as_the_first_snapshot_that_has_it(self) -> None:
        data = data_of(self.page())
        same = self.rows("SELECT count(*) FROM block a JOIN block b ON a.address = b.address AND a.snapshot = 1 AND"
                         " b.snapshot = 2 AND a.state = 1 AND b.state = 1 AND a.size = b.size AND a.type IS b.type")[0][0]
        columns = data["1"]
        allocated = [i for i, state in enumerate(columns["slot.state"]) if state & 3 == 1]
        self.assertEqual(sum(columns["slot.since"][i] == 0 for i in allocated), same)
        self.assertGreater(same, 0)

    def test_one_snapshot_of_several(self) -> None:
        self.assertEqual(data_of(self.page("--snapshot=2"))["names"]["snapshot.id"], [2.0])
        result = self.tarn("map", "--snapshot", "7", self.file)
        self.check(result, 1, "", f"tarn: {self.file} can't be shown: it has no snapshot 7, but 1 to 2\n")

    def test_a_snapshot_without_anything_in_it(self) -> None:
        self.change(*(f"DELETE FROM {table}" for table in
                      ("block", "pool", "arena", "large", "mapping", "ledger", "type", "root", "frame", "site")))
        self.assertEqual(data_of(self.page())["0"]["slot.state"], [])

    def test_names_are_in_it_as_data_alone(self) -> None:
        make_snapshot.make(self.folder / "hostile.sqlite", blocks=500, snapshots=1, hostile=True)
        plain = self.page()
        self.assertEqual(self.tarn("map", self.folder / "hostile.sqlite").returncode, 0)
        page = (self.folder / "hostile.html").read_text()
        self.assertNotIn("alert(1)", page)
        element = r'<script type="application/octet-stream" class="data" data-name="\w+">[A-Za-z0-9+/=]*</script>\n'
        self.assertEqual(re.sub(element, "", plain), re.sub(element, "", page))
        self.assertEqual(data_of(page)["names"]["type.name"][0], "<script>alert(1)</script>str")

    def test_the_policy_lets_the_page_s_own_script_run_and_nothing_else(self) -> None:
        page = self.page()
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
        assert policy is not None
        scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        self.assertEqual(len(scripts), 1)
        for kind, text in (("script", scripts[0]), ("style", re.findall(r"<style>(.*?)</style>", page, re.DOTALL)[0])):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            self.assertIn(f"{kind}-src 'sha256-{digest}'", policy[1])
        self.assertIn("default-src 'none'", policy[1])
        self.assertNotRegex(page, r'(?:src|href)="?https?:')


class SaysWhyAsTheCommandDoes(MapTest):
    def test_for_every_snapshot_by_holder_type_and_site(self) -> None:
        data = data_of(self.page())
        for number in (1, 2):
            columns = data[str(number - 1)]
            self.assertEqual(columns["why.problem"], [""])
            for by in ("holder", "type", "site"):
                result = self.tarn("why", "--json", f"--by={by}", f"{self.file}#{number}")
                said = json.loads(result.stdout)
                self.assertEqual(json.loads(columns[f"why.{by}"][0]), said)
                self.assertGreater(len(said["answers"]), 1)
                of_slot = columns[f"why.{by}.answer"]
                self.assertEqual(len(of_slot), len(columns["slot.state"]))
                members = [0] * (len(said["answers"]) + 1)
                for slot, answer in enumerate(of_slot):
                    if answer == 0:
                        continue
                    self.assertEqual(columns["slot.state"][slot] & 3, 1)
                    # A part of what is in the group is told with it.
                    is_part = columns["slot.state"][slot] >> 2 & 3 == 2
                    owner = columns["slot.up"][slot] - 1
                    members[answer] += 0 if is_part and owner >= 0 and of_slot[owner] == answer else 1
                self.assertEqual(members[1:], [answer["objects"] for answer in said["answers"]])

    def test_the_first_block_of_an_answer_is_of_it(self) -> None:
        columns = data_of(self.page("--snapshot=2"))["0"]
        slot_at = {address: slot for slot, address in addresses_of(columns).items()}
        for by in ("holder", "type", "site"):
            for number, answer in enumerate(json.loads(columns[f"why.{by}"][0])["answers"], 1):
                slot = slot_at.get(answer["block"])
                if slot is not None:
                    self.assertEqual(columns[f"why.{by}.answer"][slot], number)

    def test_without_sites_there_is_nothing_by_site(self) -> None:
        self.change("UPDATE block SET site = NULL", "DELETE FROM site", "DELETE FROM site_frame")
        columns = data_of(self.page())["1"]
        self.assertEqual((columns["why.site"], columns["why.site.answer"], columns["why.problem"]), ([""], [], [""]))
        self.assertNotEqual(columns["why.type"], [""])

    def test_a_file_that_why_refuses_is_shown_without(self) -> None:
        self.change("DROP TABLE reference")
        columns = data_of(self.page())["1"]
        self.assertRegex(columns["why.problem"][0], "^It can't be told: .*reference")
        self.assertEqual((columns["why.holder"], columns["why.holder.answer"]), ([""], []))


class ShowsValuesThatWereAskedFor(MapTest):
    def test_each_in_its_block_s_slot(self) -> None:
        make_snapshot.make(self.folder / "values.sqlite", blocks=2000, snapshots=2, values=True)
        self.file = self.folder / "values.sqlite"
        result = self.tarn("map", self.file)
        count = self.rows("SELECT count(*) FROM value")[0][0]
        self.assertRegex(result.stdout, rf"^{re.escape(str(self.folder))}/values.html: [0-9.]+ KiB, for a browser,"
                         rf" with what {count:,} objects contain in short\n$")
        data = data_of((self.folder / "values.html").read_text())
        for number in (1, 2):
            columns = data[str(number - 1)]
            address_of = addresses_of(columns)
            shown = {address_of[slot]: text for slot, text in zip(columns["value.slot"], columns["value.text"])}
            self.assertEqual(shown, dict(self.rows(f"SELECT block, text FROM value WHERE snapshot = {number}")))
            self.assertGreater(len(shown), 20)
            self.assertEqual(columns["value.slot"], sorted(columns["value.slot"]))
            self.assertEqual((columns["value.left_out"], columns["value.most"]), ([0], [16 << 20]))

    def test_a_file_without_values_makes_a_page_without(self) -> None:
        columns = data_of(self.page())["1"]
        nothing = ([], [], [0])
        self.assertEqual((columns["value.slot"], columns["value.text"], columns["value.left_out"]), nothing)
        self.change("DROP TABLE value")  # of an older Tarn
        columns = data_of(self.page())["1"]
        self.assertEqual((columns["value.slot"], columns["value.text"], columns["value.left_out"]), nothing)

    def test_what_they_say_is_in_it_as_data_alone(self) -> None:
        make_snapshot.make(self.folder / "hostile.sqlite", blocks=500, snapshots=1, hostile=True, values=True)
        self.assertEqual(self.tarn("map", self.folder / "hostile.sqlite").returncode, 0)
        page = (self.folder / "hostile.html").read_text()
        self.assertNotIn("alert(1)", page)
        self.assertTrue(any("<script>alert(1)</script>" in text for text in data_of(page)["0"]["value.text"]))


class ThePageInTheRepository(unittest.TestCase):
    def test_it_is_built_of_the_sources_as_they_are(self) -> None:
        web = Path(__file__).resolve().parents[3] / "web" / "map"
        names = ["build.mjs", "package-lock.json", "page.html", "style.css"]
        names += [f"src/{path.name}" for path in (web / "src").iterdir()]
        digest = hashlib.sha256()
        for name in sorted(names):
            digest.update(f"{name}\n".encode() + (web / name).read_bytes())
        self.assertIn(f"<!-- of sources {digest.hexdigest()} -->", (web / "built" / "map.html").read_text(),
                      "web/map/ has changed: scripts/build-map builds the page anew")


class SaysWhatIsWrong(MapTest):
    def test_a_file_that_is_not_there(self) -> None:
        self.check(self.tarn("map", "nothing.sqlite"), 1, "", "tarn: there is no file nothing.sqlite\n")

    def test_no_file_at_all(self) -> None:
        self.check(self.tarn("map"), 2, "", "tarn: no snapshot file and no process id; try 'tarn map --help'\n")

    def test_a_file_that_is_no_database(self) -> None:
        self.file.write_bytes(b"not a database, but long enough to be looked at" * 40)
        self.refused("file is not a database")

    def test_a_database_that_is_no_snapshot(self) -> None:
        self.change("PRAGMA application_id = 7")
        self.refused("it isn't a snapshot that tarn made")

    def test_a_newer_snapshot(self) -> None:
        self.change("PRAGMA user_version = 99")
        self.refused("its schema has the version 99, and this tarn knows 1")

    def test_a_file_without_snapshots(self) -> None:
        self.change("DELETE FROM snapshot")
        self.refused("it holds no snapshot")

    def test_a_table_that_is_missing(self) -> None:
        self.change("DROP TABLE pool")
        self.refused("its table pool is damaged: no such table: pool")

    def test_a_view_in_a_table_s_place_is_not_run(self) -> None:
        self.change("DROP TABLE mapping", "CREATE VIEW mapping AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
                    " SELECT 1 AS snapshot, x AS start, 1 AS size, 1 AS resident, '' AS permissions, '' AS owner, '' AS name FROM n")
        result = self.tarn("map", self.file)
        self.assertEqual(result.returncode, 1)
        self.assertIn("its table mapping is damaged", result.stderr)

    def test_values_that_cannot_be(self) -> None:
        for change, problem in (
            ("UPDATE pool SET address = address + 1048576 * 4096", "its table pool is damaged: a pool lies in no arena"),
            ("UPDATE pool SET blocks = 60000 WHERE blocks > 0", "its table pool is damaged: a pool's blocks are larger than the pool"),
            ("UPDATE pool SET block_size = 0 WHERE blocks > 0", "its table pool is damaged: a pool's blocks are larger than the pool"),
            ("UPDATE pool SET blocks = -1 WHERE blocks > 0", "its table pool is damaged: blocks is -1, which isn't from 0 to 65534"),
            ("UPDATE pool SET freeblock = 17 WHERE blocks > 0", "its table pool is damaged: a pool's freeblock is no block of it"),
            ("UPDATE pool SET state = 'strange'", "its table pool is damaged: a word that isn't one of its column's"),
            ("UPDATE pool SET size = 'large'", "its table pool is damaged: size is no integer"),
            ("INSERT INTO arena SELECT snapshot, address + 4096, size, heap, tier, pools, nfreepools, usable_order, resident FROM arena", "its table arena is damaged: two arenas lie in one another"),
            ("UPDATE block SET address = address + 1 WHERE place = 0", "its table block is damaged: a block isn't where its pool has one"),
            ("UPDATE block SET pool = pool + 16384 WHERE place = 0", "its table block is damaged: a block lies in no pool"),
            ("UPDATE block SET next_free = 1 WHERE state = 2", "its table block is damaged: a free block's next isn't in its pool"),
            ("UPDATE block SET place = 1 WHERE place = 0", "its table block is damaged: a large block is none of table large"),
            ("UPDATE block SET state = 3", "its table block is damaged: state is 3, which isn't from 0 to 2"),
            ("UPDATE snapshot SET page_size = 3000", "its table snapshot is damaged: page_size is 3000"),
            ("UPDATE snapshot SET taken_at = 'then'", "its table snapshot is damaged: taken_at is no number"),
            ("UPDATE type SET name = x'00ff'", "its table type is damaged: name is no text"),
            ("UPDATE value SET block = block - 139637976727552", "its table value is damaged: a value is of no block"),
        ):
            with self.subTest(change):
                self.file.unlink()
                make_snapshot.make(self.file, blocks=600, snapshots=2, values=True)
                self.change(change)
                self.refused(problem)

    def test_holders_in_a_circle_and_names_that_are_no_text_are_no_trouble(self) -> None:
        self.change("UPDATE block SET holder = address", "UPDATE block SET root = 99999, site = 99999, type = 99999",
                    "UPDATE type SET name = CAST(x'ff3c2f7363726970743e80' AS TEXT)", "UPDATE frame SET file = ''")
        self.assertIn("�</script>�", data_of(self.page())["names"]["type.name"])

    def test_damaged_bytes_anywhere_are_no_crash(self) -> None:
        whole = self.file.read_bytes()
        chance = random.Random(2)
        ends = set()
        for _ in range(60):
            data = bytearray(whole)
            for _ in range(chance.choice((1, 4, 40))):
                data[chance.randrange(100, len(data))] = chance.randrange(256)
            if chance.random() < 0.2:
                del data[chance.randrange(len(data)):]
            self.file.write_bytes(data)
            result = self.tarn("map", self.file)
            self.assertIn(result.returncode, (0, 1), result)
            self.assertLessEqual(result.stderr.count("\n"), 1)
            ends.add(result.returncode)
        self.assertEqual(ends, {0, 1})


if __name__ == "__main__":
    unittest.main()

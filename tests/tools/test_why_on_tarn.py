"""tarn why of real programs, checked by acting: what it names is let go of, and RSS falls by what it promised.

On every Python that is there: TARN_PYTHON's, and those below ~/.pyenv/versions. Continuous integration has time for three: the first
found (the distribution's), the oldest and the newest.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import unittest
from collections.abc import Callable
from pathlib import Path

from command_support import PYTHON, CommandTest

# As near as it has to come.
SHARE = 0.05
OLDEST, NEWEST = (3, 8), (3, 14)

# A service's life in small: sessions come and most go again, others' objects lie between them, the rest of a page.
SERVICE = """
import gc, json, random, sys
chance = random.Random(11)
class Session:
    def __init__(self, number):
        self.user = "user %d" % number
        self.history = ["/things/%d" % chance.randrange(10**6) for _ in range(chance.randrange(4, 20))]
        self.settings = {"language": "language %d" % number, "number": float(number)}
        self.settings["session"] = self  # a cycle, as objects of services have
SESSIONS = {}
ARRIVED = []
for number in range(60_000):
    SESSIONS[number] = Session(number)
    if number % 100 == 0:
        ARRIVED.append("arrived: %d" % number)
for number in chance.sample(range(60_000), 48_000):
    del SESSIONS[number]
"""
JSON_CACHE = """
import gc, json, random, sys
chance = random.Random(12)
class Cache:
    def __init__(self):
        self.documents = {}
        self.order = []
cache = Cache()
for number in range(9_000):
    text = json.dumps({"id": number, "rows": [{"name": "name %d" % i, "price": i / 7} for i in range(20)]})
    cache.documents["key %d" % number] = json.loads(text)
    if number % 9 == 0:
        cache.order.append("key %d" % number)
"""
# Keys and what sessions hold lie in the same pages, so that sessions alone give few of them back.
TOKENS = """
import gc, random, sys
chance = random.Random(13)
class Session:
    def __init__(self, user):
        self.user = user
        self.name = "the name of %s" % user
        self.settings = {"language": "language of %s" % user}
class Store:
    def __init__(self):
        self.sessions = {}
        self.order = []
    def login(self, user):
        self.sessions["token of %s" % user] = Session(user)
store = Store()
for number in range(40_000):
    store.login("user %d" % number)
for token in chance.sample(sorted(store.sessions), 30_000):
    del store.sessions[token]
token = None
"""
# What is many is lists, tuples; what people know is in them.
EVENTS = """
import collections, functools, gc, sys
class Event:
    __slots__ = ("when", "what")
    def __init__(self, when, what):
        self.when, self.what = when, what
BY_USER = collections.defaultdict(list)
for number in range(60_000):
    BY_USER["user %d" % (number % 3000)].append(Event(number * 1.5, "what happened %d" % number))
"""
CACHED = """
import functools, gc, sys
class Result:
    def __init__(self, number):
        self.rows = ["row %d of %d" % (i, number) for i in range(10)]
@functools.lru_cache(maxsize=None)
def compute(number):
    return Result(number)
for number in range(20_000):
    compute(number)
"""
ASYNCIO = """
import asyncio, gc, sys
class Connection:
    def __init__(self, number):
        self.number = number
        self.buffer = bytearray(b"x" * 900)
        self.headers = {"host": "host %d" % number, "path": "/%d" % number}
async def handle(connection, end):
    mine = ["line %d of %d" % (i, connection.number) for i in range(10)]
    await end.wait()
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)  # up to 3.9 an Event belongs to the loop of its birth
END = asyncio.Event()
CONNECTIONS = [Connection(number) for number in range(8_000)]
async def main():
    for connection in CONNECTIONS:
        loop.create_task(handle(connection, END))
    await asyncio.sleep(0)
loop.run_until_complete(main())
# A task's weak reference in asyncio's set of all goes with the task by its callback, which no graph of references
# shows: they are kept, so that what goes is what is named.
tasks = getattr(asyncio.tasks, "_scheduled_tasks", None) or asyncio.tasks._all_tasks
WEAK = list(tasks.data)
"""
ORDERS = """
gc.collect()
print("ready", flush=True)
for order in sys.stdin:
    exec(order)
    gc.collect()
    print("done", flush=True)
"""


def pythons() -> list[Path]:
    found = {Path(PYTHON).resolve(): Path(PYTHON)}
    for folder in sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3")):
        found.setdefault(folder.resolve(), folder)
    usable: dict[tuple[int, int], Path] = {}
    for path in found.values():
        result = subprocess.run([path, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True)
        version = re.fullmatch(r"\((\d+), (\d+)\)\n", result.stdout)
        if version and OLDEST <= (int(version[1]), int(version[2])) <= NEWEST:
            usable.setdefault((int(version[1]), int(version[2])), path)
    paths = list(usable.values())
    if os.environ.get("CI") == "true" and len(paths) > 3:
        paths = list(dict.fromkeys((paths[0], usable[min(usable)], usable[max(usable)])))
    return paths


def resident(pid: int) -> int:
    found = re.search(r"^Rss: +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


class ActingTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        del self.environment["TARN_LIBRARY"]
        runtime = self.folder / "run"
        runtime.mkdir(mode=0o700)
        self.environment.update(XDG_RUNTIME_DIR=str(runtime), TARN_RELEASE="off")

    def begin(self, python: Path, code: str) -> subprocess.Popen[str]:
        process = self.start("run", "--python", python, "-c", code + ORDERS, stdin=subprocess.PIPE)
        assert process.stdout is not None
        line = process.stdout.readline()
        self.assertEqual(line, "ready\n", line or process.communicate()[1])
        return process

    def order(self, process: subprocess.Popen[str], code: str) -> None:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(code + "\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "done\n")

    def release(self, process: subprocess.Popen[str]) -> int:
        self.assertEqual(self.tarn("release", process.pid).returncode, 0)
        return resident(process.pid)

    def why(self, process: subprocess.Popen[str], *words: str) -> dict:
        result = self.tarn("why", "--json", *words, process.pid)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        found = json.loads(result.stdout)
        self.assertTrue(found["is_exact"])
        self.assertLessEqual(abs(sum(found["parts"].values()) - found["resident"]), 0.02 * found["resident"])
        return found

    def fall(self, process: subprocess.Popen[str], order: str) -> int:
        before = self.release(process)
        self.order(process, order)
        return before - self.release(process)

    def keeps_its_promise(self, process: subprocess.Popen[str], promised: int, order: str) -> None:
        self.expect_near(promised, self.fall(process, order))

    def expect_near(self, promised: int, fell: int) -> None:
        self.assertGreater(promised, 1 << 20)
        self.assertLessEqual(abs(fell - promised), SHARE * promised,
                             f"promised {promised}, fell by {fell}: {fell / promised:.3f}")

    def on_each(self, code: str, act: Callable[[subprocess.Popen[str]], None]) -> None:
        for python in pythons():
            with self.subTest(python=str(python)):
                process = self.begin(python, code)
                try:
                    act(process)
                finally:
                    process.kill()


class Acting(ActingTest):
    def test_sessions_that_survived(self) -> None:
        def act(process: subprocess.Popen[str]) -> None:
            first = self.why(process)["answers"][0]
            self.assertEqual((first["type"], first["objects"]), ("__main__.Session", 12_000))
            self.assertEqual(first["holders"][0]["name"], "__main__.SESSIONS")
            self.assertEqual(first["chain"], ["dict", "__main__.Session"])
            self.keeps_its_promise(process, first["returns"], "for key in SESSIONS: SESSIONS[key] = None")

        self.on_each(SERVICE, act)

    def test_a_dict_that_is_emptied(self) -> None:
        def act(process: subprocess.Popen[str]) -> None:
            first = self.why(process)["answers"][0]
            self.keeps_its_promise(process, first["whole"]["returns"], "SESSIONS.clear()")

        self.on_each(SERVICE, act)

    def test_documents_of_a_cache(self) -> None:
        def act(process: subprocess.Popen[str]) -> None:
            first = self.why(process)["answers"][0]
            self.assertEqual((first["holders"][0]["name"], first["type"]), ("__main__.cache", "dict"))
            promised = first["whole"]["returns"] if first.get("whole") else first["returns"]
            self.keeps_its_promise(process, promised, "del cache")

        self.on_each(JSON_CACHE, act)

    def test_the_class_is_named_whose_instances_share_pages_with_their_keys(self) -> None:
        def act(process: subprocess.Popen[str]) -> None:
            first = self.why(process)["answers"][0]
            self.assertEqual((first["type"], first["objects"]), ("__main__.Session", 10_000))
            self.assertEqual(first["holders"][0]["name"], "__main__.store")
            self.assertEqual((first["chain"][0], first["chain"][-1]), ("__main__.Store", "__main__.Session"))
            # With them goes what they are in, the dict or the store, if they alone would return less than half.
            container = first.get("container", {"type": "__main__.Store"})["type"]
            order = "del store" if container == "__main__.Store" else "store.sessions.clear()"
            promised = first["returns"] if "container" in first else first["whole"]["returns"]
            self.keeps_its_promise(process, promised, order)

        self.on_each(TOKENS, act)

    def test_the_class_is_named_whose_instances_are_in_lists(self) -> None:
        def act(process: subprocess.Popen[str]) -> None:
            first = self.why(process)["answers"][0]
            self.assertEqual((first["type"], first["objects"]), ("__main__.Event", 60_000))
            self.assertEqual(first["chain"], ["collections.defaultdict", "list", "__main__.Event"])
            promised, order = ((first["whole"]["returns"], "BY_USER.clear()") if first.get("whole") else
                               (first["returns"], "for events in BY_USER.values(): events.clear()"))
            self.keeps_its_promise(process, promised, order)

        self.on_each(EVENTS, act)

    def test_the_class_is_named_whose_instances_a_cache_of_functools_has(self) -> None:
        def act(process: subprocess.Popen[str]) -> None:
            first = self.why(process)["answers"][0]
            self.assertEqual((first["type"], first["objects"]), ("__main__.Result", 20_000))
            self.assertEqual(first["holders"][0]["name"], "__main__.compute")
            self.keeps_its_promise(process, first["whole"]["returns"], "del compute")

        self.on_each(CACHED, act)

    def test_connections_of_an_event_loop(self) -> None:
        def act(process: subprocess.Popen[str]) -> None:
            first = self.why(process)["answers"][0]
            self.assertEqual((first["type"], first["objects"]), ("_asyncio.Future", 8_000))
            self.assertEqual(first["holders"][0]["name"], "__main__.END")
            self.keeps_its_promise(process, first["returns"],
                                   "END.set(); loop.run_until_complete(asyncio.sleep(0.1)); END._waiters.clear()")

        self.on_each(ASYNCIO, act)

    def test_nothing_is_left_behind_and_the_program_runs_on(self) -> None:
        process = self.begin(Path(PYTHON), SERVICE)
        self.why(process)
        self.order(process, "pass")
        self.assert_nothing_is_left()

    def test_a_process_that_isnt_there_or_isnt_on_tarn(self) -> None:
        result = self.tarn("why", "99999999")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"\Atarn: .*99999999.*\n\Z")
        other = subprocess.Popen(["/bin/sleep", "60"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        result = self.tarn("why", other.pid)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()

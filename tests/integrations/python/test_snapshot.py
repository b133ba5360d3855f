"""Snapshots of Python processes: what is in the file agrees with what Python says, and the program notices nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
import unittest
from contextlib import closing
from pathlib import Path

from hook_support import Python, environment, pythons
from snapshot_support import COMMAND, SECONDS, SnapshotTest, rows, snapshot, target

# Prints, for many objects of many types, what Python says of them, and then waits.
MANY_OBJECTS = r"""
import array, collections, datetime, decimal, enum, fractions, functools, gc, io, itertools, json, random, re, sys
import threading, types, weakref
random.seed(@SEED@)
class Plain:
    pass
class Slots:
    __slots__ = ("a", "b")
class SlotsWithoutCycles:
    __slots__ = ()
class Text(str):
    pass
class Many(dict):
    pass
class Items(list):
    pass
class Number(int):
    pass
class Meta(type):
    pass
class Colour(enum.Enum):
    red = 1
Point = collections.namedtuple("Point", "x y")
def generate():
    kept = [1, 2]
    yield kept
async def wait():
    pass
def plain(n):
    made = Plain()
    made.n = n
    made.text = "text%d" % n
    return made
def slots(n):
    made = Slots()
    made.a = [n]
    return made
def many(n):
    made = Many(a=n)
    made.extra = n
    return made
def started(n):
    made = generate()
    next(made)
    return made
def coroutine(n):
    made = wait()
    coroutines.append(made)
    return made
coroutines = []
def referred(n):
    made = Plain()
    weak.append(weakref.ref(made))
    return made
weak = []
def failed(n):
    try:
        raise ValueError(str(n))
    except ValueError as error:
        return error
makers = [
    lambda n: n + 10**6, lambda n: 10**(n % 300), lambda n: n * 0.5, lambda n: complex(n, 1), lambda n: "text%d" % n,
    lambda n: "\u00e9\u4e00" * (n % 50) + str(n), lambda n: b"x" * (n % 400) + str(n).encode(), lambda n: bytearray(n % 300),
    lambda n: (n, str(n)), lambda n: [n] * (n % 40), lambda n: {n: str(n)}, lambda n: {n, str(n)}, lambda n: frozenset([n, "a%d" % n]),
    plain, slots, lambda n: SlotsWithoutCycles(), lambda n: Text("t%d" % n), many, lambda n: Items([n]), lambda n: Number(n),
    lambda n: Meta("Made%d" % n, (Plain,), {}) if n % 50 == 0 else None, lambda n: Point(n, n), started, referred, failed,
    lambda n: collections.deque(range(n % 100)), lambda n: collections.OrderedDict(a=n), lambda n: collections.defaultdict(list, a=[n]),
    lambda n: collections.Counter("abc%d" % n), lambda n: array.array("i", range(n % 50)), lambda n: memoryview(b"x%d" % n),
    lambda n: range(n, n + 1000000), lambda n: slice(n, None), lambda n: (lambda: n), lambda n: functools.partial(plain, n),
    lambda n: datetime.datetime.fromtimestamp(n), lambda n: decimal.Decimal(n) / 7, lambda n: fractions.Fraction(n, 7),
    lambda n: re.compile("a%d" % (n % 100)), lambda n: io.BytesIO(b"x" * n), lambda n: io.StringIO("x" * (n % 100)),
    lambda n: enumerate([n]), lambda n: zip([n], "a"), lambda n: iter([n]), lambda n: types.SimpleNamespace(n=n),
    lambda n: threading.Lock(), lambda n: property(plain), lambda n: plain.__get__(n), lambda n: itertools.count(n),
    lambda n: {}.keys(), lambda n: object(), lambda n: types.MappingProxyType({n: n}), coroutine,
    lambda n: types.ModuleType("made%d" % n) if n % 50 == 0 else None, lambda n: Colour.red, lambda n: weakref.WeakKeyDictionary() if n % 50 == 0 else None,
]
sample = [random.choice(makers)(n) for n in range(@COUNT@)]
sample = [one for one in sample if one is not None]  # of which there are more and fewer all the time
sample += [one for one in gc.get_objects() if one is not sample and type(one) is not types.FrameType][:20000]
# Whoever looks at a frame holds it.
gc.disable()
gc.collect()  # which stops tracking tuples
facts = [None] * len(sample)
for number in range(len(sample)):
    facts[number] = (id(sample[number]), type(sample[number]).__name__, type(sample[number]).__module__,
                     sys.getrefcount(sample[number]) - 1, gc.is_tracked(sample[number]))
text = json.dumps(facts)
print(text, flush=True)
del text
sys.stdin.readline()
"""

HOLDERS = r"""
import sys, threading, types
sessions = types.ModuleType("sessions")
sys.modules["sessions"] = sessions
class Session:
    def __init__(self, name):
        self.name = name
sessions.cache = {"one": Session("held by the cache" * 2)}
sessions.cycle = None
class Node:
    pass
import gc
gc.disable()
one, two = Node(), Node()
one.other, two.other, one.text = two, one, "in a cycle" * 3
garbage = id(one)
del one, two
def worker(ready):
    kept_here = [Session("held by a thread" * 2)]
    ready.set()
    stop.wait()
stop = threading.Event()
ready = threading.Event()
thread = threading.Thread(target=worker, args=(ready,), name="the worker")
thread.start()
ready.wait()
def main():
    inner = {"deep": [["held by a frame" * 2]]}
    print(id(sessions.cache), id(sessions.cache["one"]), id(sessions.cache["one"].name), id(inner["deep"][0][0]), garbage,
          flush=True)
    sys.stdin.readline()
    stop.set()
main()
"""


def chain(path: str, identity: int) -> list[str]:
    """From the root to the object: its name, then each object's type."""
    found: list[str] = []
    (block,), = rows(path, "SELECT block FROM object WHERE id = ?", identity)
    while block is not None:
        (kind, holder, root), = rows(path, "SELECT type, holder, root FROM object WHERE block = ?", block)
        found.insert(0, kind)
        block = holder
    return [root, *found]


class Objects(SnapshotTest):
    def compare(self, python: Python, changes: dict[str, str | None], seed: int, count: int, least: float) -> None:
        code = MANY_OBJECTS.replace("@SEED@", str(seed)).replace("@COUNT@", str(count))
        with target(python, code, changes) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            facts = json.loads(line)
            self.taken(process)
        objects = {row[0]: row[1:] for row in rows(
            self.file, "SELECT id, type, module, refcount, tracked, place FROM object")}
        self.assertEqual(rows(self.file, "SELECT unreadable FROM snapshot"), [(0,)])
        wrong = []
        seen = 0
        for identity, name, module, refcount, tracked in facts:
            if identity not in objects:
                wrong.append(("missing", name, module, hex(identity)))
                continue
            seen += 1
            found = objects[identity]
            same = found[0] == name and found[1] == module and (found[2] is None or found[2] == refcount)
            if found[4] != 2:
                same = same and found[3] == tracked
            if not same:
                wrong.append((name, module, refcount, tracked, found))
        # What the program does between looking and the snapshot changes a few counts of its own: its dicts', json's.
        self.assertLessEqual(len(wrong), len(facts) // 2000, f"{len(wrong)} of {len(facts)}: {wrong[:15]}")
        self.assertGreater(seen, least * len(facts))
        contents = dict(rows(self.file, "SELECT content, count(*) FROM block WHERE state = 1 AND place < 2 GROUP BY content"))
        self.assertLess(contents.get(0, 0), sum(contents.values()) // 50, contents)

    def test_types_counts_and_tracking_agree_with_python_on_random_objects(self) -> None:
        for python in self.each():
            self.compare(python, {}, 1, 30000, 0.99)

    def test_they_agree_with_every_kind_of_heap(self) -> None:
        python = pythons()[0]
        for changes in ({"TARN_GEOMETRY": "classic"}, {"TARN_GEOMETRY": "modern"}, {"TARN_CHECKS": "debug"},
                        {"TARN_RAW": "on"}, {"TARN_ADDRESS_MAP": "page_map"}, {"PYTHONMALLOC": "debug"},
                        {"TARN_CHECKS": "debug", "PYTHONMALLOC": "debug"}, {"TARN_RELEASE": "at_once"},
                        {"TARN_LARGE": "general"}):
            with self.subTest(str(changes)):
                self.compare(python, changes, 2, 4000, 0.99)

    def test_blocks_states_and_chains_fit_their_pools(self) -> None:
        python = pythons()[0]
        code = ("import sys, random\nkept = [object() for _ in range(50000)]\nrandom.seed(1)\n"
                "kept = [one for one in kept if random.random() < 0.3]\nprint(flush=True)\nsys.stdin.readline()\n")
        with target(python, code, {"TARN_RELEASE": "off"}) as process:
            assert process.stdout is not None
            process.stdout.readline()
            self.taken(process)
        self.assertEqual(rows(self.file, """
            SELECT pool.address FROM pool LEFT JOIN block ON block.pool = pool.address GROUP BY pool.address
            HAVING pool.state IN ('used', 'full') AND (sum(block.state = 1) <> pool.allocated
               OR sum(block.state = 2) + pool.allocated + pool.untouched <> pool.blocks
               OR (pool.state = 'full') <> (pool.allocated = pool.blocks))"""), [])
        # Each free block is on its pool's chain, once.
        self.assertEqual(rows(self.file, """
            WITH RECURSIVE chain(pool, block, length) AS (
              SELECT address, freeblock, 1 FROM pool WHERE freeblock IS NOT NULL
              UNION ALL
              SELECT chain.pool, block.next_free, length + 1 FROM chain
              JOIN block ON block.snapshot = 1 AND block.address = chain.block WHERE block.next_free IS NOT NULL)
            SELECT (SELECT count(DISTINCT block) FROM chain) - (SELECT count(*) FROM block WHERE state = 2),
                   (SELECT count(*) FROM chain) - (SELECT count(*) FROM block WHERE state = 2)"""), [(0, 0)])
        (free,), = rows(self.file, "SELECT count(*) FROM block WHERE state = 2")
        self.assertGreater(free, 10000)
        orders = [order for order, in rows(
            self.file, "SELECT usable_order FROM arena WHERE tier = 'small' AND usable_order IS NOT NULL ORDER BY usable_order")]
        self.assertEqual(orders, list(range(len(orders))))
        self.assertEqual(rows(self.file, "SELECT sum(bytes) - (SELECT resident FROM snapshot) FROM ledger"), [(0,)])
        self.assertEqual(rows(self.file, "SELECT sum(resident) - (SELECT resident FROM snapshot) FROM mapping"), [(0,)])


class Holders(SnapshotTest):
    def test_chains_of_a_known_program(self) -> None:
        for python in self.each():
            with target(python, HOLDERS) as process:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert line, process.communicate()[1]
                cache, session, name, deep, garbage = map(int, line.split())
                self.taken(process)
            self.assertEqual(chain(self.file, cache), ["sessions.cache", "dict"])
            self.assertEqual(chain(self.file, session), ["sessions.cache", "dict", "Session"])
            of_name = chain(self.file, name)
            # Up to 3.10 an instance's dict is an object of its own.
            self.assertIn(of_name, (["sessions.cache", "dict", "Session", "str"],
                                    ["sessions.cache", "dict", "Session", "dict", "str"]))
            self.assertEqual(chain(self.file, deep), ["inner", "dict", "list", "list", "str"])
            self.assertEqual(rows(self.file, """
                SELECT root.kind, frame.function, thread.name FROM root JOIN frame ON frame.id = root.frame
                JOIN thread ON thread.id = root.thread WHERE root.name IN ('inner', 'kept_here') ORDER BY root.name"""),
                [("local", "main", "MainThread"), ("local", "worker", "the worker")])
            self.assertEqual(rows(self.file, """
                SELECT count(*) FROM object JOIN root ON root.block = object.block
                WHERE object.type = 'Session' AND root.kind = 'garbage'"""), [(0,)])
            (kind,), = rows(self.file, "SELECT root_kind FROM object WHERE id = ?", garbage)
            self.assertEqual(kind, "garbage")
            # A dict's and a list's tables are their owners'.
            (parts,), = rows(self.file, """
                SELECT count(*) FROM block JOIN object ON object.block = block.owner WHERE block.content = 2
                AND object.id = ?""", cache)
            self.assertGreaterEqual(parts, 1)

    def test_references_are_stored_when_asked_for(self) -> None:
        python = pythons()[0]
        with target(python, HOLDERS) as process:
            assert process.stdout is not None
            _, session, name, _, _ = map(int, process.stdout.readline().split())
            self.taken(process, "--references")
        self.assertEqual(rows(self.file, "SELECT has_references FROM snapshot"), [(1,)])
        (count,), = rows(self.file, """
            SELECT count(*) FROM reference JOIN object a ON a.block = source JOIN object b ON b.block = target
            WHERE b.id = ?""", name)
        self.assertGreaterEqual(count, 1)

    def test_what_objects_contain_is_not_stored(self) -> None:
        python = pythons()[0]
        code = "import sys\nkept = ['secret-' + str(n) + 'of mine' for n in range(9)]\nprint(flush=True)\nsys.stdin.readline()"
        with target(python, code) as process:
            assert process.stdout is not None
            process.stdout.readline()
            self.taken(process)
        self.assertNotIn(b"secret-", Path(self.file).read_bytes())
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)


class Questions(SnapshotTest):
    def test_those_of_the_documentation_are_answered(self) -> None:
        python = pythons()[0]
        # Samples, so that no table is empty.
        with target(python, HOLDERS, {"TARN_SITES": "64"}) as process:
            assert process.stdout is not None
            process.stdout.readline()
            self.taken(process)
        text = (Path(__file__).parents[3] / "docs" / "snapshot.md").read_text()
        questions = [part.split("```")[0] for part in text.split("```sql\n")[1:]]
        self.assertGreaterEqual(len(questions), 12)
        for question in questions:
            with self.subTest(question):
                answer = rows(self.file, question)
                if "sum(snapshot =" not in question:
                    self.assertTrue(answer)


class Program(SnapshotTest):
    def test_it_sees_no_child_and_no_signal(self) -> None:
        for python in self.each():
            code = ("import os, signal, sys\nseen = []\nsignal.signal(signal.SIGCHLD, lambda *_: seen.append(1))\n"
                    "print(flush=True)\nsys.stdin.readline()\n"
                    "try:\n    print(os.waitpid(-1, os.WNOHANG), seen)\nexcept ChildProcessError:\n    print('none', seen)\n")
            with target(python, code) as process:
                assert process.stdout is not None
                process.stdout.readline()
                self.taken(process)
                out, err = process.communicate("\n", timeout=SECONDS)
            self.assertEqual((out, err), ("none []\n", ""))

    def test_snapshots_in_a_loop_while_threads_work_and_fork(self) -> None:
        code = r"""
import os, random, sys, threading, time
end = time.monotonic() + 4
def work(seed):
    rng = random.Random(seed)
    kept = {}
    while time.monotonic() < end:
        kept[rng.randrange(2000)] = [str(n) * rng.randrange(20) for n in range(rng.randrange(30))]
        kept.pop(rng.randrange(2000), None)
def fork():
    while time.monotonic() < end:
        child = os.fork()
        if child == 0:
            os._exit(sum(range(10)))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 45 if sys.version_info >= (3, 9) else os.waitpid(child, 0)[1] == 45 << 8
        time.sleep(0.02)
threads = [threading.Thread(target=work, args=(n,)) for n in range(3)] + [threading.Thread(target=fork)]
for one in threads: one.start()
print(flush=True)
for one in threads: one.join()
print("done")
"""
        for python in self.each():
            with target(python, code, {"PYTHONWARNINGS": "ignore"}) as process:
                assert process.stdout is not None
                process.stdout.readline()
                good = 0
                while process.poll() is None:
                    done = snapshot(process, self.file)
                    good += done.returncode == 0
                    if done.returncode == 0:
                        self.assertEqual(rows(self.file, "PRAGMA quick_check"), [("ok",)])
                    elif process.poll() is None:
                        self.assertRegex(done.stderr, "broke off|breaks off|nobody listens|ending|there is no process|has ended|is gone")
                out, err = process.communicate(timeout=SECONDS)
            self.assertEqual((process.returncode, out, err), (0, "done\n", ""))
            self.assertGreater(good, 0)

    def test_a_program_killed_meanwhile_leaves_a_whole_file_or_none(self) -> None:
        python = pythons()[0]
        code = "import sys\nkept = [[n] for n in range(300000)]\nprint(flush=True)\nsys.stdin.readline()"
        for delay in (0.01, 0.03, 0.1, 0.2, 0.4):
            with target(python, code) as process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(0.3)
                command = subprocess.Popen([*COMMAND, "snapshot", "-o", self.file, str(process.pid)],
                                           stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                time.sleep(delay)
                process.kill()
                _, err = command.communicate(timeout=SECONDS)
            if command.returncode == 0:
                self.assertEqual(rows(self.file, "PRAGMA integrity_check"), [("ok",)])
                os.remove(self.file)
            else:
                self.assertTrue(err.startswith("tarn: "), err)
            self.assertEqual(os.listdir(self.folder), [])

    def test_the_program_is_told_of_nothing_when_it_takes_snapshots_of_itself(self) -> None:
        code = ("import ctypes, os, sys\ntake = ctypes.PyDLL(None).tarn_snapshot\nkept = [object()]\n"
                f"print(take(b'@FILE@'), take(b'@FILE@'))\n"
                "try:\n    print(os.waitpid(-1, os.WNOHANG))\nexcept ChildProcessError:\n    print('none')\n")
        for python in self.each():
            path = f"{self.folder}/{abs(hash(python))}.sqlite"
            done = subprocess.run([python.path, "-c", code.replace("@FILE@", path)], env=environment(), text=True,
                                  capture_output=True, timeout=SECONDS)
            self.assertEqual((done.stdout, done.stderr), ("0 0\nnone\n", ""))
            self.assertEqual(rows(path, "SELECT id, reason FROM snapshot"), [(1, "call"), (2, "call")])


class Schedule(SnapshotTest):
    def run_on_tarn(self, code: str, *options: str) -> subprocess.CompletedProcess[str]:
        program = Path(self.folder, "app.py")
        program.write_text(code)
        kept = {name: value for name, value in environment().items() if name != "LD_PRELOAD"}
        done = subprocess.run([*COMMAND, "run", *options, str(program)], text=True, capture_output=True, timeout=SECONDS,
                              cwd=self.folder, env=kept)
        self.wait_for_writers()
        return done

    def wait_for_writers(self) -> None:
        """What writes the file may go on when the program has ended."""
        end = time.monotonic() + SECONDS
        while any(self.is_writer(pid) for pid in os.listdir("/proc") if pid.isdigit()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def is_writer(self, pid: str) -> bool:
        try:
            words = Path("/proc", pid, "cmdline").read_bytes()
        except OSError:
            return False
        return b"--from-stream" in words and self.folder.encode() in words

    def files(self) -> list[str]:
        return sorted(name for name in os.listdir(self.folder) if name != "app.py")

    def test_at_exit(self) -> None:
        done = self.run_on_tarn("import os\nkept = [1.5]\nos.chdir('/')\nprint(os.getpid())", "--snapshot-at=exit")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        name = f"app.{done.stdout.strip()}.tarn.sqlite"
        self.assertEqual(self.files(), [name])
        self.assertEqual(rows(f"{self.folder}/{name}", "SELECT reason FROM snapshot"), [("exit",)])
        self.assertEqual(rows(f"{self.folder}/{name}", "SELECT kind FROM root WHERE name = '__main__.kept'"), [("global",)])

    def test_every_so_often_as_a_time_line(self) -> None:
        done = self.run_on_tarn("import time\nkept = []\nfor n in range(30):\n    kept.append([0] * 1000)\n    time.sleep(0.1)",
                                "--snapshot-at=every=0.5", f"--snapshot-file={self.file}")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        counted = rows(self.file, "SELECT snapshot, count(*) FROM object WHERE root = '__main__.kept' GROUP BY snapshot")
        self.assertGreaterEqual(len(counted), 2)
        self.assertLess(counted[0][1], counted[-1][1])

    def test_the_program_may_end_while_it_is_copied(self) -> None:
        code = "import time\nkept = [[n] for n in range(1000000)]\ntime.sleep({})"
        for delay in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35):
            done = self.run_on_tarn(code.format(delay), "--snapshot-at=every=0.1", f"--snapshot-file={self.file}")
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_breaks_off_is_said_to_who_waits_for_it(self) -> None:
        command = [*COMMAND, "snapshot", "--from-stream", "--output", self.file]
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=SECONDS)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (1, "", "tarn: the snapshot can't be used: it breaks off\n"))
        read_end, write_end = os.pipe()
        os.close(read_end)
        done = subprocess.run(command, input="", stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=SECONDS)
        os.close(write_end)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertEqual(self.files(), [])

    def test_at_the_peak(self) -> None:
        code = (f"import os, time\nfile = {self.file!r}\n"
                "def number():\n    try: return os.stat(file).st_ino\n    except OSError: return None\n"
                "def wait_for_another(before, seconds):\n    end = time.monotonic() + seconds\n"
                "    while number() == before:\n        if time.monotonic() > end: return False\n        time.sleep(0.05)\n"
                "    return True\n"
                "wait_for_another(None, 3)\ntime.sleep(0.6)\nbefore = number()\n"
                "kept = [bytes(1000) for _ in range(60000)]\nwait_for_another(before, 60)\n"
                "while wait_for_another(number(), 3): pass\n"  # one may have been taken while the list was made
                "del kept\ntime.sleep(0.7)")
        done = self.run_on_tarn(code, "--snapshot-at=peak", f"--snapshot-file={self.file}")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        (count, reason), = rows(self.file, """SELECT count(*), max(reason) FROM object JOIN snapshot ON snapshot.id = snapshot
                                              WHERE object.root = '__main__.kept'""")
        self.assertEqual((count, reason), (60001, "peak"))

    def test_at_a_signal(self) -> None:
        code = "import os, signal, time\ntime.sleep(0.5)\nos.kill(os.getpid(), signal.SIGUSR2)\ntime.sleep(2.5)\nprint('on')"
        done = self.run_on_tarn(code, "--snapshot-signal=USR2", f"--snapshot-file={self.file}")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "on\n", ""))
        self.assertEqual(rows(self.file, "SELECT reason FROM snapshot"), [("signal",)])


class Refusals(SnapshotTest):
    def test_are_said_in_a_line(self) -> None:
        python = pythons()[0]
        with target(python, "import sys\nprint(flush=True)\nsys.stdin.readline()") as process:
            assert process.stdout is not None
            process.stdout.readline()
            done = snapshot(process, f"{self.folder}/not/there.sqlite")
            self.assertEqual((done.returncode, done.stderr), (
                1, f"tarn: can't write {self.folder}/not/there.sqlite: No such file or directory\n"))
            Path(self.file).write_text("something else")
            done = snapshot(process, self.file, "--append")
            self.assertEqual((done.returncode, done.stderr), (
                1, f"tarn: can't write {self.file}: file is not a database\n"))
            self.assertEqual(Path(self.file).read_text(), "something else")
            with closing(sqlite3.connect(f"{self.folder}/b.sqlite")) as other:
                other.execute("CREATE TABLE a (b)")
            done = snapshot(process, f"{self.folder}/b.sqlite", "--append")
            self.assertEqual((done.returncode, done.stderr), (
                1, f"tarn: {self.folder}/b.sqlite holds no snapshots of Tarn's; nothing was added\n"))
        with target(python, "import sys\nprint(flush=True)\nsys.stdin.readline()", {"LD_PRELOAD": None}) as process:
            assert process.stdout is not None
            process.stdout.readline()
            done = snapshot(process, self.file)
            self.assertEqual(done.returncode, 1)
            self.assertIn("it doesn't live on Tarn", done.stderr)

    def test_a_full_disk_leaves_nothing(self) -> None:
        python = pythons()[0]
        with target(python, "import sys\nprint(flush=True)\nsys.stdin.readline()") as process:
            assert process.stdout is not None
            process.stdout.readline()
            # As far as SQLite sees, a limit on a file's size is a disk that takes no more.
            done = subprocess.run(["sh", "-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh", *COMMAND, "snapshot", "-o", self.file,
                                   str(process.pid)], text=True, capture_output=True, timeout=SECONDS)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, f"^tarn: can't write {self.file}: ")
            self.assertEqual(os.listdir(self.folder), [])
            self.assertIsNone(process.poll())


if __name__ == "__main__":
    unittest.main()

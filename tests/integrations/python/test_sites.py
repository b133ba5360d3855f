"""Allocation sites (TARN_SITES): each recorded block has the stack that Python itself would tell, and at a rate of 1
every figure is exact."""

from __future__ import annotations

import ast
import math
import subprocess
import tempfile
import textwrap
import unittest
from dataclasses import dataclass, field
from pathlib import Path

from hook_support import SECONDS, HookTest, Python, environment, pythons

# Says the stack of its caller, as a site has it: qualified names since 3.11.
STACK = """
import sys
def stack():
    frames = []
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        frames.append((getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return frames
"""


@dataclass
class Site:
    live_bytes: int
    live_blocks: int
    retained: int
    allocated_bytes: int
    allocated_blocks: int
    samples: int
    live_samples: int
    cut: int
    frames: list[tuple[str, str, int]]


@dataclass
class Sites:
    facts: dict[str, str] = field(default_factory=dict)
    sites: list[Site] = field(default_factory=list)

    def of_stack(self, frames: list[tuple[str, str, int]]) -> list[Site]:
        return [site for site in self.sites if site.frames == frames]

    def at(self, line: int, file: str = "program.py") -> Site:
        """The sum of all sites whose innermost line that is."""
        sum = Site(0, 0, 0, 0, 0, 0, 0, 0, [])
        for site in self.sites:
            if site.frames and site.frames[0][1].endswith(file) and site.frames[0][2] == line:
                for name in ("live_bytes", "live_blocks", "retained", "allocated_bytes", "allocated_blocks", "samples"):
                    setattr(sum, name, getattr(sum, name) + getattr(site, name))
        return sum


def unescape(text: str) -> str:
    return ast.literal_eval("b'" + text.replace("'", "\\'") + "'").decode()


def read_sites(path: Path) -> Sites:
    lines = path.read_text("ascii").splitlines()
    assert lines[0] == "tarn-sites 1" and lines[-1] == "end", lines[:3]
    result = Sites()
    strings: list[str] = []
    frames: list[tuple[str, str, int]] = []
    for line in lines[1:-1]:
        key, _, value = line.partition(" ")
        if key == "string":
            strings.append(unescape(value[1:]))
        elif key == "frame":
            function, file, number = map(int, value.split())
            frames.append((strings[function], strings[file], number))
        elif key == "site":
            numbers = [int(word) for word in value.split()]
            result.sites.append(Site(*numbers[:8], [frames[number] for number in numbers[8:]]))
        else:
            result.facts[key] = value
    return result


def line_of(code: str, mark: str) -> int:
    """The number of the line that ends with "# mark"."""
    found = [number for number, line in enumerate(code.splitlines(), 1) if line.endswith("# " + mark)]
    assert len(found) == 1, (mark, found)
    return found[0]


class SitesTest(HookTest):
    def record(self, python: Python, code: str, rate: int = 1, name: str = "program.py",
               **changes: str) -> tuple[str, list[Sites]]:
        """What a program prints, and the sites that each of its processes recorded, the first one's first."""
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / name
            program.write_text(code, "utf-8")
            reports = Path(folder) / "reports"
            reports.mkdir()
            done = subprocess.run(
                [python.path, "-X", "utf8", str(program)], capture_output=True, text=True, timeout=SECONDS,
                stdin=subprocess.DEVNULL, encoding="utf-8",
                env=environment({"TARN_REPORT_DIR": str(reports), "TARN_SITES": str(rate), "TARN_SITES_SEED": "7",
                                 **changes}))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            found = [read_sites(path) for path in reports.glob("*.sites")]
        pids = {sites.facts["pid"] for sites in found}
        return done.stdout, sorted(found, key=lambda sites: sites.facts["parent"] in pids)

    def test_a_stack_is_that_which_python_tells(self) -> None:
        code = STACK + textwrap.dedent("""
            import asyncio, functools
            kept = []
            def keep(block, frames):
                kept.append(block)
                print(repr(frames))
            class Cache:
                def method(self):
                    keep(bytearray(40000), stack())
                @classmethod
                def of_class(cls):
                    keep(bytearray(40000), stack())
                @property
                def attribute(self):
                    keep(bytearray(40000), stack())
                def __eq__(self, other):
                    keep(bytearray(40000), stack())
                    return True
                __hash__ = None
            def generator():
                keep(bytearray(40000), stack())
                yield 1
                keep(bytearray(40000), stack())
            def delegating():
                yield from generator()
            async def inner():
                await asyncio.sleep(0)
                keep(bytearray(40000), stack())
            async def outer():
                await inner()
            def recursive(depth):
                if depth == 0:
                    keep(bytearray(40000), stack())
                else:
                    recursive(depth - 1)
            def raising():
                try:
                    1 / 0
                except ZeroDivisionError:
                    keep(bytearray(40000), stack())
                finally:
                    keep(bytearray(40000), stack())
            def with_cells():
                variable = 1
                def closure():
                    keep(bytearray(40000), (variable, stack())[1])
                closure()
            def wrapped(function):
                @functools.wraps(function)
                def wrapper(*arguments):
                    return function(*arguments)
                return wrapper
            @wrapped
            def decorated(value):
                keep(bytearray(40000), stack())
                return value
            def many_lines():
                keep(bytearray(40000),
                     stack()) if sys.version_info >= (3, 99) else None
                pass; keep(bytearray(40000), stack())
            def naïve_名前():
                keep(bytearray(40000), stack())
            Cache().method()
            Cache.of_class()
            Cache().attribute
            Cache() == 1
            for _ in generator(): pass
            list(delegating())
            asyncio.run(outer())
            recursive(30)
            raising()
            with_cells()
            decorated(1)
            list(map(decorated, [1, 2]))
            sorted([3, 4], key=decorated)
            many_lines()
            naïve_名前()
            (lambda: keep(bytearray(40000), stack()))()
            [keep(bytearray(40000), stack()) for _ in range(3)]
            exec(compile("keep(bytearray(40000), stack())", "<a file>", "exec"))
            eval("keep(bytearray(40000), stack())")
            keep(bytearray(40000), stack())
            """)
        for python in self.each():
            for name in ("program.py", "größe 名.py"):
                out, (sites,) = self.record(python, code, name=name)
                stacks = [ast.literal_eval(line) for line in out.splitlines()]
                self.assertGreater(len(stacks), 25)
                for frames in stacks:
                    found = sites.of_stack(frames)
                    self.assertEqual(len(found), 1, frames)
                    self.assertGreaterEqual(found[0].live_bytes, 40000 * stacks.count(frames), frames)

    def test_at_a_rate_of_one_the_figures_are_exact(self) -> None:
        code = textwrap.dedent("""
            kept = [None] * 5000
            numbers = list(range(5000))
            def keep():
                for i in numbers:
                    kept[i] = object()  # kept
            def churn():
                for i in numbers:
                    object()  # churned
            def free_half():
                for i in numbers:
                    if i % 2:
                        kept[i] = None
            keep()
            churn()
            free_half()
            """)
        for python in self.each():
            _, (sites,) = self.record(python, code)
            kept = sites.at(line_of(code, "kept"))
            self.assertEqual((kept.live_blocks, kept.live_bytes), (2500, 2500 * 16))
            self.assertEqual((kept.allocated_blocks, kept.allocated_bytes), (5000, 5000 * 16))
            # Half of the blocks of nearly every pool are free, and nothing else has this size.
            self.assertGreater(kept.retained, 2000 * 16)
            self.assertLess(kept.retained, 3000 * 16)
            churned = sites.at(line_of(code, "churned"))
            self.assertEqual((churned.live_blocks, churned.allocated_blocks), (0, 5000))

    def test_an_address_that_is_used_again_is_its_new_owners(self) -> None:
        code = textwrap.dedent("""
            numbers = list(range(20000))
            kept = [None] * 20000
            for i in numbers: kept[i] = object()  # first
            for i in numbers: kept[i] = None
            for i in numbers: kept[i] = object()  # second
            """)
        for python in self.each():
            for rate in (1, 64, 512):
                # Nothing of Tarn's begins meanwhile: on 3.11 six blocks that its pacer and releaser make live on.
                _, (sites,) = self.record(python, code, rate, TARN_GC="stock", TARN_RELEASE="off")
                self.assertEqual(sites.at(line_of(code, "first")).live_blocks, 0)
                self.assertGreater(sites.at(line_of(code, "second")).live_blocks, 15000)

    def test_a_block_that_grows_or_moves_stays_where_it_was_allocated(self) -> None:
        code = textwrap.dedent("""
            more = bytes(300000)
            grown = bytearray(100)  # made
            grown.extend(more)  # grown
            shrunk = bytearray(300000)  # large
            del shrunk[100:]  # shrunk
            """)
        for python in self.each():
            _, (sites,) = self.record(python, code)
            made = sites.at(line_of(code, "made"))
            self.assertGreaterEqual(made.live_bytes, 300100)
            self.assertLess(made.allocated_bytes, 1000)
            grown = sites.at(line_of(code, "grown"))
            self.assertEqual(grown.live_blocks, 0)
            self.assertGreaterEqual(grown.allocated_bytes, 299900)  # what it grew by
            large = sites.at(line_of(code, "large"))
            self.assertGreaterEqual(large.allocated_bytes, 300000)
            self.assertLess(large.live_bytes, 1000)
            self.assertEqual(large.live_blocks, 2)
            self.assertEqual(sites.at(line_of(code, "shrunk")).live_blocks, 0)

    def test_estimates_are_near_the_truth(self) -> None:
        code = textwrap.dedent("""
            numbers = list(range(100000))
            kept = [None] * 100000
            for i in numbers: kept[i] = object()  # small
            large = [None] * 2000
            for i in numbers[:2000]: large[i] = bytes(3000)  # large
            for i in numbers: object()  # churned
            """)
        rate = 8192
        for python in self.each():
            _, (sites,) = self.record(python, code, rate)
            self.assertEqual(sites.facts["rate"], str(rate))

            def bound(blocks: int, size: int) -> float:
                """Six standard deviations of a sum of weights."""
                p = -math.expm1(-size / rate)
                return 6 * size * math.sqrt(blocks * (1 - p) / p)

            small = sites.at(line_of(code, "small"))
            self.assertAlmostEqual(small.live_bytes, 100000 * 16, delta=bound(100000, 16))
            self.assertAlmostEqual(small.live_blocks, 100000, delta=bound(100000, 16) / 16)
            size = 3584 if sites.at(line_of(code, "large")).live_bytes / 2000 > 3300 else 3072
            self.assertAlmostEqual(sites.at(line_of(code, "large")).live_bytes, 2000 * size,
                                   delta=bound(2000, 3033) * size / 3033)
            churned = sites.at(line_of(code, "churned"))
            self.assertEqual(churned.live_blocks, 0)
            self.assertAlmostEqual(churned.allocated_bytes, 100000 * 16, delta=bound(100000, 16))

    def test_the_same_seed_records_the_same_blocks(self) -> None:
        python = pythons()[0]
        code = "kept = [object() for _ in range(100000)]"
        first, second = (self.record(python, code, 4096, PYTHONHASHSEED="1")[1][0].at(1) for _ in range(2))
        self.assertEqual(first.samples, second.samples)

    def test_threads_have_their_own_stacks(self) -> None:
        code = textwrap.dedent("""
            import threading
            numbers = list(range(3000))
            kept = [[None] * 3000 for _ in range(4)]
            def one(mine):
                for i in numbers: mine[i] = object()  # one
            def two(mine):
                for i in numbers: mine[i] = object()  # two
            threads = [threading.Thread(target=(one, two)[i % 2], args=(kept[i],)) for i in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            """)
        for python in self.each():
            for raw in ("off", "on"):
                _, (sites,) = self.record(python, code, TARN_RAW=raw)
                for mark in ("one", "two"):
                    self.assertEqual(sites.at(line_of(code, mark)).live_blocks, 6000)

    def test_a_deep_stack_is_cut(self) -> None:
        code = textwrap.dedent("""
            import sys, threading
            sys.setrecursionlimit(20000)
            threading.stack_size(256 * 1024 * 1024)
            kept = []
            def deep(depth):
                if depth: return deep(depth - 1)  # deeper
                kept.append(bytearray(100000))  # deepest
            thread = threading.Thread(target=deep, args=(10000,))
            thread.start()
            thread.join()
            """)
        for python in self.each():
            for frames in (64, 5):
                _, (sites,) = self.record(python, code, TARN_SITES_FRAMES=str(frames))
                (site,) = (site for site in sites.sites
                           if site.frames and site.frames[0][2] == line_of(code, "deepest") and site.live_bytes > 100000)
                self.assertEqual((site.cut, len(site.frames)), (1, frames))
                self.assertEqual({frame[2] for frame in site.frames[1:]}, {line_of(code, "deeper")})

    def test_code_that_dies_leaves_its_name(self) -> None:
        """Its address is soon another code's, of another name, file and line."""
        code = textwrap.dedent("""
            kept = []
            for i in range(2000):
                names = {"kept": kept}
                source = "\\n" * (i % 7) + f"def function_{i}(): kept.append(bytearray(2000))\\nfunction_{i}()"
                exec(compile(source, f"<file {i % 5}>", "exec"), names)
                del names, source
            """)
        for python in self.each():
            _, (sites,) = self.record(python, code)
            by_function = {site.frames[0][0]: site for site in sites.sites
                           if site.frames and site.frames[0][0].startswith("function_") and site.live_bytes >= 2000}
            self.assertEqual(len(by_function), 2000)
            for i in range(2000):
                site = by_function[f"function_{i}"]
                self.assertEqual(site.frames[0], (f"function_{i}", f"<file {i % 5}>", 1 + i % 7))
                self.assertEqual(site.frames[1], ("<module>", f"<file {i % 5}>", 2 + i % 7))

    def test_a_forked_child_goes_on(self) -> None:
        code = textwrap.dedent("""
            import os, threading
            numbers = list(range(1000))
            kept = [None] * 1000
            theirs = [None] * 1000
            stop = threading.Event()
            def busy():
                while not stop.is_set(): bytearray(1000)
            thread = threading.Thread(target=busy)
            thread.start()
            for i in numbers: kept[i] = object()  # before
            import warnings
            warnings.simplefilter("ignore")
            child = os.fork()
            if child == 0:
                for i in numbers: theirs[i] = object()  # child
                for i in numbers: kept[i] = None
            else:
                stop.set()
                thread.join()
                assert os.waitpid(child, 0)[1] == 0
            """)
        for python in self.each():
            for raw in ("off", "on"):
                _, (parent, child) = self.record(python, code, TARN_RAW=raw)
                self.assertEqual(parent.at(line_of(code, "before")).live_blocks, 1000)
                self.assertEqual(parent.at(line_of(code, "child")).live_blocks, 0)
                self.assertEqual(child.at(line_of(code, "before")).live_blocks, 0)
                self.assertIn(child.at(line_of(code, "before")).allocated_blocks, (1000, 1001))  # with the iterator
                self.assertEqual(child.at(line_of(code, "child")).live_blocks, 1000)

    def test_interpreters_with_a_gil_each(self) -> None:
        code = textwrap.dedent("""
            import threading
            try:
                import _interpreters as interpreters
            except ImportError:
                import _xxsubinterpreters as interpreters
            source = "kept = [bytes([i % 256]) * 1000 for _ in range(20) for i in range(300)]"
            def run():
                interpreter = interpreters.create()
                for _ in range(3): interpreters.run_string(interpreter, source)
                interpreters.destroy(interpreter)
            threads = [threading.Thread(target=run) for _ in range(3)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            numbers = list(range(1000))
            kept = [None] * 1000
            for i in numbers: kept[i] = object()  # after
            """)
        for python in self.each((3, 12)):
            for raw in ("off", "on"):
                _, (sites,) = self.record(python, code, TARN_RAW=raw)
                self.assertEqual(sites.at(line_of(code, "after")).live_blocks, 1000)
                self.assertGreaterEqual(sites.at(1, "<string>").allocated_blocks, 9 * 6000)

    def test_the_other_geometries_and_checks(self) -> None:
        code = textwrap.dedent("""
            numbers = list(range(2000))
            kept = [None] * 2000
            for i in numbers: kept[i] = object()  # kept
            block = bytearray(2000000)  # large
            """)
        python = pythons()[0]
        for changes in ({"TARN_GEOMETRY": "classic"}, {"TARN_GEOMETRY": "modern"}, {"TARN_ADDRESS_MAP": "page_map"},
                        {"TARN_CHECKS": "debug"}, {"TARN_LARGE": "general"}, {"PYTHONMALLOC": "debug"}):
            with self.subTest(**changes):
                _, (sites,) = self.record(python, code, **changes)
                self.assertEqual(sites.at(line_of(code, "kept")).live_blocks, 2000)
                self.assertGreaterEqual(sites.at(line_of(code, "large")).live_bytes, 2000000)

    def test_the_program_finds_no_difference(self) -> None:
        """No reference is counted, no frame object made, nothing allocated in Python."""
        code = textwrap.dedent("""
            import gc, sys
            def function(counts):
                frame_code = function.__code__
                names = (frame_code, frame_code.co_name, frame_code.co_filename)
                before = [sys.getrefcount(name) for name in names]
                for _ in range(1000): bytearray(100)
                after = [sys.getrefcount(name) for name in names]
                frames = sum(type(thing).__name__ == "frame" for thing in gc.get_objects())
                print(before == after, frames)
            function(None)
            """)
        for python in self.each():
            with_sites, _ = self.record(python, code)
            without, _ = self.record(python, code, 0)
            self.assertEqual(with_sites, without)

    def test_a_malformed_setting_is_said(self) -> None:
        python = pythons()[0]
        done = subprocess.run([python.path, "-c", ""], capture_output=True, text=True, timeout=SECONDS,
                              env=environment({"TARN_SITES": "many"}))
        self.assertEqual((done.returncode, done.stderr), (
            0, "tarn: TARN_SITES=many is no number of bytes up to 1099511627776; 0 is used\n"))


if __name__ == "__main__":
    unittest.main()

"""Memory falls when the load falls: the thread that gives pages back, in every life a process can have.

Where threads are counted, the control channel's is left out.
"""

from __future__ import annotations

import unittest

from hook_support import HookTest, pythons, run

HELPERS = """
import os, random, sys, threading, time

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def threads():
    return len(os.listdir("/proc/self/task"))

class Record:
    __slots__ = ("number", "name", "pair")
    def __init__(self, number):
        self.number = number
        self.name = "name%d" % number
        self.pair = (number, str(number))
    def is_whole(self):
        return self.name == "name%d" % self.number and self.pair == (self.number, str(self.number))

def scattered(count, kept):
    # A few survivors among many records.
    records = [Record(number) for number in range(1000000, 1000000 + count)]
    survivors = random.Random(5).sample(records, kept)
    return survivors

def falls_below(limit, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if resident() < limit:
            return True
        time.sleep(0.05)
    return False

def thread_ends(seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if threads() == 1:
            return True
        time.sleep(0.05)
    return False
"""


class ReleasingTest(HookTest):
    def test_memory_falls_in_an_idle_process_and_the_thread_ends(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
before = resident()
survivors = scattered(200000, 200)
peak = resident()
assert peak - before > 1 << 25, (before, peak)
assert falls_below(before + (peak - before) // 4), (before, peak, resident())
assert thread_ends()
assert all(record.is_whole() for record in survivors)
more = [Record(number) for number in range(1000000, 1200000)]
assert all(record.is_whole() for record in more) and all(record.is_whole() for record in survivors)
""", changes={"TARN_CONTROL": "off"})

    def test_nothing_is_given_back_and_no_thread_started_when_it_is_off(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
survivors = scattered(200000, 2000)
peak = resident()
assert not falls_below(peak * 9 // 10, 1.5), (peak, resident())
assert threads() == 1
""", changes={"TARN_RELEASE": "off", "TARN_CONTROL": "off"})

    def test_a_short_program_has_no_thread(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + "assert threads() == 1", changes={"TARN_CONTROL": "off"})

    def test_every_page_at_every_opportunity(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
import json, re
for turn in range(3):
    survivors = scattered(20000, 500)
    assert all(record.is_whole() for record in survivors)
    assert json.loads(json.dumps({str(n): [n] * 9 for n in range(5000)}))["17"] == [17] * 9
""", changes={"TARN_RELEASE": "at_once"})

    def test_threads_allocate_and_free_while_pages_go(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
sys.setswitchinterval(0.0005)
failures = []
def work(seed):
    random_ = random.Random(seed)
    alive = []
    end = time.monotonic() + 2
    while time.monotonic() < end:
        alive += [Record(random_.randrange(10 ** 6)) for _ in range(3000)]
        random_.shuffle(alive)
        del alive[random_.randrange(1, 4000):]
        if not all(record.is_whole() for record in alive):
            failures.append(seed)
            return
        time.sleep(random_.choice((0, 0, 0.3)))
workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for worker in workers: worker.start()
for worker in workers: worker.join()
assert not failures
""", changes={"TARN_RELEASE": "eager", "TARN_DECAY": "0"})

    def test_a_process_forks_while_pages_go(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
import warnings
warnings.simplefilter("ignore")  # of a fork with threads, which 3.12 dislikes
for turn in range(40):
    survivors = scattered(20000, 200)
    time.sleep(0.02 * (turn % 20))
    child = os.fork()
    if child == 0:
        kept = scattered(3000, 50)
        whole = all(record.is_whole() for record in survivors + kept)
        os._exit(0 if whole else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert all(record.is_whole() for record in survivors)
""", changes={"TARN_RELEASE": "eager"})

    def test_memory_falls_in_a_forked_child_too(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
old = scattered(100000, 100)
time.sleep(0.3)
child = os.fork()
if child == 0:
    before = resident()
    survivors = scattered(200000, 200)
    peak = resident()
    fell = falls_below(before + (peak - before) // 4)
    os._exit(0 if fell and all(record.is_whole() for record in survivors) else 1)
assert os.waitpid(child, 0)[1] == 0
""")

    def test_memory_falls_while_the_main_thread_waits_for_others(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
done = threading.Event()
def work():
    before = resident()
    survivors = scattered(200000, 200)
    peak = resident()
    fell.append(falls_below(before + (peak - before) // 4))
    done.set()
fell = []
threading.Thread(target=work).start()
done.wait()
assert fell == [True]
""")

    def test_memory_falls_when_an_interpreter_has_ended(self) -> None:
        """Of those that share the main one's GIL: each has an end of its own, which isn't Python's."""
        for python in self.each():
            self.on_tarn(python, HELPERS + """
try:
    import _interpreters as interpreters
    create = lambda: interpreters.create("legacy")
except ImportError:
    import _xxsubinterpreters as interpreters
    create = (lambda: interpreters.create(isolated=False)) if sys.version_info >= (3, 9) else interpreters.create
for turn in range(3):
    interpreter = create()
    interpreters.run_string(interpreter, "import atexit; x = [str(n) for n in range(1000)]")
    interpreters.destroy(interpreter)
before = resident()
survivors = scattered(200000, 200)
peak = resident()
assert falls_below(before + (peak - before) // 4), (before, peak, resident())
assert all(record.is_whole() for record in survivors)
""")

    def test_a_child_of_a_process_with_shared_heap_lives(self) -> None:
        for python in self.each((3, 12)):
            self.on_tarn(python, HELPERS + """
try:
    import _interpreters as interpreters
    interpreter = interpreters.create()
except ImportError:
    import _xxsubinterpreters as interpreters
    interpreter = interpreters.create(isolated=True)
interpreters.destroy(interpreter)
import warnings
warnings.simplefilter("ignore")
for turn in range(5):
    survivors = scattered(20000, 200)
    time.sleep(0.2 * turn)
    child = os.fork()
    if child == 0:
        kept = scattered(3000, 50)
        os._exit(0 if all(record.is_whole() for record in survivors + kept) else 1)
    assert os.waitpid(child, 0)[1] == 0
""", changes={"TARN_RELEASE": "eager"})

    def test_memory_falls_in_a_child_that_was_forked_without_the_gil(self) -> None:
        for python in self.each():
            self.on_tarn(python, HELPERS + """
import ctypes
child = ctypes.CDLL(None).fork()
if child == 0:
    before = resident()
    survivors = scattered(200000, 200)
    peak = resident()
    os._exit(0 if falls_below(before + (peak - before) // 4) else 1)
assert os.waitpid(child, 0)[1] == 0
""")

    def test_python_ends_while_the_thread_works(self) -> None:
        for python in self.each():
            for milliseconds in (0, 1, 100, 251, 260, 400):
                self.on_tarn(python, HELPERS + f"""
survivors = scattered(100000, 100)
time.sleep({milliseconds / 1000})
""")

    def test_python_ends_while_the_thread_works_though_nobody_is_told(self) -> None:
        for python in self.each():
            for milliseconds in (100, 251, 260):
                self.on_tarn(python, HELPERS + f"""
import atexit
survivors = scattered(100000, 100)
atexit._clear()
time.sleep({milliseconds / 1000})
""")

    def test_interpreters_with_a_gil_each_churn_while_pages_go(self) -> None:
        for python in self.each((3, 12)):
            self.on_tarn(python, HELPERS + """
try:
    import _interpreters as interpreters
    create = lambda: interpreters.create()
except ImportError:
    import _xxsubinterpreters as interpreters
    create = lambda: interpreters.create(isolated=True)
run = getattr(interpreters, "exec", None) or interpreters.run_string
code = '''
import time
end = time.monotonic() + 1.5
while time.monotonic() < end:
    rows = [(number, str(number)) for number in range(20000)]
    kept = rows[::100]
    del rows
    assert all(text == str(number) for number, text in kept)
'''
def work():
    interpreter = create()
    run(interpreter, code)
    interpreters.destroy(interpreter)
workers = [threading.Thread(target=work) for _ in range(3)]
for worker in workers: worker.start()
for turn in range(5):
    survivors = scattered(20000, 200)
    time.sleep(0.3)
    assert all(record.is_whole() for record in survivors)
for worker in workers: worker.join()
""", changes={"TARN_RELEASE": "eager"})

    def test_a_malformed_setting_is_said_and_has_its_default(self) -> None:
        python = pythons()[0]
        for name, value, said in (
                ("TARN_RELEASE", "sometimes", "tarn: TARN_RELEASE=sometimes is none of: normal eager off at_once; "
                                              "normal is used\n"),
                ("TARN_DECAY", "-1", "tarn: TARN_DECAY=-1 is no number of milliseconds up to 3600000; 1000 is used\n"),
                ("TARN_DECAY", "99999999999999999999", "tarn: TARN_DECAY=99999999999999999999 is no number of "
                                                       "milliseconds up to 3600000; 1000 is used\n")):
            outcome = run([python.path, "-c", "pass"], {name: value})
            self.assertEqual((outcome.status, outcome.err), (0, said))


if __name__ == "__main__":
    unittest.main()

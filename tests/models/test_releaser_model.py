"""Every order of the steps by which the releaser's thread, Python's threads, forks and exits can meet: releaser.pml.

spin makes a checker of the model, gcc compiles it. MODEL_OPERATIONS=3 lets the program do more (minutes, gigabytes).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

MODEL = Path(__file__).with_name("releaser.pml")
# What Python's main thread does, and what the other one does.
OPERATIONS = (os.environ.get("MODEL_OPERATIONS", "2"), os.environ.get("MODEL_OTHER_OPERATIONS", "1"))
LEAST_STATES = 100_000
DEPTH = 1_000_000

ONE_GIL: tuple[str, ...] = ()
GIL_EACH = ("SHARED",)
IDLE = ("IDLE",)


class Outcome:
    def __init__(self, text: str) -> None:
        self.text = text
        self.states = int(re.search(r"^ *(\d+) states, stored", text, re.MULTILINE)[1])
        self.errors = int(re.search(r"errors: (\d+)", text)[1])
        found = re.search(r"^pan:1: (.*) \(at depth", text, re.MULTILINE)
        self.finding = found[1] if found else ""


@unittest.skipUnless(shutil.which("spin") and shutil.which("gcc"), "needs spin: scripts/install-dependencies test")
class ReleaserModel(unittest.TestCase):
    def check(self, *definitions: str) -> Outcome:
        with TemporaryDirectory() as folder:
            def run(*words: str) -> str:
                done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
                return done.stdout

            sizes = (f"OPERATIONS={OPERATIONS[0]}", f"OTHER_OPERATIONS={OPERATIONS[1]}")
            run("spin", *(f"-D{one}" for one in (*definitions, *sizes)), "-a", str(MODEL))
            is_idle = "IDLE" in definitions
            # A claim about what comes to pass in the end, or about every state there is.
            # A mutant is found out sooner than an optimising compiler is done.
            speed = "-O0" if definitions and definitions[-1].startswith("MUTANT") else "-O2"
            kind = () if is_idle else ("-DSAFETY",)
            run("gcc", speed, "-w", "-DCOLLAPSE", "-DMEMLIM=8000", *kind, "-o", "pan", "pan.c")
            said = run("./pan", f"-m{DEPTH}", "-w22", *(("-a",) if is_idle else ()))
        # Otherwise not everything was looked at.
        for incomplete in ("max search depth too small", "out of memory", "memory limit"):
            self.assertNotIn(incomplete, said)
        return Outcome(said)

    def holds(self, *definitions: str) -> None:
        outcome = self.check(*definitions)
        self.assertEqual((outcome.errors, outcome.finding), (0, ""), outcome.text)
        self.assertGreater(outcome.states, LEAST_STATES)

    def is_caught(self, finding: str, *definitions: str) -> None:
        self.assertRegex(self.check(*definitions).finding, finding)

    def test_it_holds_under_one_gil(self) -> None:
        self.holds(*ONE_GIL)

    def test_it_holds_where_interpreters_have_a_gil_each(self) -> None:
        self.holds(*GIL_EACH)

    def test_memory_falls_in_the_end_and_the_thread_rests(self) -> None:
        self.holds(*IDLE)
        self.holds(*IDLE, *GIL_EACH)

    # What would be wrong is found. First what any such protocol may get wrong …
    def test_pools_that_stay_in_circulation_are_caught(self) -> None:
        self.is_caught(r"assertion violated +!\(going", "MUTANT_IN_CIRCULATION")

    def test_a_turn_without_the_gil_is_caught(self) -> None:
        self.is_caught("assertion violated", "MUTANT_WITHOUT_GIL")

    def test_system_calls_with_the_gil_are_caught(self) -> None:
        self.is_caught(r"assertion violated +!\(gil\)", "MUTANT_GIL_IN_SYSTEM_CALL")

    def test_an_exit_that_waits_with_the_gil_is_caught(self) -> None:
        self.is_caught("invalid end state", "MUTANT_JOINS_WITH_GIL")

    def test_an_exit_that_leaves_pools_away_is_caught(self) -> None:
        self.is_caught(r"assertion violated .*!\(away", "MUTANT_LEAVES_THE_BATCH")

    def test_a_fork_that_waits_for_a_thread_at_work_is_caught(self) -> None:
        self.is_caught("invalid end state", "MUTANT_STOPS_WHILE_IT_WORKS")

    def test_a_child_that_leaves_pools_away_is_caught(self) -> None:
        self.is_caught("acceptance cycle", *IDLE, "MUTANT_CHILD_LEAVES_THE_BATCH")

    # … then what the releaser had wrong where interpreters have a GIL each, until this model said so.
    def test_a_thread_that_is_thought_started_before_it_is_known_is_caught(self) -> None:
        self.is_caught("assertion violated", *GIL_EACH, "MUTANT_AT_ONCE_WORKING")

    def test_a_thread_that_detaches_its_successor_is_caught(self) -> None:
        self.is_caught("assertion violated", *GIL_EACH, "MUTANT_DETACH_BY_HANDLE")

    def test_a_rest_in_two_steps_is_caught(self) -> None:
        self.is_caught("assertion violated", *GIL_EACH, "MUTANT_REST_IN_TWO_STEPS")

    def test_a_call_in_two_steps_is_caught(self) -> None:
        self.is_caught("assertion violated", *GIL_EACH, "MUTANT_TWO_STEPS")

    def test_a_rest_without_a_second_look_is_caught(self) -> None:
        self.is_caught("acceptance cycle", *IDLE, *GIL_EACH, "MUTANT_NO_SECOND_LOOK")


if __name__ == "__main__":
    unittest.main()

"""`tarn run --report` on a terminal: keys reach the program once, and a stop is a stop of the job.

The test plays the shell: the leader of a session on a terminal of its own, which starts tarn in a
process group of its own, in the foreground.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import sys
import termios
import time
import traceback
import unittest
from collections.abc import Callable

from command_support import LISTENER, TARN, CommandTest, state_of, wait_until

# Stops and dies of keys as programs do that know nothing of them.
PLAIN = "import os, time; os.write(1, b'ready %d\\n' % os.getpid()); time.sleep(100)"


class Shell:
    """Runs in the session's leader, with the terminal as its streams."""

    def __init__(self, control: int, environment: dict[str, str]) -> None:
        self.control = control  # the terminal's other end: what a user types and sees
        self.environment = environment
        self.seen = b""

    def start(self, *words: str) -> None:
        self.job = os.fork()
        if self.job == 0:
            os.close(self.control)
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.setpgid(0, 0)
            os.execve(TARN[0], [*TARN, *words], self.environment)
        with contextlib.suppress(PermissionError):  # the child was quicker, and has executed tarn
            os.setpgid(self.job, self.job)
        os.tcsetpgrp(0, self.job)
        self.program = int(self.read_until(b"ready ", b"\n"))

    def type(self, key: bytes) -> None:
        os.write(self.control, key)

    def read_until(self, start: bytes, end: bytes) -> bytes:
        """What the terminal shows between the two, from where the last reading ended."""
        deadline = time.monotonic() + 30
        while True:
            _, found, rest = self.seen.partition(start)
            text, complete, left = rest.partition(end)
            if found and complete:
                self.seen = left
                return text
            if not select.select([self.control], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no {start!r} in {self.seen!r}")
            self.seen += os.read(self.control, 4096)

    def rest(self) -> bytes:
        while select.select([self.control], [], [], 0.3)[0]:
            self.seen += os.read(self.control, 4096)
        return self.seen

    def wait(self) -> int:
        """The job's state as a shell sees it: its exit, or that it has stopped."""
        return os.waitpid(self.job, os.WUNTRACED)[1]

    def continue_in_foreground(self) -> None:
        os.tcsetpgrp(0, self.job)
        os.killpg(self.job, signal.SIGCONT)


class JobControlTest(CommandTest):
    def as_shell(self, scene: Callable[[Shell], None]) -> None:
        """Plays the scene in a process that leads a session of its own."""
        control, terminal = pty.openpty()
        attributes = termios.tcgetattr(terminal)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        reading, writing = os.pipe()
        leader = os.fork()
        if leader == 0:
            status = 1
            try:
                os.setsid()
                for stream in (0, 1, 2):
                    os.dup2(terminal, stream)
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
                os.chdir(self.folder)
                scene(Shell(control, self.environment))
                status = 0
            except BaseException:
                os.write(writing, traceback.format_exc().encode())
            finally:
                os._exit(status)
        os.close(writing)
        os.close(terminal)
        with open(reading) as problems:
            problem = problems.read()
        status = os.waitstatus_to_exitcode(os.waitpid(leader, 0)[1])
        os.close(control)
        self.assertEqual((status, problem), (0, ""))
        self.assert_nothing_is_left()

    def test_ctrl_c_reaches_the_program_once(self) -> None:
        def scene(shell: Shell) -> None:
            shell.start("run", "--report=out.json", "-c", LISTENER)
            shell.type(b"\x03")
            shell.read_until(b"SIGINT", b"\n")
            self.assertEqual(shell.rest(), b"")
            os.kill(shell.job, signal.SIGTERM)
            self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), 7)
            self.assertEqual(shell.rest(), b"SIGTERM\r\n")

        self.as_shell(scene)

    def test_ctrl_c_that_ends_the_program_ends_tarn_by_it_after_the_report(self) -> None:
        def scene(shell: Shell) -> None:
            shell.start("run", "--report", "-c", PLAIN)
            shell.type(b"\x03")
            self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), -signal.SIGINT)
            text = shell.rest()
            self.assertIn(b"KeyboardInterrupt", text)
            self.assertIn(b"was ended by SIGINT", text)

        self.as_shell(scene)

    def test_ctrl_backslash_reaches_the_program_once(self) -> None:
        def scene(shell: Shell) -> None:
            shell.start("run", "--report=out.json", "-c", LISTENER)
            shell.type(b"\x1c")
            shell.read_until(b"SIGQUIT", b"\n")
            self.assertEqual(shell.rest(), b"")
            os.kill(shell.job, signal.SIGTERM)
            self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), 7)

        self.as_shell(scene)

    def test_ctrl_z_stops_the_job_and_it_can_be_continued_again_and_again(self) -> None:
        def scene(shell: Shell) -> None:
            shell.start("run", "--report=out.json", "-c", PLAIN)
            for _ in range(3):
                shell.type(b"\x1a")
                status = shell.wait()
                self.assertTrue(os.WIFSTOPPED(status))
                self.assertEqual(os.WSTOPSIG(status), signal.SIGTSTP)
                self.assertEqual(state_of(shell.program), "T")
                shell.continue_in_foreground()
                wait_until(lambda: state_of(shell.program) == "S" and state_of(shell.job) == "S")
            shell.type(b"\x03")
            self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), -signal.SIGINT)

        self.as_shell(scene)

    def test_a_program_that_handles_ctrl_z_and_goes_on_is_not_left_by_tarn(self) -> None:
        def scene(shell: Shell) -> None:
            shell.start("run", "--report=out.json", "-c", LISTENER)
            shell.type(b"\x1a")
            shell.read_until(b"SIGTSTP", b"\n")
            self.assertEqual(shell.rest(), b"")
            self.assertNotEqual(state_of(shell.job), "T")
            os.kill(shell.job, signal.SIGTERM)
            self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), 7)

        self.as_shell(scene)

    def test_a_program_that_stops_itself_stops_the_job(self) -> None:
        def scene(shell: Shell) -> None:
            for name in ("SIGSTOP", "SIGTSTP"):
                code = PLAIN.replace("time.sleep(100)",
                                     f"import signal; os.kill(os.getpid(), signal.{name});"
                                     "os.write(1, b'on\\n')")
                shell.start("run", "--report=out.json", "-c", code)
                status = shell.wait()
                self.assertTrue(os.WIFSTOPPED(status), name)
                self.assertEqual(os.WSTOPSIG(status), getattr(signal, name))
                shell.continue_in_foreground()
                shell.read_until(b"on", b"\n")
                self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), 0)

        self.as_shell(scene)

    def test_continuing_tarn_alone_continues_the_program(self) -> None:
        def scene(shell: Shell) -> None:
            shell.start("run", "--report=out.json", "-c", PLAIN)
            shell.type(b"\x1a")
            self.assertTrue(os.WIFSTOPPED(shell.wait()))
            os.tcsetpgrp(0, shell.job)
            os.kill(shell.job, signal.SIGCONT)
            wait_until(lambda: state_of(shell.program) == "S")
            shell.type(b"\x03")
            self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), -signal.SIGINT)

        self.as_shell(scene)

    def test_a_read_from_the_background_stops_the_job(self) -> None:
        def scene(shell: Shell) -> None:
            code = PLAIN.replace("time.sleep(100)", "time.sleep(0.5); print('got', input())")
            shell.start("run", "--report=out.json", "-c", code)
            os.tcsetpgrp(0, os.getpgrp())
            status = shell.wait()
            self.assertTrue(os.WIFSTOPPED(status))
            self.assertEqual(os.WSTOPSIG(status), signal.SIGTTIN)
            shell.continue_in_foreground()
            shell.type(b"words\n")
            self.assertEqual(shell.read_until(b"got ", b"\r\n"), b"words")
            self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), 0)

        self.as_shell(scene)

    def test_the_report_on_a_terminal_is_coloured_unless_that_is_unwanted(self) -> None:
        def scene(shell: Shell) -> None:
            for no_colour, expected in (("", True), ("1", False)):
                shell.environment["NO_COLOR"] = no_colour
                shell.start("run", "--report", "-c", PLAIN.replace("time.sleep(100)", ""))
                self.assertEqual(os.waitstatus_to_exitcode(shell.wait()), 0)
                self.assertEqual(b"\x1b[1mtarn: python3" in shell.rest(), expected)
                shell.seen = b""

        self.as_shell(scene)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)

"""Signals that reach tarn while it waits for the program of `tarn run --report`."""

from __future__ import annotations

import os
import signal
import subprocess
import unittest

from command_support import LISTENER, CommandTest, state_of, wait_until


class SignalTest(CommandTest):
    def listen(self, **options: object) -> subprocess.Popen[str]:
        process = self.start("run", "--report=out.json", "-c", LISTENER, **options)
        self.program = int(self.next_line(process).split()[1])
        return process

    def next_line(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().rstrip("\n")

    def end(self, process: subprocess.Popen[str]) -> list[str]:
        """Ends the listener; what it got besides."""
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)
        self.assertEqual((process.returncode, errors), (7, ""))
        self.assert_nothing_is_left()
        self.assertEqual(output.splitlines()[-1], "SIGTERM")
        return output.splitlines()[:-1]

    def test_signals_to_tarn_are_passed_on_once(self) -> None:
        process = self.listen()
        for name in ("SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGALRM",
                     "SIGCONT", "SIGTSTP"):
            process.send_signal(getattr(signal, name))
            self.assertEqual(self.next_line(process), name)
        self.assertEqual(self.end(process), [])

    def test_the_exit_status_of_a_program_that_catches_a_signal_is_its_own(self) -> None:
        self.assertEqual(self.end(self.listen()), [])

    def test_a_program_that_does_not_catch_a_signal_makes_tarn_end_by_it(self) -> None:
        process = self.start("run", "--report", "-c",
                             "import time; print('ready', flush=True); time.sleep(100)")
        self.next_line(process)
        process.send_signal(signal.SIGHUP)
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, -signal.SIGHUP)
        self.assertIn("it was ended by SIGHUP", errors)
        self.assert_nothing_is_left()

    def test_a_signal_from_the_program_to_its_group_is_not_passed_back(self) -> None:
        code = LISTENER.replace("while True:", "os.kill(0, signal.SIGUSR1)\nwhile True:")
        process = self.start("run", "--report=out.json", "-c", code, start_new_session=True)
        self.next_line(process)
        self.assertEqual(self.next_line(process), "SIGUSR1")
        self.assertEqual(self.end(process), [])

    def test_an_ignored_sigchld_does_not_lose_the_status(self) -> None:
        result = self.tarn("run", "--report=out.json", "-c", "raise SystemExit(9)",
                           preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.check(result, 9)

    def test_an_alarm_that_was_set_before_reaches_the_program(self) -> None:
        process = self.listen(preexec_fn=lambda: signal.alarm(1))
        self.assertEqual(self.next_line(process), "SIGALRM")
        self.assertEqual(self.end(process), [])

    def test_without_a_report_the_program_gets_its_signals_itself(self) -> None:
        process = self.start("run", "-c", LISTENER)
        self.assertEqual(self.next_line(process), f"ready {process.pid}")
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(self.next_line(process), "SIGUSR1")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 7)

    def test_a_program_that_stops_and_is_continued_by_its_id_does_not_leave_tarn_behind(self) -> None:
        process = self.listen(start_new_session=True)
        os.kill(self.program, signal.SIGSTOP)
        wait_until(lambda: state_of(self.program) == "T")
        os.kill(self.program, signal.SIGCONT)
        self.assertEqual(self.next_line(process), "SIGCONT")
        self.assertEqual(self.end(process), [])


if __name__ == "__main__":
    unittest.main()

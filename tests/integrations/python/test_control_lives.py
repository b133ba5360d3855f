"""The control channel in every life that a process can have: short ones, ends, forks, another program in its place."""

from __future__ import annotations

import os
import select
import time
import unittest
from pathlib import Path

from control_support import SCATTERED, ControlTest, connected, facts, sockets_of, wait_for_socket
from hook_support import pythons, run


class LivesThatItCanHave(ControlTest):
    def test_python_ends_while_it_releases_though_nobody_is_told(self) -> None:
        for python in self.each():
            running = self.running(python, SCATTERED.replace("1200000", "2600000") + "import atexit, time")
            path = wait_for_socket(self.runtime, running.pid)
            with connected(path) as client:
                client.sendall(b"release\n")
                running.do("atexit._clear(); time.sleep(0.01)")
                self.ends_well(running)

    def test_off_means_no_thread_and_no_file(self) -> None:
        for python in self.each():
            running = self.running(python, TARN_CONTROL="off")
            running.do("import time, os; time.sleep(0.3); print(len(os.listdir('/proc/self/task')))")
            self.assertEqual(running.do("print(len(os.listdir('/proc/self/task')))"), "1\n")
            self.assertEqual(list(self.runtime.rglob("*")), [])
            self.ends_well(running)

    def test_a_malformed_setting_is_said_and_it_is_on(self) -> None:
        outcome = run([pythons()[0].path, "-c", "pass"], {"TARN_CONTROL": "perhaps"})
        self.assertEqual((outcome.status, outcome.err),
                         (0, "tarn: TARN_CONTROL=perhaps is none of: on off; on is used\n"))

    def test_a_short_program_leaves_nothing(self) -> None:
        for python in self.each():
            for code in ("pass", "import sys; sys.exit(0)", "import os; os._exit(0)",
                         "import atexit; atexit._clear()"):
                outcome = run([python.path, "-c", code], {"XDG_RUNTIME_DIR": str(self.runtime)})
                self.assertEqual((outcome.status, outcome.err), (0, ""))
            self.assertEqual(list(self.runtime.rglob("*-*")), [])

    def test_the_file_goes_at_exit_whenever_that_is(self) -> None:
        for python in self.each():
            for seconds in (0.09, 0.1, 0.11, 0.15):
                for ending in ("pass", "import atexit; atexit._clear()"):
                    outcome = run([python.path, "-c", f"import time; time.sleep({seconds}); {ending}"],
                                  {"XDG_RUNTIME_DIR": str(self.runtime)})
                    self.assertEqual((outcome.status, outcome.err), (0, ""))
            self.assertEqual(list(self.runtime.rglob("*-*")), [])

    def test_a_process_ends_while_it_is_asked(self) -> None:
        for python in self.each():
            for request in ("statistics\n", "release\n", "sta", ""):
                running = self.running(python, SCATTERED)
                path = wait_for_socket(self.runtime, running.pid)
                with connected(path) as client:
                    client.sendall(request.encode())
                    started = time.monotonic()
                    self.ends_well(running)
                    self.assertLess(time.monotonic() - started, 5)

    def test_parent_and_child_answer_after_a_fork(self) -> None:
        for python in self.each():
            for thread in (False, True):
                running = self.running(python, """
import os, threading, warnings
def fork_and_wait():
    global child, finish
    wait, finish = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(finish)
        os.read(wait, 1)
        os._exit(0)
    os.close(wait)
def fork_in_thread():
    warnings.simplefilter("ignore")  # two threads are there, whoever made them
    thread = threading.Thread(target=fork_and_wait)
    thread.start()
    thread.join()
""", "-W", "error")
                running.ask("release\n")
                child = int(running.do("fork_in_thread(); print(child)" if thread else "fork_and_wait(); print(child)"))
                self.assertEqual(facts(running.ask("statistics\n"))["pid"], str(running.pid))
                self.assertEqual(facts(running.ask("statistics\n", child))["pid"], str(child))
                running.do("os.close(finish); print(os.waitpid(child, 0))")
                self.assertIn("released", running.ask("release\n"))
                self.ends_well(running)

    def test_children_that_only_execute_have_no_socket(self) -> None:
        for python in self.each():
            running = self.running(python, "import subprocess, time, os")
            running.ask("release\n")
            running.do("children = [subprocess.Popen(['/bin/sleep', '9'], close_fds=close) for close in (False, True)]")
            time.sleep(0.3)
            for child in running.do("print(*[child.pid for child in children])").split():
                self.assertEqual(sockets_of(self.runtime, int(child)), [])
                files = [os.readlink(file) for file in Path(f"/proc/{child}/fd").iterdir()]
                self.assertEqual([file for file in files if file.startswith("socket:")], [])
            running.do("[child.kill() for child in children]; [child.wait() for child in children]")
            running.ask("release\n")
            self.ends_well(running)

    def test_a_program_that_executes_another_in_its_place(self) -> None:
        python = pythons()[0]
        running = self.running(python, "import os, sys")
        path = wait_for_socket(self.runtime, running.pid)
        again = "import sys; print('done', flush=True); sys.stdin.read()"
        running.do(f"os.execv(sys.executable, [sys.executable, '-c', {again!r}])")
        self.assertEqual(wait_for_socket(self.runtime, running.pid), path)
        self.assertIn("released", running.ask("release\n"))
        self.ends_well(running)

    def test_it_forks_again_and_again_while_it_is_asked(self) -> None:
        for python in self.each():
            running = self.running(python, SCATTERED + """
import os, time, warnings
warnings.simplefilter("ignore")
def fork(times):
    for turn in range(times):
        child = os.fork()
        if child == 0:
            whole()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
""")
            wait_for_socket(self.runtime, running.pid)
            assert running.process.stdin is not None and running.process.stdout is not None
            running.process.stdin.write("fork(60)\n")
            running.process.stdin.flush()
            while not select.select([running.process.stdout], [], [], 0)[0]:
                self.assertIn("released", running.ask("release\n"))
            self.assertEqual(running.process.stdout.readline(), "done\n")
            running.do("whole()")
            self.ends_well(running)


if __name__ == "__main__":
    unittest.main()

"""The control channel's socket: whose it is, who asks and however, and what becomes of its file."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import time
import unittest
from pathlib import Path

from control_support import SCATTERED, ControlTest, connected, read_all, sockets_of, wait_for_socket
from hook_support import pythons

GREETING = "tarn-control 1\n"


class WhoAsks(ControlTest):
    def test_only_the_owner_can_reach_the_socket(self) -> None:
        running = self.running(pythons()[0])
        path = wait_for_socket(self.runtime, running.pid)
        folder = path.parent.stat()
        self.assertEqual((stat.S_IMODE(folder.st_mode), folder.st_uid), (0o700, os.geteuid()))
        with connected(path) as client:
            peer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            self.assertEqual(int.from_bytes(peer[:4], "little"), running.pid)
        self.ends_well(running)

    def test_hostile_clients(self) -> None:
        for python in self.each():
            running = self.running(python, SCATTERED)
            path = wait_for_socket(self.runtime, running.pid)
            unknown = GREETING + "error unknown request\nend\n"
            too_long = GREETING + "error request too long\nend\n"
            for request, answer in (("\n", unknown), ("frob\n", unknown), ("release \n", unknown),
                                    ("RELEASE\n", unknown), ("\0\xff\x1b[2J\n", unknown),
                                    ("x" * 127 + "\n", unknown), ("x" * 128, too_long), ("x" * 100000, too_long)):
                with connected(path) as client:
                    with contextlib.suppress(ConnectionError):
                        client.sendall(request.encode("latin-1"))
                    self.assertIn(read_all(client), (answer, "") if len(request) > 129 else (answer,))
            with connected(path) as client:  # half a line, then nothing: dropped after a second
                client.sendall(b"relea")
                started = time.monotonic()
                self.assertEqual(read_all(client), "")
                self.assertLess(time.monotonic() - started, 5)
            for _ in range(200):  # gone at once
                with connected(path):
                    pass
            for _ in range(20):  # doesn't read
                with connected(path) as client:
                    client.sendall(b"statistics\n")
            idle = [socket.socket(socket.AF_UNIX) for _ in range(8)]  # many at once, who say nothing
            for client in idle:
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    client.connect(str(path))
            running.do("whole()")
            for client in idle:
                client.close()
            self.assertIn("released", running.ask("release\n"))
            self.assertIn("released", running.ask("release\nrelease\nfrob\n"))
            self.ends_well(running)

    def test_a_client_that_does_not_read_is_dropped(self) -> None:
        running = self.running(pythons()[0])
        path = wait_for_socket(self.runtime, running.pid)
        with connected(path) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            client.sendall(b"statistics\n")
            started = time.monotonic()
            self.assertIn("released", running.ask("release\n"))
            self.assertLess(time.monotonic() - started, 5)
        self.ends_well(running)

    def test_a_program_closes_every_descriptor(self) -> None:
        for python in self.each():
            running = self.running(python, "import os, resource")
            wait_for_socket(self.runtime, running.pid)
            time.sleep(0.3)  # the client that this was is seen off
            running.do("os.closerange(3, 4096); files = [os.open('/dev/null', os.O_RDONLY) for _ in range(1000)]")
            time.sleep(0.5)  # it's seen, waited for, and opened anew
            self.assertIn("released", running.ask("release\n"))
            running.do("[os.fstat(file) for file in files]; [os.close(file) for file in files]")
            self.assertIn("released", running.ask("release\n"))
            self.ends_well(running)

    def test_stale_files_go_when_a_process_starts(self) -> None:
        python = pythons()[0]
        dead = self.running(python)
        stale = wait_for_socket(self.runtime, dead.pid)
        dead.process.kill()
        dead.process.communicate()
        self.assertTrue(stale.exists())
        other = stale.with_name("notes")
        other.write_text("not a socket's name")
        running = self.running(python)
        wait_for_socket(self.runtime, running.pid)
        self.assertFalse(stale.exists())
        self.assertTrue(other.exists())
        self.ends_well(running)

    def test_a_file_at_which_somebody_listens_stays(self) -> None:
        """As that of a process in another namespace of process ids, which can't be seen from here."""
        python = pythons()[0]
        folder = self.runtime / "tarn"
        folder.mkdir(mode=0o700)
        gone = subprocess.Popen(["true"])
        gone.wait()
        path = folder / f"{gone.pid}-4711"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            running = self.running(python)
            wait_for_socket(self.runtime, running.pid)
            self.assertTrue(path.exists())
            with connected(path):
                pass
            self.ends_well(running)
            self.assertTrue(path.exists())
        running = self.running(python)
        wait_for_socket(self.runtime, running.pid)
        self.assertFalse(path.exists())
        self.ends_well(running)

    def test_a_folder_that_others_can_enter_is_not_used(self) -> None:
        python = pythons()[0]
        folder = self.runtime / "tarn"
        elsewhere = self.runtime / "elsewhere"
        elsewhere.mkdir(mode=0o700)

        def wrong_mode() -> None:
            folder.mkdir()
            folder.chmod(0o750)

        def link() -> None:
            folder.rmdir()
            folder.symlink_to(elsewhere)

        def of_other_user() -> None:
            folder.unlink()
            folder.mkdir(mode=0o700)
            os.chown(folder, 12345, 12345)

        def open_above() -> None:
            os.chown(folder, 0, 0)
            self.runtime.chmod(0o755)

        for prepare in (wrong_mode, link, of_other_user, open_above):
            if prepare in (of_other_user, open_above) and os.geteuid() != 0:
                continue
            with self.subTest(prepare=prepare.__name__):
                prepare()
                running = self.running(python)
                fallback = Path(f"/tmp/tarn-{os.geteuid()}")
                end = time.monotonic() + 20
                while not list(fallback.glob(f"{running.pid}-*")) and time.monotonic() < end:
                    time.sleep(0.02)
                self.assertEqual(len(list(fallback.glob(f"{running.pid}-*"))), 1)
                self.assertEqual(sockets_of(self.runtime, running.pid), [])
                self.assertEqual(list(elsewhere.iterdir()), [])
                self.ends_well(running)


if __name__ == "__main__":
    unittest.main()

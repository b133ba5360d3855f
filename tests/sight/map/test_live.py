"""tarn map of a running process: the page beside its snapshot, and the one that is served."""

from __future__ import annotations

import http.client
import os
import re
import signal
import sys
import unittest
from pathlib import Path
from urllib.parse import urlsplit

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "tools"), str(Path(__file__).resolve().parent)]

from command_support import CommandTest, wait_until  # noqa: E402
from test_map import data_of  # noqa: E402

PROGRAM = """
class Session:
    pass
cache = {i: Session() for i in range(500)}
word = "a word to be seen"
print("ready", flush=True)
import time
time.sleep(600)
"""


class LiveTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        del self.environment["TARN_LIBRARY"]  # it is found beside the command
        self.write("service.py", PROGRAM)
        self.program = self.start("run", "service.py")
        assert self.program.stdout is not None
        self.assertEqual(self.program.stdout.readline(), "ready\n")

    def sessions(self, page: str, snapshot: int) -> int:
        data = data_of(re.sub(r'<script [^>]*data-name="live">\d+</script>\n', "", page))
        kind = data["names"]["type.name"].index("Session") + 1
        columns = data[str(snapshot)]
        return sum(1 for i, state in enumerate(columns["slot.state"]) if state & 15 == 5 and columns["slot.type"][i] == kind)

    def serve(self, *options: str) -> tuple[object, str, int, str]:
        server = self.start("map", "--live", *options, str(self.program.pid))
        for line in server.stdout:  # type: ignore[union-attr]
            found = re.fullmatch(r"The map is at (http://127\.0\.0\.1:(\d+)/[0-9a-f]{32}/) until Ctrl-C\.\n", line)
            if found is not None:
                return server, found[1], int(found[2]), urlsplit(found[1]).path
        self.fail(f"it serves nothing: {server.stderr.read()}")  # type: ignore[union-attr]

    def get(self, port: int, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.getheaders()), text

    def test_of_a_process_a_snapshot_is_taken_and_kept_beside_the_page(self) -> None:
        result = self.tarn("map", "-o", "there.html", str(self.program.pid))
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        self.assertTrue((self.folder / "there.tarn.sqlite").exists())
        self.assertEqual(self.sessions((self.folder / "there.html").read_text(), 0), 500)

    def test_what_objects_contain_is_shown_only_where_it_was_asked_for(self) -> None:
        def texts(page: str) -> list[str]:
            return data_of(re.sub(r'<script [^>]*data-name="live">\d+</script>\n', "", page))["0"]["value.text"]

        for options in ((), ("--values",)):
            result = self.tarn("map", *options, "-o", "there.html", str(self.program.pid))
            self.assertEqual((result.returncode, result.stderr), (0, ""), result)
            self.assertEqual(", with what " in result.stdout, bool(options))
            self.assertEqual("'a word to be seen'" in texts((self.folder / "there.html").read_text()), bool(options))
            _, _, port, path = self.serve(*options)
            self.assertEqual("'a word to be seen'" in texts(self.get(port, path)[2]), bool(options))

    def test_the_page_is_served_with_a_new_snapshot_whenever_it_is_asked_for(self) -> None:
        server, _, port, path = self.serve("--every=7")
        status, headers, page = self.get(port, path)
        self.assertEqual((status, headers["Cache-Control"], self.sessions(page, 0)), (200, "no-store", 500))
        self.assertIn('data-name="live">7</script>', page)
        wait_until(lambda: self.get(port, path + "new")[0] == 303 and 'data-name="1"' in self.get(port, path)[2])
        page = self.get(port, path)[2]
        self.assertEqual(self.sessions(page, 1), 500)
        data = data_of(re.sub(r'<script [^>]*data-name="live">\d+</script>\n', "", page))
        for snapshot in ("0", "1"):
            self.assertIn('"__main__.Session"', data[snapshot]["why.type"][0])

    def test_without_the_token_or_by_another_name_nothing_is_told(self) -> None:
        server, _, port, path = self.serve()
        self.assertEqual(self.get(port, "/")[0], 404)
        self.assertEqual(self.get(port, path[:-2] + "/")[0], 404)
        self.assertEqual(self.get(port, path, Host="evil.example")[0], 403)
        self.assertEqual(self.get(port, path + "new", Sec_Fetch_Site="cross-site")[0], 403)

    def test_it_listens_on_this_machine_alone_and_leaves_nothing_behind(self) -> None:
        server, _, port, path = self.serve()
        listening = [line.split() for line in Path(f"/proc/{server.pid}/net/tcp").read_text().splitlines()[1:]]
        self.assertIn(f"0100007F:{port:04X}", [line[1] for line in listening if line[3] == "0A"])
        self.assertEqual(len(list(self.temporary.glob("tarn-map-*"))), 1)
        server.send_signal(signal.SIGINT)
        self.assertEqual(server.wait(30), -signal.SIGINT)
        self.assertEqual(list(self.temporary.glob("tarn-map-*")), [])

    def test_when_the_process_has_ended_the_last_page_stays_and_the_next_says_so(self) -> None:
        server, _, port, path = self.serve()
        self.program.kill()
        self.program.wait()
        wait_until(lambda: self.get(port, path + "new")[0] == 500)
        self.assertRegex(self.get(port, path + "new")[2], rf"{self.program.pid}")
        self.assertEqual(self.get(port, path)[0], 200)

    def test_what_cannot_be_meant(self) -> None:
        hint = "; try 'tarn map --help'\n"
        self.check(self.tarn("map", "--live", "file.sqlite"), 2, "", f"tarn: --live takes a process id{hint}")
        self.check(self.tarn("map", "--live", "-o", "x.html", "1"), 2, "", f"tarn: --live writes no file{hint}")
        self.check(self.tarn("map", "--every=5", "1"), 2, "", f"tarn: --every and --port are for --live{hint}")
        self.write("there.sqlite", "")
        self.check(self.tarn("map", "--values", "there.sqlite"), 2, "",
                   f"tarn: --values is for a process id: a file has values or not{hint}")
        self.check(self.tarn("map", str(os.getpid())), 1, "", self.tarn("snapshot", str(os.getpid())).stderr)


if __name__ == "__main__":
    unittest.main()

"""tarn why of programs as people run them, checked by acting as in test_why_on_tarn.py: a Flask application on the waitress server
under load, a batch that parses data, a server of forked workers. On one Python: which objects hold what is the same on all."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import signal
import subprocess
import threading
import unittest
from pathlib import Path

from command_support import PYTHON
import test_why_on_tarn
from test_why_on_tarn import ORDERS, resident

CLIENTS = 4

FLASK = """
import gc, logging, sys, threading
from flask import Flask, jsonify, request
from waitress.server import create_server
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
app = Flask("shop")
class Session:
    def __init__(self, number, facts):
        self.number = number
        self.user = facts["user"]
        self.history = facts["history"]
SESSIONS = {}
catalogue = [{"id": number, "title": "thing %d" % number, "price": number / 7} for number in range(3000)]
@app.put("/sessions/<int:number>")
def log_in(number):
    SESSIONS[number] = Session(number, request.get_json())
    first = number * 31 % 2900
    return jsonify(user=SESSIONS[number].user, offers=catalogue[first:first + 20])
@app.delete("/sessions")
def log_all_out():
    ended = len(SESSIONS)
    for number in SESSIONS:
        SESSIONS[number] = None
    return jsonify(ended=ended)
server = create_server(app, host="127.0.0.1", port=0, threads=4)
threading.Thread(target=server.run, daemon=True).start()
print(server.effective_port, flush=True)
"""

# Measurements come as CSV with a column of JSON; what is read of them is kept by station, and a few lines by their day.
BATCH = """
import csv, gc, io, json, random, re, sys
chance = random.Random(21)
def lines():
    yield "day,station,values\\n"
    for number in range(40_000):
        values = json.dumps({"kind": "kind %d" % (number % 7), "list": [chance.random() for _ in range(6)], "note": "n%d" % number})
        yield '2026-%02d-%02d,station %d,"%s"\\n' % (number % 12 + 1, number % 28 + 1, number % 900, values.replace('"', '""'))
class Measurement:
    __slots__ = ("day", "values", "tags")
    def __init__(self, row):
        self.day = row["day"]
        self.values = json.loads(row["values"])
        self.tags = tuple(re.findall(r"\\w+", row["station"] + " " + self.day))
by_station = {}
by_day = {}
for number, row in enumerate(csv.DictReader(lines())):
    made = Measurement(row)
    by_station.setdefault(row["station"], []).append(made)
    if number % 50 == 0:
        by_day.setdefault(row["day"], []).append(row)
del made, row
"""

# Two workers share a listening socket and what their parent had read; each keeps documents of its own.
FORKED = """
import gc, http.server, json, os, signal, socket, sys
words = ["word %d" % number for number in range(50_000)]
listening = socket.create_server(("127.0.0.1", 0), backlog=64)
class Document:
    def __init__(self, body):
        self.body = body
        self.words = body["text"].split()
DOCUMENTS = {}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        DOCUMENTS[self.path] = Document(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer()
    def do_DELETE(self):
        for path in DOCUMENTS:
            DOCUMENTS[path] = None
        gc.collect()
        self.answer()
    def answer(self):
        text = json.dumps({"pid": os.getpid(), "documents": len(DOCUMENTS)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *arguments):
        pass
class Server(http.server.HTTPServer):
    def __init__(self):
        super().__init__(listening.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_port = listening.getsockname()[1]
        self.server_name = "localhost"
workers = []
for number in range(2):
    worker = os.fork()
    if worker == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        Server().serve_forever()
    workers.append(worker)
print(listening.getsockname()[1], *workers, flush=True)
"""


def ask(port: int, method: str, path: str, body: object = None) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {} if text is None else {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return json.loads(answer.read())
    finally:
        connection.close()


def at_once(count: int, one: object) -> None:
    """one(number) for each number, by several clients."""
    failures: list[BaseException] = []

    def client(first: int) -> None:
        try:
            for number in range(first, count, CLIENTS):
                one(number)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001: said by the test's thread
            failures.append(error)

    threads = [threading.Thread(target=client, args=(first,)) for first in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Services(test_why_on_tarn.ActingTest):
    def begin_service(self, code: str) -> tuple[subprocess.Popen[str], int]:
        process = self.start("run", "--python", Path(PYTHON), "-c", code + ORDERS, stdin=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        assert process.stdout is not None
        line = process.stdout.readline()
        port, *workers = map(int, line.split())
        for worker in workers:
            self.addCleanup(os.kill, worker, signal.SIGKILL)
        self.assertEqual(process.stdout.readline(), "ready\n", line)
        return process, port

    @unittest.skipUnless(importlib.util.find_spec("flask") and importlib.util.find_spec("waitress"),
                         "no flask or waitress: scripts/install-dependencies test")
    def test_a_flask_service_under_load(self) -> None:
        process, port = self.begin_service(FLASK)
        at_once(2400, lambda number: ask(port, "PUT", f"/sessions/{number}", {
            "user": f"user {number}", "history": [{"path": f"/things/{number * i}", "text": "x" * (i * 7 % 60)} for i in range(40)]}))
        self.order(process, "pass")
        first = self.why(process)["answers"][0]
        self.assertEqual((first["type"], first["objects"], first["holders"][0]["name"]),
                         ("__main__.Session", 2400, "__main__.SESSIONS"))
        before = self.release(process)
        self.assertEqual(ask(port, "DELETE", "/sessions"), {"ended": 2400})
        self.order(process, "pass")
        self.expect_near(first["returns"], before - self.release(process))

    def test_a_batch_that_parses_data(self) -> None:
        process = self.begin(Path(PYTHON), BATCH)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        first = self.why(process)["answers"][0]
        self.assertEqual((first["type"], first["objects"], first["holders"][0]["name"]),
                         ("__main__.Measurement", 40_000, "__main__.by_station"))
        self.expect_near(first["returns"], self.fall(process, "for station in by_station: by_station[station].clear()"))

    def test_the_workers_of_a_forking_server(self) -> None:
        process, port = self.begin_service(FORKED)
        held: dict[int, int] = {}
        lock = threading.Lock()

        def put(number: int) -> None:
            said = ask(port, "PUT", f"/documents/{number}", {"text": " ".join(f"word{number * i}" for i in range(150))})
            with lock:
                held[said["pid"]] = said["documents"]

        at_once(2000, put)
        for number in range(2000, 20_000):  # until the system has given both enough
            if len(held) == 2 and min(held.values()) >= 400:
                break
            put(number)
        firsts = {pid: self.why_of(pid) for pid in held}
        before = {pid: self.released(pid) for pid in held}
        emptied: set[int] = set()
        while emptied != set(held):
            emptied.add(ask(port, "DELETE", "/documents")["pid"])
        for pid, first in firsts.items():
            self.assertEqual((first["type"], first["objects"], first["holders"][0]["name"]),
                             ("__main__.Document", held[pid], "__main__.DOCUMENTS"))
            self.expect_near(first["returns"], before[pid] - self.released(pid))

    def why_of(self, pid: int) -> dict:
        result = self.tarn("why", "--json", pid)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)["answers"][0]

    def released(self, pid: int) -> int:
        self.assertEqual(self.tarn("release", pid).returncode, 0)
        return resident(pid)


if __name__ == "__main__":
    unittest.main()

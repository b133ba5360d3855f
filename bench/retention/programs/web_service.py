"""A Flask application on the waitress server holds sessions under load from eight clients; then most of them leave."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

from _program import Load, announce, run
from flask import Flask, jsonify, request
from waitress.server import create_server

NEEDS = ("flask", "waitress")
CLIENTS = Path(__file__).with_name("_clients.py")


def make_application(sessions: dict[int, dict[str, object]]) -> Flask:
    application = Flask(__name__)
    catalogue = [{"id": number, "title": f"thing {number}", "price": number % 97 + 0.5} for number in range(5000)]

    @application.put("/sessions/<int:number>")
    def log_in(number: int):
        session = request.get_json()
        sessions[number] = session
        first = number * 31 % (len(catalogue) - 20)
        return jsonify(user=session["user"], offers=catalogue[first : first + 20])

    @application.post("/sessions/leave")
    def leave():
        ended = [sessions.pop(number, None) for number in request.get_json()]
        return jsonify(ended=len(ended), sessions=len(sessions))

    return application


def clients(port: int, what: str, count: int) -> str:
    """Runs the clients to their end. They aren't what is measured: neither in memory (not announced) nor in time."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-B", str(CLIENTS), str(port), what, str(count)]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout


def main(load: Load) -> None:
    sessions: dict[int, dict[str, object]] = {}
    # Eight clients on four threads: that requests wait is meant, and needs no line each time.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(make_application(sessions), host="127.0.0.1", port=0, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    count = load.scaled(6000)
    load.check(clients(server.effective_port, "arrive", count), len(sessions))
    load.peak()
    load.check(clients(server.effective_port, "leave", count), sorted(sessions))
    generator = resource.getrusage(resource.RUSAGE_CHILDREN)
    announce(f"others {generator.ru_utime + generator.ru_stime:.6f}")
    load.idle(sessions, server)


run(main)

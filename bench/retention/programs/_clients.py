"""The load on `web_service`: eight clients at once, each on a connection that stays open.

    _clients.py PORT arrive COUNT     so many sessions begin, each with a JSON document of about 8 KiB
    _clients.py PORT leave COUNT      97 in 100 of them end, in an order of their own

Prints how many requests were answered; any answer but 200 ends it with an error.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor

CLIENTS = 8
LEAVE_AT_ONCE = 100


def session(number: int) -> bytes:
    chance = random.Random(number)
    events = [
        {"page": f"/things/{chance.randrange(100_000)}", "seconds": chance.randrange(600), "from": f"mail {number}"}
        for _ in range(chance.randrange(20, 180))
    ]
    return json.dumps({"user": f"user {number}", "is_known": True, "events": events}).encode()


def requests(what: str, count: int) -> list[tuple[str, str, bytes | None, int]]:
    """Method, path, body; a session's document is made from its number when it is sent."""
    if what == "arrive":
        return [("PUT", f"/sessions/{number}", None, number) for number in range(count)]
    leaving = list(range(count))
    random.Random(5).shuffle(leaving)
    leaving = leaving[count * 3 // 100 :]
    groups = [leaving[start : start + LEAVE_AT_ONCE] for start in range(0, len(leaving), LEAVE_AT_ONCE)]
    return [("POST", "/sessions/leave", json.dumps(group).encode(), 0) for group in groups]


def client(port: int, mine: list[tuple[str, str, bytes | None, int]]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for method, path, body, number in mine:
        connection.request(method, path, body or session(number), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.reason}")
    connection.close()
    return len(mine)


def main(port: int, what: str, count: int) -> None:
    every = requests(what, count)
    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = pool.map(client, [port] * CLIENTS, [every[first::CLIENTS] for first in range(CLIENTS)])
        print(sum(answered), "requests answered")


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

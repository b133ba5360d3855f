"""Regular expressions over a web server's log: match with named groups, findall, sub with a function, split."""

from __future__ import annotations

import random
import re
from collections import Counter

from _program import Checksum, Scale, run

LINE = re.compile(
    r"(?P<host>\d+\.\d+\.\d+\.\d+) - (?P<user>\S+) \[(?P<when>[^\]]+)\] "
    r'"(?P<verb>GET|POST|PUT) (?P<path>[^ ?"]*)(?:\?(?P<query>[^ "]*))? HTTP/1\.[01]" (?P<status>\d{3}) (?P<size>\d+|-)'
)
WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
NUMBER = re.compile(r"\b\d+\b")
PAIR = re.compile(r"([^&=]+)=([^&]*)")


def make_line(chance: random.Random) -> str:
    host = ".".join(str(chance.randrange(256)) for _ in range(4))
    path = "/".join(chance.choice(["shop", "img", "api", "it's", "user"]) + str(chance.randrange(90)) for _ in range(3))
    query = "?" + "&".join(f"{key}={chance.randrange(999)}" for key in "abc") if chance.random() < 0.5 else ""
    when = f"22/Nov/2023:17:{chance.randrange(60):02}:09 +0100"
    status = chance.choice([200, 200, 200, 304, 404, 500])
    return f'{host} - - [{when}] "GET /{path}{query} HTTP/1.1" {status} {chance.randrange(99999)}'


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(5)
    lines = [make_line(chance) for _ in range(3000)]
    text = "\n".join(lines)
    for _ in range(scale(18)):
        statuses: Counter[str] = Counter()
        arguments: Counter[str] = Counter()
        for line in lines:
            match = LINE.match(line)
            assert match is not None
            fields = match.groupdict()
            statuses[fields["status"]] += int(fields["size"])
            for key, value in PAIR.findall(fields["query"] or ""):
                arguments[key] += int(value)
        checksum.add(sorted(statuses.items()), sorted(arguments.items()))
        checksum.add(len(WORD.findall(text)), len(NUMBER.split(text)))
        checksum.add_bytes(NUMBER.sub(lambda found: str(int(found.group()) * 2), text).encode())


run(main)

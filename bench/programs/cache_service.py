"""A service with a bounded cache: answers of many sizes are made, kept for a while and pushed out, for a long time.

The churn of a real server: what is alive changes all the while and how much is alive doesn't.
"""

from __future__ import annotations

import random
from collections import OrderedDict

from _program import Checksum, Scale, run


class Answer:
    def __init__(self, key: str, body: bytes, headers: dict[str, str], parts: list[str]) -> None:
        self.key = key
        self.body = body
        self.headers = headers
        self.parts = parts
        self.hits = 0


class Cache:
    """Keeps the answers that were used last, up to so many bytes of bodies."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self.answers: OrderedDict[str, Answer] = OrderedDict()
        self.evictions = 0

    def get(self, key: str) -> Answer | None:
        answer = self.answers.get(key)
        if answer is not None:
            self.answers.move_to_end(key)
            answer.hits += 1
        return answer

    def put(self, answer: Answer) -> None:
        self.answers[answer.key] = answer
        self.size += len(answer.body)
        while self.size > self.capacity:
            _, oldest = self.answers.popitem(last=False)
            self.size -= len(oldest.body)
            self.evictions += 1


def make_answer(key: str, chance: random.Random) -> Answer:
    # Most answers are small and a few are large, as on the web.
    length = min(int(40 * chance.paretovariate(0.9)), 200000)
    parts = [f"{key}/part-{number}" for number in range(length % 9 + 1)]
    headers = {"content-type": "text/plain", "etag": f'"{length:x}-{key}"', "x-served": f"{len(parts)} parts"}
    return Answer(key, (key.encode() + b" ") * (length // len(key) + 1), headers, parts)


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(16)
    cache = Cache(24_000_000)
    hits = 0
    for request in range(scale(140000)):
        key = f"/article/{int(chance.expovariate(1 / 60000))}/{request % 3}"
        answer = cache.get(key)
        if answer is None:
            answer = make_answer(key, chance)
            cache.put(answer)
        else:
            hits += 1
        if request % 20000 == 0:
            checksum.add(request, hits, cache.size, cache.evictions, answer.headers["etag"])
    checksum.add(hits, cache.size, cache.evictions, len(cache.answers))


run(main)

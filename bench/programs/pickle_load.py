"""Unpickle records by the batch, as a worker process does, keeping a window of the last few batches."""

from __future__ import annotations

import pickle
import random
from collections import deque

from _program import Checksum, Scale, run


class Reading:
    def __init__(self, sensor: str, moment: int, values: list[float], tags: dict[str, str]) -> None:
        self.sensor = sensor
        self.moment = moment
        self.values = values
        self.tags = tags


def make_batch(chance: random.Random, size: int) -> bytes:
    return pickle.dumps(
        [
            Reading(
                f"sensor-{chance.randrange(4000)}",
                1_700_000_000 + number,
                [chance.gauss(20, 5) for _ in range(6)],
                {"site": f"site {chance.randrange(40)}", "unit": "°C", "firmware": f"2.{chance.randrange(9)}"},
            )
            for number in range(size)
        ],
        protocol=4,
    )


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(4)
    batches = [make_batch(chance, 4000) for _ in range(5)]
    window: deque[list[Reading]] = deque(maxlen=20)
    for turn in range(scale(38)):
        window.append(pickle.loads(batches[turn % len(batches)]))
        hottest = max(window[-1], key=lambda reading: reading.values[0])
        checksum.add(hottest.sensor, hottest.values[0], hottest.tags["site"])


run(main)

"""Two million records, each an object with slots, a string and a tuple; one in a hundred, at random, is kept.

The hardest load for an allocator that can't move objects: nearly every arena has a survivor in it.
"""

from __future__ import annotations

import random

from _program import Load, run


class Record:
    __slots__ = ("name", "number", "place")

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"record {number}"
        self.place = (number, number / 2)


def main(load: Load) -> None:
    chance = random.Random(1)
    records = [Record(number) for number in range(load.scaled(2_000_000))]
    load.check(len(records), records[-1].name)
    load.peak()
    kept = [record for record in records if chance.random() < 0.01]
    del records
    load.check(len(kept), sum(record.number for record in kept))
    load.idle(kept)


run(main)

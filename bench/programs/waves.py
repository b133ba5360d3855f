"""Waves of records: each wave loads a great many, keeps one in a hundred of them and drops the rest.

The survivors lie scattered through memory that is otherwise free, and the next wave has to live among them.
"""

from __future__ import annotations

import random

from _program import Checksum, Scale, run


class Record:
    def __init__(self, number: int, name: str, weight: float, tags: list[str]) -> None:
        self.number = number
        self.name = name
        self.weight = weight
        self.tags = tags


def load(chance: random.Random, wave: int, count: int) -> list[Record]:
    # Each wave's records are a little longer than those before: free blocks of one size can't all serve the next.
    padding = "-" * (160 + wave * 90)
    return [
        Record(number, f"record {number}{padding}", chance.random(), [f"tag {number % 97}", padding[: number % 160]])
        for number in range(count)
    ]


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(24)
    survivors: list[Record] = []
    for wave in range(3):
        records = load(chance, wave, scale(130000))
        records.sort(key=lambda record: record.weight)
        heaviest = records[-1]
        survivors += records[::100]
        del records
        by_tag: dict[str, float] = {}
        for record in survivors:
            by_tag[record.tags[0]] = by_tag.get(record.tags[0], 0.0) + record.weight
        checksum.add(heaviest.name, len(survivors), round(sum(by_tag.values()), 9))


run(main)

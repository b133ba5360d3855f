"""Conway's game of life on an endless board: sets and dicts of coordinate tuples, new ones each generation."""

from __future__ import annotations

import random

from _program import Checksum, Scale, run

AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def next_generation(alive: set[tuple[int, int]]) -> set[tuple[int, int]]:
    neighbours: dict[tuple[int, int], int] = {}
    for x, y in alive:
        for dx, dy in AROUND:
            place = (x + dx, y + dy)
            neighbours[place] = neighbours.get(place, 0) + 1
    return {place for place, count in neighbours.items() if count == 3 or (count == 2 and place in alive)}


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(17)
    alive = {(chance.randrange(400), chance.randrange(400)) for _ in range(24000)}
    for _ in range(scale(18)):
        alive = next_generation(alive)
        checksum.add(len(alive), sum(x * y for x, y in alive))


run(main)

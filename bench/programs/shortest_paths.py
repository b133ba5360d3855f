"""Shortest paths by Dijkstra's algorithm with heapq over a large street grid of node and edge objects."""

from __future__ import annotations

import heapq
import random

from _program import Checksum, Scale, run


class Crossing:
    def __init__(self, number: int, place: tuple[int, int]) -> None:
        self.number = number
        self.place = place
        self.streets: list[Street] = []


class Street:
    __slots__ = ("to", "length", "name")

    def __init__(self, to: Crossing, length: float, name: str) -> None:
        self.to = to
        self.length = length
        self.name = name


def make_town(chance: random.Random, width: int, height: int) -> list[Crossing]:
    town = [Crossing(number, (number % width, number // width)) for number in range(width * height)]
    for crossing in town:
        column, row = crossing.place
        for right, down in ((1, 0), (0, 1)):
            if column + right < width and row + down < height and chance.random() < 0.95:
                other = town[crossing.number + right + down * width]
                length = chance.uniform(50, 400)
                name = f"Street {row if right else column}"
                crossing.streets.append(Street(other, length, name))
                other.streets.append(Street(crossing, length, name))
    return town


def distances(town: list[Crossing], start: Crossing) -> dict[int, float]:
    known: dict[int, float] = {}
    waiting = [(0.0, start.number)]
    while waiting:
        distance, number = heapq.heappop(waiting)
        if number in known:
            continue
        known[number] = distance
        for street in town[number].streets:
            if street.to.number not in known:
                heapq.heappush(waiting, (distance + street.length, street.to.number))
    return known


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(12)
    town = make_town(chance, 250, scale(220))
    for _ in range(4):
        known = distances(town, town[chance.randrange(len(town))])
        checksum.add(len(known), round(max(known.values()), 6))


run(main)

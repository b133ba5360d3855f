"""Pickle a company of linked objects: instances with __dict__, with __slots__, tuples, sets and shared references."""

from __future__ import annotations

import pickle
import random
from datetime import date, timedelta

from _program import Checksum, Scale, run


class Person:
    def __init__(self, name: str, born: date, skills: frozenset[str]) -> None:
        self.name = name
        self.born = born
        self.skills = skills
        self.reports: list[Person] = []
        self.manager: Person | None = None
        self.badge: Badge | None = None


class Badge:
    __slots__ = ("number", "doors")

    def __init__(self, number: int, doors: tuple[int, ...]) -> None:
        self.number = number
        self.doors = doors


SKILLS = ["welding", "law", "python", "c++", "sales", "cooking", "design"]


def make_company(chance: random.Random, size: int) -> list[Person]:
    staff: list[Person] = []
    for number in range(size):
        born = date(1960, 1, 1) + timedelta(days=chance.randrange(16000))
        person = Person(f"Person {number}", born, frozenset(chance.sample(SKILLS, 2)))
        person.badge = Badge(number, tuple(chance.randrange(300) for _ in range(4)))
        if staff:
            # Eight reports to a manager: the tree stays shallow enough for the recursion of the pickler.
            person.manager = staff[(number - 1) // 8]
            person.manager.reports.append(person)
        staff.append(person)
    return staff


def main(scale: Scale, checksum: Checksum) -> None:
    staff = make_company(random.Random(3), scale(17000))
    for protocol in (2, 4, 5, 4, 5, 4, 5):
        for team in range(0, len(staff), 300):
            checksum.add(len(pickle.dumps([person.badge for person in staff[team : team + 300]], protocol)))
        checksum.add(len(pickle.dumps(staff, protocol)))


run(main)

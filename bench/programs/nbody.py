"""Gravity among five bodies, step by step: floats are made and dropped as fast as the interpreter can go."""

from __future__ import annotations

from itertools import combinations
from math import sqrt

from _program import Checksum, Scale, run

STEP = 0.004


class Body:
    def __init__(self, mass: float, place: tuple[float, float, float], speed: tuple[float, float, float]) -> None:
        self.mass = mass
        self.x, self.y, self.z = place
        self.u, self.v, self.w = speed


def make_bodies() -> list[Body]:
    bodies = [Body(1000.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))]
    for number in range(1, 5):
        radius = 4.0 * number
        bodies.append(Body(0.4 / number, (radius, 0.3 * number, 0.1), (0.0, sqrt(1000.0 / radius), 0.2 * number)))
    return bodies


def energy(bodies: list[Body]) -> float:
    total = sum(0.5 * body.mass * (body.u**2 + body.v**2 + body.w**2) for body in bodies)
    for one, two in combinations(bodies, 2):
        total -= one.mass * two.mass / sqrt((one.x - two.x) ** 2 + (one.y - two.y) ** 2 + (one.z - two.z) ** 2)
    return total


def advance(bodies: list[Body], pairs: list[tuple[Body, Body]], steps: int) -> None:
    for _ in range(steps):
        for one, two in pairs:
            dx = one.x - two.x
            dy = one.y - two.y
            dz = one.z - two.z
            square = dx * dx + dy * dy + dz * dz
            pull = STEP / (square * sqrt(square))
            one.u -= dx * two.mass * pull
            one.v -= dy * two.mass * pull
            one.w -= dz * two.mass * pull
            two.u += dx * one.mass * pull
            two.v += dy * one.mass * pull
            two.w += dz * one.mass * pull
        for body in bodies:
            body.x += STEP * body.u
            body.y += STEP * body.v
            body.z += STEP * body.w


def main(scale: Scale, checksum: Checksum) -> None:
    bodies = make_bodies()
    pairs = list(combinations(bodies, 2))
    checksum.add(energy(bodies))
    for _ in range(10):
        advance(bodies, pairs, scale(20000))
        checksum.add(energy(bodies), [(body.x, body.y, body.z) for body in bodies])


run(main)

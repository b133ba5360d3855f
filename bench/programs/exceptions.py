"""Exceptions through deep stacks: raised, chained, caught, re-raised, and formatted with the traceback module."""

from __future__ import annotations

import traceback

from _program import Checksum, Scale, run


class Refused(Exception):
    def __init__(self, reason: str, level: int) -> None:
        super().__init__(reason, level)
        self.reason = reason
        self.level = level


class Opening:
    """A context manager that counts how it was left."""

    normal = 0
    failed = 0

    def __enter__(self) -> Opening:
        return self

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        if kind is None:
            Opening.normal += 1
        else:
            Opening.failed += 1


def descend(level: int, number: int) -> int:
    if level == 0:
        if number % 3 == 0:
            raise Refused(f"number {number}", level)
        return {0: number}[number % 2]
    try:
        with Opening():
            return descend(level - 1, number) + 1
    except KeyError as problem:
        if level == 4:
            raise Refused("no such key", level) from problem
        raise
    finally:
        number += 1


def main(scale: Scale, checksum: Checksum) -> None:
    kept: list[BaseException] = []
    outcome = {"fine": 0, "refused": 0}
    for number in range(scale(36000)):
        try:
            outcome["fine"] += descend(8, number)
        except Refused as problem:
            outcome["refused"] += len(problem.reason)
            # Keeping an exception keeps its traceback, and with it every frame on the way.
            kept.append(problem)
            if len(kept) > 2000:
                del kept[:1000]
            if number % 25 == 0:
                lines = traceback.format_exception(type(problem), problem, problem.__traceback__)
                checksum.add([line.rsplit("line", 1)[-1] for line in lines])
    checksum.add(outcome, Opening.normal, Opening.failed)


run(main)

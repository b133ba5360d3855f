"""Queens on a chessboard and a number puzzle, by backtracking: recursion, tuples, sets and permutations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from _program import Checksum, Scale, run


def queens(size: int, placed: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    row = len(placed)
    if row == size:
        yield placed
        return
    taken = set(placed)
    rising = {column - before for before, column in enumerate(placed)}
    falling = {column + before for before, column in enumerate(placed)}
    for column in range(size):
        if column not in taken and column - row not in rising and column + row not in falling:
            yield from queens(size, (*placed, column))


def magic_squares() -> list[tuple[int, ...]]:
    return [
        square
        for square in permutations(range(1, 10), 9)
        if square[0] + square[1] + square[2] == 15
        and square[3] + square[4] + square[5] == 15
        and square[0] + square[3] + square[6] == 15
        and square[1] + square[4] + square[7] == 15
        and square[0] + square[4] + square[8] == 15
        and square[2] + square[4] + square[6] == 15
    ]


def main(scale: Scale, checksum: Checksum) -> None:
    for _ in range(scale(160)):
        solutions = list(queens(8))
        assert len(solutions) == 92
        checksum.add(solutions[45])
    squares = magic_squares()
    assert len(squares) == 8
    checksum.add(squares)
    checksum.add(sum(1 for _ in queens(9)))


run(main)

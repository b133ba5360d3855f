"""Linear algebra on lists of floats: products, LU factors, transposes; rows are made anew at each step."""

from __future__ import annotations

import random

from _program import Checksum, Scale, run


def product(left: list[list[float]], right: list[list[float]]) -> list[list[float]]:
    columns = list(zip(*right))
    return [[sum(map(float.__mul__, row, column)) for column in columns] for row in left]


def factors(matrix: list[list[float]]) -> tuple[list[list[float]], list[list[float]]]:
    """Lower and upper triangular factors, without pivoting: the caller gives a matrix with a dominant diagonal."""
    size = len(matrix)
    upper = [list(row) for row in matrix]
    lower = [[1.0 if row == column else 0.0 for column in range(size)] for row in range(size)]
    for column in range(size):
        for row in range(column + 1, size):
            factor = upper[row][column] / upper[column][column]
            lower[row][column] = factor
            upper[row] = [value - factor * head for value, head in zip(upper[row], upper[column])]
    return lower, upper


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(22)
    size = 84
    for _ in range(scale(10)):
        matrix = [[chance.uniform(-1, 1) for _ in range(size)] for _ in range(size)]
        for row in range(size):
            matrix[row][row] += size
        lower, upper = factors(matrix)
        again = product(lower, upper)
        error = max(abs(one - two) for rows in zip(matrix, again) for one, two in zip(*rows))
        assert error < 1e-9
        squared = product(matrix, matrix)
        checksum.add(error, sum(map(sum, squared)), [line[0] for line in squared])


run(main)

"""Exact linear algebra: a system of equations with Fraction, and a ledger with Decimal."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from _program import Checksum, Scale, run


def solve(matrix: list[list[Fraction]]) -> list[Fraction]:
    size = len(matrix)
    for column in range(size):
        pivot = next(row for row in range(column, size) if matrix[row][column])
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        head = matrix[column]
        for row in range(size):
            if row != column and matrix[row][column]:
                factor = matrix[row][column] / head[column]
                matrix[row] = [value - factor * other for value, other in zip(matrix[row], head)]
    return [matrix[row][size] / matrix[row][row] for row in range(size)]


def hilbert_system(size: int) -> list[list[Fraction]]:
    """The system whose solution is all ones: as ill-conditioned as they come, so that floats would fail."""
    rows = [[Fraction(1, row + column + 1) for column in range(size)] for row in range(size)]
    return [[*row, sum(row, Fraction(0))] for row in rows]


def ledger(accounts: int, years: int) -> list[Decimal]:
    cent = Decimal("0.01")
    balances = [Decimal(100 + number) for number in range(accounts)]
    for year in range(years):
        rate = Decimal(100 + year % 7) / Decimal(5000)
        balances = [
            (balance + balance * rate - Decimal("0.25")).quantize(cent, ROUND_HALF_EVEN) for balance in balances
        ]
    return balances


def main(scale: Scale, checksum: Checksum) -> None:
    for _ in range(scale(28)):
        for size in (12, 20):
            solution = solve(hilbert_system(size))
            assert all(value == 1 for value in solution)
        checksum.add(ledger(2000, 30)[::97])


run(main)

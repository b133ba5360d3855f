"""Digits of pi three ways: a spigot of large integers, Machin's formula, and the decimal module."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, getcontext
from itertools import islice

from _program import Checksum, Scale, run


def spigot() -> Iterator[int]:
    """Digit by digit from a linear fractional transformation whose four integers grow without end."""
    q, r, t, k, digit, left = 1, 0, 1, 1, 3, 3
    while True:
        if 4 * q + r - t < digit * t:
            yield digit
            q, r, digit = 10 * q, 10 * (r - digit * t), (10 * (3 * q + r)) // t - 10 * digit
        else:
            q, r, t, k, digit, left = (
                q * k,
                (2 * q + r) * left,
                t * left,
                k + 1,
                (q * (7 * k + 2) + r * left) // (t * left),
                left + 2,
            )


def arctangent_of_inverse(divisor: int, unity: int) -> int:
    total = power = unity // divisor
    divisor_squared = divisor * divisor
    count = 3
    sign = -1
    while power:
        power //= divisor_squared
        total += sign * (power // count)
        sign = -sign
        count += 2
    return total


def machin(digits: int) -> str:
    unity = 10 ** (digits + 10)
    return str(4 * (4 * arctangent_of_inverse(5, unity) - arctangent_of_inverse(239, unity)))[:digits]


def decimal_pi(digits: int) -> str:
    """The arithmetic-geometric mean of Gauss and Legendre: each turn doubles the digits that are right."""
    getcontext().prec = digits + 10
    a, b, t, power = Decimal(1), 1 / Decimal(2).sqrt(), Decimal("0.25"), 1
    for _ in range(digits.bit_length() + 2):
        mean = (a + b) / 2
        b = (a * b).sqrt()
        t -= power * (a - mean) ** 2
        a, power = mean, power * 2
    return str((a + b) ** 2 / (4 * t)).replace(".", "")[:digits]


def main(scale: Scale, checksum: Checksum) -> None:
    digits = scale(1700, least=10)
    from_spigot = "".join(map(str, islice(spigot(), digits)))
    assert from_spigot == decimal_pi(digits)
    for _ in range(8):
        # The interpreter refuses to print integers of over 4300 digits.
        assert machin(min(digits, 4000)) == from_spigot[:4000]
    for _ in range(5):
        checksum.add(decimal_pi(digits * 3)[-50:])


run(main)

"""Generators: trees walked through nested `yield from`, and records pulled through a pipeline of generators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from _program import Checksum, Scale, run


class Tree:
    def __init__(self, left: Tree | None, value: int, right: Tree | None) -> None:
        self.left = left
        self.value = value
        self.right = right

    def __iter__(self) -> Iterator[int]:
        if self.left is not None:
            yield from self.left
        yield self.value
        if self.right is not None:
            yield from self.right


def balanced(first: int, last: int) -> Tree | None:
    if first > last:
        return None
    middle = (first + last) // 2
    return Tree(balanced(first, middle - 1), middle, balanced(middle + 1, last))


def records(count: int) -> Iterator[tuple[int, str]]:
    state = 12345
    for number in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield number, f"key{state % 1000}"


def with_lengths(rows: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, int]]:
    for number, key in rows:
        yield number, key, len(key)


def in_groups(rows: Iterable[tuple[int, str, int]], size: int) -> Iterator[list[tuple[int, str, int]]]:
    group = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def main(scale: Scale, checksum: Checksum) -> None:
    tree = balanced(1, 30000)
    assert tree is not None
    for _ in range(scale(22)):
        checksum.add(sum(tree))
        total = 0
        for group in in_groups(with_lengths(records(60000)), 25):
            total += max(length * number for number, _, length in group)
        checksum.add(total)


run(main)

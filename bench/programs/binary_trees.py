"""Complete binary trees built, checked and dropped while one of them lives on."""

from __future__ import annotations

from _program import Checksum, Scale, run


class Node:
    __slots__ = ("left", "right")

    def __init__(self, left: Node | None, right: Node | None) -> None:
        self.left = left
        self.right = right


def build(depth: int) -> Node:
    if depth == 0:
        return Node(None, None)
    return Node(build(depth - 1), build(depth - 1))


def count(node: Node) -> int:
    if node.left is None or node.right is None:
        return 1
    return 1 + count(node.left) + count(node.right)


def main(scale: Scale, checksum: Checksum) -> None:
    lasting = build(16)
    for depth in range(4, 17, 4):
        trees = scale(1 << (18 - depth), least=2)
        checksum.add(depth, sum(count(build(depth)) for _ in range(trees)))
    checksum.add(count(lasting))


run(main)

"""A large B-tree of objects: inserts in random order, look-ups, ranges, and deletions that merge nodes."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator

from _program import Checksum, Scale, run

# Every node but the root has from LEAST to 2 * LEAST entries.
LEAST = 8


class Entry:
    __slots__ = ("key", "title", "place")

    def __init__(self, key: int, title: str, place: tuple[float, float]) -> None:
        self.key = key
        self.title = title
        self.place = place


class Node:
    __slots__ = ("keys", "entries", "children")

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.entries: list[Entry] = []
        self.children: list[Node] = []

    def split_child(self, index: int) -> None:
        left = self.children[index]
        right = Node()
        self.keys.insert(index, left.keys[LEAST])
        self.entries.insert(index, left.entries[LEAST])
        self.children.insert(index + 1, right)
        right.keys, right.entries = left.keys[LEAST + 1 :], left.entries[LEAST + 1 :]
        del left.keys[LEAST:], left.entries[LEAST:]
        if left.children:
            right.children = left.children[LEAST + 1 :]
            del left.children[LEAST + 1 :]

    def merge_children(self, index: int) -> Node:
        left, right = self.children[index], self.children.pop(index + 1)
        left.keys += [self.keys.pop(index), *right.keys]
        left.entries += [self.entries.pop(index), *right.entries]
        left.children += right.children
        return left

    def spare_child(self, index: int) -> Node:
        """The child at `index`, made rich enough that one entry can leave it."""
        child = self.children[index]
        if len(child.keys) > LEAST:
            return child
        if index > 0 and len(self.children[index - 1].keys) > LEAST:
            donor = self.children[index - 1]
            child.keys.insert(0, self.keys[index - 1])
            child.entries.insert(0, self.entries[index - 1])
            self.keys[index - 1], self.entries[index - 1] = donor.keys.pop(), donor.entries.pop()
            if donor.children:
                child.children.insert(0, donor.children.pop())
            return child
        if index < len(self.children) - 1 and len(self.children[index + 1].keys) > LEAST:
            donor = self.children[index + 1]
            child.keys.append(self.keys[index])
            child.entries.append(self.entries[index])
            self.keys[index], self.entries[index] = donor.keys.pop(0), donor.entries.pop(0)
            if donor.children:
                child.children.append(donor.children.pop(0))
            return child
        return self.merge_children(index if index < len(self.children) - 1 else index - 1)

    def take_last(self) -> Entry:
        node = self
        while node.children:
            node = node.spare_child(len(node.children) - 1)
        node.keys.pop()
        return node.entries.pop()


class BTree:
    def __init__(self) -> None:
        self.root = Node()

    def insert(self, entry: Entry) -> None:
        if len(self.root.keys) == 2 * LEAST:
            old = self.root
            self.root = Node()
            self.root.children.append(old)
            self.root.split_child(0)
        node = self.root
        while True:
            index = bisect_left(node.keys, entry.key)
            if index < len(node.keys) and node.keys[index] == entry.key:
                node.entries[index] = entry
                return
            if not node.children:
                node.keys.insert(index, entry.key)
                node.entries.insert(index, entry)
                return
            if len(node.children[index].keys) == 2 * LEAST:
                node.split_child(index)
                if entry.key == node.keys[index]:
                    node.entries[index] = entry
                    return
                index += entry.key > node.keys[index]
            node = node.children[index]

    def find(self, key: int) -> Entry | None:
        node = self.root
        while True:
            index = bisect_left(node.keys, key)
            if index < len(node.keys) and node.keys[index] == key:
                return node.entries[index]
            if not node.children:
                return None
            node = node.children[index]

    def delete(self, key: int) -> bool:
        node = self.root
        while True:
            index = bisect_left(node.keys, key)
            if index < len(node.keys) and node.keys[index] == key:
                if not node.children:
                    del node.keys[index], node.entries[index]
                    return True
                if len(node.children[index].keys) > LEAST:
                    entry = node.children[index].take_last()
                    node.keys[index], node.entries[index] = entry.key, entry
                    return True
                # The key may move into the child that is made rich; the search goes on from there.
                following = node.spare_child(index)
            elif not node.children:
                return False
            else:
                following = node.spare_child(index)
            if not node.keys and node is self.root:
                self.root = node.children[0]
            # A rotation may have put the key somewhere else in this node: look again, in the same node if so.
            again = bisect_left(node.keys, key)
            if again < len(node.keys) and node.keys[again] == key:
                following = node
            node = following

    def between(self, low: int, high: int) -> Iterator[Entry]:
        yield from self._between(self.root, low, high)

    def _between(self, node: Node, low: int, high: int) -> Iterator[Entry]:
        index = bisect_left(node.keys, low)
        while True:
            if node.children:
                yield from self._between(node.children[index], low, high)
            if index == len(node.keys) or node.keys[index] >= high:
                return
            yield node.entries[index]
            index += 1


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(9)
    size = scale(120000)
    keys = list(range(size))
    chance.shuffle(keys)
    tree = BTree()
    for key in keys:
        tree.insert(Entry(key, f"entry {key}", (key / 3, chance.random())))
    for key in keys[: size // 4]:
        entry = tree.find(key)
        assert entry is not None and entry.key == key
    gone = set(keys[: size // 4])
    for key in keys[: size // 4]:
        assert tree.delete(key)
    left = [entry.key for entry in tree.between(0, size)]
    assert left == [key for key in range(size) if key not in gone]
    checksum.add(len(left), left[: len(left) // 100])
    for key in keys[: size // 10]:
        tree.insert(Entry(key, f"again {key}", (0.0, chance.random())))
    for _ in range(200):
        low = chance.randrange(size)
        checksum.add([entry.title for entry in tree.between(low, low + 50)])


run(main)

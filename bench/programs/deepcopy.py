"""Deep copies of a document tree: objects, lists, dicts and references that are shared or go round in a circle."""

from __future__ import annotations

import copy
import random

from _program import Checksum, Scale, run


class Style:
    def __init__(self, font: str, size: float) -> None:
        self.font = font
        self.size = size


class Element:
    def __init__(self, kind: str, style: Style, parent: Element | None) -> None:
        self.kind = kind
        self.style = style
        self.parent = parent
        self.attributes: dict[str, object] = {}
        self.children: list[Element | str] = []


def build(chance: random.Random, parent: Element | None, styles: list[Style], depth: int) -> Element:
    element = Element(chance.choice(["section", "list", "table"]), chance.choice(styles), parent)
    element.attributes = {"id": chance.randrange(10**6), "classes": ["wide", "dark"], "box": (1, 2, chance.random())}
    for _ in range(4):
        child = build(chance, element, styles, depth - 1) if depth else f"text {chance.randrange(1000)}"
        element.children.append(child)
    return element


def weight(element: Element) -> int:
    number = element.attributes["id"]
    assert isinstance(number, int)
    return number + sum(weight(child) if isinstance(child, Element) else len(child) for child in element.children)


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(7)
    styles = [Style("serif", size / 2) for size in range(12)]
    document = build(chance, None, styles, 5)
    history = []
    for turn in range(scale(42)):
        document = copy.deepcopy(document)
        document.attributes["id"] = turn
        history.append(document)
        if len(history) > 8:
            history.pop(0)
        checksum.add(weight(document))


run(main)

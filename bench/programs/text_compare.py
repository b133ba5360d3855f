"""Compare versions of a text with difflib and wrap the differences: the standard library's own list and string code."""

from __future__ import annotations

import difflib
import random
import textwrap

from _program import Checksum, Scale, run

WORDS = (
    "the tarn lies high in a bowl of the mountain and its pool is cold even at noon in the last week of july".split()
)


def make_text(chance: random.Random, lines: int) -> list[str]:
    return [" ".join(chance.choice(WORDS) for _ in range(chance.randrange(4, 14))) + "\n" for _ in range(lines)]


def edited(chance: random.Random, lines: list[str]) -> list[str]:
    out = []
    for line in lines:
        draw = chance.random()
        if draw < 0.04:
            continue
        if draw < 0.10:
            words = line.split()
            words[chance.randrange(len(words))] = chance.choice(WORDS)
            line = " ".join(words) + "\n"
        out.append(line)
        if draw > 0.96:
            out += make_text(chance, 1)
    return out


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(18)
    lines = make_text(chance, 250)
    for _ in range(scale(30)):
        newer = edited(chance, lines)
        checksum.add(list(difflib.unified_diff(lines, newer, "old", "new")))
        matcher = difflib.SequenceMatcher(None, "".join(lines[:30]), "".join(newer[:30]), autojunk=False)
        checksum.add(round(matcher.ratio(), 9))
        checksum.add([len(line) for line in difflib.ndiff(lines[:60], newer[:60])])
        for width in (30, 50, 72):
            checksum.add_bytes(textwrap.fill(" ".join(newer), width).encode())
        lines = newer


run(main)

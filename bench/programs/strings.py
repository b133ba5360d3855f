"""Strings built in every way that programs build them: joined, appended, formatted, replaced, split, translated."""

from __future__ import annotations

import io
import random
from string import Template

from _program import Checksum, Scale, run

LETTER = Template("Dear $name,\nyour order $order of ${count} × $article is on its way.\n")
VOWELS = str.maketrans("aeiou", "ᾳ3!0ü")


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(21)
    first, last = ["Ada", "Björn", "Chloé"], ["Lovelace", "Ångström", "Zhao"]
    names = [f"{chance.choice(first)} {chance.choice(last)} {number}" for number in range(300)]
    for turn in range(scale(140)):
        report = ""
        stream = io.StringIO()
        pieces = []
        for number, name in enumerate(names):
            order, article = f"{turn:03}-{number:05}", "lamp" * (number % 4 + 1)
            letter = LETTER.substitute(name=name, order=order, count=number % 9, article=article)
            report += letter
            stream.write("%-30s|%8.3f|%s\n" % (name, number / 3, letter[:20].strip()))
            pieces += ["{0:>24}".format(word.title()) for word in letter.split()]
        lines = [line.strip().replace(" ", "_").translate(VOWELS) for line in report.splitlines()]
        words = sorted({word.casefold() for line in report.split("\n") for word in line.split(" ")})
        joined = ";".join(pieces).upper()
        checksum.add_bytes("".join(lines).encode())
        checksum.add(len(words), words[len(words) // 2], len(joined), joined.count("LAMP"))
        checksum.add_bytes(stream.getvalue().encode())
        for line in lines:
            head, _, tail = line.partition("_")
            checksum.add(len(head) - len(tail), line[::-1][:3], line.startswith("D"))


run(main)

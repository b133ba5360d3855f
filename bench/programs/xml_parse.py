"""Build a large XML document with ElementTree, write it, parse it whole and piece by piece, and search it."""

from __future__ import annotations

import io
import random
import xml.etree.ElementTree as ElementTree

from _program import Checksum, Scale, run


def build(chance: random.Random, books: int) -> ElementTree.Element:
    root = ElementTree.Element("library", {"city": "Gdańsk"})
    for number in range(books):
        language = chance.choice(["de", "en", "pl"])
        book = ElementTree.SubElement(root, "book", {"id": str(number), "language": language})
        subject = chance.choice(["pools", "arenas", "lakes"])
        ElementTree.SubElement(book, "title").text = f"On the <use> of {subject} & {number}"
        for _ in range(chance.randrange(1, 4)):
            author = ElementTree.SubElement(book, "author")
            author.text = f"Author {chance.randrange(3000)}"
            author.tail = "\n"
        ElementTree.SubElement(book, "year").text = str(chance.randrange(1850, 2024))
    return root


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(10)
    for _ in range(2):
        root = build(chance, scale(22000))
        data = ElementTree.tostring(root, encoding="utf-8")
        checksum.add_bytes(data)
        parsed = ElementTree.fromstring(data)
        modern = [book for book in parsed.findall("book") if int(book.findtext("year", "0")) > 1950]
        checksum.add(len(modern), len(parsed.findall("./book[@language='pl']")))
        authors = {author.text for author in parsed.iter("author")}
        checksum.add(len(authors))
        titles = 0
        for _, element in ElementTree.iterparse(io.BytesIO(data)):
            if element.tag == "book":
                titles += len(element.findtext("title", ""))
                element.clear()
        checksum.add(titles)


run(main)

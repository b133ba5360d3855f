"""An inverted index over many generated documents: postings with positions, phrase queries, ranking.

The largest of these programs: dicts of lists of tuples that stay alive.
"""

from __future__ import annotations

import random
from collections import defaultdict
from math import log

from _program import Checksum, Scale, run


class Document:
    def __init__(self, number: int, title: str, words: list[str]) -> None:
        self.number = number
        self.title = title
        self.words = words


def make_documents(chance: random.Random, count: int) -> list[Document]:
    vocabulary = [f"word{number}" for number in range(20000)]
    return [
        Document(
            number,
            f"Document {number}",
            [vocabulary[min(int(chance.paretovariate(0.45)), 19999)] for _ in range(90)],
        )
        for number in range(count)
    ]


class Index:
    def __init__(self) -> None:
        self.postings: dict[str, dict[int, list[int]]] = defaultdict(dict)
        self.documents: dict[int, Document] = {}

    def add(self, document: Document) -> None:
        self.documents[document.number] = document
        postings = self.postings
        for position, word in enumerate(document.words):
            places = postings[word].get(document.number)
            if places is None:
                postings[word][document.number] = [position]
            else:
                places.append(position)

    def ranked(self, words: list[str], limit: int) -> list[tuple[float, int]]:
        scores: dict[int, float] = defaultdict(float)
        for word in words:
            postings = self.postings.get(word, {})
            weight = log(1 + len(self.documents) / (1 + len(postings)))
            for number, positions in postings.items():
                scores[number] += weight * len(positions)
        return sorted(((score, number) for number, score in scores.items()), reverse=True)[:limit]

    def phrase(self, first: str, second: str) -> list[int]:
        left, right = self.postings.get(first, {}), self.postings.get(second, {})
        return [
            number
            for number in left.keys() & right.keys()
            if any(position + 1 in right[number] for position in left[number])
        ]


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(15)
    documents = make_documents(chance, scale(15000))
    index = Index()
    for document in documents:
        index.add(document)
    for _ in range(20):
        words = [f"word{chance.randrange(300)}" for _ in range(3)]
        checksum.add([(round(score, 6), number) for score, number in index.ranked(words, 5)])
        checksum.add(sorted(index.phrase(*words[:2])))


run(main)

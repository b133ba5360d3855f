"""Train a byte-pair tokeniser on generated text and encode with it: tuples as dict keys, counts, string slices."""

from __future__ import annotations

import random
from collections import Counter

from _program import Checksum, Scale, run

SYLLABLES = ["ta", "rn", "po", "ol", "are", "na", "blo", "ck", "mem", "ory", "th", "ing", "er", "es", "qu", "in"]


def make_words(chance: random.Random, count: int) -> list[str]:
    vocabulary = ["".join(chance.choice(SYLLABLES) for _ in range(chance.randrange(1, 6))) for _ in range(5000)]
    return [vocabulary[min(int(chance.expovariate(0.002)), 4999)] for _ in range(count)]


def merged(symbols: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    out = []
    index = 0
    while index < len(symbols):
        if index + 1 < len(symbols) and symbols[index] == pair[0] and symbols[index + 1] == pair[1]:
            out.append(pair[0] + pair[1])
            index += 2
        else:
            out.append(symbols[index])
            index += 1
    return tuple(out)


def train(words: Counter[str], merges: int) -> list[tuple[str, str]]:
    splits = {word: tuple(word) for word in words}
    learnt = []
    for _ in range(merges):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, symbols in splits.items():
            count = words[word]
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        learnt.append(best)
        for word, symbols in splits.items():
            if best[0] in symbols:
                splits[word] = merged(symbols, best)
    return learnt


def encode(word: str, ranks: dict[tuple[str, str], int]) -> tuple[str, ...]:
    symbols = tuple(word)
    while len(symbols) > 1:
        pair = min(zip(symbols, symbols[1:]), key=lambda one: ranks.get(one, len(ranks)))
        if pair not in ranks:
            break
        symbols = merged(symbols, pair)
    return symbols


def main(scale: Scale, checksum: Checksum) -> None:
    words = make_words(random.Random(13), scale(60000))
    learnt = train(Counter(words), scale(400))
    ranks = {pair: rank for rank, pair in enumerate(learnt)}
    tokens: Counter[str] = Counter()
    for word in words[: scale(20000)]:
        tokens.update(encode(word, ranks))
    checksum.add(learnt, sorted(tokens.items()))


run(main)

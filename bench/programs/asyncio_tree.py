"""A tree of coroutines: each awaits six children at once with `gather`, the leaves wait for the event loop."""

from __future__ import annotations

import asyncio
import random

from _program import Checksum, Scale, run

BRANCHES = 6


async def leaf(chance: random.Random, cache: dict[int, int]) -> int:
    key = chance.randrange(500)
    if key in cache:
        return cache[key]
    await asyncio.sleep(0)
    cache[key] = key * key
    return cache[key]


async def node(depth: int, chance: random.Random, cache: dict[int, int]) -> int:
    if depth == 0:
        return await leaf(chance, cache)
    await asyncio.sleep(0)
    return sum(await asyncio.gather(*[node(depth - 1, chance, cache) for _ in range(BRANCHES)]))


async def trees(count: int, checksum: Checksum) -> None:
    for turn in range((count + 1) // 2):
        checksum.add(await node(5, random.Random(turn), {}))
    # Then more of them side by side, so that all their tasks are alive at once.
    checksum.add(await asyncio.gather(*[node(5, random.Random(turn), {}) for turn in range(count)]))


def main(scale: Scale, checksum: Checksum) -> None:
    asyncio.run(trees(scale(3), checksum))


run(main)

"""Binary records: packed with struct, cut through memoryviews, compressed with zlib, hashed and read back.

Blocks of a few hundred bytes to a hundred thousand: most are over pymalloc's limit for small requests, so that the
allocator below it works too.
"""

from __future__ import annotations

import hashlib
import random
import struct
import zlib

from _program import Checksum, Scale, run

RECORD = struct.Struct("<IHHd16s")


def pack(chance: random.Random, count: int) -> bytes:
    out = bytearray()
    for number in range(count):
        name = b"sensor%05d" % chance.randrange(40)
        out += RECORD.pack(number, chance.randrange(100), number % 7, chance.randrange(1000) / 8, name)
    return bytes(out)


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(20)
    store: dict[str, bytes] = {}
    names: list[str] = []
    for _ in range(scale(330)):
        data = pack(chance, chance.randrange(20, 3000))
        name = hashlib.sha256(data).hexdigest()
        store[name] = zlib.compress(data, 1)
        names.append(name)
        again = zlib.decompress(store[chance.choice(names)])
        view = memoryview(again)
        total = 0.0
        for start in range(0, len(view), RECORD.size):
            number, kind, group, value, _ = RECORD.unpack(view[start : start + RECORD.size])
            total += value * kind + group
        checksum.add(name, total, len(again))
        chunks = [again[start : start + 700] for start in range(0, len(again), 700)]
        checksum.add_bytes(b"".join(reversed(chunks)))


run(main)

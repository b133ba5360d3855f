"""Write JSON: the same nested orders as text, over and over, compact and indented.

Strings are made, joined and dropped at once; little stays alive.
"""

from __future__ import annotations

import json
import random

from _program import Checksum, Scale, run


def make_order(chance: random.Random, number: int) -> dict[str, object]:
    return {
        "order": number,
        "customer": {"name": f"Customer {chance.randrange(5000)}", "city": chance.choice(["Łódź", "Köln", "Ghent"])},
        "lines": [
            {
                "article": f"A-{chance.randrange(10**6):06}",
                "count": chance.randrange(1, 9),
                "price": chance.random() * 90,
            }
            for _ in range(chance.randrange(1, 8))
        ],
        "paid": chance.random() < 0.7,
        "note": None if chance.random() < 0.6 else 'leave at the "back door"\nplease',
    }


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(1)
    orders = [make_order(chance, number) for number in range(400)]
    for turn in range(scale(110)):
        for order in orders:
            text = json.dumps(order, separators=(",", ":"))
        checksum.add_bytes(text.encode())
        text = json.dumps(orders, ensure_ascii=False, sort_keys=True)
        checksum.add(len(text))
        if turn % 4 == 0:
            text = json.dumps(orders[:100], indent=2)
            checksum.add_bytes(text.encode())


run(main)

"""A cache of sessions, each a JSON document; in the quiet hours it shrinks to three sessions in a hundred."""

from __future__ import annotations

import json
import random

from _program import Load, run

THINGS = ("kettle", "lamp", "chair", "ladder", "notebook", "bicycle", "umbrella", "teapot", "rope", "map")


def document(number: int, chance: random.Random) -> str:
    """What a client sent: a user, what is in the basket, and the pages that were looked at."""
    return json.dumps(
        {
            "user": {"id": number, "name": f"user {number}", "mail": f"user.{number}@example.org", "is_known": True},
            "basket": [
                {
                    "thing": f"{chance.choice(THINGS)} {chance.randrange(9000)}",
                    "price": round(chance.uniform(1, 200), 2),
                    "count": chance.randrange(1, 4),
                }
                for _ in range(chance.randrange(8))
            ],
            "history": [f"/things/{chance.randrange(100_000)}" for _ in range(chance.randrange(2, 20))],
            "settings": {"language": chance.choice(["de", "en", "pl"]), "theme": "dark"},
            "note": "n" * chance.randrange(900),
        }
    )


def main(load: Load) -> None:
    chance = random.Random(2)
    cache = {}
    for number in range(load.scaled(50_000)):
        cache[f"session-{number:08}"] = json.loads(document(number, chance))
    load.check(len(cache), sum(len(session["basket"]) for session in cache.values()))
    load.peak()
    # Sessions end in an order of their own, not in the order they began.
    ending = list(cache)
    chance.shuffle(ending)
    for key in ending[load.scaled(1_500) :]:
        del cache[key]
    del ending, key
    load.check(sorted(session["user"]["id"] for session in cache.values()))
    load.idle(cache)


run(main)

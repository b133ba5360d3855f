"""Read JSON: one large document, and many small ones; several generations of the large one are kept alive."""

from __future__ import annotations

import json
import random

from _program import Checksum, Scale, run


def make_document(chance: random.Random, features: int) -> str:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "id": f"way/{number}",
                    "properties": {
                        "name": f"Street {chance.randrange(10**5)}",
                        "lanes": chance.randrange(1, 5),
                        "lit": True,
                    },
                    "geometry": {
                        "type": "LineString",
                        "coordinates": [[chance.uniform(-180, 180), chance.uniform(-90, 90)] for _ in range(8)],
                    },
                }
                for number in range(features)
            ],
        }
    )


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(2)
    text = make_document(chance, scale(10000))
    kept = []
    for _ in range(4):
        document = json.loads(text)
        kept.append(document)
        if len(kept) > 2:
            kept.pop(0)
        checksum.add(len(document["features"]), document["features"][-1]["geometry"]["coordinates"][0])
    small = [json.dumps(feature) for feature in kept[0]["features"][:200]]
    for _ in range(scale(25)):
        lit = sum(json.loads(line)["properties"]["lit"] for line in small)
    checksum.add(lit)


run(main)

"""Load a table of orders from CSV, row by row; keep an index of customers, and drop the table."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator

from _program import Load, run

COLUMNS = ["order", "customer", "city", "date", "price", "count", "note"]
CITIES = ("Aarhus", "Brno", "Cork", "Dresden", "Evora", "Faro", "Gdańsk", "Hamar")


def lines(rows: int, customers: int) -> Iterator[str]:
    chance = random.Random(4)
    for number in range(rows):
        customer = f"customer-{int(customers * chance.random() ** 2):06}"
        day = f"2023-{number % 12 + 1:02}-{number % 28 + 1:02}"
        note = "gift wrap, " * chance.randrange(4)
        price = round(chance.uniform(1, 500), 2)
        yield f'{number},{customer},{chance.choice(CITIES)},{day},{price},{chance.randrange(1, 9)},"{note}"'


def main(load: Load) -> None:
    rows = []
    for row in csv.DictReader(lines(load.scaled(400_000), load.scaled(12_000)), COLUMNS):
        row["price"] = float(row["price"])
        row["count"] = int(row["count"])
        rows.append(row)
    load.check(len(rows))
    load.peak()
    index = {}
    for row in rows:
        # Each customer's name and last date are strings of the rows: they stay where they were read.
        entry = index.setdefault(row["customer"], [0.0, ""])
        entry[0] += row["price"] * row["count"]
        entry[1] = max(entry[1], row["date"])
    del rows, row, entry
    load.check(len(index), round(sum(total for total, _ in index.values()), 2))
    load.idle(index)


run(main)

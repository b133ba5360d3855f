"""SQLite in memory: inserts, an index, joins, rows as objects, functions and aggregates written in Python."""

from __future__ import annotations

import random
import sqlite3

from _program import Checksum, Scale, run


class Spread:
    """The largest less the smallest value of a group."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: float) -> None:
        self.values.append(value)

    def finalize(self) -> float:
        return max(self.values) - min(self.values)


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(14)
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    database.create_function("initials", 1, lambda name: "".join(word[0] for word in name.split()))
    database.create_aggregate("spread", 1, Spread)  # type: ignore[arg-type]
    database.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, city TEXT)")
    database.execute("CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER, amount REAL, note TEXT)")
    customers = scale(8000)
    purchases = scale(130000)
    database.executemany(
        "INSERT INTO customer VALUES (?, ?, ?)",
        ((number, f"Anna Maria Number{number}", f"city {chance.randrange(50)}") for number in range(customers)),
    )
    database.executemany(
        "INSERT INTO purchase VALUES (?, ?, ?, ?)",
        ((number, chance.randrange(customers), chance.random() * 500, f"note {number}") for number in range(purchases)),
    )
    database.execute("CREATE INDEX by_customer ON purchase (customer)")
    kept = database.execute("SELECT id, customer, amount, note FROM purchase ORDER BY amount").fetchall()
    checksum.add(len(kept), tuple(kept[0]), kept[-1]["note"])
    for row in database.execute(
        "SELECT city, count(*) AS number, spread(amount) AS spread FROM customer "
        "JOIN purchase ON purchase.customer = customer.id GROUP BY city ORDER BY city"
    ):
        checksum.add(row["city"], row["number"], round(row["spread"], 6))
    checksum.add(database.execute("SELECT count(DISTINCT initials(name)) FROM customer").fetchone()[0])
    for number in range(0, customers, 2):
        rows = database.execute("SELECT amount, note FROM purchase WHERE customer = ?", (number,)).fetchall()
        checksum.add(len(rows), sum(len(row["note"]) for row in rows))
    database.close()


run(main)

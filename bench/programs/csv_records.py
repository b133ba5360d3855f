"""Rows of a CSV file to dataclasses: parse, convert, sort, group, join and write a report, all kept in memory."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from dataclasses import asdict, astuple, dataclass, replace
from datetime import date
from itertools import groupby
from operator import attrgetter

from _program import Checksum, Scale, run


@dataclass(frozen=True)
class Sale:
    number: int
    day: date
    shop: str
    article: str
    count: int
    price: float

    @property
    def total(self) -> float:
        return self.count * self.price


def make_text(chance: random.Random, rows: int) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["number", "day", "shop", "article", "count", "price"])
    for number in range(rows):
        day = date(2023, chance.randrange(1, 13), chance.randrange(1, 29))
        shop = f'shop "{chance.randrange(40)}", Lyon'
        price = chance.randrange(1, 9999) / 100
        writer.writerow([number, day, shop, f"article {chance.randrange(2000)}", chance.randrange(1, 20), price])
    return file.getvalue()


def read(text: str) -> list[Sale]:
    return [
        Sale(
            int(row["number"]),
            date.fromisoformat(row["day"]),
            row["shop"],
            row["article"],
            int(row["count"]),
            float(row["price"]),
        )
        for row in csv.DictReader(io.StringIO(text))
    ]


def main(scale: Scale, checksum: Checksum) -> None:
    text = make_text(random.Random(11), scale(75000))
    sales = read(text)
    sales.sort(key=attrgetter("shop", "day", "article"))
    out = io.StringIO()
    writer = csv.writer(out)
    for shop, group in groupby(sales, key=attrgetter("shop")):
        per_article: dict[str, list[Sale]] = defaultdict(list)
        for sale in group:
            per_article[sale.article].append(sale)
        best = max(per_article.items(), key=lambda item: (sum(sale.total for sale in item[1]), item[0]))
        writer.writerow([shop, best[0], f"{sum(sale.total for sale in best[1]):.2f}"])
        writer.writerows(astuple(sale) for sale in best[1][:20])
    dearer = [replace(sale, price=round(sale.price * 1.05, 2)) for sale in sales if sale.count > 10]
    checksum.add_bytes(out.getvalue().encode())
    checksum.add(len(dearer), asdict(dearer[0]) if dearer else None)


run(main)

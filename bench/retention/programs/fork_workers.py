"""A parent loads a table and forks four workers, which share it; each evicts and works, drops its own, and waits.

The parent freezes the collector first, as servers that fork do: what the workers dirty is then what they free and
allocate, and not the collector's own marks.
"""

from __future__ import annotations

import gc
import os
import random
import sys

from _program import Load, announce_process, run

WORKERS = 4


def row(number: int) -> dict[str, object]:
    return {"title": f"document {number}", "words": [f"word {number % 7919 + place}" for place in range(6)]}


class Worker:
    """A child, and a pipe each way; a byte on one says: the next step, on the other: it is done."""

    def __init__(self, load: Load, table: dict[int, dict[str, object]], seed: int) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        self.number = os.fork()
        if self.number == 0:
            os.close(self._orders)
            os.close(self._answers)
            work(load, table, random.Random(seed), orders, answers)
            sys.exit(0)
        announce_process(self.number)
        os.close(orders)
        os.close(answers)

    def await_answer(self) -> bytes:
        answer = os.read(self._answers, 100)
        if not answer:
            sys.exit(f"worker {self.number} ended early")
        return answer

    def order(self) -> None:
        os.write(self._orders, b"!")

    def end(self) -> None:
        self.order()
        _, status = os.waitpid(self.number, 0)
        if status:
            sys.exit(f"worker {self.number} ended with wait status {status}")


def work(load: Load, table: dict[int, dict[str, object]], chance: random.Random, orders: int, answers: int) -> None:
    # Evictions free what was the parent's; each leaves a block in a page that was shared until now.
    for number in chance.sample(range(len(table)), len(table) // 100):
        del table[number]
    # And work of its own: blocks that a shared page has to offer are taken before fresh ones.
    own = [row(number) for number in range(load.scaled(30_000))]
    os.write(answers, b"%d" % (len(table) + len(own)))
    os.read(orders, 1)
    del own
    load.keep(table)
    os.write(answers, b"dropped")
    os.read(orders, 1)


def main(load: Load) -> None:
    table = {number: row(number) for number in range(load.scaled(150_000))}
    gc.collect()
    gc.freeze()
    workers = [Worker(load, table, seed) for seed in range(WORKERS)]
    load.check([worker.await_answer() for worker in workers])
    load.peak()
    for worker in workers:
        worker.order()
        worker.await_answer()
    load.idle(table)
    for worker in workers:
        worker.end()


run(main)

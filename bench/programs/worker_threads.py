"""Eight threads share a queue of work and a dictionary of results behind a lock."""

from __future__ import annotations

import queue
import random
import threading

from _program import Checksum, Scale, run


def summarise(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return {word: count for word, count in sorted(counts.items()) if count > 1}


def work(tasks: queue.Queue[tuple[int, str] | None], results: dict[int, dict[str, int]], lock: threading.Lock) -> None:
    while True:
        task = tasks.get()
        if task is None:
            return
        number, text = task
        summary = summarise(text)
        with lock:
            results[number] = summary


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(23)
    vocabulary = [f"term{number}" for number in range(400)]
    texts = [" ".join(chance.choices(vocabulary, k=300)) for _ in range(200)]
    tasks: queue.Queue[tuple[int, str] | None] = queue.Queue(maxsize=64)
    results: dict[int, dict[str, int]] = {}
    lock = threading.Lock()
    threads = [threading.Thread(target=work, args=(tasks, results, lock)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(scale(9000)):
        tasks.put((number, texts[number % len(texts)]))
    for _ in threads:
        tasks.put(None)
    for thread in threads:
        thread.join()
    checksum.add(len(results), sum(len(summary) for summary in results.values()))
    checksum.add(sorted(results[len(results) // 2].items()))


run(main)

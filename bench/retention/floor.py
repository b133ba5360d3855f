"""The page floor: the least that an allocator which can't move objects has to keep. Only the allocator knows it.

It is read from what `tarn run --report=FILE` wrote: a key `page_floor` in the report of each process, in bytes, of the
whole process: the OS pages that hold at least one live block, and everything that isn't in pools. A report is made
when Python is about to end; the programs keep what they kept while idle until then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def read(report: Path, processes: Iterable[int]) -> int | None:
    """The sum over these processes in KiB; None where one of them left no figure, or there is no report."""
    try:
        document = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    by_process = {}
    for one in [document.get("report"), *document.get("further", [])]:
        if isinstance(one, dict) and isinstance(one.get("page_floor"), (int, float)):
            by_process[one.get("pid")] = one["page_floor"]
    wanted = list(processes)
    if not wanted or not all(process in by_process for process in wanted):
        return None
    return round(sum(by_process[process] for process in wanted) / 1024)

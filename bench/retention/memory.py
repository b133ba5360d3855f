"""What Linux says of a process's memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True)
class Memory:
    """One process at one moment. Pss counts each page that several processes share by its share only."""

    rss_kib: int
    pss_kib: int
    private_dirty_kib: int


def total_kib(processes: Sequence[Memory]) -> int:
    """RSS where there is one process; of several the sum of PSS, which counts a shared page once."""
    return processes[0].rss_kib if len(processes) == 1 else sum(one.pss_kib for one in processes)


def parse_rollup(text: str) -> Memory:
    """From the text of /proc/PID/smaps_rollup."""
    fields = {}
    for line in text.splitlines()[1:]:
        name, _, value = line.partition(":")
        fields[name] = int(value.split()[0])
    return Memory(fields["Rss"], fields["Pss"], fields["Private_Dirty"])


def exactly(process: int) -> Memory | None:
    """Walks all of the process's pages (some milliseconds where it is large); None if it has ended."""
    try:
        return parse_rollup(Path(f"/proc/{process}/smaps_rollup").read_text())
    except (OSError, KeyError, IndexError, ValueError):
        return None


def quickly(process: int) -> int | None:
    """Its RSS in KiB by the kernel's counters, which may lag by some pages; None if it has ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_KIB
    except (OSError, IndexError, ValueError):
        return None


def peak_kib(process: int) -> int | None:
    """The highest RSS it ever had, whether or not anyone looked."""
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except (OSError, IndexError, ValueError):
        pass
    return None

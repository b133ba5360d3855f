"""The object systems that are compared, and where their programs are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class Unavailable(Exception):
    """This machine can't run the peer; the text says why."""


@dataclass(frozen=True)
class Peer:
    name: str
    summary: str
    program: str
    variant: str = ""

    def command(self, folder: Path, case: str, scale: float) -> list[str]:
        words = [str(folder / self.program), case, "--scale", f"{scale:g}"]
        return words + (["--variant", self.variant] if self.variant else [])

    def check(self, folder: Path) -> None:
        """Raise Unavailable unless its program is there. CMake leaves a note where it couldn't be built."""
        program = folder / self.program
        if os.access(program, os.X_OK):
            return
        note = folder / f"{self.program}.missing"
        raise Unavailable(note.read_text().strip() if note.is_file() else f"there is no {program}")


BASELINE = "tarn"
FLOOR = "floor"

KNOWN = {
    peer.name: peer
    for peer in [
        Peer(BASELINE, "Tarn's objects under the lock, its collector on", "objects-tarn"),
        Peer("tarn-off", "the same, no collection but where a case asks for one", "objects-tarn", "off"),
        Peer(FLOOR, "by hand: a count and a type in each object, a free list, no collector", "objects-floor"),
        Peer("floor-bare", "the same with the count alone", "objects-floor-bare"),
        Peer("intrusive_ptr", "boost::intrusive_ptr, its counter without atomic operations, new", "objects-intrusive_ptr"),
        Peer("shared_ptr", "std::make_shared, in a process that never had a second thread", "objects-shared_ptr"),
        Peer("shared_ptr-mt", "the same, a thread started and ended first", "objects-shared_ptr", "threads"),
        Peer("bdwgc", "GC_MALLOC, as it comes", "objects-bdwgc"),
        Peer("bdwgc-bases", "the same, told that objects point to starts of objects only", "objects-bdwgc", "bases"),
        Peer("cppgc", "V8's cppgc on its own, as it comes", "objects-cppgc"),
        Peer("cppgc-large", "the same, free to grow to 256 MiB before its first collection", "objects-cppgc", "large-heap"),
        Peer("cpython", "types in C through CPython's C API, embedded", "objects-cpython"),
        Peer("cpython-off", "the same, no collection but where a case asks for one", "objects-cpython", "off"),
    ]
}

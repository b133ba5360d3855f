#!/usr/bin/env python3
"""Measures which sizes Python programs ask for, and prints the shares that size_mix.h holds.

    bench/size_mix.py BUILD/lib/request-sizes.so [--python PYTHON] [--scale FLOAT] [PROGRAM.py...]

Runs each program (default: all of bench/programs) with the counting library preloaded. A share is the
mean over the programs, so that one long program doesn't outweigh the others.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CLASSES = 32  # of 16 bytes, to 512; one more entry for what is larger


def requests_of(program: Path, library: Path, python: str, scale: str) -> list[int]:
    """The counts of the program's busiest process."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder, "counts")
        environment = {**os.environ, "LD_PRELOAD": str(library), "TARN_REQUEST_SIZES": str(counts)}
        environment.pop("PYTHONMALLOC", None)
        command = [python, "-B", str(program), "--scale", scale]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        processes = [[int(word) for word in line.split()[1:]] for line in counts.read_text().splitlines()]
    return max(processes, key=sum)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, help="the built request-sizes.so")
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--scale", default="0.1", help="how much work the programs do (0.1)")
    parser.add_argument("programs", nargs="*", type=Path)
    options = parser.parse_args()
    folder = Path(__file__).resolve().parent / "programs"
    programs = options.programs or sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))

    shares = [0.0] * (CLASSES + 1)
    for program in programs:
        requests = requests_of(program, options.library.resolve(), options.python, options.scale)
        for index, count in enumerate(requests):
            shares[index] += count / sum(requests) / len(programs)
    print(f"{len(programs)} programs; shares in units of 1/10,000, for 16, 32, ... 512 bytes:")
    print(", ".join(str(round(10_000 * share)) for share in shares[:CLASSES]))
    print(f"over 512 bytes: {round(10_000 * shares[CLASSES])}")


if __name__ == "__main__":
    sys.exit(main())

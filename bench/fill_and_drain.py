#!/usr/bin/python3
"""A loop that fills and drains: what giving memory back costs a program that will want it again at once.

    bench/fill_and_drain.py [--rounds 7] [--cycles 24] [--only LOAD] [--settings kept,normal] [--trace SECONDS]

CPU seconds of the cycles (the first few apart), user and system, of all threads; rounds are interleaved, medians
shown, and the median of each round's ratio to `kept`: Tarn that gives nothing back while the program is busy. Then each
runs under `strace -c -f` for some seconds at steady state, which tells the system calls a second.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "/usr/bin/python3"
WARM_UP = 4
BASELINE = "kept"
SETTINGS: dict[str, dict[str, str] | None] = {
    "stock": None,
    "off": {"TARN_RELEASE": "off"},  # empty arenas go at once, as in CPython
    "kept": {"TARN_DECAY": "3600000"},
    "normal": {},
    "eager": {"TARN_RELEASE": "eager"},
}


def tuples() -> None:
    rows = [(number, str(number)) for number in range(400_000)]
    del rows


def documents() -> None:
    import json

    text = json.dumps([{"id": number, "tags": ["red", "blue"], "price": number * 0.5} for number in range(150)])
    kept = [json.loads(text) for _ in range(250)]
    kept += [bytearray(4000) for _ in range(5000)]
    del kept


def scattered() -> None:
    """One in a hundred stays until the next cycle: pools never empty."""
    global survivors
    rows = [(number, str(number)) for number in range(400_000)]
    survivors = rows[::100]
    del rows


survivors: list[object] = []
LOADS = {"tuples": tuples, "documents": documents, "scattered": scattered}


def program(name: str, cycles: int, seconds: float) -> None:
    """Prints CPU seconds and page faults of the cycles after the first few; or, with seconds, runs so long."""
    load = LOADS[name]
    for _ in range(WARM_UP):
        load()
    print("steady", flush=True)
    end = time.monotonic() + seconds
    cpu, faults = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    done = 0
    while done < cycles or time.monotonic() < end:
        load()
        done += 1
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    print(time.process_time() - cpu, faults / done, flush=True)


def start(setting: str, load: str, cycles: int, seconds: float, tarn: Path) -> subprocess.Popen[str]:
    changes = SETTINGS[setting]
    command = [PYTHON, "-B", __file__, "--program", load, "--cycles", str(cycles), "--trace", str(seconds)]
    if changes is not None:
        command = [str(tarn), "run", "--", *command]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(command, env={**environment, **(changes or {})}, stdout=subprocess.PIPE, text=True)


def measure(setting: str, load: str, cycles: int, tarn: Path) -> tuple[float, float]:
    with start(setting, load, cycles, 0, tarn) as process:
        words = process.communicate()[0].split()
    if process.returncode != 0:
        sys.exit(f"{setting}: exit status {process.returncode}")
    return float(words[1]), float(words[2])


def trace(setting: str, load: str, seconds: float, tarn: Path) -> dict[str, float]:
    """System calls a second, by name; "total" is their sum."""
    with start(setting, load, 0, seconds + 5, tarn) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with tempfile.NamedTemporaryFile("r") as table:
            tracer = subprocess.Popen(
                ["strace", "-f", "-c", "-p", str(process.pid), "-o", table.name],
                stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert tracer.stderr is not None
            tracer.stderr.readline()  # it has attached
            began = time.monotonic()
            time.sleep(seconds)
            passed = time.monotonic() - began
            tracer.send_signal(signal.SIGINT)
            tracer.communicate()
            rows = table.read().splitlines()
        process.kill()
    calls: dict[str, float] = {}
    for row in rows:
        found = re.fullmatch(r" *[\d.]+ +[\d.]+ +\d+ +(\d+)(?: +\d+)? +(\w+)", row)
        if found:
            calls[found[2]] = int(found[1]) / passed
    return {"total": 0.0, **calls}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="runs of each (default 7)")
    parser.add_argument("--cycles", type=int, default=24, help="fills and drains of a run (default 24)")
    parser.add_argument("--only", choices=LOADS, action="append", help="this load only")
    parser.add_argument("--settings", default=",".join(SETTINGS), help="some of %(default)s; kept is always measured")
    parser.add_argument("--trace", type=float, default=5.0, metavar="SECONDS", help="under strace (default 5; 0: not)")
    parser.add_argument("--tarn", type=Path, default=ROOT / "build/release/bin/tarn", metavar="PATH")
    parser.add_argument("--program", choices=LOADS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.program:
        program(arguments.program, arguments.cycles, arguments.trace)
        return
    wanted = {BASELINE, *arguments.settings.split(",")}
    if unknown := wanted - set(SETTINGS):
        parser.error(f"no settings {', '.join(sorted(unknown))}; known: {', '.join(SETTINGS)}")
    for load in arguments.only or LOADS:
        runs: dict[str, list[tuple[float, float]]] = {setting: [] for setting in SETTINGS if setting in wanted}
        for number in range(arguments.rounds):
            order = list(runs)
            # Each comes first, and last, as often as the others.
            for setting in order[number % len(order) :] + order[: number % len(order)]:
                runs[setting].append(measure(setting, load, arguments.cycles, arguments.tarn))
        print(f"\n{load}: {arguments.cycles} cycles, medians of {arguments.rounds}")
        print(f"{'':<10}{'CPU s':>8}{'against ' + BASELINE:>14}{'faults a cycle':>16}{'calls a second':>16}")
        for setting, measured in runs.items():
            ratios = [mine[0] / base[0] for mine, base in zip(measured, runs[BASELINE])]
            calls = trace(setting, load, arguments.trace, arguments.tarn) if arguments.trace else {}
            most = sorted((name for name in calls if name != "total"), key=lambda name: -calls[name])[:3]
            print(
                f"{setting:<10}{statistics.median(cpu for cpu, _ in measured):>8.2f}{statistics.median(ratios):>14.3f}"
                f"{statistics.median(faults for _, faults in measured):>16.0f}"
                f"{calls.get('total', float('nan')):>16.1f}   {', '.join(f'{name} {calls[name]:.1f}' for name in most)}"
            )


if __name__ == "__main__":
    main()

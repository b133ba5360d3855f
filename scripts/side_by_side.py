"""Runs a Python program on stock memory and on Tarn, by turns, and prints both side by side.

    side_by_side.py --tarn TARN --python PYTHON [--rounds N] -- PROGRAM.py [ARGUMENT...]
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    seconds: float
    peak_bytes: int
    output: bytes


def measure(command: list[str]) -> Measurement:
    """One run. Peak memory is the largest of the command and the processes it waited for."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        # Not subprocess: its wait() keeps the resource usage to itself.
        process = os.posix_spawnp(
            command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1)]
        )
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - started
        output.seek(0)
        text = output.read()
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        sys.stdout.write(text.decode(errors="replace"))
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        sys.exit(f"run: {' '.join(command)} {ended}")
    return Measurement(seconds, usage.ru_maxrss * 1024, text)


def check_that_tarn_is_on(tarn: str, python: str) -> None:
    """A comparison of stock with stock would look fine, so let Python itself say what it lives on."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TARN_REPORT_DIR": folder}
        result = subprocess.run(
            [tarn, "run", "--python", python, "-c", "pass"], env=environment, capture_output=True, text=True, check=False
        )
        reports = [report.read_text() for report in pathlib.Path(folder).iterdir()]
    if result.returncode != 0 or not any("\nstate on\n" in report for report in reports):
        sys.stderr.write(result.stderr)
        sys.exit(f"run: {python} does not live on Tarn; `{tarn} doctor {python}` says why")


def python_version(python: str) -> str:
    command = [python, "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def mebibytes(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"


def row(name: str, stock: float, tarn: float, written: tuple[str, str]) -> str:
    return f"  {name:<12} {written[0]:>12} {written[1]:>12} {tarn / stock:>9.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tarn", required=True, help="the tarn command")
    parser.add_argument("--python", required=True, help="the Python that runs the program")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs")
    parser.add_argument("program", nargs="+", help="the program and its arguments")
    options = parser.parse_args()

    tarn = os.path.abspath(options.tarn)
    check_that_tarn_is_on(tarn, options.python)
    version = python_version(options.python)
    print(f"{pathlib.Path(options.program[0]).name} with Python {version} ({options.python}), {options.rounds} rounds, by turns\n")

    sides = {"stock": [options.python], "Tarn": [tarn, "run", "--python", options.python]}
    runs: dict[str, list[Measurement]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, prefix in sides.items():
            runs[name].append(measure([*prefix, *options.program]))

    # The fastest run is the one that the machine disturbed least; memory is the largest that was seen.
    seconds = {name: min(run.seconds for run in measured) for name, measured in runs.items()}
    peak = {name: max(run.peak_bytes for run in measured) for name, measured in runs.items()}
    print(f"  {'':<12} {'stock':>12} {'on Tarn':>12} {'ratio':>9}")
    print(row("time", seconds["stock"], seconds["Tarn"], (f"{seconds['stock']:.3f} s", f"{seconds['Tarn']:.3f} s")))
    print(row("peak memory", peak["stock"], peak["Tarn"], (mebibytes(peak["stock"]), mebibytes(peak["Tarn"]))))

    outputs = {run.output for measured in runs.values() for run in measured}
    last_line = runs["Tarn"][0].output.decode(errors="replace").strip().rpartition("\n")[2]
    if len(outputs) == 1:
        print(f"\nEach run printed the same; its last line: {last_line}")
    else:
        print("\nThe runs printed different things (a program that prints times or random numbers does).")


if __name__ == "__main__":
    main()

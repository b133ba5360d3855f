"""The measuring itself: each round runs every case, and each case every peer, whose order changes from round to round."""

from __future__ import annotations

from pathlib import Path

from python_bench import machine, measure

from objects.cases import Case
from objects.peers import Peer
from objects.progress import Progress
from objects.results import Measured, Part, Results, Run


class Unexpected(Exception):
    """A program printed something else than program.h says."""


def parse(output: str) -> Run:
    """What a peer's program printed."""
    run = Run()
    try:
        for line in output.splitlines():
            kind, *words = line.split()
            if kind == "part":
                name, seconds, cpu, operations, pause = words
                run.parts[name] = Part(float(seconds), float(cpu), int(operations), float(pause))
            elif kind == "memory":
                run.peak_kib, run.before_kib = map(int, words)
    except ValueError as problem:
        raise Unexpected(f"it printed {line!r}") from problem
    run.checksum = measure.checksum_of(output)
    if run.checksum is None:
        raise Unexpected("it didn't end with a checksum line")
    if not run.parts or not run.peak_kib:
        raise Unexpected("it printed no time or no memory")
    return run


class Benchmark:
    def __init__(
        self, results: Results, peers: list[Peer], folder: Path, timeout: float, progress: Progress
    ) -> None:
        self._results = results
        self._peers = {peer.name: peer for peer in peers}
        self._folder = folder
        self._timeout = timeout
        self._progress = progress

    def run(self, cases: list[Case]) -> None:
        """Measure everything. After Ctrl-C (or SIGTERM as the command maps it) what was measured is in the results."""
        measured = [Measured(case.name) for case in cases]
        self._results.cases = measured
        try:
            for number in range(self._results.rounds_wanted):
                for case, into in zip(cases, measured):
                    # In the results from the start, so that an interruption loses no run that has ended.
                    runs: dict[str, Run] = {}
                    into.rounds.append(runs)
                    for name in measure.turn_order(list(self._peers), number):
                        if any(earlier.get(name, Run()).failure for earlier in into.rounds):
                            continue
                        self._progress.start(case, name, number)
                        runs[name] = self._one_run(case, into, name)
                        self._progress.end(case, name, number, runs[name])
        except KeyboardInterrupt:
            self._results.interrupted = True
        for into in measured:
            into.rounds = [runs for runs in into.rounds if runs]
        self._results.cases = [into for into in measured if into.rounds]
        self._results.load_at_end = machine.load_average()

    def _one_run(self, case: Case, into: Measured, name: str) -> Run:
        command = self._peers[name].command(self._folder, case.name, self._results.scale)
        ended = measure.run(command, {}, self._timeout)
        if ended.failure or ended.sample is None:
            return Run(failure=ended.failure or "it left no measure")
        try:
            run = parse(ended.output)
        except Unexpected as problem:
            return Run(failure=str(problem))
        expected = next(
            (one.checksum for runs in into.rounds for one in runs.values() if not one.failure), run.checksum
        )
        if run.checksum != expected:
            run.failure = f"checksum {run.checksum}, where another run gave {expected}"
        return run

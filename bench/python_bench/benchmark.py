"""The measuring itself: the start-up test, then every program, each round of which runs all configurations."""

from __future__ import annotations

from python_bench import machine, measure
from python_bench.configurations import Configuration
from python_bench.programs import STARTUP, Program
from python_bench.progress import Progress
from python_bench.results import Measured, Results, Sample


class Failed(Exception):
    """A program ended badly, or two of its runs disagree."""


class Benchmark:
    def __init__(
        self, results: Results, configurations: list[Configuration], python: str, timeout: float, progress: Progress
    ) -> None:
        self._results = results
        self._configurations = {configuration.name: configuration for configuration in configurations}
        self._python = python
        self._timeout = timeout
        self._progress = progress

    def run(self, programs: list[Program], startup_runs: int) -> None:
        """Measure everything. After Ctrl-C (or SIGTERM as the command maps it) what was measured is in the results."""
        try:
            if startup_runs:
                self._progress.say(f"start-up: {startup_runs} runs of `-c pass` each")
                self._measure(self._results.startup, ["-c", "pass"], startup_runs, has_checksum=False)
            for program in programs:
                measured = Measured(program.name)
                self._results.programs.append(measured)
                arguments = [str(program.path), "--scale", f"{self._results.scale:g}"]
                self._progress.start(program.name)
                self._measure(measured, arguments, self._results.rounds_wanted, has_checksum=True)
                self._progress.end(measured)
        except KeyboardInterrupt:
            self._results.interrupted = True
            self._results.programs = [one for one in self._results.programs if one.rounds or one.failure]
        self._results.load_at_end = machine.load_average()

    def _measure(self, measured: Measured, arguments: list[str], rounds: int, has_checksum: bool) -> None:
        for number in range(rounds):
            samples = {}
            try:
                for name in measure.turn_order(list(self._configurations), number):
                    samples[name] = self._one_run(measured, name, arguments, has_checksum)
            except Failed as problem:
                measured.failure = str(problem)
                return
            # Only whole rounds count: Ctrl-C half-way leaves no pair.
            measured.rounds.append({name: samples[name] for name in self._configurations})
            if measured.name != STARTUP and number + 1 < rounds:
                self._progress.round(measured.name, number + 1)

    def _one_run(self, measured: Measured, name: str, arguments: list[str], has_checksum: bool) -> Sample:
        configuration = self._configurations[name]
        run = measure.run(configuration.command(self._python, arguments), configuration.environment, self._timeout)
        if run.failure or run.sample is None:
            raise Failed(f"under {name}: {run.failure}")
        if has_checksum:
            checksum = measure.checksum_of(run.output)
            if checksum is None:
                raise Failed(f"under {name}: it didn't end with a checksum line")
            if measured.checksum is None:
                measured.checksum = checksum
            elif measured.checksum != checksum:
                raise Failed(f"checksum {checksum} under {name}, where another run gave {measured.checksum}")
        return run.sample

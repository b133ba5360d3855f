"""The measuring itself: the start-up test, then every program, each round of which runs all configurations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from python_bench import machine, measure
from python_bench.configurations import Configuration
from python_bench.programs import STARTUP, Program
from python_bench.progress import Progress
from python_bench.results import Measured, Results, Sample

# A program whose loops are for us to choose does its work for so long at least, in seconds.
LEAST_SECONDS = 0.25
MOST_LOOPS = 1 << 20


class Failed(Exception):
    """A program ended badly, or two of its runs disagree."""


class Benchmark:
    def __init__(
        self,
        results: Results,
        configurations: list[Configuration],
        python: str,
        timeout: float,
        progress: Progress,
        save: Callable[[], None] = lambda: None,
    ) -> None:
        self._results = results
        self._configurations = {configuration.name: configuration for configuration in configurations}
        self._python = python
        self._timeout = timeout
        self._progress = progress
        self._save = save

    def run(self, programs: list[Program], startup_runs: int) -> None:
        """Measure what the results don't have yet.

        They are saved after each round. After Ctrl-C (or SIGTERM as the command maps it) what was measured is in them.
        """
        self._results.interrupted = False
        try:
            self._measure_startup(startup_runs)
            for program in programs:
                if not self._results.is_done(program.name):
                    self._measure_program(program)
        except KeyboardInterrupt:
            self._results.interrupted = True
            self._results.programs = [one for one in self._results.programs if one.rounds or one.failure]
        self._results.load_at_end = machine.load_average()

    def _measure_startup(self, runs: int) -> None:
        startup = self._results.startup
        if startup.failure or len(startup.rounds) >= runs:
            return
        self._progress.say(f"start-up: {runs} runs of `-c pass` each")

        def run(name: str) -> Sample:
            return self._run(name, ["-c", "pass"])[0]

        self._measure(startup, run, runs)

    def _measure_program(self, program: Program) -> None:
        known = {one.name: one for one in self._results.programs}
        measured = known.get(program.name)
        self._progress.start(program.name)
        if measured is None:
            measured = Measured(program.name)
            if not program.has_checksum:
                try:
                    measured.loops = self._choose_loops(program)
                except Failed as problem:
                    self._results.skipped[program.name] = str(problem)
                    self._progress.skip(program.name, str(problem))
                    return
            self._results.programs.append(measured)

        def run(name: str) -> Sample:
            return self._run_program(program, measured, name)

        self._measure(measured, run, self._results.rounds_wanted)
        self._progress.end(measured)

    def _choose_loops(self, program: Program) -> int:
        """Under the baseline: what doesn't run there can't be compared."""
        loops = 1
        while True:
            seconds = self._run_program(program, Measured(program.name, loops=loops), self._results.baseline).wall
            if seconds >= LEAST_SECONDS or loops >= MOST_LOOPS:
                return loops
            # Not at once to where it should be: the first run is late, for all that it does for the first time.
            wanted = int(loops * LEAST_SECONDS / max(seconds, 1e-6)) + 1
            loops = min(max(2 * loops, wanted), 16 * loops, MOST_LOOPS)

    def _measure(self, measured: Measured, run: Callable[[str], Sample], rounds: int) -> None:
        for number in range(len(measured.rounds), rounds):
            samples = {}
            try:
                for name in measure.turn_order(list(self._configurations), number):
                    samples[name] = run(name)
            except Failed as problem:
                measured.failure = f"under {name}: {problem}"
                return
            # Only whole rounds count: Ctrl-C half-way leaves no pair.
            measured.rounds.append({name: samples[name] for name in self._configurations})
            self._save()
            if measured.name != STARTUP and number + 1 < rounds:
                self._progress.round(measured.name, number + 1)

    def _run(self, name: str, arguments: list[str]) -> tuple[Sample, str]:
        configuration = self._configurations[name]
        run = measure.run(configuration.command(self._python, arguments), configuration.environment, self._timeout)
        if run.failure or run.sample is None:
            raise Failed(run.failure)
        return run.sample, run.output

    def _run_program(self, program: Program, measured: Measured, name: str) -> Sample:
        with TemporaryDirectory(prefix="bench-python-", ignore_cleanup_errors=True) as folder:
            place = Path(folder)
            sample, output = self._run(name, program.arguments(self._results.scale, measured.loops, place))
            try:
                seconds = program.seconds(place)
            except ValueError as problem:
                raise Failed(str(problem)) from problem
        if program.has_checksum:
            self._check(measured, output)
        return sample if seconds is None else dataclasses.replace(sample, wall=seconds)

    def _check(self, measured: Measured, output: str) -> None:
        checksum = measure.checksum_of(output)
        if checksum is None:
            raise Failed("it didn't end with a checksum line")
        if measured.checksum is None:
            measured.checksum = checksum
        elif measured.checksum != checksum:
            raise Failed(f"checksum {checksum}, where another run gave {measured.checksum}")

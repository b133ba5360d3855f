"""The measuring itself: every program under every configuration, as many rounds as were asked for."""

from __future__ import annotations

import ast
import subprocess

from python_bench import machine, measure
from python_bench.configurations import Configuration
from python_bench.programs import Program

from retention import running
from retention.progress import Progress
from retention.results import Measured, Results


def needs(program: Program) -> list[str]:
    """The modules that it imports from outside the standard library: its NEEDS."""
    for node in ast.parse(program.path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["NEEDS"]:
            return list(ast.literal_eval(node.value))
    return []


def missing_modules(program: Program, python: str) -> list[str]:
    """Those of its NEEDS that this Python can't find."""
    wanted = needs(program)
    if not wanted:
        return []
    code = "import importlib.util, sys\nprint(*[name for name in sys.argv[1:] if not importlib.util.find_spec(name)])"
    command = [python, "-c", code, *wanted]
    found = subprocess.run(command, env=measure.base_environment(), capture_output=True, text=True, check=False)
    return found.stdout.split() if found.returncode == 0 else wanted


class Benchmark:
    def __init__(
        self, results: Results, configurations: list[Configuration], python: str, timeout: float, progress: Progress
    ) -> None:
        self._results = results
        self._configurations = {configuration.name: configuration for configuration in configurations}
        self._python = python
        self._timeout = timeout
        self._progress = progress

    def run(self, programs: list[Program]) -> None:
        """Measure everything. After Ctrl-C (or SIGTERM as the command maps it) what was measured is in the results."""
        try:
            for program in programs:
                measured = Measured(program.name, program.summary)
                self._results.programs.append(measured)
                for number in range(self._results.rounds_wanted):
                    for name in measure.turn_order(list(self._configurations), number):
                        # A report is asked for once: it takes time, and the page floor hardly varies.
                        self._one_run(program, measured, name, with_report=number == 0)
        except KeyboardInterrupt:
            self._results.interrupted = True
            self._results.programs = [one for one in self._results.programs if one.runs]
        self._results.load_at_end = machine.load_average()

    def _one_run(self, program: Program, measured: Measured, name: str, with_report: bool) -> None:
        scale, idle = self._results.scale, self._results.idle
        arguments = [str(program.path), "--scale", f"{scale:g}", "--idle", f"{idle:g}"]
        self._progress.start(program.name, name)
        run = running.run(
            self._configurations[name], self._python, arguments, self._timeout, self._progress.watch, with_report
        )
        expected = next((one.checksum for runs in measured.runs.values() for one in runs if not one.failure), None)
        if run.failure is None and expected not in (None, run.checksum):
            run.failure = f"checksum {run.checksum}, where another run gave {expected}"
        measured.runs.setdefault(name, []).append(run)
        self._progress.end(run)

"""The command `cpython-tests`."""

from __future__ import annotations

import argparse
import os
import pathlib
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

from . import lists, record, report
from .regrtest import ModuleRunner, Options, Selection, Side, list_modules
from .snapshots import Snapshots
from .whole_run import WholeRun

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 1200.0
CI_TIMEOUT = 240.0

DESCRIPTION = """\
Runs CPython's own regression tests on stock memory and on Tarn, and prints what differs: by module, and by test.
Without a MODULE it runs the whole suite: half an hour on two idle cores."""

EPILOG = """\
examples:
  scripts/cpython-tests test_gc test_weakref
  scripts/cpython-tests --ci
  scripts/cpython-tests test_asyncio.test_tasks -m '*Cancel*'
  scripts/cpython-tests --other 'env PYTHONMALLOC=malloc' test_sys     compare with something other than Tarn
  scripts/cpython-tests --ci --snapshots                               while snapshots of Tarn's side are taken in a loop
  scripts/cpython-tests --only-stock --json stock.json                 keep what stock does …
  scripts/cpython-tests --stock-results stock.json                     … and compare with it later

exit status: 0 no unexpected difference, 1 differences (or expected ones that are no longer there), or snapshots that went
wrong, 2 a wrong argument
or a Python or Tarn that doesn't work, 130 interrupted"""


class UsageError(Exception):
    """Something the caller has to put right."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cpython-tests", description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as test_gc, or test_asyncio.test_tasks")
    parser.add_argument("--ci", action="store_true", help="the modules in tests/cpython/ci-modules.txt")
    parser.add_argument("-x", "--exclude", action="append", default=[], metavar="MODULE", help="leave this module out")
    parser.add_argument("-m", "--match", action="append", default=[], metavar="PATTERN", help="only tests that match")
    parser.add_argument("-i", "--ignore", action="append", default=[], metavar="PATTERN", help="no tests that match")

    sides = parser.add_argument_group("what is compared")
    sides.add_argument("--python", default="/usr/bin/python3", metavar="PATH", help="default: %(default)s")
    sides.add_argument("--tarn", default=str(PROJECT / "build/release/bin/tarn"), metavar="PATH",
                       help="the tarn command (default: build/release/bin/tarn)")
    sides.add_argument("--other", metavar="COMMAND-PREFIX", help="compare stock with this instead of `tarn run --`")
    sides.add_argument("--expected", type=pathlib.Path, metavar="FILE",
                       help="expected differences (default: tests/cpython/expected-differences.txt; none with --other)")
    sides.add_argument("--stock-results", type=pathlib.Path, metavar="FILE",
                       help="take stock's results from a file that --json wrote, where the conditions are the same")
    sides.add_argument("--only-stock", action="store_true", help="compare nothing: run stock, and keep it with --json")
    sides.add_argument("--snapshots", action="store_true",
                       help="take snapshots of all of Tarn's processes, over and over, while their tests run")

    how = parser.add_argument_group("how")
    how.add_argument("-j", "--jobs", type=int, default=2, metavar="N", help="modules at a time (default: %(default)s)")
    how.add_argument("--retries", type=int, default=2, metavar="N",
                     help="how often a difference is run again before it counts (default: %(default)s)")
    how.add_argument("--timeout", type=float, metavar="SECONDS",
                     help=f"for a module (default: {TIMEOUT:.0f}; {CI_TIMEOUT:.0f} with --ci)")
    how.add_argument("-u", "--use", default="cpu,decimal", metavar="RESOURCES",
                     help="regrtest's resources, such as decimal,cpu (default: %(default)s; network is refused)")
    how.add_argument("--testdir", metavar="DIR", help="test modules from here instead of Python's own")
    how.add_argument("--keep-env", action="append", default=[], metavar="NAME",
                     help="pass this environment variable on (TARN_* always reach Tarn; most others reach nobody)")
    how.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all results to this file")
    how.add_argument("--logs", type=pathlib.Path, metavar="DIR", help="keep every module's output here")
    return parser


def _options(arguments: argparse.Namespace) -> Options:
    python = shutil.which(arguments.python)
    if python is None:
        raise UsageError(f"no Python at {arguments.python}; give another with --python")
    if {"all", "network", "urlfetch"} & set(arguments.use.split(",")):
        raise UsageError("--use: tests that need the network aren't comparable; name the resources without it")
    if arguments.jobs < 1:
        raise UsageError("--jobs: at least one module at a time")
    if arguments.retries < 0:
        raise UsageError("--retries: not less than 0")
    timeout = arguments.timeout if arguments.timeout is not None else (CI_TIMEOUT if arguments.ci else TIMEOUT)
    if timeout <= 0:
        raise UsageError("--timeout: more than 0 seconds")
    testdir = os.path.abspath(arguments.testdir) if arguments.testdir else None
    return Options(python, arguments.use, timeout, testdir=testdir, keep_variables=tuple(arguments.keep_env))


def _selections(arguments: argparse.Namespace, options: Options) -> list[Selection]:
    if arguments.ci and arguments.modules:
        raise UsageError("--ci brings its own modules: leave the names away, or leave --ci away")
    available = list_modules(options)
    if arguments.ci:
        selections = lists.read_modules(lists.CI_MODULES)
    else:
        names = list(dict.fromkeys(name.removesuffix(".py") for name in arguments.modules)) or available
        selections = [Selection(name) for name in names]
    left_out = {one.module: one.ignore for one in lists.read_modules(lists.LEFT_OUT)}
    extra_match, extra_ignore = tuple(arguments.match), tuple(arguments.ignore)
    selections = [
        Selection(one.module, one.match + extra_match, one.ignore + extra_ignore + left_out.get(one.module, ()))
        for one in selections if one.module not in arguments.exclude
    ]
    unknown = [one.module for one in selections if one.module.split(".")[0] not in available]
    if unknown:
        raise UsageError(f"{options.python} has no such test module: {', '.join(unknown)}")
    if not selections:
        raise UsageError("nothing is left to run")
    return selections


def _other_side(arguments: argparse.Namespace) -> Side:
    # Tests compare what their children write to stderr: the library's one-line messages would be in it.
    environment = {name: value for name, value in os.environ.items() if name.startswith("TARN_")}
    environment["TARN_QUIET"] = "1"
    environment.pop("TARN_REPORT_DIR", None)
    settings = tuple(sorted(environment.items()))
    if arguments.other is not None:
        return Side("other", tuple(shlex.split(arguments.other)), settings)
    if not os.access(arguments.tarn, os.X_OK):
        raise UsageError(f"no tarn at {arguments.tarn}; build it with scripts/build, or give another with --tarn")
    return Side("tarn", (os.path.abspath(arguments.tarn), "run", "--"), settings)


def _check_that_it_lives_on_tarn(side: Side, python: str) -> None:
    """Were Tarn silently off, stock would be compared with itself and all would be well."""
    with tempfile.TemporaryDirectory(prefix="tarn-cpython-") as directory:
        environment = {**os.environ, **dict(side.environment), "TARN_REPORT_DIR": directory}
        for name in [name for name in environment if name.startswith("PYTHON")]:
            del environment[name]
        command = [*side.prefix, python, "-c", "pass"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        reports = [path.read_text(encoding="utf-8", errors="replace") for path in pathlib.Path(directory).iterdir()]
    if done.returncode != 0:
        raise UsageError(f"{shlex.join(command)} exits with {done.returncode}: {done.stderr.strip()}")
    if not any("\nstate on\n" in text for text in reports):
        reasons = [line for text in reports for line in text.splitlines() if line.startswith("reason ")]
        why = f": {reasons[0].removeprefix('reason ')}" if reasons else ": it left no report"
        raise UsageError(f"{python} doesn't live on Tarn{why}; `tarn doctor {python}` says more")


def _run(arguments: argparse.Namespace) -> int:
    options = _options(arguments)
    if arguments.only_stock and not arguments.json:
        raise UsageError("--only-stock compares nothing: say with --json FILE where to keep the results")
    if arguments.snapshots and (arguments.only_stock or arguments.other is not None):
        raise UsageError("--snapshots: they are of processes on Tarn, which neither --other nor --only-stock runs")
    selections = _selections(arguments, options)
    stock = Side("stock")
    other = stock if arguments.only_stock else _other_side(arguments)
    if other.name == "tarn":
        _check_that_it_lives_on_tarn(other, options.python)
    expected_path = arguments.expected or (lists.EXPECTED_DIFFERENCES if other.name == "tarn" else None)
    expected = lists.read_expected_differences(expected_path) if expected_path else {}
    python = record.describe_python(options.python)
    known = {}
    if arguments.stock_results:
        known = record.read_stock_results(arguments.stock_results, options, python, selections)

    print(f"{python['executable']} {python['version']}", flush=True)
    if not arguments.only_stock:
        print(f"{other.name}: {shlex.join(other.prefix)}", flush=True)
    for one in selections:
        if one.ignore:
            print(f"left out of {one.module}: {', '.join(one.ignore)}", flush=True)
    if arguments.stock_results:
        print(f"stock's results of {report.count(len(known), 'module')} are from {arguments.stock_results}", flush=True)

    directory = pathlib.Path(tempfile.mkdtemp(prefix="tarn-cpython-"))
    snapshots = Snapshots(arguments.tarn) if arguments.snapshots else None
    runner = ModuleRunner(options, directory, arguments.logs, snapshots)
    whole_run = WholeRun(runner, stock, other, expected=expected, jobs=arguments.jobs, retries=arguments.retries,
                         observer=report.Progress(sys.stdout, other.name), known_stock=known)
    try:
        if arguments.only_stock:
            results = whole_run.run_stock(selections)
            verdicts = None
        else:
            verdicts = whole_run.compare(selections)
            results = [verdict.runs[0][0] for verdict in verdicts]
    finally:
        runner.stop()
        shutil.rmtree(directory, ignore_errors=True)
    if arguments.json:
        written = record.make_record(options, python, selections, results, verdicts, other.name)
        record.write_record(arguments.json, written)
    if verdicts is None:
        report.print_stock_summary(sys.stdout, results)
        return 0
    if snapshots is not None:
        report.print_snapshots(sys.stdout, snapshots.heard)
    report.print_summary(sys.stdout, verdicts, expected, other.name)
    has_findings = snapshots is not None and (snapshots.heard.findings or snapshots.heard.taken == 0)
    return 1 if has_findings or any(verdict.differences or verdict.stale for verdict in verdicts) else 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _take_signals_back() -> None:
    """A shell starts a background command with signals ignored, and children inherit that: tests would miss Ctrl-C.

    A signal with a handler, on the other hand, is at its default again in a child.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    _take_signals_back()
    # Some tests crash on purpose, and a crash that isn't on purpose is told by its signal: no core files.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        return _run(arguments)
    except (UsageError, lists.ListError, record.RecordError, RuntimeError) as error:
        print(f"cpython-tests: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ncpython-tests: interrupted; all children were stopped", file=sys.stderr)
        return 130

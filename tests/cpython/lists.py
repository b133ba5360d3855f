"""Reads the lists beside this file: modules for continuous integration, expected differences, what is left out."""

from __future__ import annotations

import argparse
import pathlib
import shlex
from collections.abc import Iterator

from .regrtest import Selection

HERE = pathlib.Path(__file__).resolve().parent
CI_MODULES = HERE / "ci-modules.txt"
LEFT_OUT = HERE / "left-out.txt"
EXPECTED_DIFFERENCES = HERE / "expected-differences.txt"


class ListError(Exception):
    """A line that can't be understood: the message names file and line."""


def _lines(path: pathlib.Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line


def read_expected_differences(path: pathlib.Path) -> dict[str, str]:
    """Lines `module.Class.test_name  reason`. A reason is required: a difference without one is not understood."""
    expected: dict[str, str] = {}
    for number, line in _lines(path):
        test, _, reason = line.partition(" ")
        if not reason.strip():
            raise ListError(f"{path}:{number}: {test} has no reason; write why it differs after the name")
        if "." not in test:
            raise ListError(f"{path}:{number}: {test} is not a test; write module.Class.test_name")
        if test in expected:
            raise ListError(f"{path}:{number}: {test} is listed twice; remove one of the lines")
        expected[test] = reason.strip()
    return expected


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise ListError(message)


def read_modules(path: pathlib.Path) -> list[Selection]:
    """Lines `module [-m PATTERN]… [-i PATTERN]…`; the patterns are regrtest's."""
    parser = _Parser(add_help=False)
    parser.add_argument("module")
    parser.add_argument("-m", dest="match", action="append", default=[])
    parser.add_argument("-i", dest="ignore", action="append", default=[])
    selections: list[Selection] = []
    for number, line in _lines(path):
        try:
            arguments = parser.parse_args(shlex.split(line, comments=True))
        except (ListError, ValueError) as error:
            raise ListError(f"{path}:{number}: {error}; write: module [-m PATTERN] [-i PATTERN]") from None
        if any(arguments.module == selection.module for selection in selections):
            raise ListError(f"{path}:{number}: {arguments.module} is listed twice; remove one of the lines")
        selections.append(Selection(arguments.module, tuple(arguments.match), tuple(arguments.ignore)))
    return selections

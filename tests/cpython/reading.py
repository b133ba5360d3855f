"""Reads what CPython's test runner left behind: its exit status, its verbose text and its JUnit file.

The JUnit file names every test exactly, so it comes first. It isn't enough: the runner writes it at the very end, so
a crash leaves none; a test of which only sub-tests failed stands in it without a name; what happens to a whole class
(setUpClass) isn't in it at all. All of that is read from the verbose text.
"""

from __future__ import annotations

import re
import signal
import xml.etree.ElementTree as ElementTree

from .result import CRASHED, TIMED_OUT, ModuleResult

MESSAGE_LINES = 3
MESSAGE_LINE_LENGTH = 200

# The runner's own exit statuses: all well, some failed, environment changed, no tests, failed again.
# Anything else, status 1 above all, means that the interpreter ended in another way than by the runner's decision.
ORDERLY_EXIT_STATUSES = (0, 2, 3, 4, 5)

# "test_name (test.test_gc.GCTests.test_name)" since 3.11, "test_name (test.test_gc.GCTests)" before.
_TEST_LINE = re.compile(r"^(?P<name>\w+) \((?P<path>[\w.]+)\)(?P<rest>.*)$")
_OUTCOME_AT_END = re.compile(
    r"(?:^|\.\.\. )(?P<outcome>ok|FAIL|ERROR|skipped .*|expected failure|unexpected success)$")
_FAILURE_HEADER = re.compile(r"^(?P<kind>FAIL|ERROR): (?P<name>\S+) \((?P<path>[^()\s]+)\)(?: (?P<sub_test>.*))?$")
_EXCEPTION_LINE = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(?::|$)")
# The runner's faulthandler: "Timeout (0:20:00)!", then the traceback of each thread.
_TIMEOUT = re.compile(r"Timeout \(\d+:\d\d:\d\d[.\d]*\)!\nThread 0x")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")

_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above exception, another exception occurred:",
            "The above exception was the direct cause of the following exception:")
_RULE_DOUBLE = "=" * 70
_RULE_SINGLE = "-" * 70

_MODULE_OUTCOMES = (
    # In order of weight: the runner lists a module once, but a later re-run may list it again.
    (re.compile(r"^\d+ tests? failed"), "failed"),
    (re.compile(r"^\d+ tests? altered the execution environment"), "env changed"),
    (re.compile(r"^\d+ tests? skipped"), "skipped"),
    (re.compile(r"^\d+ tests? run no tests"), "no tests"),
    (re.compile(r"^(?:All )?\d+ tests? OK"), "success"),
)


def normalise(test_id: str) -> str:
    """The id as people write it: without the package's name, and without addresses, which differ from run to run."""
    if test_id.startswith("test.test_"):
        test_id = test_id[len("test."):]
    return _ADDRESS.sub("0x…", test_id)


def _test_id(name: str, path: str) -> str:
    return normalise(path if path.endswith("." + name) else f"{path}.{name}")


def _shorten(text: str) -> str:
    lines = [line.rstrip() for line in text.strip().splitlines() if line.strip()]
    return "\n".join(line[:MESSAGE_LINE_LENGTH] for line in lines[:MESSAGE_LINES])


class _Tests:
    def __init__(self) -> None:
        self.outcomes: dict[str, list[str]] = {}
        self.messages: dict[str, str] = {}

    def add(self, test_id: str, outcome: str, message: str = "") -> None:
        self.outcomes.setdefault(test_id, []).append(outcome)
        if message:
            self.messages.setdefault(test_id, _shorten(message))


def _read_junit(junit: str, tests: _Tests) -> int:
    """Adds the named tests; returns how many stand there without a name."""
    unnamed = 0
    for case in ElementTree.fromstring(junit).iter("testcase"):
        name = case.get("name")
        if name is None:
            unnamed += 1
            continue
        outcome, message = "ok", ""
        for child in case:
            if child.tag in ("failure", "error"):
                kind = "failed" if child.tag == "failure" else "error"
                outcome, message = f"{kind}: {child.get('type')}", child.get("message") or ""
            elif child.tag == "skipped":
                outcome, message = "skipped", child.text or ""
            elif child.tag == "output":
                outcome = "expected failure"
            elif child.tag == "outcome":
                outcome = "unexpected success"
        tests.add(normalise(name), outcome, message)
    return unnamed


def _failure_blocks(text: str) -> list[tuple[re.Match[str], str]]:
    """The blocks that the runner prints for each failure at its end: the header's match and the traceback."""
    blocks: list[tuple[re.Match[str], str]] = []
    lines = text.splitlines()
    for index, line in enumerate(lines[:-1]):
        header = _FAILURE_HEADER.match(lines[index + 1]) if line == _RULE_DOUBLE else None
        if header is None:
            continue
        try:
            start = lines.index(_RULE_SINGLE, index + 2) + 1
        except ValueError:
            continue
        end = next((at for at in range(start, len(lines)) if lines[at] in (_RULE_DOUBLE, _RULE_SINGLE)), len(lines))
        # What the test printed is appended after its traceback.
        printed = next((at for at in range(start, end) if lines[at] in ("Stdout:", "Stderr:")), end)
        blocks.append((header, "\n".join(lines[start:printed])))
    return blocks


def _exception(traceback: str) -> tuple[str, str]:
    """The type and the message of the exception that a traceback ends in.

    Read from the front, for a message may hold anything, such as a child's own traceback.
    """
    found = ("unknown exception", _shorten(traceback))
    lines = traceback.splitlines()
    at = 0
    while at < len(lines) and lines[at] == _TRACEBACK:
        at += 1
        while at < len(lines) and lines[at].startswith("  "):
            at += 1
        match = _EXCEPTION_LINE.match(lines[at]) if at < len(lines) else None
        if match is None:
            break
        found = (match.group("type"), "\n".join(lines[at:]))
        # An exception that was raised while another was handled comes last.
        at = next((later + 2 for later in range(at, len(lines)) if lines[later] in _CHAINED), len(lines))
    return found


def _read_failures(text: str, tests: _Tests) -> int:
    """Adds failures that no other source has named; returns how many different tests that were."""
    known = set(tests.outcomes)
    found: dict[str, list[tuple[str, str]]] = {}
    messages: dict[str, str] = {}
    for header, traceback in _failure_blocks(text):
        test_id = _test_id(header.group("name"), header.group("path"))
        if test_id in known:
            continue
        exception, message = _exception(traceback)
        kind = "failed" if header.group("kind") == "FAIL" else "error"
        sub_test = _ADDRESS.sub("0x…", header.group("sub_test") or "")
        found.setdefault(test_id, []).append((f"{kind}: {exception}", sub_test))
        messages.setdefault(test_id, f"{sub_test} {message}".strip())
    for test_id, failures in found.items():
        # One outcome for the test, which names the sub-tests: another set of them is another outcome.
        parts = sorted({f"{outcome} in {sub_test}" if sub_test else outcome for outcome, sub_test in failures})
        tests.add(test_id, "; ".join(parts), messages[test_id])
    return len(found)


def _read_progress(text: str, tests: _Tests | None) -> str:
    """Reads the verbose lines "name (path) ... outcome"; returns the test that had begun and not ended, or "".

    With `tests` the outcomes are added: this is the only source when the process didn't live to write the JUnit file.
    What a test prints may stand between its name and its outcome, so a few may stay unknown. They are left out.
    """
    names = {"FAIL": "failed", "ERROR": "error"}
    running = ""
    for line in text.splitlines():
        if line == _RULE_DOUBLE:
            break
        start = _TEST_LINE.match(line)
        if start:
            running = _test_id(start.group("name"), start.group("path"))
        outcome = _OUTCOME_AT_END.search(line)
        if outcome and running:
            word = outcome.group("outcome")
            if tests is not None:
                kind = "skipped" if word.startswith("skipped") else names.get(word, word)
                tests.add(running, kind)
            running = ""
    return running


def _read_class_skips(text: str, tests: _Tests) -> None:
    for line in text.splitlines():
        match = re.match(r"^setUpClass \((?P<path>[\w.]+)\) \.\.\. skipped (?P<reason>.*)$", line)
        if match:
            tests.add(normalise(match.group("path")) + ".setUpClass", "skipped", match.group("reason"))


def _module_outcome(text: str) -> str | None:
    at = text.rfind("== Tests result:")
    if at < 0:
        return None
    lines = text[at:].splitlines()
    for pattern, outcome in _MODULE_OUTCOMES:
        if any(pattern.match(line) for line in lines):
            return outcome
    return None


def _ending(exit_status: int) -> str:
    # A shell and `tarn run` report a child that a signal ended as 128 + the signal.
    number = -exit_status if exit_status < 0 else exit_status - 128
    if number > 0:
        try:
            return signal.Signals(number).name
        except ValueError:
            pass
    return f"exit status {exit_status}"


def read_module_result(module: str, exit_status: int, text: str, junit: str | None, seconds: float,
                       was_killed: bool = False) -> ModuleResult:
    """Puts the three sources together. `was_killed`: it ran past the outer time limit and was stopped from outside."""
    tests = _Tests()
    unnamed = 0
    has_junit = False
    if junit is not None:
        try:
            unnamed = _read_junit(junit, tests)
            has_junit = True
        except ElementTree.ParseError:
            tests = _Tests()
    running = _read_progress(text, None if has_junit else tests)
    named_now = _read_failures(text, tests)
    _read_class_skips(text, tests)
    for number in range(unnamed - named_now):
        # Not lost even where the text doesn't tell its name: it counts, and it compares.
        tests.add(f"{module}.(unnamed)", "failed in a sub-test")

    outcome = _module_outcome(text)
    detail = ""
    if was_killed or (outcome is None and exit_status == 1 and _TIMEOUT.search(text)):
        outcome = TIMED_OUT
    elif outcome is None or exit_status not in ORDERLY_EXIT_STATUSES:
        # The second case is a process that ran all its tests and then died while it was finalizing.
        after = "" if outcome is None else ", after all tests"
        outcome = f"{CRASHED} ({_ending(exit_status)}{after})"
    if outcome == TIMED_OUT or outcome.startswith(CRASHED):
        detail = f"while running {running}" if running else ""
    elif outcome == "skipped":
        match = re.search(rf"^{re.escape(module)} skipped -- (.*)$", text, re.MULTILINE)
        detail = match.group(1) if match else ""
    elif outcome == "failed" and not tests.outcomes:
        match = re.search(rf"^test {re.escape(module)} crashed -- (.*)\Z", text, re.MULTILINE | re.DOTALL)
        detail = _exception(match.group(1))[1].splitlines()[0] if match else ""

    outcomes = {name: sorted(found) for name, found in tests.outcomes.items()}
    return ModuleResult(module, outcome, round(seconds, 2), outcomes, tests.messages, detail)

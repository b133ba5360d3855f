"""What one run of one test module came to."""

from __future__ import annotations

import dataclasses
from typing import Any

# A module whose run came to one of these wrote down every test it ran.
# One that crashed or timed out did not: that a test is missing there says nothing.
COMPLETE_OUTCOMES = ("success", "failed", "env changed", "skipped", "no tests")

CRASHED = "crashed"
TIMED_OUT = "timed out"


@dataclasses.dataclass
class ModuleResult:
    """One run of one module.

    outcome   one of COMPLETE_OUTCOMES, "timed out", or "crashed (SIGSEGV)" with what ended the process
    tests     test id -> the outcomes of all its runs, sorted. An id that occurs twice (a class that a module loads
              under two suites) has two. An outcome that is a failure carries the exception's type: two runs that
              fail with different exceptions are not the same.
    messages  test id -> the first lines of why it failed or was skipped
    detail    why the module was skipped, or which test was running when the process ended
    """

    module: str
    outcome: str
    seconds: float = 0.0
    tests: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    messages: dict[str, str] = dataclasses.field(default_factory=dict)
    detail: str = ""

    @property
    def is_complete(self) -> bool:
        return self.outcome in COMPLETE_OUTCOMES

    @property
    def is_crashed(self) -> bool:
        return self.outcome.startswith(CRASHED)

    @property
    def test_count(self) -> int:
        return sum(len(outcomes) for outcomes in self.tests.values())

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> ModuleResult:
        return ModuleResult(**fields)


def is_failing(outcome: str) -> bool:
    """Whether a test's outcome makes its module fail."""
    return outcome.startswith(("failed", "error", "unexpected success"))

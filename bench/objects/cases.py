"""What is measured; the programs in cases/*.h do it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    summary: str
    # How long a round of it takes beside the others': what the time left is guessed from before there is a round.
    weight: float
    # Whether its parts are shown in nanoseconds per operation, not in seconds.
    is_per_operation: bool = False


CASES = {
    case.name: case
    for case in [
        Case("gcbench", "GCBench: trees from the root down and from the leaves up beside a long-lived one", 7),
        Case("trees", "binary trees of depth 20: 308 million nodes, 4.2 million live at most", 150),
        Case("graph", "a shuffled graph of four million nodes; collection: a full one while all of it lives", 17),
        Case("list", "a doubly linked list of two million nodes", 3),
        Case("cycles", "a loop that makes rings of 1,000 objects and forgets them: ten million objects", 7),
        Case("json", "a JSON document of two million values", 6),
        Case("references", "a reference copied and released, passed to an owner, passed to a borrower; ns each", 4, True),
    ]
}

"""The file that --json writes, and that --stock-results reads."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from .comparison import Verdict
from .regrtest import Options, Selection
from .result import ModuleResult

FORMAT = 1


class RecordError(Exception):
    """The file can't be used: the message says why and what to do."""


def describe_python(python: str) -> dict[str, str]:
    """What makes a result on stock reusable: the very same interpreter."""
    code = ("import os, platform, sys; print(os.path.realpath(sys.executable)); "
            "print(sys.version.replace(chr(10), ' ')); print(platform.platform())")
    lines = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    digest = hashlib.sha256(pathlib.Path(lines[0]).read_bytes()).hexdigest()
    return {"executable": lines[0], "version": lines[1], "platform": lines[2], "sha256": digest}


def _conditions(options: Options) -> dict[str, Any]:
    fields = dataclasses.asdict(options)
    del fields["python"]
    return {**fields, "keep_variables": list(options.keep_variables)}


def make_record(options: Options, python: Mapping[str, str], selections: Sequence[Selection],
                stock: Sequence[ModuleResult], verdicts: Sequence[Verdict] | None, other: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "format": FORMAT,
        "python": dict(python),
        "options": _conditions(options),
        "selections": {one.module: {"match": list(one.match), "ignore": list(one.ignore)} for one in selections},
        "stock": [result.to_json() for result in stock],
    }
    if verdicts is not None:
        record["other_name"] = other
        record["other"] = [verdict.runs[0][1].to_json() for verdict in verdicts]
        record["verdicts"] = [
            {
                "module": verdict.module,
                "runs": len(verdict.runs),
                "tests_compared": verdict.tests_compared,
                **{kind: [dataclasses.asdict(one) for one in getattr(verdict, kind)]
                   for kind in ("differences", "expected", "flaky")},
                "stale": verdict.stale,
            }
            for verdict in verdicts
        ]
    return record


def write_record(path: pathlib.Path, record: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_stock_results(path: pathlib.Path, options: Options, python: Mapping[str, str],
                       selections: Sequence[Selection]) -> dict[str, ModuleResult]:
    """The results of those modules that were run under the same conditions; refuses another interpreter's."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: {error}; write the file with --only-stock --json {path}") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise RecordError(f"{path} is not a file of this program's --json (format {FORMAT})")
    for what, now, then in (("interpreter", dict(python), record["python"]),
                            ("options", _conditions(options), record["options"])):
        changed = sorted(key for key in now.keys() | then.keys() if now.get(key) != then.get(key))
        if changed:
            shown = ", ".join(f"{key} {then.get(key)!r} there and {now.get(key)!r} here" for key in changed)
            raise RecordError(f"{path} was made with another {what}: {shown}; run without --stock-results")
    wanted = {one.module: {"match": list(one.match), "ignore": list(one.ignore)} for one in selections}
    return {
        fields["module"]: ModuleResult.from_json(fields)
        for fields in record["stock"]
        if wanted.get(fields["module"]) == record["selections"].get(fields["module"], {})
    }

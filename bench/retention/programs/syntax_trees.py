"""Parse the standard library and hold all its trees, as a checker of types does; keep where functions are defined."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from _program import Load, run

# Of source, at scale 1.
BYTES = 3_000_000


def sources(limit: int) -> Iterator[tuple[str, str]]:
    """Modules of the standard library by name, until `limit` bytes have been read."""
    folder = Path(sysconfig.get_path("stdlib"))
    total = 0
    for path in sorted([*folder.glob("*.py"), *folder.glob("[a-z]*/*.py")]):
        if path.parts[-2] in ("site-packages", "dist-packages", "test"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        yield str(path.relative_to(folder)), text
        total += len(text)
        if total > limit:
            return


def main(load: Load) -> None:
    trees = {}
    for name, text in sources(load.scaled(BYTES)):
        trees[name] = ast.parse(text)
    del text
    load.check(len(trees))
    load.peak()
    definitions = {}
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                # The name is the tree's own string: it stays where the parser put it.
                definitions.setdefault(node.name, []).append((name, node.lineno))
    del trees, tree, node
    load.check(len(definitions), max(map(len, definitions.values())))
    load.idle(definitions)


run(main)

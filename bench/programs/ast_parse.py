"""Parse modules of the standard library, keep their trees, fold constants in them and compile some back to code."""

from __future__ import annotations

import ast
import os
import sysconfig
from collections import Counter

from _program import Checksum, Scale, run


class Folder(ast.NodeTransformer):
    """Computes sums and products of two numbers at once, as a compiler would."""

    def __init__(self) -> None:
        self.folded = 0

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            left, right = node.left.value, node.right.value
            if type(left) is int and type(right) is int and isinstance(node.op, (ast.Add, ast.Mult)):
                self.folded += 1
                value = left + right if isinstance(node.op, ast.Add) else left * right
                return ast.copy_location(ast.Constant(value), node)
        return node


def module_paths(wanted: int) -> list[str]:
    folder = sysconfig.get_paths()["stdlib"]
    paths = []
    for base in (folder, os.path.join(folder, "asyncio"), os.path.join(folder, "email"), os.path.join(folder, "json")):
        paths += [os.path.join(base, name) for name in sorted(os.listdir(base)) if name.endswith(".py")]
    return paths[:wanted]


def main(scale: Scale, checksum: Checksum) -> None:
    trees = []
    kinds: Counter[str] = Counter()
    folder = Folder()
    for number, path in enumerate(module_paths(scale(80))):
        with open(path, encoding="utf-8") as file:
            source = file.read()
        tree = ast.parse(source, path)
        kinds.update(type(node).__name__ for node in ast.walk(tree))
        folder.visit(tree)
        if number % 4 == 0:
            checksum.add(len(compile(tree, "module", "exec").co_consts))
        trees.append(tree)
    checksum.add(sorted(kinds.items()), folder.folded, len(trees))


run(main)

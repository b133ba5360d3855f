"""An interpreter for a small Lisp: nested lists, closures, and environments that live as long as anyone needs them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from _program import Checksum, Scale, run

TOKEN = re.compile(r"[()]|[^\s()]+")

PRELUDE = """
(define (map f items) (if (empty? items) (list) (cons (f (first items)) (map f (rest items)))))
(define (filter f items)
  (if (empty? items) (list)
    (if (f (first items)) (cons (first items) (filter f (rest items))) (filter f (rest items)))))
(define (fold f start items) (if (empty? items) start (fold f (f start (first items)) (rest items))))
(define (range low high) (if (= low high) (list) (cons low (range (+ low 1) high))))
(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(define (sort items)
  (if (empty? items) (list)
    (let ((pivot (first items)))
      (join (sort (filter (lambda (x) (< x pivot)) (rest items)))
            (cons pivot (sort (filter (lambda (x) (not (< x pivot))) (rest items))))))))
(define (counter) (let ((n 0)) (lambda () (begin (set! n (+ n 1)) n))))
"""


class Environment(dict):  # type: ignore[type-arg]
    def __init__(self, names: list[str], values: list[Any], outer: Environment | None) -> None:
        super().__init__(zip(names, values))
        self.outer = outer

    def holder(self, name: str) -> Environment:
        environment: Environment | None = self
        while environment is not None:
            if name in environment:
                return environment
            environment = environment.outer
        raise NameError(name)


class Closure:
    def __init__(self, names: list[str], body: Any, environment: Environment) -> None:
        self.names = names
        self.body = body
        self.environment = environment

    def __call__(self, *values: Any) -> Any:
        return evaluate(self.body, Environment(self.names, list(values), self.environment))


def read(tokens: list[str]) -> Any:
    token = tokens.pop()
    if token == "(":
        items = []
        while tokens[-1] != ")":
            items.append(read(tokens))
        tokens.pop()
        return items
    try:
        return int(token)
    except ValueError:
        return token


def read_all(text: str) -> list[Any]:
    tokens = TOKEN.findall(text)[::-1]
    forms = []
    while tokens:
        forms.append(read(tokens))
    return forms


def evaluate(form: Any, environment: Environment) -> Any:
    while True:
        if isinstance(form, str):
            return environment.holder(form)[form]
        if not isinstance(form, list):
            return form
        head = form[0]
        if head == "if":
            form = form[2] if evaluate(form[1], environment) else form[3]
        elif head == "define":
            name, *names = form[1]
            environment[name] = Closure(names, form[2], environment)
            return None
        elif head == "lambda":
            return Closure(form[1], form[2], environment)
        elif head == "let":
            environment = Environment(
                [name for name, _ in form[1]], [evaluate(value, environment) for _, value in form[1]], environment
            )
            form = form[2]
        elif head == "set!":
            environment.holder(form[1])[form[1]] = evaluate(form[2], environment)
            return None
        elif head == "begin":
            for inner in form[1:-1]:
                evaluate(inner, environment)
            form = form[-1]
        else:
            function, *values = [evaluate(inner, environment) for inner in form]
            if not isinstance(function, Closure):
                return function(*values)
            environment = Environment(function.names, values, function.environment)
            form = function.body


BUILT_IN: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "%": operator.mod, "<": operator.lt, "=": operator.eq,
    "not": operator.not_, "list": lambda *items: list(items), "cons": lambda item, items: [item, *items],
    "first": lambda items: items[0], "rest": lambda items: items[1:], "empty?": lambda items: not items,
    "join": operator.add,
}  # fmt: skip


def main(scale: Scale, checksum: Checksum) -> None:
    world = Environment(list(BUILT_IN), list(BUILT_IN.values()), None)
    for form in read_all(PRELUDE):
        evaluate(form, world)
    world["tick"] = evaluate(["counter"], world)
    program = read_all(
        "(fib 14) (sort (map (lambda (x) (% (* x 7919) 101)) (range 0 60)))"
        "(fold + 0 (map (lambda (x) (* x x)) (filter (lambda (x) (= 0 (% x 3))) (range 0 80)))) (begin (tick) (tick))"
    )
    for _ in range(scale(50)):
        for form in program:
            checksum.add(evaluate(form, world))


run(main)

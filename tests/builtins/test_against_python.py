"""Random expressions: what the built-in types make of them is what this Python makes of them, repr by repr.

TARN_TEST_SEED=N repeats a run; each test says its seed when it fails.
"""

import math
import operator
import os
import random
import struct
import subprocess
import sys
import unicodedata
import unittest
from pathlib import Path

CALCULATOR = Path(os.environ["TARN_BUILD"]) / "bin" / "builtins_calculator"
HASH_SEED = "12345"
SEED = int(os.environ.get("TARN_TEST_SEED", "20261126"))
EXPRESSIONS = int(os.environ.get("TARN_TEST_EXPRESSIONS", "4000"))

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)


def slice_of(word):
    return slice(*(int(part) if part else None for part in word.split(":")[1:]))


def mutate(change):
    """An operation on the last argument but one, which stays."""

    def operation(container, *arguments):
        change(container, *arguments)
        return container

    return operation


class Thing:
    """What instances are made of."""


def delete_attribute(instance, name):
    getattr(instance, name)  # some versions say the name alone when it isn't there
    delattr(instance, name)


UNARY = {
    "neg": operator.neg,
    "abs": abs,
    "inv": operator.invert,
    "hash": hash,
    "len": len,
    "bool": bool,
    "repr": repr,
    "bits": lambda value: value.bit_length(),
    "double": float,
    "trunc": int,
    "parse": int,
    "parse0": lambda text: int(text, 0),
    "parsef": float,
    "tuple": tuple,
    "list": list,
    "set": set,
    "frozenset": frozenset,
    "keys_view": lambda value: value.keys(),
    "values_view": lambda value: value.values(),
    "items_view": lambda value: value.items(),
    "canon": lambda items: sorted(map(repr, items)),
    "items": lambda value: iter(value.items()),
    "values": lambda value: iter(value.values()),
    "sort": mutate(list.sort),
    "reverse": mutate(list.reverse),
    "popitem": dict.popitem,
    "attributes": vars,
}
BINARY = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "get": operator.getitem,
    "get_attr": getattr,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "in": lambda item, container: item in container,
    "find": str.find,
    "join": str.join,
    "append": mutate(list.append),
    "extend": mutate(list.extend),
    "remove": mutate(list.remove),
    "del_item": mutate(operator.delitem),
    "update": mutate(dict.update),
    "del_attr": mutate(delete_attribute),
    "add": mutate(set.add),
    "discard": mutate(set.discard),
}


def literal(value):
    if value is None:
        return "N"
    if value is True or value is False:
        return "T" if value else "F"
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, float):
        return "f" + value.hex()
    if isinstance(value, str):
        return "s" + value.encode().hex()
    if isinstance(value, bytes):
        return "b" + value.hex()
    if isinstance(value, (tuple, list, set)):
        kind = {tuple: "t", list: "l", set: "S"}[type(value)]
        return " ".join([*map(literal, value), f"{kind}{len(value)}"])
    if isinstance(value, frozenset):
        return literal(set(value)) + " frozenset"
    if isinstance(value, dict):
        return " ".join([*(literal(part) for pair in value.items() for part in pair), f"d{len(value)}"])
    raise TypeError(value)


def evaluate(line):
    """As calculator.cpp."""
    stack = []

    def take(count):
        taken = stack[len(stack) - count :]
        del stack[len(stack) - count :]
        return taken

    try:
        for word in line.split():
            if word in UNARY:
                stack.append(UNARY[word](stack.pop()))
            elif word in BINARY:
                right = stack.pop()
                stack.append(BINARY[word](stack.pop(), right))
            elif word == "dup":
                stack.append(stack[-1])
            elif word == "drop":
                stack.pop()
            elif word == "instance":
                stack.append(Thing())
            elif word == "set_attr":
                value = stack.pop()
                name = stack.pop()
                setattr(stack[-1], name, value)
            elif word == "set_item":
                value = stack.pop()
                key = stack.pop()
                stack[-1][key] = value
            elif word.startswith("slice:"):
                stack.append(stack.pop()[slice_of(word)])
            elif word.startswith("set_slice:"):
                source = stack.pop()
                stack[-1][slice_of(word)] = source
            elif word.startswith("del_slice:"):
                del stack[-1][slice_of(word)]
            elif word.startswith("insert:"):
                item = stack.pop()
                stack[-1].insert(int(word[7:]), item)
            elif word.startswith("pop:"):
                stack[-1].pop(int(word[4:]))
            else:
                kind, rest = word[0], word[1:]
                if kind in "NTF":
                    stack.append({"N": None, "T": True, "F": False}[kind])
                elif kind == "i":
                    stack.append(int(rest))
                elif kind == "f":
                    stack.append(float.fromhex(rest))
                elif kind == "s":
                    stack.append(bytes.fromhex(rest).decode())
                elif kind == "b":
                    stack.append(bytes.fromhex(rest))
                elif kind == "t":
                    stack.append(tuple(take(int(rest))))
                elif kind == "l":
                    stack.append(take(int(rest)))
                elif kind == "S":
                    stack.append(set(take(int(rest))))
                elif kind == "d":
                    pairs = take(2 * int(rest))
                    stack.append({pairs[i]: pairs[i + 1] for i in range(0, len(pairs), 2)})
        return "complex" if isinstance(stack[-1], complex) else repr(stack[-1])
    except Exception as error:  # pylint: disable=broad-except
        return f"!{type(error).__name__}: {error}"


class Values:
    """Random values, those at the edges more often."""

    EDGES = [0, 1, -1, 2, -5, -6, 256, 257, 10**18, 2**53, 2**53 + 1, 2**61 - 1, 2**61, 2**63 - 1, 2**63, 2**64 - 1]
    EDGES += [2**64, 2**128 - 1, 2**128, 10**40]
    FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 1e16, 1e15, 9999999999999998.0, 1e-4, 1e-5, 5e-324, 2.2250738585072014e-308]
    FLOATS += [1.7976931348623157e308, math.inf, -math.inf, 2.0**53, 2.0**63, 2.0**64, 0.5, 1 / 3, 123456789.125]
    LETTERS = "abcXYZ 019_'\"\\\n\t\r\x00\x1f\x7f\x80\xa0\xad\xe9\xff\u0100\u0394\u20ac\u200b\u3042\uffff\U0001f600\U000e0001\U0010ffff"

    def __init__(self, seed):
        self.random = random.Random(seed)

    def integer(self, bits=None):
        choice = self.random.random()
        if choice < 0.3:
            return self.random.choice(self.EDGES) * self.random.choice((1, -1)) + self.random.randint(-1, 1)
        if choice < 0.6:
            return self.random.randint(-300, 300)
        return self.random.getrandbits(self.random.randint(1, bits or 400)) * self.random.choice((1, -1))

    def floating(self):
        choice = self.random.random()
        if choice < 0.3:
            return self.random.choice(self.FLOATS) * self.random.choice((1, -1))
        if choice < 0.6:
            return self.random.uniform(-100, 100)
        if choice < 0.8:
            value = struct.unpack("d", struct.pack("Q", self.random.getrandbits(64)))[0]
            return value if value == value else 1.25
        return self.random.randint(-(2**70), 2**70) * 2.0 ** self.random.randint(-100, 100)

    def string(self):
        length = self.random.choice((0, 1, 1, 2, 3, 8, 20, 40))
        if self.random.random() < 0.5:
            return "".join(self.random.choice("abcdefghij '\"") for _ in range(length))
        return "".join(self.random.choice(self.LETTERS) for _ in range(length))

    def data(self):
        return self.random.randbytes(self.random.choice((0, 1, 2, 7, 8, 9, 30)))

    def number(self):
        return self.random.choice((self.integer, self.integer, self.floating, lambda: self.random.random() < 0.5))()

    def hashable(self, depth=2):
        kinds = [self.number, self.string, self.data]
        if depth > 0:
            kinds.append(lambda: tuple(self.hashable(depth - 1) for _ in range(self.random.randint(0, 4))))
        return self.random.choice(kinds)()

    def any(self, depth=3):
        if depth == 0 or self.random.random() < 0.5:
            return self.random.choice((self.hashable, self.hashable, lambda: None))()
        count = self.random.choice((0, 1, 2, 3, 9, 20)) if depth > 2 else self.random.randint(0, 3)
        if self.random.random() < 0.3:
            return {self.hashable(): self.any(depth - 1) for _ in range(count)}
        items = [self.any(depth - 1) for _ in range(count)]
        return tuple(items) if self.random.random() < 0.4 else items


class AgainstPython(unittest.TestCase):
    OTHERWISE = ("!MemoryError", "complex", "!OverflowError: complex exponentiation")

    def check(self, lines):
        environment = dict(os.environ, PYTHONHASHSEED=HASH_SEED)
        run = subprocess.run([CALCULATOR], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False,
                             env=environment, encoding="utf-8", errors="surrogateescape")
        self.assertEqual(run.returncode, 0, run.stderr)
        answers = run.stdout.split("\n")[:-1]
        self.assertEqual(len(answers), len(lines))
        wrong = []
        for line, answer in zip(lines, answers):
            expected = evaluate(line)
            # What memory can't hold has other words, and no complex numbers are there.
            if expected != answer and not expected.startswith(self.OTHERWISE):
                wrong.append(f"{line}\n  here:   {answer[:300]}\n  Python: {expected[:300]}")
        self.assertEqual(wrong[:5], [], f"seed {SEED}: {len(wrong)} of {len(lines)} differ")

    def values(self, salt):
        return Values(f"{SEED} {salt}")

    def test_repr(self):
        values = self.values("repr")
        self.check([literal(values.any()) for _ in range(EXPRESSIONS)])

    def test_repr_of_each_character(self):
        # Those that this Python's Unicode doesn't know may be known to a later one.
        points = [i for i in range(0x110000) if not 0xD800 <= i < 0xE000 and unicodedata.category(chr(i)) != "Cn"]
        text = [literal("".join(map(chr, points[i : i + 500]))) for i in range(0, len(points), 500)]
        self.check(text)

    def test_hash(self):
        values = self.values("hash")
        self.check([literal(values.hashable()) + " hash" for _ in range(EXPRESSIONS)])

    def test_arithmetic(self):
        values = self.values("arithmetic")
        operations = ["+", "-", "*", "/", "//", "%", "&", "|", "^", "lt", "le", "eq", "ne", "gt", "ge"]
        lines = [f"{literal(values.number())} {literal(values.number())} {values.random.choice(operations)}"
                 for _ in range(2 * EXPRESSIONS)]
        lines += [f"{literal(values.number())} {values.random.choice(['neg', 'abs', 'inv', 'bool'])}"
                  for _ in range(EXPRESSIONS // 4)]
        self.check(lines)

    def test_powers_and_shifts(self):
        values = self.values("powers")
        lines = []
        for _ in range(EXPRESSIONS):
            number, small = values.number(), values.random.randint(-3, 200)
            lines.append(f"{literal(number)} i{small} {values.random.choice(['<<', '>>', '**'])}")
            lines.append(f"{literal(values.floating())} {literal(values.random.choice([values.floating(), small]))} **")
        self.check(lines)

    def test_numbers_beside_each_other(self):
        values = self.values("beside")
        lines = []
        for _ in range(EXPRESSIONS):
            number = values.integer(200)
            try:
                other = float(number)
            except OverflowError:
                continue
            other = values.random.choice([other, math.nextafter(other, math.inf), math.nextafter(other, 0), other + 0.5])
            for comparison in ("lt", "eq", "ge"):
                lines.append(f"{literal(number)} {literal(other)} {comparison}")
                lines.append(f"{literal(other)} {literal(number)} {comparison}")
            lines.append(f"{literal(number)} double")
            lines.append(f"{literal(values.floating())} trunc")
            lines.append(f"{literal(number)} bits")
        self.check(lines)

    def test_large_integers(self):
        values = self.values("large")
        lines = []
        for _ in range(EXPRESSIONS // 50):
            left, right = (values.random.getrandbits(values.random.choice((64, 3000, 8000, 20000))) + 1 for _ in range(2))
            for operation in ("*", "//", "%", "+", "-", "/"):
                lines.append(f"i{left} i{-right} {operation}")
            lines.append(f"i{left} hash")
        self.check(lines)

    def test_parsing(self):
        values = self.values("parsing")
        letters = "0123456789_-+ xXobB.eEinfa\t"
        lines = []
        for _ in range(EXPRESSIONS):
            text = "".join(values.random.choice(letters) for _ in range(values.random.randint(0, 6)))
            lines += [literal(text) + " parse", literal(text) + " parse0", literal(text) + " parsef"]
            lines.append(literal(repr(values.floating())) + " parsef")
            lines.append(literal(values.random.choice((hex, oct, bin, str))(values.integer())) + " parse0")
        self.check(lines)

    def test_any_two_values(self):
        values = self.values("two")
        operations = [name for name in BINARY if name in ("+", "*", "-", "in", "get", "lt", "le", "eq", "ne", "gt", "ge")]
        lines = []
        for _ in range(EXPRESSIONS):
            left, right = values.any(), values.any()
            operation = values.random.choice(operations)
            if operation == "*" and any(isinstance(side, int) and abs(side) > 50 for side in (left, right)):
                continue
            lines.append(f"{literal(left)} {literal(right)} {operation}")
            lines.append(f"{literal(left)} {literal(left)} {operation}" if operation != "*" else f"{literal(left)} bool")
        self.check(lines)

    def test_strings_and_bytes(self):
        values = self.values("strings")
        part = lambda: values.random.choice(["", *map(str, range(-12, 12))])  # noqa: E731
        lines = []
        for _ in range(EXPRESSIONS):
            text = values.random.choice((values.string, values.data))()
            step = values.random.choice(["", "1", "2", "-1", "-3", "0"])
            lines.append(f"{literal(text)} slice:{part()}:{part()}:{step}")
            lines.append(f"{literal(text)} i{values.random.randint(-10, 10)} get")
            lines.append(f"{literal(text)} len")
            lines.append(f"{literal(text)} list")
            lines.append(f"{literal(text)} i{values.random.randint(-1, 4)} *")
            whole = values.string() + values.string()
            start = values.random.randint(0, len(whole))
            lines.append(f"{literal(whole)} {literal(whole[start : start + values.random.randint(0, 3)])} find")
            lines.append(f"{literal(values.string())} {literal([values.string() for _ in range(3)])} join")
        self.check(lines)

    def test_lists(self):
        values = self.values("lists")
        part = lambda: values.random.choice(["", *map(str, range(-12, 12))])  # noqa: E731
        lines = []
        for _ in range(EXPRESSIONS):
            words = [literal([values.random.randint(0, 9) for _ in range(values.random.randint(0, 12))])]
            for _ in range(values.random.randint(1, 12)):
                sliced = f"{part()}:{part()}:{values.random.choice(['', '1', '2', '-1', '-2'])}"
                words.append(values.random.choice([
                    f"i{values.random.randint(0, 9)} append",
                    literal([values.random.randint(0, 9) for _ in range(3)]) + " extend",
                    "s6162 extend",
                    f"i1 insert:{values.random.randint(-12, 12)}",
                    f"pop:{values.random.randint(-4, 4)}",
                    f"i{values.random.randint(0, 9)} remove",
                    "reverse",
                    f"del_slice:{sliced}",
                    f"slice:{sliced}",
                    f"dup set_slice:{part()}:{part()}:",
                    literal([7, 8, 9][: values.random.randint(0, 3)]) + f" set_slice:{sliced}",
                    "i2 *",
                ]))
            lines.append(" ".join(words))
            lines.append(literal([values.number() for _ in range(values.random.choice((2, 5, 20, 100)))]) + " sort")
            pairs = [(values.random.randint(0, 3), values.string()) for _ in range(30)]
            lines.append(literal(pairs) + " sort")
        self.check(lines)

    def test_dicts(self):
        values = self.values("dicts")
        lines = []
        for _ in range(EXPRESSIONS // 2):
            keys = [values.hashable(1) for _ in range(values.random.choice((3, 10, 60)))]
            keys += [float(key) for key in keys if isinstance(key, int) and abs(key) < 2**60]
            words = ["d0"]
            for _ in range(values.random.choice((5, 20, 150))):
                key = literal(values.random.choice(keys))
                words.append(values.random.choice([f"{key} i{values.random.randint(0, 99)} set_item"] * 4 + [f"{key} del_item"]))
                if values.random.random() < 0.02:
                    words.append(literal({values.random.choice(keys): 1 for _ in range(9)}) + " update")
            if values.random.random() < 0.5:  # an error ends an expression: without them
                words = [word for word in words if not word.endswith("del_item")]
            words.append(values.random.choice(["", "", "items list", "values list", "list", "popitem", "len"]))
            lines.append(" ".join(words))
        self.check(lines)

    def test_instances(self):
        values = self.values("instances")
        lines = []
        for _ in range(EXPRESSIONS):
            names = [literal(f"name_{i}") for i in range(values.random.choice((2, 6, 12, 40)))]
            words = ["instance"]
            there = []
            for _ in range(values.random.choice((4, 10, 60))):
                # In order most of the time, as programs have it.
                usual = names[min(len(there), len(names) - 1)]
                name = values.random.choice([usual, usual, usual, values.random.choice(names)])
                choice = values.random.random()
                if there and choice < 0.15:
                    name = values.random.choice([there[-1], values.random.choice(there)])
                    words.append(f"{name} del_attr")
                    there.remove(name)
                    continue
                words.append(f"dup attributes {name} i7 set_item drop" if choice < 0.17 else f"{name} i{len(words)} set_attr")
                if name not in there:
                    there.append(name)
            name = values.random.choice(names)
            words.append(values.random.choice(["attributes", "attributes", f"{name} get_attr", f"{name} del_attr attributes"]))
            lines.append(" ".join(words))
        self.check(lines)

    def test_sets(self):
        values = self.values("sets")
        lines = []
        for _ in range(EXPRESSIONS // 2):
            pool = [values.hashable(1) for _ in range(values.random.choice((3, 12, 50)))]
            sets = [{values.random.choice(pool) for _ in range(values.random.randint(0, len(pool)))} for _ in range(2)]
            left, right = map(literal, sets)
            key = literal(values.random.choice(pool))
            lines.append(f"{left} {right} {values.random.choice('|&-^')} canon")
            lines.append(f"{left} {right} {values.random.choice(['lt', 'le', 'eq', 'ne', 'gt', 'ge'])}")
            lines.append(f"{left} {right} & {left} le")
            lines.append(f"{left} {key} add {key} discard {literal(values.hashable(1))} add canon")
            lines.append(f"{key} {left} in")
        self.check(lines)

    def test_frozensets(self):
        values = self.values("frozensets")
        lines = ["S0 frozenset", "S0 frozenset hash", "i7 frozenset", "i7 t1 frozenset frozenset"]
        for _ in range(EXPRESSIONS // 2):
            pool = [values.hashable(1) for _ in range(values.random.choice((3, 12, 50)))]
            pool += [frozenset(values.random.sample(pool, 1)) for _ in range(3)]  # their own order is theirs
            kinds = [values.random.choice((set, frozenset)) for _ in range(2)]
            left, right = (literal(kind(values.random.choice(pool) for _ in range(values.random.randint(0, len(pool)))))
                           for kind in kinds)
            key = values.random.choice(pool)
            lines.append(f"{left} {right} {values.random.choice('|&-^')} canon")
            lines.append(f"{left} {right} {values.random.choice('|&-^')} S0 {values.random.choice('|&^')} len")
            lines.append(f"{left} {right} {values.random.choice(['lt', 'le', 'eq', 'ne', 'gt', 'ge'])}")
            lines.append(f"{left} frozenset hash")
            lines.append(f"{left} frozenset {right} frozenset t2 hash")
            lines.append(f"{literal(key)} {left} in")
            lines.append(f"{literal(frozenset([key]))}")
            lines.append(f"{literal(frozenset([key]))} t1 set")
            if isinstance(key, frozenset):  # a set is found where a frozenset is
                lines.append(f"{literal(set(key))} {left} in")
                lines.append(f"{literal(set(key))} {literal(set(pool[-3:]))} in")
            lines.append(f"d0 {left} frozenset i1 set_item {right} frozenset i2 set_item len")
            lines.append(f"{left} {literal(values.hashable(1))} {values.random.choice('|&-^')}")
        self.check(lines)

    def test_dict_views(self):
        values = self.values("views")
        lines = ["d0 keys_view hash", "d0 items_view hash", "d0 values_view d0 values_view eq"]
        for _ in range(EXPRESSIONS // 2):
            pool = [values.hashable(1) for _ in range(values.random.choice((3, 12, 30)))]
            pool += [float(key) for key in pool if isinstance(key, int) and abs(key) < 2**60]
            dicts = [{values.random.choice(pool): values.random.choice((1, 1.0, True, "x", (1, 2)))
                      for _ in range(values.random.randint(0, len(pool)))} for _ in range(2)]
            left, right = map(literal, dicts)
            key = literal(values.random.choice(pool))
            views = ["keys_view", "items_view"]
            view, other = values.random.choice(views), values.random.choice(views)
            whole = values.random.choice([f"{right} {other}", literal(set(dicts[1])), literal(set(dicts[1].items())),
                                          literal(frozenset(dicts[1])), literal(list(dicts[1]))])
            operation = values.random.choice("|&-^")
            comparison = values.random.choice(["lt", "le", "eq", "ne", "gt", "ge"])
            lines.append(f"{left} {values.random.choice([*views, 'values_view'])}")
            lines.append(f"{left} {view} {whole} {operation} canon")
            lines.append(f"{whole} {left} {view} {operation} canon")
            lines.append(f"{left} {view} {whole} {comparison}")
            lines.append(f"{whole} {left} {view} {comparison}")
            lines.append(f"{key} {left} keys_view in")
            lines.append(f"i1 {left} values_view in")
            lines.append(f"{key} i1 t2 {left} items_view in")
            lines.append(f"{left} {view} len")
            lines.append(f"{left} {view} bool")
            lines.append(f"{left} {view} list")
            lines.append(f"{left} {view} {literal(values.number())} {operation}")
            lines.append(f"{left} {right} |")
            lines.append(f"{left} items_view {right} items_view ^ canon")
        # Pairs whose values can't be hashed.
        lines += ["i1 l0 d1 items_view i1 l0 d1 items_view ^", "i1 l0 d1 items_view i1 i2 d1 items_view ^",
                  "i1 l0 d1 items_view i1 l0 d1 items_view |", "i1 l0 d1 items_view i1 l0 d1 items_view eq",
                  "l0 d0 keys_view in", "l0 i1 t2 d0 items_view in", "l0 d0 values_view in"]
        lines += [f"{literal({frozenset({1}): 2})} keys_view {literal([{1}])} {operation}" for operation in "|&-^"]
        self.check(lines)

    def test_unhashable(self):
        self.check(["l0 hash", "d0 hash", "S0 hash", "l0 t1 hash", "S0 l0 add", "d0 l0 i1 set_item", "N len", "i1 list"])


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:  # Python reads it when it starts
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-B", *sys.argv])
    unittest.main()

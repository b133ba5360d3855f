"""A small template engine: templates become trees of nodes, which render pages with loops, tests and filters.

Many short strings, escaped and joined into long ones.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Callable

from _program import Checksum, Scale, run

TOKEN = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)

FILTERS: dict[str, Callable[[object], object]] = {
    "upper": lambda value: str(value).upper(),
    "title": lambda value: str(value).title(),
    "money": lambda value: f"{value:,.2f} €",
    "length": lambda value: len(value),  # type: ignore[arg-type]
}

PAGE = """<!DOCTYPE html>
<title>{{ shop.name|title }}</title>
<h1>{{ shop.name|upper }}: {{ articles|length }} articles</h1>
<table>
{% for article in articles %}
  <tr class="{% if article.rare %}rare{% else %}common{% endif %}">
    <td>{{ article.number }}</td><td>{{ article.name }}</td><td>{{ article.price|money }}</td>
    <td>{% for tag in article.tags %}<a href="/tag/{{ tag }}">{{ tag }}</a> {% endfor %}</td>
  </tr>
{% endfor %}
</table>
"""


class Node:
    def render(self, context: dict[str, object], out: list[str]) -> None:
        raise NotImplementedError


class Text(Node):
    def __init__(self, text: str) -> None:
        self.text = text

    def render(self, context: dict[str, object], out: list[str]) -> None:
        out.append(self.text)


class Expression(Node):
    def __init__(self, source: str) -> None:
        path, *filters = source.strip().split("|")
        self.path = path.split(".")
        self.filters = [FILTERS[name] for name in filters]

    def value(self, context: dict[str, object]) -> object:
        value: object = context[self.path[0]]
        for name in self.path[1:]:
            value = value[name] if isinstance(value, dict) else getattr(value, name)
        for function in self.filters:
            value = function(value)
        return value

    def render(self, context: dict[str, object], out: list[str]) -> None:
        out.append(html.escape(str(self.value(context))))


class Loop(Node):
    def __init__(self, name: str, source: Expression, body: list[Node]) -> None:
        self.name = name
        self.source = source
        self.body = body

    def render(self, context: dict[str, object], out: list[str]) -> None:
        inner = dict(context)
        for item in self.source.value(context):  # type: ignore[attr-defined]
            inner[self.name] = item
            for node in self.body:
                node.render(inner, out)


class Test(Node):
    def __init__(self, condition: Expression, then: list[Node], otherwise: list[Node]) -> None:
        self.condition = condition
        self.then = then
        self.otherwise = otherwise

    def render(self, context: dict[str, object], out: list[str]) -> None:
        for node in self.then if self.condition.value(context) else self.otherwise:
            node.render(context, out)


def parse(tokens: list[str], ends: tuple[str, ...] = ()) -> tuple[list[Node], str]:
    """The nodes up to one of the words in `ends`, and the word that ended them; `tokens` is in reverse."""
    nodes: list[Node] = []
    while tokens:
        token = tokens.pop()
        if token.startswith("{{"):
            nodes.append(Expression(token[2:-2]))
        elif token.startswith("{%"):
            words = token[2:-2].split()
            if words[0] in ends:
                return nodes, words[0]
            if words[0] == "for":
                body, _ = parse(tokens, ("endfor",))
                nodes.append(Loop(words[1], Expression(words[3]), body))
            elif words[0] == "if":
                then, end = parse(tokens, ("else", "endif"))
                otherwise = parse(tokens, ("endif",))[0] if end == "else" else []
                nodes.append(Test(Expression(words[1]), then, otherwise))
        elif token:
            nodes.append(Text(token))
    return nodes, ""


def compile_template(source: str) -> list[Node]:
    return parse(TOKEN.split(source)[::-1])[0]


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(6)
    names = ["<lamp>", "chair", "tea & cup", "bookcase", 'a "bench"', "rug"]
    articles = [
        {
            "number": number,
            "name": f"{chance.choice(names)} {chance.randrange(900)}",
            "price": chance.uniform(1, 5000),
            "rare": chance.random() < 0.2,
            "tags": [f"tag{chance.randrange(60)}" for _ in range(chance.randrange(4))],
        }
        for number in range(1000)
    ]
    for turn in range(scale(190)):
        template = compile_template(PAGE)
        out: list[str] = []
        for node in template:
            node.render({"shop": {"name": f"shop no. {turn}"}, "articles": articles}, out)
        page = "".join(out)
        checksum.add_bytes(page.encode())


run(main)

"""The example of a JSON document model, against Python's own json module, and what it says of bad texts."""

import json
import math
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["TARN_BUILD"], "bin", "example-json-document")


def written_back(text: str) -> tuple[int, str, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "document.json")
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        done = subprocess.run([str(PROGRAM), str(path)], capture_output=True, timeout=60, check=False)
        errors = done.stderr.decode().replace(f"example-json-document: {path}: ", "")
    return done.returncode, done.stdout.decode(), errors


def resolve(value: object, root: object, seen: dict[str, object], path: str = "#") -> object:
    """The value with the references that the program writes replaced by what they mean."""
    if isinstance(value, dict) and list(value) == ["$ref"]:
        return seen[value["$ref"]]
    if isinstance(value, list):
        result: object = seen.setdefault(path, [])
        result.extend(resolve(item, root, seen, f"{path}/{index}") for index, item in enumerate(value))
    elif isinstance(value, dict):
        result = seen.setdefault(path, {})
        for name, item in value.items():
            result[name] = resolve(item, root, seen, path + "/" + name.replace("~", "~0").replace("/", "~1"))
    else:
        return value
    return result


class Documents(unittest.TestCase):
    def random_value(self, source: random.Random, depth: int) -> object:
        kind = source.randrange(8 if depth > 0 else 6)
        if kind == 0:
            return source.choice([None, True, False])
        if kind == 1:
            return source.randrange(-(2**53), 2**53)
        if kind in (2, 3):
            number = source.uniform(-1, 1) * 10.0 ** source.randrange(-300, 300)
            return number if math.isfinite(number) else 0
        if kind in (4, 5):
            return "".join(chr(source.choice([*range(1, 0x300), 0x20AC, 0x1F600])) for _ in range(source.randrange(12)))
        if kind == 6:
            return [self.random_value(source, depth - 1) for _ in range(source.randrange(6))]
        return {f"{source.choice('ab/~')}{index}": self.random_value(source, depth - 1) for index in range(source.randrange(6))}

    def test_what_is_read_is_written(self) -> None:
        for seed in range(60):
            source = random.Random(seed)
            value = [self.random_value(source, 5) for _ in range(5)]
            text = json.dumps(value, ensure_ascii=seed % 2 == 0, indent=seed % 3 or None)
            code, output, errors = written_back(text)
            self.assertEqual((code, errors), (0, ""), text)
            self.assertEqual(json.loads(output), json.loads(text, parse_int=float))

    def test_references_become_nodes_and_nodes_references(self) -> None:
        text = '{"a": {"x": 1}, "b": {"$ref": "#/a"}, "c": [{"$ref": "#/d"}, {"$ref": "#"}], "d": {"up": {"$ref": "#/c"}}}'
        code, output, errors = written_back(text)
        self.assertEqual((code, errors), (0, ""))
        root = resolve(json.loads(output), None, {})
        self.assertIs(root["a"], root["b"])
        self.assertIs(root["c"][0], root["d"])
        self.assertIs(root["c"][1], root)
        self.assertIs(root["d"]["up"], root["c"])

    def test_bad_texts_are_refused_with_what_is_wrong_and_where(self) -> None:
        for text, message in {
            "": "expected a value at byte 0",
            "[1,]": "expected a value at byte 3",
            "[1 2]": "expected ',' or ']' at byte 3",
            '{"a" 1}': "expected ':' at byte 5",
            '{"a":1,"a":2}': 'the name "a" comes twice at byte 7',
            "[01]": "that isn't how JSON writes numbers at byte 1",
            "[1.]": "that isn't how JSON writes numbers at byte 1",
            "nan": "expected a value at byte 0",
            "-": "expected a value at byte 0",
            "1e999": "a number is too large, or too small at byte 0",
            '"abc': "a string doesn't end at byte 4",
            '"\\x"': "there's no such escape at byte 2",
            '"\\u12g4"': "expected four hexadecimal digits at byte 3",
            '"\\ud800"': "half a surrogate pair at byte 7",
            "[1] 2": "more text after the document at byte 4",
            '{"a":{"$ref":"#/a"}}': "references lead to each other: #/a at byte 20",
            '{"$ref":"#"}': "references lead to each other: # at byte 12",
            '[{"$ref":"#/7"}]': "a reference leads nowhere: #/7 at byte 16",
            '[{"$ref":"other"}]': "not a reference within the document: other at byte 18",
            "[" * 100_000: "nested too deep at byte 512",
        }.items():
            with self.subTest(text[:40]):
                self.assertEqual(written_back(text), (1, "", message + "\n"))

    def test_a_flat_text_of_a_deep_graph_is_read_and_refused_when_written(self) -> None:
        text = "[" + ",".join(f'[{{"$ref":"#/{index + 1}"}}]' for index in range(100_000)) + ",[]]"
        code, output, errors = written_back(text)
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(errors, "the document is nested too deep to be written")


if __name__ == "__main__":
    unittest.main()

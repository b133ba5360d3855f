"""Every mistake in objects.cpp is refused, each with its reason; without them the file compiles."""

from __future__ import annotations

import os
import re
import subprocess
import unittest
from pathlib import Path

SOURCE = Path(__file__).with_name("objects.cpp")
MISTAKE = re.compile(r"// refused: (.*)$")


def compile_source(*options: str) -> subprocess.CompletedProcess[str]:
    command = [*os.environ["TARN_COMPILE"].split(), *options, str(SOURCE)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"})


@unittest.skipUnless("TARN_COMPILE" in os.environ, "TARN_COMPILE is missing; run this through ctest")
class Objects(unittest.TestCase):
    def test_compile_without_the_mistakes(self) -> None:
        self.assertEqual(compile_source().stderr, "")

    def test_refuse_each_mistake(self) -> None:
        answer = compile_source("-DWITH_MISTAKES").stderr
        mistakes = 0
        for number, line in enumerate(SOURCE.read_text().splitlines(), start=1):
            if (mistake := MISTAKE.search(line)) is None:
                continue
            mistakes += 1
            with self.subTest(line=line.strip()):
                self.assertRegex(answer, rf"objects\.cpp:{number}:")
                self.assertRegex(answer, f"error: .*{mistake[1]}")
        self.assertEqual(mistakes, 15)


if __name__ == "__main__":
    unittest.main()

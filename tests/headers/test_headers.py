"""Every public header can be the first, and the only one, that a file includes."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path

INCLUDE = Path(__file__).resolve().parents[2] / "include"


@unittest.skipUnless("TARN_COMPILE" in os.environ, "TARN_COMPILE is missing; run this through ctest")
class Headers(unittest.TestCase):
    def test_compile_alone(self) -> None:
        headers = sorted(path.relative_to(INCLUDE) for path in INCLUDE.rglob("*.h"))
        self.assertGreater(len(headers), 30)
        for header in headers:
            with self.subTest(header=str(header)):
                answer = subprocess.run(
                    [*os.environ["TARN_COMPILE"].split(), "-x", "c++", "-"],
                    input=f"#include <{header}>\n", capture_output=True, text=True,
                )  # fmt: skip
                self.assertEqual((answer.returncode, answer.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()

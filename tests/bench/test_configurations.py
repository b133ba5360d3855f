"""Names for several configurations stand for them, and every one of them is known."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from python_bench import configurations  # noqa: E402


class Groups(unittest.TestCase):
    def test_stand_for_known_configurations_and_begin_with_the_baseline(self) -> None:
        for name, members in configurations.GROUPS.items():
            with self.subTest(name):
                self.assertNotIn(name, configurations.KNOWN)
                self.assertEqual(members[:2], ["stock", "tarn"])
                self.assertLessEqual(set(members), set(configurations.KNOWN))

    def test_are_put_in_their_place_each_member_once(self) -> None:
        self.assertEqual(
            configurations.expand(["glibc", "peers", "stock", "unknown"]),
            ["glibc", "stock", "tarn", "mimalloc", "jemalloc", "tcmalloc", "unknown"],
        )

    def test_the_parts_of_tarn_are_switched_off_one_at_a_time(self) -> None:
        tarn = Path(sys.executable)  # any program that is there
        environments = {name: configurations.build(name, tarn).environment for name in configurations.GROUPS["parts"]}
        self.assertEqual(environments["tarn"], {})
        for name in configurations.GROUPS["parts"][2:]:
            self.assertEqual(len(environments[name]), 1, name)


if __name__ == "__main__":
    unittest.main()

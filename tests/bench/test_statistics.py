"""The figures that decide whether Tarn is faster: medians of pairs, geometric means and their intervals."""

import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from python_bench import statistics  # noqa: E402


class Pairs(unittest.TestCase):
    def test_are_compared_round_by_round(self) -> None:
        self.assertEqual(statistics.pairwise([1.0, 2.0], [2.0, 1.0], statistics.ratio), [2.0, 0.5])
        self.assertEqual(statistics.pairwise([1.0, 2.0], [1.5, 1.0], statistics.difference), [0.5, -1.0])

    def test_of_unequal_number_are_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "as many of both: 2 and 1"):
            statistics.pairwise([1.0, 2.0], [1.0], statistics.ratio)

    def test_of_nothing_are_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "no pairs"):
            statistics.pairwise([], [], statistics.ratio)

    def test_a_ratio_of_zero_is_refused(self) -> None:
        for baseline, other in ((0.0, 1.0), (1.0, 0.0)):
            with self.assertRaisesRegex(ValueError, "over zero"):
                statistics.ratio(baseline, other)

    def test_drift_that_both_share_cancels_out(self) -> None:
        baseline = [1.0, 1.3, 2.9, 0.7, 1.8, 2.2, 1.1]
        other = [seconds * 0.9 for seconds in baseline]
        estimate = statistics.median_estimate(statistics.pairwise(baseline, other, statistics.ratio))
        for value in (estimate.value, estimate.low, estimate.high):
            self.assertAlmostEqual(value, 0.9)


class GeometricMean(unittest.TestCase):
    def test_of_two_and_eight_is_four(self) -> None:
        self.assertAlmostEqual(statistics.geometric_mean([2.0, 8.0]), 4.0)

    def test_of_a_ratio_and_its_inverse_is_one(self) -> None:
        self.assertAlmostEqual(statistics.geometric_mean([0.8, 1 / 0.8]), 1.0)

    def test_of_nothing_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "mean of nothing"):
            statistics.geometric_mean([])

    def test_over_programs_takes_the_median_of_each(self) -> None:
        estimate = statistics.geometric_mean_estimate([[2.0] * 6 + [900.0], [8.0] * 6 + [0.001]])
        self.assertAlmostEqual(estimate.value, 4.0)

    def test_is_known_better_than_one_program_is(self) -> None:
        chance = random.Random(1)
        programs = [[chance.gauss(1, 0.05) for _ in range(9)] for _ in range(20)]
        one = statistics.median_estimate(programs[0])
        all_of_them = statistics.geometric_mean_estimate(programs)
        self.assertLess(all_of_them.high - all_of_them.low, (one.high - one.low) / 2)

    def test_has_no_interval_where_one_program_has_too_few_rounds(self) -> None:
        estimate = statistics.geometric_mean_estimate([[1.0] * 9, [1.0] * 3])
        self.assertIsNone(estimate.low)


class Quantile(unittest.TestCase):
    def test_lies_between_neighbours(self) -> None:
        self.assertEqual(statistics.quantile([1.0, 2.0, 4.0], 0.75), 3.0)

    def test_reaches_both_ends(self) -> None:
        self.assertEqual(statistics.quantile([1.0, 2.0, 4.0], 0.0), 1.0)
        self.assertEqual(statistics.quantile([1.0, 2.0, 4.0], 1.0), 4.0)


class MedianEstimate(unittest.TestCase):
    def test_is_not_moved_by_one_run_that_was_disturbed(self) -> None:
        calm = [0.98, 0.99, 1.0, 1.0, 1.0, 1.01, 1.02]
        self.assertEqual(statistics.median_estimate(calm).value, statistics.median_estimate(calm[:-1] + [50.0]).value)

    def test_has_an_interval_from_six_pairs_on(self) -> None:
        self.assertIsNone(statistics.median_estimate([1.0, 1.1, 0.9, 1.0, 1.2]).low)
        self.assertIsNotNone(statistics.median_estimate([1.0, 1.1, 0.9, 1.0, 1.2, 1.0]).low)

    def test_lies_inside_its_interval_and_the_interval_inside_the_data(self) -> None:
        values = [0.93, 1.04, 0.99, 1.01, 0.97, 1.02, 1.0]
        estimate = statistics.median_estimate(values)
        self.assertLessEqual(min(values), estimate.low)
        self.assertLess(estimate.low, estimate.value)
        self.assertLess(estimate.value, estimate.high)
        self.assertLessEqual(estimate.high, max(values))

    def test_is_the_same_each_time(self) -> None:
        values = [0.93, 1.04, 0.99, 1.01, 0.97, 1.02, 1.0]
        self.assertEqual(statistics.median_estimate(values), statistics.median_estimate(values))

    def test_is_sure_only_where_the_whole_interval_is_on_one_side(self) -> None:
        estimate = statistics.Estimate(0.97, 0.95, 0.99)
        self.assertTrue(estimate.is_surely_below(1))
        self.assertFalse(estimate.is_surely_below(0.98))
        self.assertTrue(estimate.is_surely_above(0.9))
        self.assertFalse(estimate.is_surely_above(0.96))
        without = statistics.Estimate(0.5)
        self.assertFalse(without.is_surely_below(1) or without.is_surely_above(0.1))

    def coverage(self, pairs: int) -> float:
        """How often the interval holds the true ratio, 1, when each run is up to a tenth late."""
        chance = random.Random(pairs)
        held = 0
        experiments = 300
        for _ in range(experiments):
            baseline = [1 + 0.1 * chance.random() for _ in range(pairs)]
            other = [1 + 0.1 * chance.random() for _ in range(pairs)]
            ratios = statistics.pairwise(baseline, other, statistics.ratio)
            estimate = statistics.median_estimate(ratios, resamples=300)
            held += estimate.low <= 1 <= estimate.high
        return held / experiments

    def test_at_seven_pairs_the_interval_holds_the_truth_more_than_eight_times_in_ten(self) -> None:
        self.assertGreater(self.coverage(7), 0.82)

    def test_at_twenty_one_pairs_the_interval_holds_the_truth_nine_times_in_ten(self) -> None:
        self.assertGreater(self.coverage(21), 0.90)


if __name__ == "__main__":
    unittest.main()

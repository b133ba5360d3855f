#include "sites/poisson.h"

#include <cmath>

#include <gtest/gtest.h>

namespace tarn::sites {
namespace {

TEST(Poisson, LogarithmAndExponentialAreThoseOfTheMathematicsLibrary) {
  for (double x = 1e-16; x < 1e16; x *= 1.37) {
    EXPECT_NEAR(natural_logarithm(x), std::log(x), 1e-8 * (1 + std::fabs(std::log(x)))) << x;
  }
  for (double x = 1e-12; x < 100; x *= 1.29) {
    EXPECT_NEAR(one_minus_exponential(x) / -std::expm1(-x), 1, 1e-8) << x;
  }
  EXPECT_EQ(one_minus_exponential(0), 0);
}

TEST(Poisson, GapsHaveTheRateAsTheirMean) {
  PoissonSampler sampler(1000, 7);
  double sum = 0;
  constexpr int draws = 200'000;
  for (int i = 0; i < draws; ++i) {
    const std::int64_t gap = sampler.next_gap();
    ASSERT_GT(gap, 0);
    sum += static_cast<double>(gap);
  }
  // The standard deviation of the mean is 1000 / sqrt(draws) = 2.2; rounding up adds 0.5.
  EXPECT_NEAR(sum / draws, 1000.5, 4 * 2.3);
}

TEST(Poisson, ARateOfOneDrawsEveryByteAndWeighsOne) {
  PoissonSampler sampler(1, 7);
  EXPECT_EQ(sampler.next_gap(), 0);
  EXPECT_EQ(sampler.weight(0), 1);
  EXPECT_EQ(sampler.weight(1), 1);
  EXPECT_EQ(sampler.weight(1'000'000), 1);
}

TEST(Poisson, ALargeBlockStandsForItselfAndASmallOneForMany) {
  const PoissonSampler sampler(512 * 1024, 7);
  EXPECT_NEAR(sampler.weight(std::uint64_t{1} << 40), 1, 1e-12);
  EXPECT_NEAR(sampler.weight(64), 512 * 1024 / 64.0, 1);
}

}  // namespace
}  // namespace tarn::sites

// Sampling by bytes: each byte that a program is handed is drawn with probability 1/rate, and a block is recorded
// when one of its bytes is. What is recorded then stands for what isn't:
//
//   a block of `counted` bytes is recorded with probability p = 1 - exp(-counted / rate)
//   so it stands for 1/p blocks like it, and a sum over recorded blocks is right on average
//
// As in tcmalloc and jemalloc. A rate of 1 records every block, and then all figures are exact. The functions are
// our own since the preloaded library needs nothing but libc; both are exact to 1e-8 relative.
#pragma once

#include <bit>
#include <cstdint>

namespace tarn::sites {

// Of 0 < x < infinity.
[[nodiscard]] constexpr double natural_logarithm(double x) noexcept {
  constexpr double ln2 = 0.693147180559945309417;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto exponent = static_cast<std::int64_t>((bits >> 52) & 0x7ff) - 1023;
  const auto mantissa =
      std::bit_cast<double>((bits & 0x000fffffffffffffU) | 0x3ff0000000000000U);  // [1, 2)
  // ln m = 2 artanh((m - 1) / (m + 1))
  const double s = (mantissa - 1) / (mantissa + 1);
  const double square = s * s;
  double sum = 0;
  for (int k = 19; k >= 1; k -= 2) {
    sum = sum * square + 1.0 / k;
  }
  return static_cast<double>(exponent) * ln2 + 2 * s * sum;
}

// 1 - exp(-x), of x >= 0.
[[nodiscard]] constexpr double one_minus_exponential(double x) noexcept {
  if (x > 40) {
    return 1;
  }
  // By halves: 1 - e^-2y = (1 - e^-y) (2 - (1 - e^-y)).
  int halvings = 0;
  while (x > 0.25) {
    x /= 2;
    ++halvings;
  }
  double term = x;
  double sum = 0;
  for (int k = 2; k <= 11; ++k) {
    sum += term;
    term *= -x / k;
  }
  for (; halvings != 0; --halvings) {
    sum *= 2 - sum;
  }
  return sum;
}

class PoissonSampler {
 public:
  // Sequences of the same seed are the same.
  constexpr PoissonSampler(std::uint64_t rate, std::uint64_t seed) noexcept
      : rate_(rate == 0 ? 1 : rate), state_(seed) {}

  [[nodiscard]] constexpr std::uint64_t rate() const noexcept { return rate_; }

  // Bytes until one is drawn, that one included; zero with a rate of 1: there a block without bytes counts too.
  [[nodiscard]] constexpr std::int64_t next_gap() noexcept {
    if (rate_ == 1) {
      return 0;
    }
    // Uniform in (0, 1].
    const double uniform = static_cast<double>((next() >> 11) + 1) * 0x1p-53;
    const double gap = -natural_logarithm(uniform) * static_cast<double>(rate_);
    return static_cast<std::int64_t>(gap) + 1;
  }

  // How many blocks a recorded one stands for.
  [[nodiscard]] constexpr double weight(std::uint64_t counted) const noexcept {
    if (rate_ == 1 || counted == 0) {
      return 1;
    }
    return 1 / one_minus_exponential(static_cast<double>(counted) / static_cast<double>(rate_));
  }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014).
  [[nodiscard]] constexpr std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  std::uint64_t rate_;
  std::uint64_t state_;
};

}  // namespace tarn::sites

// Randomness that can be repeated: TARN_TEST_SEED=N in the environment gives every test the seed N.
#pragma once

#include <cstdint>

namespace tarn::test {

// The seed from the environment; without one, `usual`. Throws when the variable is no number.
[[nodiscard]] std::uint64_t seed_or(std::uint64_t usual);

// A small, fast generator (xorshift64*) whose numbers are the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}

  [[nodiscard]] std::uint64_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1DULL;
  }

  // 0 to limit - 1.
  [[nodiscard]] std::size_t below(std::size_t limit) noexcept { return (next() >> 11) % limit; }

 private:
  std::uint64_t state_;
};

}  // namespace tarn::test

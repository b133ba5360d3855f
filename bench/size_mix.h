// The sizes that Python programs ask for, up to 512 bytes: what the workloads with mixed sizes draw from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tarn::bench {

// Requests of 1 to 16 bytes, 17 to 32, … 497 to 512, in units of 1/10,000: the mean over the 38 programs
// of bench/programs on CPython 3.11.2, as bench/size_mix.py printed it. 71 of 100 requests are
// of 17 to 64 bytes. Requests over 512 bytes (0.8 of 100) are left out: pymalloc and Tarn pass them on.
inline constexpr std::array<unsigned, 32> request_shares = {
    402, 2260, 2055, 2785, 994, 130, 224, 149, 25, 307, 29, 101, 101, 125, 36, 45,
    42,  14,   5,    11,   8,   2,   2,   2,   18, 3,   2,  3,   3,   2,   1,  37};

// A small linear congruential generator: a multiplication and an addition per number, no memory, and
// the same numbers for every peer.
class Random {
 public:
  [[nodiscard]] std::uint64_t next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return state_ >> 24;  // the low bits repeat soon
  }

  [[nodiscard]] std::size_t below(std::size_t limit) {
    return static_cast<std::size_t>(((next() & 0xffffffffU) * limit) >> 32);
  }

 private:
  std::uint64_t state_ = 20;
};

// Sizes distributed as request_shares, drawn by one look into a table that stays in the first cache.
class SizeMix {
 public:
  SizeMix() {
    std::size_t szidx = 0;
    std::size_t upper = request_shares[0];
    std::size_t total = 0;
    for (const unsigned share : request_shares) {
      total += share;
    }
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      while (i * total >= upper * sizes_.size()) {
        upper += request_shares[++szidx];
      }
      // Python's sizes are multiples of a word, so both halves of a class occur.
      sizes_[i] = static_cast<std::uint16_t>(16 * (szidx + 1) - (i % 2 == 0 ? 0 : 8));
    }
  }

  [[nodiscard]] std::size_t draw(Random& random) const {
    return sizes_[random.next() % sizes_.size()];
  }

 private:
  std::array<std::uint16_t, 4096> sizes_;
};

}  // namespace tarn::bench

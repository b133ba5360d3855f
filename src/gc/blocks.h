// The objects of a pool, found by bits: which blocks aren't in a table yet.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "alloc/pool.h"
#include "object/geometry.h"

namespace tarn::gc {

using object::ObjectGeometry;

inline constexpr std::size_t granule_size = ObjectGeometry::alignment;
inline constexpr std::size_t words_per_pool = ObjectGeometry::most_blocks_in_pool / 64;
inline constexpr std::size_t words_per_arena = words_per_pool * ObjectGeometry::pools_per_arena;

// Where blocks of a size start in a pool, as bits. Neighbouring pools are mostly of one family, so one is remembered.
class BlockStarts {
 public:
  [[nodiscard]] const std::uint64_t* of(std::size_t block_size) noexcept {
    if (block_size != block_size_) {
      block_size_ = block_size;
      for (std::uint64_t& word : words_) {
        word = 0;
      }
      for (std::size_t offset = 0; offset + block_size <= ObjectGeometry::pool_size;
           offset += block_size) {
        words_[offset / granule_size / 64] |= std::uint64_t{1} << (offset / granule_size % 64);
      }
    }
    return words_;
  }

 private:
  std::size_t block_size_ = 0;
  std::uint64_t words_[words_per_pool] = {};
};

// Calls visit(Object&) for each carved block whose bit isn't set in `skipped` (the pool's part of a table). There
// need not be an object in it: then its type is null.
template <typename Visit>
inline void for_each_block(const alloc::Pool& pool, const std::uint64_t* starts,
                           const std::uint64_t* skipped, Visit visit) {
  std::byte* const start = pool.start();
  const std::size_t carved = static_cast<std::size_t>(pool.untouched - start) / granule_size;
  for (std::size_t word = 0; word * 64 < carved; ++word) {
    std::uint64_t bits = starts[word] & ~skipped[word];
    if (carved - word * 64 < 64) {
      bits &= (std::uint64_t{1} << (carved - word * 64)) - 1;
    }
    for (; bits != 0; bits &= bits - 1) {
      const auto granule = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      visit(*reinterpret_cast<Object*>(start + granule * granule_size));
    }
  }
}

}  // namespace tarn::gc

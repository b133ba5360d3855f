// The objects of a pool, found by bits: which blocks aren't in a table yet.
//
// A bit stands for a granule of 16 bytes, in which one object starts at most. Where a pool's blocks are of a multiple of 16
// bytes, all start where a granule does. Of others each second one starts in the middle of its granule:
//
//   granules    │       │       │       │       │       │
//   40 bytes    │ block 0           │ block 1           │ block 2
//   starts        1       0       1       0       0       1
//   in the middle 0       0       1       0       0       0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "alloc/pool.h"
#include "base/assert.h"
#include "object/geometry.h"

namespace tarn::gc {

using object::ObjectGeometry;

inline constexpr std::size_t granule_size = ObjectGeometry::granule;
inline constexpr std::size_t words_per_pool = ObjectGeometry::most_blocks_in_pool / 64;
inline constexpr std::size_t words_per_arena = words_per_pool * ObjectGeometry::pools_per_arena;

// Calls visit(bit) for each that is set, the lowest first.
template <typename Visit>
[[gnu::always_inline]] inline void for_each_bit(std::uint64_t bits, Visit visit) noexcept {
  for (; bits != 0; bits &= bits - 1) {
    visit(static_cast<std::size_t>(std::countr_zero(bits)));
  }
}

// Of a word of bits: those granules have their object in the middle. `first`: the word's first granule.
[[nodiscard, gnu::always_inline]] inline Object& object_of_bit(std::byte* first, std::size_t bit,
                                                               std::uint64_t in_middle) noexcept {
  static_assert(ObjectGeometry::block_step == granule_size / 2);
  return *reinterpret_cast<Object*>(first + (2 * bit + ((in_middle >> bit) & 1U)) *
                                                ObjectGeometry::block_step);
}

// Where the blocks of a pool start, as bits.
struct BlockStarts {
  std::uint64_t words[words_per_pool];
  std::uint64_t in_middle[words_per_pool];  // among them
};

// Neighbouring pools are mostly of one family, so the starts of one are remembered.
class StartsOfBlocks {
 public:
  // Valid until it's called for another size.
  [[nodiscard]] const BlockStarts& of(std::size_t block_size) noexcept {
    if (block_size != block_size_) {
      TARN_CHECK(block_size, >=, granule_size, "only a pool that has blocks is asked about");
      block_size_ = block_size;
      starts_ = BlockStarts();
      for (std::size_t offset = 0; offset + block_size <= ObjectGeometry::pool_size;
           offset += block_size) {
        const std::size_t granule = offset / granule_size;
        const std::uint64_t bit = std::uint64_t{1} << (granule % 64);
        starts_.words[granule / 64] |= bit;
        starts_.in_middle[granule / 64] |= offset % granule_size != 0 ? bit : 0;
      }
    }
    return starts_;
  }

 private:
  std::size_t block_size_ = 0;
  BlockStarts starts_ = {};
};

// Calls visit(Object&) for each carved block whose bit isn't set in `skipped` (the pool's part of a table). There
// need not be an object in it: then its type is null.
template <typename Visit>
inline void for_each_block(const alloc::Pool& pool, const BlockStarts& starts,
                           const std::uint64_t* skipped, Visit visit) {
  std::byte* const start = pool.start();
  // What starts in the granule of `untouched`, or behind it, isn't carved.
  const std::size_t carved = static_cast<std::size_t>(pool.untouched - start) / granule_size;
  for (std::size_t word = 0; word * 64 < carved; ++word) {
    std::uint64_t bits = starts.words[word] & ~skipped[word];
    if (carved - word * 64 < 64) {
      bits &= (std::uint64_t{1} << (carved - word * 64)) - 1;
    }
    const std::uint64_t in_middle = starts.in_middle[word];
    std::byte* const first = start + word * 64 * granule_size;
    for_each_bit(bits, [&](std::size_t bit) { visit(object_of_bit(first, bit, in_middle)); });
  }
}

}  // namespace tarn::gc

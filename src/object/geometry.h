// The sizes of the object heap. A pool holds blocks of one size: that of its type, in steps of 8 bytes, or of 16 where the type
// is aligned so; for objects with items one of the size classes here, in steps of 16.
#pragma once

#include <bit>
#include <cstddef>

#include <tarn/object/heap.h>

#include "alloc/geometry.h"
#include "alloc/pool.h"

namespace tarn::object {

struct ObjectGeometry {
  static constexpr Geometry name = Geometry::tarn;
  static constexpr std::size_t arena_size = std::size_t{1024} * 1024;
  static constexpr std::size_t pool_size = std::size_t{16} * 1024;
  static constexpr std::size_t alignment = 16;  // the most that a type may ask for
  static constexpr std::size_t block_step = 8;

  // What is known of an object beside it (side_tables.h) is known for so many bytes: no two objects start in the same. They
  // are apart by 16 bytes, each at a multiple of that, or by 24 or more.
  static constexpr std::size_t granule = 16;

  static constexpr unsigned arena_shift = base::shift_of(arena_size);
  static constexpr unsigned pool_shift = base::shift_of(pool_size);
  static constexpr std::size_t pools_per_arena = arena_size / pool_size;
  static constexpr std::size_t most_blocks_in_pool = pool_size / granule;

  // Objects with items: steps of 16 up to 512 bytes, then four classes per doubling.
  static constexpr std::size_t small_classes = detail::sized_classes - 1;
  static constexpr std::size_t small_max = small_classes * alignment;
  static constexpr std::size_t sized_families = small_classes + 12;

  [[nodiscard]] static constexpr std::size_t szidx_of(std::size_t bytes) noexcept {
    const std::size_t last = bytes - 1;
    if (bytes <= small_max) {
      return last / alignment;
    }
    const auto width = static_cast<unsigned>(std::bit_width(last));
    return small_classes + (width - 10) * std::size_t{4} + ((last >> (width - 3)) & 3U);
  }
  [[nodiscard]] static constexpr std::size_t block_size_of(std::size_t szidx) noexcept {
    if (szidx < small_classes) {
      return (szidx + 1) * alignment;
    }
    const std::size_t above = szidx - small_classes;
    return (5 + above % 4) << (above / 4 + 7);
  }
};
static_assert(ObjectGeometry::block_size_of(ObjectGeometry::sized_families - 1) ==
              detail::largest_pooled);
static_assert(ObjectGeometry::szidx_of(detail::largest_pooled) ==
              ObjectGeometry::sized_families - 1);
static_assert(ObjectGeometry::szidx_of(513) == ObjectGeometry::small_classes);
static_assert(ObjectGeometry::block_size_of(ObjectGeometry::small_classes) == 640);

// What the public hot path takes for granted.
static_assert(ObjectGeometry::pool_shift == detail::pool_shift);
static_assert(sizeof(alloc::Pool) == detail::pool_descriptor_size);
static_assert(offsetof(alloc::Pool, freeblock) == offsetof(detail::PoolFront, freeblock));
static_assert(offsetof(alloc::Pool, frees_until_change) ==
              offsetof(detail::PoolFront, frees_until_change));
static_assert(offsetof(alloc::Block, next) == offsetof(detail::FreeBlock, next));
static_assert(ObjectGeometry::alignment == detail::object_alignment);
static_assert(ObjectGeometry::block_size_of(ObjectGeometry::small_classes - 1) ==
              ObjectGeometry::small_max);
static_assert(ObjectGeometry::block_step == detail::block_step);
static_assert(sizeof(detail::FreeBlock) == ObjectGeometry::granule &&
                  ObjectGeometry::granule % ObjectGeometry::block_step == 0 &&
                  ObjectGeometry::granule <= 2 * ObjectGeometry::block_step,
              "no two objects start in the same granule");

}  // namespace tarn::object

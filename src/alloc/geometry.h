// The sizes that everything else follows from, fixed at compile time.
//
//   name      arena    pool    alignment  largest small request
//   classic   256 KiB   4 KiB      8      512    the note's; CPython's up to 3.7
//   modern      1 MiB  16 KiB     16      512    CPython's since 3.10
//   tarn        1 MiB  16 KiB     16      512    docs/performance.md has the measurements
//
//   medium      4 MiB  64 KiB     16  32 KiB    tarn's second tier: requests over 512 bytes
//
// Size class szidx holds the requests of szidx * alignment + 1 to (szidx + 1) * alignment bytes; in the
// medium geometry, which has four classes per doubling, those up to 640, 768, 896, 1024, 1280, …
// bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

#include "base/bits.h"

namespace tarn::alloc {

template <Geometry Name, std::size_t ArenaSize, std::size_t PoolSize, std::size_t Alignment,
          std::size_t SmallRequestMax>
struct GeometryPolicy {
  static constexpr Geometry name = Name;
  static constexpr std::size_t arena_size = ArenaSize;
  static constexpr std::size_t pool_size = PoolSize;
  static constexpr std::size_t alignment = Alignment;
  static constexpr std::size_t small_request_max = SmallRequestMax;

  static constexpr unsigned arena_shift = base::shift_of(arena_size);
  static constexpr unsigned pool_shift = base::shift_of(pool_size);
  static constexpr unsigned alignment_shift = base::shift_of(alignment);
  static constexpr std::size_t pools_per_arena = arena_size / pool_size;
  static constexpr std::size_t size_classes = small_request_max / alignment;

  static_assert(base::is_power_of_two(arena_size) && base::is_power_of_two(pool_size) &&
                base::is_power_of_two(alignment));
  static_assert(alignment >= sizeof(void*), "a free block holds a pointer");
  static_assert(size_classes <= size_class_limit);
  static_assert(pools_per_arena >= 2);
  static_assert(pool_size / small_request_max >= 2, "a pool holds two blocks or more");

  // size_classes or more: no class, the request is zero or too large. The subtraction wraps for a
  // zero size, so that one comparison catches both.
  [[nodiscard]] static constexpr std::size_t szidx_of(std::size_t size) noexcept {
    return (size - 1) >> alignment_shift;
  }
  [[nodiscard]] static constexpr std::size_t block_size_of(std::size_t szidx) noexcept {
    return (szidx + 1) << alignment_shift;
  }
  [[nodiscard]] static constexpr std::size_t blocks_in_pool(std::size_t szidx) noexcept {
    return pool_size / block_size_of(szidx);
  }
  static constexpr std::size_t most_blocks_in_pool = pool_size / alignment;
  using Medium = void;  // no second tier
  static constexpr std::size_t first_szidx = 0;
  static_assert(most_blocks_in_pool <= INT16_MAX, "Pool counts its blocks in so many bits");
};

using ClassicGeometry = GeometryPolicy<Geometry::classic, 256 * 1024, 4 * 1024, 8, 512>;
using ModernGeometry = GeometryPolicy<Geometry::modern, 1024 * 1024, 16 * 1024, 16, 512>;
// Four classes per doubling: no block is more than a quarter larger than the request.
struct MediumGeometry {
  static constexpr Geometry name = Geometry::tarn;
  static constexpr std::size_t arena_size = std::size_t{4} * 1024 * 1024;
  static constexpr std::size_t pool_size = std::size_t{64} * 1024;
  static constexpr std::size_t alignment =
      16;  // what every request gets, also one that no pool serves
  static constexpr std::size_t small_request_max = std::size_t{32} * 1024;

  static constexpr unsigned arena_shift = base::shift_of(arena_size);
  static constexpr unsigned pool_shift = base::shift_of(pool_size);
  static constexpr std::size_t pools_per_arena = arena_size / pool_size;
  static constexpr std::size_t most_blocks_in_pool = pool_size / 640;
  using Medium = void;
  static constexpr std::size_t first_szidx = 32;  // in statistics, behind the small ones

  // Of the first doubling: 513 to 1024.
  static constexpr unsigned first_width = 10;
  static constexpr std::size_t size_classes = (std::size_t{15} - (first_width - 1)) * 4;

  // As above: size_classes or more for a request that is zero, too small or too large.
  [[nodiscard]] static constexpr std::size_t szidx_of(std::size_t size) noexcept {
    const std::size_t last = size - 1;
    const auto width = static_cast<unsigned>(std::bit_width(last));
    if (width < first_width) {
      return size_classes;
    }
    return (width - first_width) * std::size_t{4} + ((last >> (width - 3)) & 3U);
  }
  [[nodiscard]] static constexpr std::size_t block_size_of(std::size_t szidx) noexcept {
    return (5 + szidx % 4) << (szidx / 4 + first_width - 3);
  }
  [[nodiscard]] static constexpr std::size_t blocks_in_pool(std::size_t szidx) noexcept {
    return pool_size / block_size_of(szidx);
  }
};
static_assert(MediumGeometry::block_size_of(MediumGeometry::size_classes - 1) ==
              MediumGeometry::small_request_max);

struct TarnGeometry : GeometryPolicy<Geometry::tarn, 1024 * 1024, 16 * 1024, 16, 512> {
  using Medium = MediumGeometry;
};
static_assert(TarnGeometry::size_classes == MediumGeometry::first_szidx);
static_assert(TarnGeometry::size_classes + MediumGeometry::size_classes <= size_class_limit);

}  // namespace tarn::alloc

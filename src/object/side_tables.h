// What the collector and the weak references need to know of each object, beside the pools and not in the
// object. There is a chunk for each arena, committed with it, so that nobody who looks something up can fail:
//
//   arenas    │ arena 0               │ arena 1               │ arena 2 …
//   chunks    │ scratch │bits… │records │ scratch …
//               256 KiB  9 × 8 KiB  4 KiB
//   tallies   │ 64 KiB │ 64 KiB │ 64 KiB …
//
//   scratch       32 bits for each 16 bytes of the arena; an object's are those of the 16 that it starts in, at their
//                 beginning or, where its type's size isn't a multiple of 16, in the middle
//   bits          one for each 16 bytes, in a table for each SideBit
//   pool records  the family that each pool belongs to, and room for the collector
//   tallies       the collector's: 8 bits for each 16 bytes
//
// A chunk's size is no power of two, so that the same tables of all arenas don't meet in a few sets of the cache. The
// tallies of all arenas are side by side: a full collection looks one up for each reference, wherever it leads, and
// where they fill a large page they may have one (back_by_large_pages).
//
// A fresh chunk is zero. A reused block has the bits of its predecessor, unless this says otherwise: `weak` and
// `finalized` are cleared when an object dies. Large objects have a record of their own (large_objects.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bits.h"
#include "object/geometry.h"
#include "os/virtual_memory.h"

namespace tarn::object {

enum class SideBit : unsigned char {
  mark,       // the collector's
  old,        // the collector's; set: not of the youngest generation
  weak,       // there's an entry in the table of weak references
  finalized,  // its finalizer has run
  frozen,     // the collector's; set: not to be looked at
  condemned,  // the collector's; set: found unreachable, and about to die
  visited,    // the collector's
  wide,       // the collector's; set: part of its tally is in the scratch
  saved,      // the collector's; set: garbage that is kept to be looked at
};
inline constexpr std::size_t side_bit_count = 9;

struct Family;

struct alignas(64) PoolRecord {
  Family* family;  // null: no objects yet
  std::uint64_t collector[7];
};

class SideTables {
  using Geometry = ObjectGeometry;

 public:
  static constexpr std::size_t granules = Geometry::arena_size / Geometry::granule;
  static constexpr std::size_t chunk_size = std::size_t{340} * 1024;
  static constexpr std::size_t scratch_size = granules * sizeof(std::uint32_t);
  static constexpr std::size_t bit_table_size = granules / 8;
  static constexpr std::size_t records_offset = scratch_size + side_bit_count * bit_table_size;
  static constexpr std::size_t used_size =
      records_offset + Geometry::pools_per_arena * sizeof(PoolRecord);
  static_assert(used_size <= chunk_size);
  static constexpr std::size_t tally_size = granules;
  static constexpr std::size_t large_page = std::size_t{2} * 1024 * 1024;
  static constexpr std::size_t arenas_per_large_page = large_page / tally_size;

  [[nodiscard]] bool open(std::uintptr_t arenas, std::size_t count) noexcept {
    arenas_ = arenas;
    count_ = count;
    chunks_ = static_cast<std::byte*>(os::reserve(count * chunk_size, large_page));
    tallies_ = static_cast<std::int8_t*>(os::reserve(count * tally_size, large_page));
    if (chunks_ != nullptr && tallies_ != nullptr) {
      return true;
    }
    close();
    return false;
  }
  void close() noexcept {
    if (chunks_ != nullptr) {
      os::release(chunks_, count_ * chunk_size);
    }
    if (tallies_ != nullptr) {
      os::release(tallies_, count_ * tally_size);
    }
    *this = SideTables();
  }

  [[nodiscard]] bool commit(const void* arena) noexcept {
    if (!os::commit(chunk_of(arena), committed_size())) {
      return false;
    }
    if (!os::commit(tallies(arena), tally_size)) {
      os::decommit(chunk_of(arena), committed_size());
      return false;
    }
    return true;
  }
  void decommit(const void* arena) const noexcept {
    os::decommit(chunk_of(arena), committed_size());
    os::decommit(tallies(arena), tally_size);
  }
  // Of as many neighbouring arenas as have a large page of tallies together, all of them committed and their tallies
  // zero: a hint.
  void back_by_large_pages(const void* first_arena) const noexcept {
    std::int8_t* const start = tallies(first_arena);
    os::discard(start, large_page);  // the small pages that are there
    os::prefer_large_pages(start, large_page);
  }
  // The scratch of an arena is zero again, and costs no memory.
  void discard_scratch(const void* arena) const noexcept {
    os::discard(chunk_of(arena), scratch_size);
  }

  // Of an object in a pool.
  [[nodiscard]] std::uint32_t& scratch(const void* object) const noexcept {
    return reinterpret_cast<std::uint32_t*>(chunk_of(object))[granule_of(object)];
  }
  [[nodiscard]] bool test(SideBit bit, const void* object) const noexcept {
    return ((word(bit, object) >> (granule_of(object) % 64)) & 1U) != 0;
  }
  void set(SideBit bit, const void* object) const noexcept {
    word(bit, object) |= std::uint64_t{1} << (granule_of(object) % 64);
  }
  void clear(SideBit bit, const void* object) const noexcept {
    word(bit, object) &= ~(std::uint64_t{1} << (granule_of(object) % 64));
  }
  // The table of an arena: bit n is that of its nth 16 bytes.
  [[nodiscard]] std::uint64_t* table(SideBit bit, const void* arena) const noexcept {
    return reinterpret_cast<std::uint64_t*>(chunk_of(arena) + scratch_size +
                                            static_cast<std::size_t>(bit) * bit_table_size);
  }
  // Of an object in a pool: the collector's.
  [[nodiscard]] std::int8_t& tally(const void* object) const noexcept {
    return tallies_[offset_of(object) / Geometry::granule];
  }
  [[nodiscard]] std::int8_t* tallies(const void* arena) const noexcept { return &tally(arena); }
  // The 16 bytes that it's the tally of: what else is known of the object that starts there is found by them.
  [[nodiscard]] void* address_of(const std::int8_t& tally) const noexcept {
    return reinterpret_cast<void*>(arenas_ +
                                   static_cast<std::size_t>(&tally - tallies_) * Geometry::granule);
  }
  // Of any address in the pool.
  [[nodiscard]] PoolRecord& record(const void* address) const noexcept {
    const std::size_t pool =
        (offset_of(address) & (Geometry::arena_size - 1)) >> Geometry::pool_shift;
    return reinterpret_cast<PoolRecord*>(chunk_of(address) + records_offset)[pool];
  }

 private:
  [[nodiscard]] static std::size_t committed_size() noexcept {
    return base::round_up(used_size, os::page_size());
  }
  [[nodiscard]] std::size_t offset_of(const void* address) const noexcept {
    return base::address_of(address) - arenas_;
  }
  [[nodiscard]] std::byte* chunk_of(const void* address) const noexcept {
    return chunks_ + (offset_of(address) >> Geometry::arena_shift) * chunk_size;
  }
  [[nodiscard]] std::size_t granule_of(const void* address) const noexcept {
    return (offset_of(address) & (Geometry::arena_size - 1)) / Geometry::granule;
  }
  [[nodiscard]] std::uint64_t& word(SideBit bit, const void* object) const noexcept {
    return table(bit, object)[granule_of(object) / 64];
  }

  std::uintptr_t arenas_ = 0;
  std::byte* chunks_ = nullptr;
  std::int8_t* tallies_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace tarn::object

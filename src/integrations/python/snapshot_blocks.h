// The blocks of a heap as a snapshot's child finds them: written to the stream, and kept in a table, so that any
// address tells its block.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

#include "integrations/python/address_index.h"

namespace tarn::python {

// What is known of a block. Bits.
namespace mark {
inline constexpr std::uint8_t allocated = 1;
inline constexpr std::uint8_t candidate = 2;   // looks like an object: its type and its count do
inline constexpr std::uint8_t linked = 4;      // the collector's list leads to it
inline constexpr std::uint8_t referenced = 8;  // an object refers to it
inline constexpr std::uint8_t spare = 16;
inline constexpr unsigned prefix_shift =
    5;  // of a candidate: the words of 16 bytes before the object, up to 7
}  // namespace mark

class SnapshotBlocks {
 public:
  // A pool, or a large block.
  struct Area {
    std::uint64_t start;
    std::uint64_t block_size;
    std::uint32_t blocks;
    std::uint32_t first;  // of its marks
    Domain domain;
  };
  struct Found {
    const Area* area = nullptr;
    std::uint32_t mark = 0;
    std::uint64_t address = 0;
  };

  // Walks the heaps and writes them.
  void collect() noexcept;

  // Of any address. No area: it lies in no block that was ever handed out.
  [[nodiscard]] Found find(std::uint64_t address) const noexcept;

  [[nodiscard]] static bool is_in_arena(std::uint64_t address) noexcept;

  [[nodiscard]] std::uint8_t& mark_of(const Found& found) noexcept { return marks_[found.mark]; }

  // visit(Found) for each allocated one.
  template <typename Visit>
  void for_each_allocated(Visit visit) noexcept {
    for (std::size_t i = 0; i < area_count_; ++i) {
      const Area& area = areas_[i];
      for (std::uint32_t index = 0; index < area.blocks; ++index) {
        if ((marks_[area.first + index] & mark::allocated) != 0) {
          visit(Found{&area, area.first + index, area.start + index * area.block_size});
        }
      }
    }
  }

 private:
  friend class SnapshotWalk;

  Area* areas_ = nullptr;  // those of pools, then large ones in order of addresses
  std::size_t area_count_ = 0;
  std::size_t pool_count_ = 0;
  std::uint8_t* marks_ = nullptr;
  std::size_t mark_count_ = 0;
  AddressIndex pools_;  // of addresses >> shift_
  unsigned shift_ = 14;
};

}  // namespace tarn::python

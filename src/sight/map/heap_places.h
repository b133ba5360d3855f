// Where a snapshot's blocks may lie: its arenas, pools and large blocks, and the slots that they have (see
// snapshot_columns.h). A row that lies where none can is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "sight/map/columns.h"
#include "sight/map/snapshot_database.h"

namespace tarn::sight {

// A pool that has blocks.
struct PoolPlace {
  std::uint64_t address;
  std::uint64_t size;
  std::uint64_t first_block;  // its address
  std::uint64_t block_size;
  std::uint64_t blocks;
  std::size_t first_slot;

  // The number of the block that begins at the address, if one does.
  [[nodiscard]] std::optional<std::uint64_t> block_at(std::uint64_t at) const;
};

struct LargePlace {
  std::uint64_t address;
  std::uint64_t size;
};

class HeapPlaces {
 public:
  // Throws BadSnapshot, also where there are more slots than `most`.
  HeapPlaces(const SnapshotDatabase& database, std::int64_t id, std::size_t most, Columns& columns);

  // By address.
  [[nodiscard]] const std::vector<PoolPlace>& pools() const { return pools_; }
  [[nodiscard]] const std::vector<LargePlace>& large() const { return large_; }
  [[nodiscard]] std::size_t first_large_slot() const { return slots_ - large_.size(); }
  [[nodiscard]] std::size_t slots() const { return slots_; }

  // The slot of the block that holds the address.
  [[nodiscard]] std::optional<std::size_t> slot_at(std::uint64_t address) const;

 private:
  void read_arenas(const SnapshotDatabase& database, std::int64_t id, Columns& columns);
  void read_pools(const SnapshotDatabase& database, std::int64_t id, Columns& columns);
  void read_large(const SnapshotDatabase& database, std::int64_t id, Columns& columns);
  void expect_room() const;

  std::size_t most_;
  std::size_t slots_ = 0;
  std::unordered_map<std::uint64_t, std::uint32_t> arena_numbers_;
  std::vector<std::uint64_t> arena_ends_;
  std::vector<PoolPlace> pools_;
  std::vector<LargePlace> large_;
};

}  // namespace tarn::sight

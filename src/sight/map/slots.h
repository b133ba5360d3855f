// A snapshot's blocks, each in its slot: the columns that snapshot_columns.h lists.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sight/map/columns.h"
#include "sight/map/heap_places.h"
#include "sight/map/shared_names.h"
#include "sight/map/snapshot_database.h"

namespace tarn::sight {

// What was at an address in the snapshot before.
struct Held {
  std::uint64_t address;
  std::uint32_t size;
  std::uint32_t type;
  std::uint16_t since;
};

class Slots {
 public:
  Slots(const HeapPlaces& places, std::size_t most);

  // Reads all blocks. `held` is what the snapshot before had, by address, and becomes what this one has, the
  // `ordinal`th. Throws BadSnapshot.
  void read(const SnapshotDatabase& database, std::int64_t id, SharedNames& names,
            std::uint16_t ordinal, std::vector<Held>& held);

  void add_to(Columns& columns) const;
  [[nodiscard]] std::size_t size() const { return state_.size(); }
  // The slot of the block at the address, once all are read.
  [[nodiscard]] std::optional<std::size_t> slot_at(std::uint64_t address) const;

 private:
  // The slot of a row's block. Rows come by address.
  [[nodiscard]] std::size_t slot_of(const Rows& rows, std::uint64_t address, std::uint64_t size);
  [[nodiscard]] std::size_t slot_in_pool(const Rows& rows, std::uint64_t address,
                                         std::uint64_t size);
  [[nodiscard]] std::size_t slot_of_large(const Rows& rows, std::uint64_t address);
  [[nodiscard]] std::size_t slot_outside(std::uint64_t address, std::uint64_t size);
  void resize(std::size_t slots);
  void resolve_addresses();

  const HeapPlaces& places_;
  std::size_t most_;
  std::size_t pool_ = 0;   // of the last row
  std::size_t large_ = 0;  // of the last row
  std::vector<double> outside_;
  std::vector<std::uint32_t> outside_sizes_;
  std::vector<std::uint8_t> state_, prefix_;
  std::vector<std::uint16_t> next_, depth_, since_;
  std::vector<std::uint32_t> type_, count_, root_, site_, up_;
  std::vector<std::uint64_t> up_address_;
};

}  // namespace tarn::sight

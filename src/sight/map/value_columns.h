// What --values recorded of a snapshot's objects, for the page: short texts, as repr has them.
//
//   value.slot                      the slots of the blocks that have one, ascending
//   value.text                      their texts
//   value.left_out, value.most      one number each: how many more the snapshot has, for which there was no room; and
//                                   how many bytes the page has for values
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "sight/map/columns.h"
#include "sight/map/slots.h"
#include "sight/map/snapshot_database.h"

namespace tarn::sight {

// Of all snapshots in a page. What a browser does with a text of ten bytes costs it ten times as much.
inline constexpr std::uint64_t most_value_bytes = std::uint64_t{16} << 20;

class ValueColumns {
 public:
  explicit ValueColumns(std::uint64_t most_bytes = most_value_bytes) : most_bytes_(most_bytes) {}

  // Shares the room out among the snapshots, the newest first. Throws BadSnapshot.
  void choose(const SnapshotDatabase& database, const std::vector<std::int64_t>& ids);

  // Adds the columns of a snapshot: as many values as it has room for, those of the lowest addresses. Throws
  // BadSnapshot, also where a value is of no block.
  void add_to(Columns& columns, const SnapshotDatabase& database, std::int64_t id,
              const Slots& slots);

  // Of all snapshots together, since they were chosen.
  [[nodiscard]] std::uint64_t shown() const { return shown_; }

 private:
  std::uint64_t most_bytes_;
  std::map<std::int64_t, std::uint64_t> room_;  // of each snapshot; none: the file has no values
  std::uint64_t shown_ = 0;
};

}  // namespace tarn::sight

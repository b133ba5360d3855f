// What the snapshots of a file have in common: their types, roots and sites by names, each with one number however
// often it comes. So a type keeps its colour while the time line plays.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "sight/map/columns.h"
#include "sight/map/snapshot_database.h"

namespace tarn::sight {

class SharedNames {
 public:
  // Numbers + 1 by the ids that one snapshot has for them.
  using Numbers = std::unordered_map<std::uint64_t, std::uint32_t>;

  void read_snapshot(const SnapshotDatabase& database, std::int64_t id);
  [[nodiscard]] Numbers read_types(const SnapshotDatabase& database, std::int64_t id);
  [[nodiscard]] Numbers read_roots(const SnapshotDatabase& database, std::int64_t id);
  [[nodiscard]] Numbers read_sites(const SnapshotDatabase& database, std::int64_t id);

  void add_to(Columns& columns) const;

 private:
  // Several texts in a column each, and the row's number by all of them.
  struct Table {
    std::unordered_map<std::string, std::uint32_t> numbers;
    std::vector<std::vector<std::string>> columns;

    std::uint32_t number_of(const std::vector<std::string>& texts);
  };

  Table types_;  // module, name
  Table roots_;  // kind, name, where
  Table sites_;  // frames
  std::vector<std::string> reasons_, programs_, pythons_, geometries_;
  std::vector<double> taken_at_, pids_, page_sizes_, resident_, pause_;
};

}  // namespace tarn::sight

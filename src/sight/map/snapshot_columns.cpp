#include "sight/map/snapshot_columns.h"

#include <algorithm>

#include "sight/map/bad_snapshot.h"
#include "sight/map/heap_places.h"
#include "sight/map/shared_names.h"

namespace tarn::sight {
namespace {

constexpr std::uint64_t most_id = std::uint64_t{1} << 62;

void read_mappings(const SnapshotDatabase& database, std::int64_t id, Columns& columns) {
  std::vector<double> starts, sizes, resident;
  std::vector<std::string> permissions, owners, names;
  Rows rows(database, "mapping",
            "SELECT start, size, resident, permissions, owner, name FROM mapping"
            " WHERE snapshot = ?",
            id);
  while (rows.next()) {
    // The kernel has some of its own at the far end: negative as SQLite's integers.
    starts.push_back(static_cast<double>(static_cast<std::uint64_t>(rows.integer(0))));
    sizes.push_back(static_cast<double>(rows.number(1, most_id)));
    resident.push_back(static_cast<double>(rows.number(2, most_address)));
    permissions.push_back(rows.text(3));
    owners.push_back(rows.text(4));
    names.push_back(rows.text(5));
  }
  std::vector<std::size_t> order(starts.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return starts[a] < starts[b]; });
  const auto sorted = [&](const auto& values) {
    std::decay_t<decltype(values)> result;
    for (const std::size_t i : order) {
      result.push_back(values[i]);
    }
    return result;
  };
  columns.add("mapping.start", sorted(starts));
  columns.add("mapping.size", sorted(sizes));
  columns.add("mapping.resident", sorted(resident));
  columns.add("mapping.permissions", sorted(permissions));
  columns.add("mapping.owner", sorted(owners));
  columns.add("mapping.name", sorted(names));
}

void read_ledger(const SnapshotDatabase& database, std::int64_t id, Columns& columns) {
  std::vector<std::string> keys, names;
  std::vector<double> bytes;
  Rows rows(database, "ledger",
            "SELECT key, name, bytes FROM ledger WHERE snapshot = ? ORDER BY position", id);
  while (rows.next()) {
    keys.push_back(rows.text(0));
    names.push_back(rows.text(1));
    bytes.push_back(static_cast<double>(rows.integer(2)));
  }
  columns.add("ledger.key", keys);
  columns.add("ledger.name", names);
  columns.add("ledger.bytes", bytes);
}

}  // namespace

std::vector<std::int64_t> snapshot_ids(const SnapshotDatabase& database) {
  std::vector<std::int64_t> ids;
  Rows rows(database, "snapshot", "SELECT id FROM snapshot ORDER BY id");
  while (rows.next()) {
    ids.push_back(static_cast<std::int64_t>(rows.number(0, most_id)));
    if (ids.size() > most_snapshots) {
      throw BadSnapshot("it holds more than " + std::to_string(most_snapshots) + " snapshots");
    }
  }
  if (ids.empty()) {
    throw BadSnapshot("it holds no snapshot");
  }
  return ids;
}

std::string read_columns(const SnapshotDatabase& database, const std::vector<std::int64_t>& ids,
                         const std::function<void(const std::string&)>& take,
                         const AddColumns& add) {
  SharedNames names;
  std::vector<Held> held;
  std::size_t left = most_slots;
  std::vector<double> slot_counts;
  for (const std::int64_t id : ids) {
    names.read_snapshot(database, id);
    Columns columns;
    read_mappings(database, id, columns);
    read_ledger(database, id, columns);
    const HeapPlaces places(database, id, left, columns);
    Slots slots(places, left);
    slots.read(database, id, names, static_cast<std::uint16_t>(slot_counts.size()), held);
    slots.add_to(columns);
    if (add) {
      add(columns, id, slots);
    }
    left -= slots.size();
    slot_counts.push_back(static_cast<double>(slots.size()));
    take(columns.bytes());
  }
  Columns shared;
  names.add_to(shared);
  std::vector<double> numbers(ids.begin(), ids.end());
  shared.add("snapshot.id", numbers);
  shared.add("snapshot.slots", slot_counts);
  return shared.bytes();
}

}  // namespace tarn::sight

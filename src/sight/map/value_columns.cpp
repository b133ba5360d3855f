#include "sight/map/value_columns.h"

#include <algorithm>
#include <string>
#include <utility>

namespace tarn::sight {
namespace {

// Its slot's number, and where its text begins.
constexpr std::uint64_t bytes_beside_a_text = 8;
constexpr std::uint64_t most_bytes_of_a_file = std::uint64_t{1} << 60;

// Tables may come without a new version of the schema, and this one did.
bool has_values(const SnapshotDatabase& database) {
  Rows rows(database, "sqlite_master",
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'value'");
  return rows.next() && rows.number(0, most_bytes_of_a_file) != 0;
}

}  // namespace

void ValueColumns::choose(const SnapshotDatabase& database, const std::vector<std::int64_t>& ids) {
  room_.clear();
  shown_ = 0;
  if (!has_values(database)) {
    return;
  }
  std::uint64_t left = most_bytes_;
  for (std::size_t i = ids.size(); i-- > 0;) {
    Rows rows(database, "value",
              "SELECT count(*), coalesce(sum(length(CAST(text AS BLOB))), 0) FROM value"
              " WHERE snapshot = ?",
              ids[i]);
    std::uint64_t wanted = 0;
    if (rows.next()) {
      wanted = rows.number(0, most_bytes_of_a_file) * bytes_beside_a_text +
               rows.number(1, most_bytes_of_a_file);
    }
    room_[ids[i]] = std::min(wanted, left);
    left -= room_[ids[i]];
  }
}

void ValueColumns::add_to(Columns& columns, const SnapshotDatabase& database, std::int64_t id,
                          const Slots& slots) {
  std::vector<std::pair<std::uint32_t, std::string>> values;
  std::uint64_t left_out = 0;
  if (const auto given = room_.find(id); given != room_.end()) {
    std::uint64_t room = given->second;
    Rows rows(database, "value", "SELECT block, text FROM value WHERE snapshot = ? ORDER BY block",
              id);
    while (rows.next()) {
      const auto slot = slots.slot_at(rows.number(0, most_address));
      if (!slot) {
        rows.refuse("a value is of no block");
      }
      std::string text = rows.text(1);
      const std::uint64_t bytes = text.size() + bytes_beside_a_text;
      if (left_out != 0 || bytes > room) {
        ++left_out;
        continue;
      }
      room -= bytes;
      values.emplace_back(static_cast<std::uint32_t>(*slot), std::move(text));
    }
  }
  shown_ += values.size();
  // Slots of large blocks and of objects outside come after those of pools.
  std::ranges::sort(values);
  std::vector<std::uint32_t> slots_of_values;
  std::vector<std::string> texts;
  for (auto& [slot, text] : values) {
    slots_of_values.push_back(slot);
    texts.push_back(std::move(text));
  }
  columns.add("value.slot", slots_of_values);
  columns.add("value.text", texts);
  columns.add("value.left_out", std::vector<double>{static_cast<double>(left_out)});
  columns.add("value.most", std::vector<double>{static_cast<double>(most_bytes_)});
}

}  // namespace tarn::sight

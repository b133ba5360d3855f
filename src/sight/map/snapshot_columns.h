// A snapshot file as columns for the page: a set of names that all its snapshots share, and a set of columns for each.
//
// Blocks become *slots*: a number each, for every block of every used or full pool in order of addresses, untouched
// ones too; then for every large block; then for every object outside of Tarn. A slot's address follows from its
// pool, and a reference to another block is that block's slot + 1 (0: none). Columns of slots:
//
//   slot.state   bits 0-1: 0 untouched, 1 allocated, 2 free   2-3: content   4: tracked   5-6: domain, 3 none
//   slot.next    of a free one: the next in the chain, its number in the pool + 1
//   slot.type, slot.root, slot.site      number in the shared names + 1
//   slot.up      of a part its owner, otherwise its holder
//   slot.count   references; 0xffffffff: immortal or unknown
//   slot.since   which snapshot first had the same block of the same type at this address, and all between
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sight/map/columns.h"
#include "sight/map/slots.h"
#include "sight/map/snapshot_database.h"

namespace tarn::sight {

// More than this in one page, and no browser shows it.
inline constexpr std::size_t most_slots = 32'000'000;
inline constexpr std::size_t most_snapshots = 1000;

// The ids of the file's snapshots, in order. Throws BadSnapshot, also where there is none.
[[nodiscard]] std::vector<std::int64_t> snapshot_ids(const SnapshotDatabase& database);

// Adds columns of its own to those of a snapshot.
using AddColumns = std::function<void(Columns&, std::int64_t id, const Slots&)>;

// Calls take(columns) for each of the ids, in order, and returns the names that they share. Throws BadSnapshot.
[[nodiscard]] std::string read_columns(const SnapshotDatabase& database,
                                       const std::vector<std::int64_t>& ids,
                                       const std::function<void(const std::string&)>& take,
                                       const AddColumns& add = {});

}  // namespace tarn::sight

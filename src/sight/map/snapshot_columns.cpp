#include "sight/map/snapshot_columns.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "sight/map/bad_snapshot.h"
#include "sight/map/columns.h"
#include "sight/map/shared_names.h"
#include "sight/schema.h"

namespace tarn::sight {
namespace {

constexpr std::uint64_t most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t most_id = std::uint64_t{1} << 62;
constexpr std::uint64_t most_pool_size = std::uint64_t{1} << 31;
constexpr std::uint64_t most_blocks_of_pool = 65534;
constexpr std::uint32_t count_unknown = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint16_t most_depth = 65535;
constexpr std::uint64_t most_prefix = 255;
constexpr std::uint64_t domain_none = 3;

// The number of a word among those that a column may have.
std::uint8_t code_of(const Rows& rows, int column, const std::vector<std::string>& words) {
  const std::string word = rows.text(column);
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) {
    rows.refuse("a word that isn't one of its column's");
  }
  return static_cast<std::uint8_t>(found - words.begin());
}

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

// What a pool is to the blocks in it.
struct PoolPlace {
  std::uint64_t address;
  std::uint64_t size;
  std::uint64_t block_size;
  std::uint64_t blocks;
  std::size_t first_slot;
};

struct LargePlace {
  std::uint64_t address;
  std::uint64_t size;
};

// What was at an address in the snapshot before.
struct Held {
  std::uint64_t address;
  std::uint32_t size;
  std::uint32_t type;
  std::uint16_t since;
};

// One snapshot's pools and blocks.
class Heap {
 public:
  Heap(const SnapshotDatabase& database, std::int64_t id, std::size_t budget)
      : database_(database), id_(id), budget_(budget) {}

  void read_arenas(Columns& columns);
  void read_pools(Columns& columns);
  void read_large(Columns& columns);
  void read_blocks(SharedNames& names, std::uint16_t ordinal, std::vector<Held>& held,
                   Columns& columns);

  [[nodiscard]] std::size_t slots() const { return slots_; }

 private:
  void expect_room() const {
    if (slots_ > budget_) {
      throw BadSnapshot("it holds more blocks than a page can show");
    }
  }
  [[nodiscard]] std::uint32_t slot_at(std::uint64_t address) const;

  const SnapshotDatabase& database_;
  std::int64_t id_;
  std::size_t budget_;
  std::size_t slots_ = 0;
  std::unordered_map<std::uint64_t, std::uint32_t> arena_numbers_;
  std::vector<std::uint64_t> arena_ends_;
  std::vector<PoolPlace> pools_;  // those that have blocks, by address
  std::vector<LargePlace> large_;
  std::size_t first_large_slot_ = 0;
  std::vector<double> outside_;
  std::size_t first_outside_slot_ = 0;
};

void Heap::read_arenas(Columns& columns) {
  std::vector<double> addresses, sizes, resident;
  std::vector<std::string> heaps, tiers;
  std::vector<std::uint32_t> nfreepools, order;
  Rows rows(database_, "arena",
            "SELECT address, size, heap, tier, nfreepools, usable_order, resident FROM arena"
            " WHERE snapshot = ? ORDER BY address",
            id_);
  std::uint64_t end = 0;
  while (rows.next()) {
    const std::uint64_t address = rows.number(0, most_address);
    const std::uint64_t size = rows.number(1, most_u32);
    if (address < end || size == 0) {
      rows.refuse("two arenas lie in one another");
    }
    end = address + size;
    arena_numbers_[address] = static_cast<std::uint32_t>(arena_ends_.size());
    arena_ends_.push_back(end);
    addresses.push_back(static_cast<double>(address));
    sizes.push_back(static_cast<double>(size));
    heaps.push_back(rows.text(2));
    tiers.push_back(rows.text(3));
    nfreepools.push_back(static_cast<std::uint32_t>(rows.number(4, most_u32)));
    order.push_back(
        static_cast<std::uint32_t>(rows.optional_number(5, most_u32 - 1).value_or(most_u32)));
    resident.push_back(static_cast<double>(rows.number(6, most_address)));
  }
  columns.add("arena.address", addresses);
  columns.add("arena.size", sizes);
  columns.add("arena.heap", heaps);
  columns.add("arena.tier", tiers);
  columns.add("arena.nfreepools", nfreepools);
  columns.add("arena.usable_order", order);
  columns.add("arena.resident", resident);
}

void Heap::read_pools(Columns& columns) {
  static const std::vector<std::string> states = {"untouched", "empty", "used", "full"};
  static const std::vector<std::string> domains = {"raw", "mem", "obj"};
  std::vector<double> addresses;
  std::vector<std::uint32_t> arenas, sizes, block_sizes, blocks, first_slots, szidx;
  std::vector<std::uint32_t> resident_low, resident_high, live_low, live_high;
  std::vector<std::uint8_t> state_codes, domain_codes;
  std::vector<std::uint16_t> freeblocks;
  Rows rows(database_, "pool",
            "SELECT address, arena, size, state, domain, szidx, block_size, blocks, freeblock,"
            " resident_pages, live_pages FROM pool WHERE snapshot = ? ORDER BY address",
            id_);
  std::uint64_t end = 0;
  while (rows.next()) {
    const std::uint64_t address = rows.number(0, most_address);
    const auto arena = arena_numbers_.find(rows.number(1, most_address));
    const std::uint64_t size = rows.number(2, most_pool_size);
    if (arena == arena_numbers_.end() || address < arena->first || size == 0 ||
        address + size > arena_ends_[arena->second]) {
      rows.refuse("a pool lies in no arena");
    }
    if (address < end) {
      rows.refuse("two pools lie in one another");
    }
    end = address + size;
    const std::uint8_t state = code_of(rows, 3, states);
    std::uint64_t block_size = 0;
    std::uint64_t count = 0;
    std::uint64_t freeblock = 0;
    std::uint8_t domain = domain_none;
    if (state >= 2) {
      domain = code_of(rows, 4, domains);
      block_size = rows.number(6, size);
      count = rows.number(7, most_blocks_of_pool);
      if (block_size == 0 || block_size * count > size) {
        rows.refuse("a pool's blocks are larger than the pool");
      }
      if (const auto head = rows.optional_number(8, most_address)) {
        if (*head < address || (*head - address) % block_size != 0 ||
            (*head - address) / block_size >= count) {
          rows.refuse("a pool's freeblock is no block of it");
        }
        freeblock = (*head - address) / block_size + 1;
      }
      pools_.push_back({address, size, block_size, count, slots_});
    }
    const auto resident = static_cast<std::uint64_t>(rows.integer(9));
    const auto live = static_cast<std::uint64_t>(rows.integer(10));
    addresses.push_back(static_cast<double>(address));
    arenas.push_back(arena->second);
    sizes.push_back(static_cast<std::uint32_t>(size));
    state_codes.push_back(state);
    domain_codes.push_back(domain);
    szidx.push_back(state >= 2 ? static_cast<std::uint32_t>(rows.number(5, most_u32)) : 0);
    block_sizes.push_back(static_cast<std::uint32_t>(block_size));
    blocks.push_back(static_cast<std::uint32_t>(count));
    first_slots.push_back(static_cast<std::uint32_t>(slots_));
    freeblocks.push_back(static_cast<std::uint16_t>(freeblock));
    resident_low.push_back(static_cast<std::uint32_t>(resident));
    resident_high.push_back(static_cast<std::uint32_t>(resident >> 32));
    live_low.push_back(static_cast<std::uint32_t>(live));
    live_high.push_back(static_cast<std::uint32_t>(live >> 32));
    slots_ += count;
    expect_room();
  }
  columns.add("pool.address", addresses);
  columns.add("pool.arena", arenas);
  columns.add("pool.size", sizes);
  columns.add("pool.state", state_codes);
  columns.add("pool.domain", domain_codes);
  columns.add("pool.szidx", szidx);
  columns.add("pool.block_size", block_sizes);
  columns.add("pool.blocks", blocks);
  columns.add("pool.first_slot", first_slots);
  columns.add("pool.freeblock", freeblocks);
  columns.add("pool.resident_low", resident_low);
  columns.add("pool.resident_high", resident_high);
  columns.add("pool.live_low", live_low);
  columns.add("pool.live_high", live_high);
}

void Heap::read_large(Columns& columns) {
  std::vector<double> addresses, sizes, resident;
  std::vector<std::string> heaps, kinds;
  Rows rows(database_, "large",
            "SELECT address, size, heap, kind, resident FROM large"
            " WHERE snapshot = ? ORDER BY address",
            id_);
  first_large_slot_ = slots_;
  std::uint64_t end = 0;
  while (rows.next()) {
    const std::uint64_t address = rows.number(0, most_address);
    const std::uint64_t size = rows.number(1, most_address);
    if (address < end || size == 0) {
      rows.refuse("two large blocks lie in one another");
    }
    end = address + size;
    large_.push_back({address, size});
    addresses.push_back(static_cast<double>(address));
    sizes.push_back(static_cast<double>(size));
    heaps.push_back(rows.text(2));
    kinds.push_back(rows.text(3));
    resident.push_back(static_cast<double>(rows.number(4, most_address)));
    ++slots_;
    expect_room();
  }
  columns.add("large.address", addresses);
  columns.add("large.size", sizes);
  columns.add("large.heap", heaps);
  columns.add("large.kind", kinds);
  columns.add("large.resident", resident);
}

std::uint32_t Heap::slot_at(std::uint64_t address) const {
  const auto above = [](std::uint64_t value, const auto& place) { return value < place.address; };
  if (const auto pool = std::upper_bound(pools_.begin(), pools_.end(), address, above);
      pool != pools_.begin()) {
    const PoolPlace& place = *std::prev(pool);
    const std::uint64_t offset = address - place.address;
    if (offset < place.size) {
      const std::uint64_t index = offset / place.block_size;
      return index < place.blocks ? static_cast<std::uint32_t>(place.first_slot + index + 1) : 0;
    }
  }
  if (const auto large = std::upper_bound(large_.begin(), large_.end(), address, above);
      large != large_.begin()) {
    const LargePlace& place = *std::prev(large);
    if (address - place.address < place.size) {
      return static_cast<std::uint32_t>(first_large_slot_ +
                                        static_cast<std::size_t>(&place - large_.data()) + 1);
    }
  }
  const auto wanted = static_cast<double>(address);
  const auto outside = std::lower_bound(outside_.begin(), outside_.end(), wanted);
  if (outside != outside_.end() && *outside == wanted) {
    return static_cast<std::uint32_t>(first_outside_slot_ +
                                      static_cast<std::size_t>(outside - outside_.begin()) + 1);
  }
  return 0;
}

void Heap::read_blocks(SharedNames& names, std::uint16_t ordinal, std::vector<Held>& held,
                       Columns& columns) {
  const SharedNames::Numbers types = names.read_types(database_, id_);
  const SharedNames::Numbers roots = names.read_roots(database_, id_);
  const SharedNames::Numbers sites = names.read_sites(database_, id_);
  const auto named = [](const SharedNames::Numbers& numbers, std::optional<std::uint64_t> number) {
    const auto found = number ? numbers.find(*number) : numbers.end();
    return found == numbers.end() ? 0U : found->second;
  };

  first_outside_slot_ = slots_;
  std::vector<std::uint8_t> state(slots_), prefix(slots_);
  std::vector<std::uint16_t> next(slots_), depth(slots_), since(slots_);
  std::vector<std::uint32_t> type(slots_), count(slots_), root(slots_), site(slots_), up(slots_);
  std::vector<std::uint64_t> up_address(slots_);
  std::vector<std::uint32_t> outside_sizes;
  std::vector<Held> held_now;
  auto before = held.begin();
  std::size_t pool = 0;
  std::size_t large = 0;

  Rows rows(database_, "block",
            "SELECT address, size, place, pool, domain, state, next_free, content, prefix, type,"
            " refcount, tracked, owner, holder, root, depth, site"
            " FROM block WHERE snapshot = ? ORDER BY address",
            id_);
  while (rows.next()) {
    const std::uint64_t address = rows.number(0, most_address);
    const std::uint64_t size = rows.number(1, most_address);
    const auto place = static_cast<Place>(rows.number(2, 2));
    const auto taken = static_cast<Taken>(rows.number(5, 2));
    std::size_t slot = 0;
    if (place == Place::pool) {
      while (pool < pools_.size() && pools_[pool].address + pools_[pool].size <= address) {
        ++pool;
      }
      if (pool == pools_.size() || address < pools_[pool].address ||
          rows.number(3, most_address) != pools_[pool].address) {
        rows.refuse("a block lies in no pool");
      }
      const PoolPlace& here = pools_[pool];
      const std::uint64_t offset = address - here.address;
      if (offset % here.block_size != 0 || offset / here.block_size >= here.blocks ||
          size != here.block_size) {
        rows.refuse("a block isn't where its pool has one");
      }
      slot = here.first_slot + offset / here.block_size;
      if (const auto following = rows.optional_number(6, most_address)) {
        const std::uint64_t distance = *following - here.address;
        if (*following < here.address || distance % here.block_size != 0 ||
            distance / here.block_size >= here.blocks) {
          rows.refuse("a free block's next isn't in its pool");
        }
        next[slot] = static_cast<std::uint16_t>(distance / here.block_size + 1);
      }
    } else if (place == Place::large) {
      while (large < large_.size() && large_[large].address < address) {
        ++large;
      }
      if (large == large_.size() || large_[large].address != address) {
        rows.refuse("a large block is none of table large");
      }
      slot = first_large_slot_ + large;
    } else {
      slot = slots_++;
      expect_room();
      outside_.push_back(static_cast<double>(address));
      outside_sizes.push_back(static_cast<std::uint32_t>(std::min(size, most_u32)));
      for (auto* column : {&state, &prefix}) {
        column->push_back(0);
      }
      for (auto* column : {&next, &depth, &since}) {
        column->push_back(0);
      }
      for (auto* column : {&type, &count, &root, &site, &up}) {
        column->push_back(0);
      }
      up_address.push_back(0);
    }
    const std::uint64_t content = rows.optional_number(7, 3).value_or(0);
    const std::uint64_t tracked = rows.optional_number(11, 1).value_or(0);
    const std::uint64_t domain = rows.optional_number(4, 2).value_or(domain_none);
    state[slot] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(taken) | content << 2 |
                                            tracked << 4 | domain << 5);
    if (taken != Taken::allocated) {
      continue;
    }
    prefix[slot] = static_cast<std::uint8_t>(rows.optional_number(8, most_prefix).value_or(0));
    type[slot] = named(types, rows.optional_number(9, most_id));
    count[slot] = static_cast<std::uint32_t>(std::min(
        rows.optional_number(10, most_id).value_or(count_unknown), std::uint64_t{count_unknown}));
    const bool is_part = static_cast<Content>(content) == Content::part;
    up_address[slot] = rows.optional_number(is_part ? 12 : 13, most_address).value_or(0);
    root[slot] = named(roots, rows.optional_number(14, most_id));
    depth[slot] = static_cast<std::uint16_t>(
        std::min(rows.optional_number(15, most_id).value_or(0), std::uint64_t{most_depth}));
    site[slot] = named(sites, rows.optional_number(16, most_id));

    while (before != held.end() && before->address < address) {
      ++before;
    }
    since[slot] = ordinal;
    const auto narrow_size = static_cast<std::uint32_t>(std::min(size, most_u32));
    if (before != held.end() && before->address == address && before->size == narrow_size &&
        before->type == type[slot]) {
      since[slot] = before->since;
    }
    held_now.push_back({address, narrow_size, type[slot], since[slot]});
  }
  held.swap(held_now);
  for (std::size_t i = 0; i < up.size(); ++i) {
    if (up_address[i] != 0) {
      up[i] = slot_at(up_address[i]);
    }
  }
  columns.add("outside.address", outside_);
  columns.add("outside.size", outside_sizes);
  columns.add("slot.state", state);
  columns.add("slot.prefix", prefix);
  columns.add("slot.next", next);
  columns.add("slot.depth", depth);
  columns.add("slot.since", since);
  columns.add("slot.type", type);
  columns.add("slot.count", count);
  columns.add("slot.root", root);
  columns.add("slot.site", site);
  columns.add("slot.up", up);
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
                         const std::function<void(const std::string&)>& take) {
  SharedNames names;
  std::vector<Held> held;
  std::size_t slots = 0;
  std::vector<double> slot_counts;
  for (const std::int64_t id : ids) {
    names.read_snapshot(database, id);
    Columns columns;
    Heap heap(database, id, most_slots - slots);
    read_mappings(database, id, columns);
    read_ledger(database, id, columns);
    heap.read_arenas(columns);
    heap.read_pools(columns);
    heap.read_large(columns);
    heap.read_blocks(names, static_cast<std::uint16_t>(slot_counts.size()), held, columns);
    slots += heap.slots();
    slot_counts.push_back(static_cast<double>(heap.slots()));
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

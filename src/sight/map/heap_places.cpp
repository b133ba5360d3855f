#include "sight/map/heap_places.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>

#include "sight/map/bad_snapshot.h"

namespace tarn::sight {
namespace {

constexpr std::uint64_t most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t most_pool_size = std::uint64_t{1} << 31;
constexpr std::uint64_t most_blocks_of_pool = 65534;
constexpr std::uint8_t domain_none = 3;

// The number of a word among those that a column may have.
std::uint8_t code_of(const Rows& rows, int column, const std::vector<std::string>& words) {
  const std::string word = rows.text(column);
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) {
    rows.refuse("a word that isn't one of its column's");
  }
  return static_cast<std::uint8_t>(found - words.begin());
}

}  // namespace

std::optional<std::uint64_t> PoolPlace::block_at(std::uint64_t at) const {
  const std::uint64_t offset = at - first_block;
  if (at < first_block || offset % block_size != 0 || offset / block_size >= blocks) {
    return std::nullopt;
  }
  return offset / block_size;
}

HeapPlaces::HeapPlaces(const SnapshotDatabase& database, std::int64_t id, std::size_t most,
                       Columns& columns)
    : most_(most) {
  read_arenas(database, id, columns);
  read_pools(database, id, columns);
  read_large(database, id, columns);
}

void HeapPlaces::expect_room() const {
  if (slots_ > most_) {
    throw BadSnapshot("it holds more blocks than a page can show");
  }
}

void HeapPlaces::read_arenas(const SnapshotDatabase& database, std::int64_t id, Columns& columns) {
  std::vector<double> addresses, sizes, resident;
  std::vector<std::string> heaps, tiers;
  std::vector<std::uint32_t> nfreepools, order;
  Rows rows(database, "arena",
            "SELECT address, size, heap, tier, nfreepools, usable_order, resident FROM arena"
            " WHERE snapshot = ? ORDER BY address",
            id);
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

void HeapPlaces::read_pools(const SnapshotDatabase& database, std::int64_t id, Columns& columns) {
  static const std::vector<std::string> states = {"untouched", "empty", "used", "full"};
  static const std::vector<std::string> domains = {"raw", "mem", "obj"};
  std::vector<double> addresses;
  std::vector<std::uint32_t> arenas, sizes, block_sizes, firsts_at, blocks, first_slots, szidx;
  std::vector<std::uint32_t> resident_low, resident_high, live_low, live_high;
  std::vector<std::uint8_t> state_codes, domain_codes;
  std::vector<std::uint16_t> freeblocks;
  Rows rows(
      database, "pool",
      "SELECT address, arena, size, state, domain, szidx, block_size, blocks, freeblock,"
      " resident_pages, live_pages, untouched_at FROM pool WHERE snapshot = ? ORDER BY address",
      id);
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
    std::uint64_t first_at = 0;
    std::uint64_t count = 0;
    std::uint64_t freeblock = 0;
    std::uint8_t domain = domain_none;
    if (state >= 2) {
      domain = code_of(rows, 4, domains);
      block_size = rows.number(6, size);
      count = rows.number(7, most_blocks_of_pool);
      first_at = block_size == 0 ? 0 : rows.number(11, size) % block_size;
      if (block_size == 0 || first_at + block_size * count > size) {
        rows.refuse("a pool's blocks are larger than the pool");
      }
      const PoolPlace place = {address, size, address + first_at, block_size, count, slots_};
      if (const auto head = rows.optional_number(8, most_address)) {
        const auto block = place.block_at(*head);
        if (!block) {
          rows.refuse("a pool's freeblock is no block of it");
        }
        freeblock = *block + 1;
      }
      pools_.push_back(place);
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
    firsts_at.push_back(static_cast<std::uint32_t>(first_at));
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
  columns.add("pool.first_at", firsts_at);
  columns.add("pool.blocks", blocks);
  columns.add("pool.first_slot", first_slots);
  columns.add("pool.freeblock", freeblocks);
  columns.add("pool.resident_low", resident_low);
  columns.add("pool.resident_high", resident_high);
  columns.add("pool.live_low", live_low);
  columns.add("pool.live_high", live_high);
}

void HeapPlaces::read_large(const SnapshotDatabase& database, std::int64_t id, Columns& columns) {
  std::vector<double> addresses, sizes, resident;
  std::vector<std::string> heaps, kinds;
  Rows rows(database, "large",
            "SELECT address, size, heap, kind, resident FROM large"
            " WHERE snapshot = ? ORDER BY address",
            id);
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

std::optional<std::size_t> HeapPlaces::slot_at(std::uint64_t address) const {
  const auto above = [](std::uint64_t value, const auto& place) { return value < place.address; };
  if (const auto pool = std::upper_bound(pools_.begin(), pools_.end(), address, above);
      pool != pools_.begin()) {
    const PoolPlace& place = *std::prev(pool);
    // Before the first block it's a number that no block has.
    const std::uint64_t index = (address - place.first_block) / place.block_size;
    if (index < place.blocks) {
      return place.first_slot + index;
    }
  }
  if (const auto large = std::upper_bound(large_.begin(), large_.end(), address, above);
      large != large_.begin()) {
    const auto place = std::prev(large);
    if (address - place->address < place->size) {
      return first_large_slot() + static_cast<std::size_t>(place - large_.begin());
    }
  }
  return std::nullopt;
}

}  // namespace tarn::sight

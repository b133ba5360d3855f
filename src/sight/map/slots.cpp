#include "sight/map/slots.h"

#include <algorithm>
#include <limits>

#include "sight/map/bad_snapshot.h"
#include "sight/schema.h"

namespace tarn::sight {
namespace {

constexpr std::uint64_t most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t most_depth = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t most_id = std::uint64_t{1} << 62;
constexpr std::uint64_t most_prefix = 255;
constexpr std::uint64_t domain_none = 3;

// In the order of the query below.
enum Column : int {
  column_address,
  column_size,
  column_place,
  column_pool,
  column_domain,
  column_state,
  column_next_free,
  column_content,
  column_prefix,
  column_type,
  column_refcount,
  column_tracked,
  column_owner,
  column_holder,
  column_root,
  column_depth,
  column_site
};
constexpr const char* query =
    "SELECT address, size, place, pool, domain, state, next_free, content, prefix, type,"
    " refcount, tracked, owner, holder, root, depth, site"
    " FROM block WHERE snapshot = ? ORDER BY address";

std::uint32_t named(const SharedNames::Numbers& numbers, std::optional<std::uint64_t> id) {
  const auto found = id ? numbers.find(*id) : numbers.end();
  return found == numbers.end() ? 0 : found->second;
}

// How long the same block has been at an address; asked by ascending addresses.
class Ages {
 public:
  Ages(const std::vector<Held>& before, std::uint16_t ordinal)
      : at_(before.begin()), end_(before.end()), ordinal_(ordinal) {}

  std::uint16_t since(std::uint64_t address, std::uint32_t size, std::uint32_t type) {
    while (at_ != end_ && at_->address < address) {
      ++at_;
    }
    const bool is_same =
        at_ != end_ && at_->address == address && at_->size == size && at_->type == type;
    return is_same ? at_->since : ordinal_;
  }

 private:
  std::vector<Held>::const_iterator at_;
  std::vector<Held>::const_iterator end_;
  std::uint16_t ordinal_;
};

}  // namespace

Slots::Slots(const HeapPlaces& places, std::size_t most) : places_(places), most_(most) {
  resize(places.slots());
}

void Slots::resize(std::size_t slots) {
  state_.resize(slots);
  prefix_.resize(slots);
  next_.resize(slots);
  depth_.resize(slots);
  since_.resize(slots);
  type_.resize(slots);
  count_.resize(slots);
  root_.resize(slots);
  site_.resize(slots);
  up_.resize(slots);
  up_address_.resize(slots);
}

std::size_t Slots::slot_in_pool(const Rows& rows, std::uint64_t address, std::uint64_t size) {
  const std::vector<PoolPlace>& pools = places_.pools();
  while (pool_ < pools.size() && pools[pool_].address + pools[pool_].size <= address) {
    ++pool_;
  }
  if (pool_ == pools.size() || address < pools[pool_].address ||
      rows.number(column_pool, most_address) != pools[pool_].address) {
    rows.refuse("a block lies in no pool");
  }
  const PoolPlace& pool = pools[pool_];
  const auto block = pool.block_at(address);
  if (!block || size != pool.block_size) {
    rows.refuse("a block isn't where its pool has one");
  }
  const std::size_t slot = pool.first_slot + *block;
  if (const auto following = rows.optional_number(column_next_free, most_address)) {
    const auto number = pool.block_at(*following);
    if (!number) {
      rows.refuse("a free block's next isn't in its pool");
    }
    next_[slot] = static_cast<std::uint16_t>(*number + 1);
  }
  return slot;
}

std::size_t Slots::slot_of_large(const Rows& rows, std::uint64_t address) {
  const std::vector<LargePlace>& large = places_.large();
  while (large_ < large.size() && large[large_].address < address) {
    ++large_;
  }
  if (large_ == large.size() || large[large_].address != address) {
    rows.refuse("a large block is none of table large");
  }
  return places_.first_large_slot() + large_;
}

std::size_t Slots::slot_outside(std::uint64_t address, std::uint64_t size) {
  const std::size_t slot = this->size();
  if (slot >= most_) {
    throw BadSnapshot("it holds more blocks than a page can show");
  }
  outside_.push_back(static_cast<double>(address));
  outside_sizes_.push_back(static_cast<std::uint32_t>(std::min(size, most_u32)));
  resize(slot + 1);
  return slot;
}

std::size_t Slots::slot_of(const Rows& rows, std::uint64_t address, std::uint64_t size) {
  switch (static_cast<Place>(rows.number(column_place, 2))) {
    case Place::pool:
      return slot_in_pool(rows, address, size);
    case Place::large:
      return slot_of_large(rows, address);
    case Place::outside:
      break;
  }
  return slot_outside(address, size);
}

void Slots::read(const SnapshotDatabase& database, std::int64_t id, SharedNames& names,
                 std::uint16_t ordinal, std::vector<Held>& held) {
  const SharedNames::Numbers types = names.read_types(database, id);
  const SharedNames::Numbers roots = names.read_roots(database, id);
  const SharedNames::Numbers sites = names.read_sites(database, id);
  std::vector<Held> held_now;
  Ages ages(held, ordinal);
  Rows rows(database, "block", query, id);
  while (rows.next()) {
    const std::uint64_t address = rows.number(column_address, most_address);
    const std::uint64_t size = rows.number(column_size, most_address);
    const auto taken = static_cast<Taken>(rows.number(column_state, 2));
    const std::uint64_t content = rows.optional_number(column_content, 3).value_or(0);
    const std::uint64_t tracked = rows.optional_number(column_tracked, 1).value_or(0);
    const std::uint64_t domain = rows.optional_number(column_domain, 2).value_or(domain_none);
    const std::size_t slot = slot_of(rows, address, size);
    state_[slot] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(taken) | content << 2 |
                                             tracked << 4 | domain << 5);
    if (taken != Taken::allocated) {
      continue;
    }
    const auto number = [&](int column, std::uint64_t instead, std::uint64_t most) {
      return std::min(rows.optional_number(column, most_id).value_or(instead), most);
    };
    prefix_[slot] =
        static_cast<std::uint8_t>(rows.optional_number(column_prefix, most_prefix).value_or(0));
    type_[slot] = named(types, rows.optional_number(column_type, most_id));
    root_[slot] = named(roots, rows.optional_number(column_root, most_id));
    site_[slot] = named(sites, rows.optional_number(column_site, most_id));
    count_[slot] = static_cast<std::uint32_t>(number(column_refcount, most_u32, most_u32));
    depth_[slot] = static_cast<std::uint16_t>(number(column_depth, 0, most_depth));
    const bool is_part = static_cast<Content>(content) == Content::part;
    up_address_[slot] =
        rows.optional_number(is_part ? column_owner : column_holder, most_address).value_or(0);
    const auto narrow = static_cast<std::uint32_t>(std::min(size, most_u32));
    since_[slot] = ages.since(address, narrow, type_[slot]);
    held_now.push_back({address, narrow, type_[slot], since_[slot]});
  }
  held.swap(held_now);
  resolve_addresses();
}

void Slots::resolve_addresses() {
  for (std::size_t i = 0; i < up_.size(); ++i) {
    if (up_address_[i] == 0) {
      continue;
    }
    if (const auto slot = slot_at(up_address_[i])) {
      up_[i] = static_cast<std::uint32_t>(*slot + 1);
    }
  }
}

std::optional<std::size_t> Slots::slot_at(std::uint64_t address) const {
  if (const auto slot = places_.slot_at(address)) {
    return slot;
  }
  const auto wanted = static_cast<double>(address);
  const auto found = std::lower_bound(outside_.begin(), outside_.end(), wanted);
  if (found == outside_.end() || *found != wanted) {
    return std::nullopt;
  }
  return places_.slots() + static_cast<std::size_t>(found - outside_.begin());
}

void Slots::add_to(Columns& columns) const {
  columns.add("outside.address", outside_);
  columns.add("outside.size", outside_sizes_);
  columns.add("slot.state", state_);
  columns.add("slot.prefix", prefix_);
  columns.add("slot.next", next_);
  columns.add("slot.depth", depth_);
  columns.add("slot.since", since_);
  columns.add("slot.type", type_);
  columns.add("slot.count", count_);
  columns.add("slot.root", root_);
  columns.add("slot.site", site_);
  columns.add("slot.up", up_);
}

}  // namespace tarn::sight

// What has been read becomes a capture: each block in its place, and addresses become blocks. Here is checked what one
// record says of another.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "sight/pool_record.h"
#include "sight/stream_reader.h"
#include "sight/stream_records.h"

namespace tarn::sight {

namespace {

using stream::largest_pool;
using stream::refuse;

// Of a block that was drawn by its bytes, one in `rate` (sites/poisson.h): for so many like it it stands.
double weight_of(std::uint64_t counted, std::uint64_t rate) {
  if (rate == 1 || counted == 0) {
    return 1;
  }
  return -1 / std::expm1(-static_cast<double>(counted) / static_cast<double>(rate));
}

template <typename Thing>
void sort_and_check(std::vector<Thing>& things, const char* what) {
  std::sort(things.begin(), things.end(),
            [](const Thing& left, const Thing& right) { return left.address < right.address; });
  for (std::size_t i = 1; i < things.size(); ++i) {
    if (things[i].address - things[i - 1].address < things[i - 1].size) {
      refuse(std::string("two ") + what + " overlap");
    }
  }
}

}  // namespace

void StreamReader::place_blocks_of(Pool& pool, std::string_view marks) {
  const PoolPayload payload = payloads_[pool.first_slot];
  pool.first_slot = capture_.slots.size();
  const std::uint64_t page = capture_.facts.page_size;
  const std::uint64_t first_block = pool.blocks == 0 ? pool.address : first_block_of(pool);
  for (std::uint32_t index = 0; index < pool.blocks; ++index) {
    const auto mark = static_cast<BlockMark>(marks[payload.marks + index]);
    if (mark == BlockMark::untouched) {
      capture_.slots.push_back(no_block);
      ++pool.untouched;
      continue;
    }
    Block block;
    block.address = first_block + std::uint64_t{index} * pool.block_size;
    block.size = pool.block_size;
    block.pool = pool.address;
    block.domain = pool.domain;
    if (mark == BlockMark::allocated) {
      ++pool.allocated;
      const std::uint64_t first = (block.address - pool.address) / page;
      const std::uint64_t last = (block.address - pool.address + block.size - 1) / page;
      for (std::uint64_t i = first; i <= last && i < 64; ++i) {
        pool.live_pages |= std::uint64_t{1} << i;
      }
    } else {
      block.state = Taken::free;
    }
    capture_.slots.push_back(static_cast<std::uint32_t>(capture_.blocks.size()));
    capture_.blocks.push_back(block);
  }
  for (std::size_t i = 1; i < pool.free_blocks; ++i) {
    const std::uint32_t block = capture_.slots[pool.first_slot + chains_[payload.chain + i - 1]];
    capture_.blocks[block].next_free =
        first_block + std::uint64_t{chains_[payload.chain + i]} * pool.block_size;
  }
  // The chain's first is told by the chain, not by what the pool says.
  pool.freeblock = pool.free_blocks == 0
                       ? 0
                       : first_block + std::uint64_t{chains_[payload.chain]} * pool.block_size;
}

// Pools, large blocks and objects outside, in one order of addresses.
void StreamReader::place_areas() {
  sort_and_check(capture_.arenas, "arenas");
  sort_and_check(capture_.pools, "pools");
  sort_and_check(capture_.large, "large blocks");
  for (const Pool& pool : capture_.pools) {
    const auto arena = std::lower_bound(
        capture_.arenas.begin(), capture_.arenas.end(), pool.arena,
        [](const Arena& one, std::uint64_t address) { return one.address < address; });
    if (arena == capture_.arenas.end() || arena->address != pool.arena ||
        pool.address < arena->address ||
        pool.address - arena->address >
            arena->size - std::min<std::uint64_t>(arena->size, pool.size)) {
      refuse("a pool lies in no arena");
    }
  }
  std::vector<const ObjectRecord*> outside;
  for (const ObjectRecord& object : objects_) {
    if ((object.flags & object_flags::outside) != 0) {
      outside.push_back(&object);
    }
  }
  std::sort(outside.begin(), outside.end(),
            [](const ObjectRecord* left, const ObjectRecord* right) {
              return left->block < right->block;
            });
  capture_.blocks.reserve(
      static_cast<std::size_t>(
          std::count_if(marks_.begin(), marks_.end(), [](char mark) { return mark != '\0'; })) +
      capture_.large.size() + outside.size());
  std::size_t pool = 0;
  std::size_t large = 0;
  std::size_t next = 0;
  const auto address = [](const auto& things, std::size_t i) {
    return i < things.size() ? things[i].address : UINT64_MAX;
  };
  std::uint64_t end = 0;
  for (;;) {
    const std::uint64_t of_pool = address(capture_.pools, pool);
    const std::uint64_t of_large = address(capture_.large, large);
    const std::uint64_t of_outside = next < outside.size() ? outside[next]->block : UINT64_MAX;
    const std::uint64_t first = std::min({of_pool, of_large, of_outside});
    if (first == UINT64_MAX) {
      break;
    }
    if (first < end) {
      refuse("blocks overlap");
    }
    if (first == of_pool) {
      const Pool& here = capture_.pools[pool];
      end = here.address + here.size;
      for (std::uint64_t at = here.address; here.blocks != 0 && at < end;
           at += std::uint64_t{1} << Capture::page_shift) {
        capture_.pool_of_page.emplace(at >> Capture::page_shift, static_cast<std::uint32_t>(pool));
      }
      place_blocks_of(capture_.pools[pool++], marks_);
    } else if (first == of_large) {
      const LargeRecord& here = capture_.large[large++];
      end = here.address + here.size;
      Block block;
      block.address = here.address;
      block.size = here.size;
      block.domain = static_cast<std::uint8_t>(here.domain);
      block.place = Place::large;
      capture_.blocks.push_back(block);
    } else {
      end = first + 1;
      Block block;
      block.address = first;
      block.place = Place::outside;
      capture_.blocks.push_back(block);
      ++next;
    }
    if (capture_.blocks.size() >= no_block - largest_pool) {
      refuse("too many blocks");
    }
  }
}

void StreamReader::place_objects() {
  for (const ObjectRecord& object : objects_) {
    const std::uint32_t index = capture_.find(object.block);
    if (index == no_block || capture_.blocks[index].address != object.block ||
        capture_.blocks[index].state != Taken::allocated) {
      refuse("an object lies in no allocated block");
    }
    Block& block = capture_.blocks[index];
    const bool is_outside = (object.flags & object_flags::outside) != 0;
    if (object.type >= capture_.types.size() || block.is_candidate() ||
        is_outside != (block.place == Place::outside) ||
        (!is_outside && object.prefix >= block.size)) {
      refuse("an object's numbers don't fit its block");
    }
    block.type = object.type;
    block.prefix = object.prefix;
    block.refcount = object.refcount;
    block.flags = object.flags;
    if (is_outside) {
      block.size = static_cast<std::uint64_t>(capture_.types[object.type].basicsize);
    }
  }
}

void StreamReader::place_recorded() {
  for (const RecordedRecord& record : recorded_) {
    const std::uint32_t index = capture_.find(record.block);
    if (index == no_block || capture_.blocks[index].address != record.block ||
        capture_.blocks[index].state != Taken::allocated ||
        capture_.blocks[index].place == Place::outside) {
      refuse("a recorded block isn't allocated");
    }
    const auto site =
        std::lower_bound(capture_.sites.begin(), capture_.sites.end(), record.site,
                         [](const Site& one, std::uint32_t id) { return one.id < id; });
    if (site == capture_.sites.end() || site->id != record.site ||
        capture_.blocks[index].site != no_site) {
      refuse("a recorded block has two sites, or none");
    }
    capture_.blocks[index].site = static_cast<std::uint32_t>(site - capture_.sites.begin());
    if (const double weight = weight_of(record.counted, capture_.sampling_rate); weight > 1) {
      capture_.samples.push_back({index, weight});
    }
  }
}

void StreamReader::place_values() {
  std::vector<bool> has_value(capture_.blocks.size());
  for (std::size_t i = 0; i < value_blocks_.size(); ++i) {
    const std::uint32_t block = capture_.find(value_blocks_[i]);
    if (block == no_block || capture_.blocks[block].address != value_blocks_[i] ||
        !capture_.blocks[block].is_candidate() || has_value[block]) {
      refuse("a value is no object's, or an object has two");
    }
    has_value[block] = true;
    capture_.values[i].block = block;
  }
}

// Addresses become blocks.
void StreamReader::resolve() {
  for (std::size_t at = 0; at < reference_words_.size();) {
    const std::uint32_t source = capture_.find(reference_words_[at]);
    const auto count = static_cast<std::size_t>(reference_words_[at + 1]);
    at += 2;
    References references;
    references.source = source;
    references.first = capture_.targets.size();
    for (std::size_t i = 0; i < count && source != no_block; ++i) {
      const std::uint64_t address = reference_words_[at + i];
      const std::uint32_t target = capture_.find(address);
      if (target != no_block && capture_.blocks[target].is_candidate() &&
          capture_.blocks[target].object() == address) {
        capture_.targets.push_back(target);
      }
    }
    at += count;
    references.last = capture_.targets.size();
    if (references.first != references.last) {
      capture_.references.push_back(references);
    }
  }
  std::stable_sort(
      capture_.references.begin(), capture_.references.end(),
      [](const References& left, const References& right) { return left.source < right.source; });
  for (std::size_t i = 0; i < part_words_.size(); i += 2) {
    const Part part = {capture_.find(part_words_[i]), capture_.find(part_words_[i + 1])};
    if (part.source != no_block && part.target != no_block && part.source != part.target &&
        capture_.blocks[part.target].state == Taken::allocated) {
      capture_.parts.push_back(part);
    }
  }
  for (std::size_t i = 0; i < root_records_.size(); ++i) {
    const std::uint32_t block = capture_.find(root_records_[i].target);
    if (block != no_block && capture_.blocks[block].is_candidate() &&
        capture_.blocks[block].object() == root_records_[i].target) {
      capture_.roots[i].block = block;
    }
    if (capture_.roots[i].is_local && capture_.roots[i].frame >= capture_.frames.size()) {
      refuse("a local variable has no frame");
    }
  }
  std::erase_if(capture_.roots, [](const Root& root) { return root.block == no_block; });
}

Capture StreamReader::finish() {
  if (!has_end_) {
    refuse("it breaks off");
  }
  if (!pending_.empty()) {
    refuse("it goes on behind its end");
  }
  place_areas();
  for (const std::vector<std::uint64_t>& list : usable_) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto arena = std::lower_bound(
          capture_.arenas.begin(), capture_.arenas.end(), list[i],
          [](const Arena& one, std::uint64_t address) { return one.address < address; });
      if (arena == capture_.arenas.end() || arena->address != list[i] ||
          arena->usable_order != not_usable) {
        refuse("a usable arena isn't there, or twice");
      }
      arena->usable_order = i;
    }
  }
  place_objects();
  place_recorded();
  place_values();
  resolve();
  return std::move(capture_);
}

}  // namespace tarn::sight

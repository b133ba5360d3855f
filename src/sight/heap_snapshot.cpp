#include <tarn/heap.h>
#include <tarn/snapshot.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alloc/pool.h"
#include "base/bits.h"
#include "object/edges.h"
#include "object/geometry.h"
#include "object/heap_state.h"
#include "os/resident.h"
#include "sight/clean_text.h"
#include "sight/heap_stream.h"
#include "sight/holders.h"
#include "sight/pool_record.h"
#include "sight/snapshot_file.h"

namespace tarn {
namespace {

using sight::BlockMark;
using sight::HeapStream;
using sight::RecordKind;
using Clock = std::chrono::steady_clock;

std::uint64_t nanoseconds_since(Clock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

// The indices of the blocks on a pool's freeblock, in its order.
std::vector<std::uint16_t> chain_of(const void* freeblock, const sight::PoolRecord& pool) {
  std::vector<std::uint16_t> chain;
  sight::for_each_free_block(freeblock, pool, [&](std::uint16_t index) { chain.push_back(index); });
  return chain;
}

class HeapWalk final : public HeapVisitor {
 public:
  explicit HeapWalk(HeapStream& stream) : stream_(stream) {}

  void finish() {
    finish_pool();
    finish_usable();
  }

  void arena(const ArenaView& arena) override {
    finish();
    stream_.arena(arena.address, arena.size, arena.pools, arena.nfreepools);
  }
  void pool(const PoolView& pool) override {
    finish_pool();
    pool_ = pool;
    has_pool_ = true;
  }
  void block(const BlockView& block) override {
    marks_.push_back(block.state == BlockState::allocated ? BlockMark::allocated
                     : block.state == BlockState::free    ? BlockMark::free
                                                          : BlockMark::untouched);
  }
  void usable_arena(const void* address) override {
    finish_pool();
    usable_.push_back(base::address_of(address));
  }
  void large_block(const LargeBlockView& block) override {
    finish();
    stream_.large(block.address, block.size, static_cast<std::uint16_t>(block.domain),
                  block.is_mapping);
  }

 private:
  void finish_pool() {
    if (!has_pool_) {
      return;
    }
    const sight::PoolRecord record = sight::pool_record(pool_);
    std::vector<std::uint16_t> chain;
    if (sight::has_blocks(pool_)) {
      chain = chain_of(pool_.freeblock, record);
    }
    stream_.pool(record, marks_, chain);
    marks_.clear();
    has_pool_ = false;
  }
  void finish_usable() {
    if (!usable_.empty()) {
      stream_.put(RecordKind::usable, {reinterpret_cast<const char*>(usable_.data()),
                                       usable_.size() * sizeof(usable_[0])});
      usable_.clear();
    }
  }

  HeapStream& stream_;
  bool has_pool_ = false;
  PoolView pool_ = {};
  std::vector<BlockMark> marks_;
  std::vector<std::uint64_t> usable_;
};

class ObjectWalk {
 public:
  ObjectWalk(HeapStream& stream, const object::HeapState& state) : stream_(stream), state_(state) {}

  void walk() {
    state_.pools().range().for_each([this](const alloc::Arena& arena) { take_arena(arena); });
    for (object::LargeObject* large = state_.large_objects().first(); large != nullptr;
         large = large->next) {
      stream_.large(large->object(), large->size, static_cast<std::uint16_t>(Domain::obj), false);
    }
    state_.for_each_object([this](Object& object) { take_object(object); });
    write_types();
  }

 private:
  using Geometry = object::ObjectGeometry;

  void take_arena(const alloc::Arena& arena) {
    stream_.arena(arena.address, Geometry::arena_size, Geometry::pools_per_arena, arena.nfreepools);
    for (std::size_t i = 0; i < Geometry::pools_per_arena; ++i) {
      sight::PoolRecord record = {};
      record.address = base::address_of(arena.address) + i * Geometry::pool_size;
      record.size = Geometry::pool_size;
      record.domain = static_cast<std::uint8_t>(Domain::obj);
      std::vector<BlockMark> marks;
      std::vector<std::uint16_t> chain;
      if (i < arena.first_untouched) {
        const alloc::Pool& pool = arena.pools[i];
        record.state = static_cast<std::uint8_t>(pool.state);
        if (pool.state == PoolState::used || pool.state == PoolState::full) {
          take_pool(pool, record, marks, chain);
        }
      }
      stream_.pool(record, marks, chain);
    }
  }

  // A block holds an object, or is on freeblock; or its page went back to the system, and it's untouched again.
  static void take_pool(const alloc::Pool& pool, sight::PoolRecord& record,
                        std::vector<BlockMark>& marks, std::vector<std::uint16_t>& chain) {
    record.block_size = pool.block_size;
    record.blocks = pool.blocks;
    record.szidx = pool.szidx;
    record.untouched_at =
        static_cast<std::uint32_t>(base::address_of(pool.untouched) - record.address);
    marks.assign(pool.blocks, BlockMark::untouched);
    object::ObjectPools::for_each_object(pool, [&](const Object& object) {
      marks[(base::address_of(&object) - record.address) / pool.block_size] = BlockMark::allocated;
    });
    chain = chain_of(pool.freeblock, record);
    for (const std::uint16_t index : chain) {
      marks[index] = BlockMark::free;
    }
  }

  [[nodiscard]] std::uint32_t number_of(const Type& type) {
    const auto [found, is_new] =
        numbers_.try_emplace(&type, static_cast<std::uint32_t>(types_.size()));
    if (is_new) {
      types_.push_back(&type);
    }
    return found->second;
  }

  void take_object(const Object& object) {
    const Count count = object.reference_count();
    const bool is_immortal = object.is_immortal();
    std::uint32_t flags = is_immortal ? sight::object_flags::immortal : 0;
    if (object.type().has_references()) {
      flags |= sight::object_flags::tracked | sight::object_flags::linked;
    }
    const std::uint64_t block = base::address_of(&object);
    const bool fits = !is_immortal && count > 0 && count <= Count{UINT32_MAX};
    stream_.record(RecordKind::objects,
                   sight::ObjectRecord{.block = block,
                                       .refcount = fits ? static_cast<std::uint64_t>(count) : 0,
                                       .prefix = 0,
                                       .type = number_of(object.type()),
                                       .flags = flags,
                                       .reserved = 0});
    std::vector<std::uint64_t> words = {block, 0};
    object::for_each_edge(
        object, [&](const Object& target) { words.push_back(base::address_of(&target)); });
    words[1] = words.size() - 2;
    // An object may have more references than a record holds.
    constexpr std::size_t most = sight::most_record_bytes / sizeof(words[0]) / 2;
    if (words[1] <= most) {
      put_references(words);
      return;
    }
    for (std::size_t at = 2; at < words.size(); at += most) {
      const std::size_t count_here = std::min(most, words.size() - at);
      std::vector<std::uint64_t> part = {block, count_here};
      part.insert(part.end(), words.begin() + static_cast<std::ptrdiff_t>(at),
                  words.begin() + static_cast<std::ptrdiff_t>(at + count_here));
      put_references(part);
    }
  }

  void put_references(const std::vector<std::uint64_t>& words) {
    if (words[1] != 0) {
      stream_.put(RecordKind::references,
                  {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(words[0])});
    }
  }

  // Whose own types may come only now.
  void write_types() {
    for (std::size_t id = 0; id < types_.size(); ++id) {
      const Type& type = *types_[id];
      stream_.record(RecordKind::type,
                     sight::TypeRecord{.address = base::address_of(&type),
                                       .basicsize = static_cast<std::int64_t>(type.basic_size()),
                                       .itemsize = static_cast<std::int64_t>(type.item_size()),
                                       .id = static_cast<std::uint32_t>(id),
                                       .is_heap_type = 1},
                     std::string(type.name()) + '\0');
    }
    for (const Type* type = state_.types(); type != nullptr;
         type = object::HeapState::next_type(*type)) {
      stream_.record(RecordKind::root,
                     sight::RootRecord{.target = base::address_of(type),
                                       .kind = sight::RootKind::type,
                                       .frame = 0,
                                       .thread = 0},
                     type->name());
    }
  }

  HeapStream& stream_;
  const object::HeapState& state_;
  std::vector<const Type*> types_;
  std::unordered_map<const Type*, std::uint32_t> numbers_;
};

// What the file says of the heap's making.
struct Making {
  const char* geometry = "tarn";
  const char* address_map = "range";
  const char* checks = "none";
};

Making making_of(const Heap& heap) {
  constexpr const char* geometries[] = {"tarn", "classic", "modern"};
  static_assert(static_cast<int>(Geometry::tarn) == 0 && static_cast<int>(Geometry::classic) == 1 &&
                static_cast<int>(Geometry::modern) == 2);
  const auto statistics = std::make_unique<HeapStatistics>(heap.statistics());  // large
  return {geometries[static_cast<std::size_t>(statistics->geometry)],
          statistics->address_map == AddressMap::page_map ? "page_map" : "range",
          statistics->checks == Checks::debug ? "debug" : "none"};
}

std::int64_t write(HeapStream& stream, Clock::time_point start, const std::string& path,
                   const Making& making, bool has_references) {
  sight::Capture capture = stream.finish(nanoseconds_since(start));
  sight::find_holders(capture);
  sight::Surroundings around;
  around.reason = "call";
  around.program = sight::clean_text(program_invocation_short_name);
  around.tarn = TARN_VERSION;
  around.geometry = making.geometry;
  around.address_map = making.address_map;
  around.checks = making.checks;
  around.resident = os::resident_bytes_of_process();
  const auto all = static_cast<std::int64_t>(around.resident);
  const auto arenas = static_cast<std::int64_t>(stream.resident_in_arenas());
  const auto large = static_cast<std::int64_t>(stream.resident_large());
  around.ledger = {{"arenas", "this heap's arenas", arenas},
                   {"large", "this heap's large blocks", large},
                   {"rest", "everything else in the process", all - arenas - large}};
  for (const sight::Arena& arena : capture.arenas) {
    around.mappings.push_back({arena.address, arena.size, arena.resident, "rw-p", "arenas", ""});
  }
  return sight::write_snapshot(
      path, capture, around,
      {.existing = sight::Existing::append, .has_references = has_references});
}

}  // namespace

std::int64_t write_snapshot(const Heap& heap, const std::string& path) {
  const Clock::time_point start = Clock::now();
  HeapStream stream;
  HeapWalk walk(stream);
  heap.walk(walk);
  walk.finish();
  return write(stream, start, path, making_of(heap), false);
}

std::int64_t write_snapshot(const ObjectHeap& heap, const std::string& path) {
  const Clock::time_point start = Clock::now();
  HeapStream stream;
  ObjectWalk(stream, object::HeapState::of(heap)).walk();
  return write(stream, start, path, {}, true);
}

}  // namespace tarn

#include <atomic>
#include <new>

#include <tarn/object.h>

#include "base/message.h"
#include "object/heap_state.h"

namespace tarn {

using object::HeapState;

ObjectHeap::ObjectHeap(const ObjectHeapOptions& options) {
  if (HeapState::create(*this, options) == nullptr) {
    base::fail(
        base::Message().text("tarn: the system grants no address space for an object heap; raise "
                             "the limit (ulimit -v)\n"));
  }
}

ObjectHeap::~ObjectHeap() { state_->destroy(); }

Type* ObjectHeap::make_type(const TypeSpec& spec, std::uint32_t index, const void* key) noexcept {
  return state_->make_type(spec, index, key);
}

Type* ObjectHeap::find_type(const void* key) const noexcept { return state_->find_type(key); }

void ObjectHeap::walk(void (*visit)(void* context, Object& object), void* context) const {
  state_->for_each_object([=](Object& object) { visit(context, object); });
}

void ObjectHeap::verify() const { state_->verify(); }

ObjectHeapStatistics ObjectHeap::statistics() const noexcept {
  ObjectHeapStatistics statistics{};
  const object::ObjectPools& pools = state_->pools();
  pools.for_each_pool([&](const alloc::Pool& pool) {
    statistics.bytes += pool.allocated() * pool.block_size;
    object::ObjectPools::for_each_object(pool, [&](Object&) { ++statistics.objects; });
  });
  for (const auto* large = state_->large_objects().first(); large != nullptr; large = large->next) {
    ++statistics.objects;
    ++statistics.large_objects;
    statistics.bytes += large->size;
  }
  for (const Type* type = state_->types(); type != nullptr; type = HeapState::next_type(*type)) {
    ++statistics.types;
  }
  statistics.arenas_now = pools.counters().now;
  statistics.arenas_peak = pools.counters().peak;
  statistics.pools_taken = pools.counters().pools_now;
  return statistics;
}

std::size_t ObjectHeap::release() noexcept { return state_->pools().release(); }

Gil& ObjectHeap::gil() noexcept { return state_->gil(); }

namespace detail {

constinit Barrier barrier_is_up;

std::uint32_t next_type_index() noexcept {
  static constinit std::atomic<std::uint32_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void* allocate_slow(Type& type) noexcept {
  return HeapState::of(type.heap()).allocate(type, type.basic_size());
}

void* allocate_sized_slow(ObjectHeap& heap, std::size_t bytes) noexcept {
  return HeapState::of(heap).allocate_sized(bytes);
}

void settle(ObjectHeap& heap, PoolFront& pool) noexcept {
  HeapState::of(heap).pools().settle(reinterpret_cast<alloc::Pool&>(pool));
}

void free_large(ObjectHeap& heap, void* block) noexcept { HeapState::of(heap).free_large(block); }

void announce_growth(ObjectHeap& heap, std::size_t bytes) noexcept {
  const object::CollectorHooks& hooks = HeapState::of(heap).hooks();
  if (hooks.allocating != nullptr) {
    // Who listens takes what is smaller for a block of a pool.
    hooks.allocating(hooks.context, nullptr, bytes > largest_pooled ? bytes : largest_pooled + 1);
  }
}

Object* resize_large(ObjectHeap& heap, Object& object, std::size_t bytes) noexcept {
  return HeapState::of(heap).resize_large(object, bytes);
}

void barrier(Object& stored) noexcept {
  if (HeapState* const state = HeapState::find(stored)) {
    const object::CollectorHooks& hooks = state->hooks();
    if (hooks.stored != nullptr) {
      hooks.stored(hooks.context, stored);
    }
  }
}

}  // namespace detail

}  // namespace tarn

// What belongs to an object heap and isn't on the hot path.
#pragma once

#include <cstddef>

#include <tarn/gil.h>
#include <tarn/object/heap.h>

#include "base/list.h"
#include "object/collector_hooks.h"
#include "object/large_objects.h"
#include "object/object_pools.h"
#include "object/weak_table.h"

namespace tarn::object {

class HeapState {
 public:
  // Null: the system grants no addresses or no memory.
  [[nodiscard]] static HeapState* create(ObjectHeap& heap,
                                         const ObjectHeapOptions& options) noexcept;
  void destroy() noexcept;

  [[nodiscard]] static HeapState& of(const ObjectHeap& heap) noexcept {
    return detail::HeapAccess::state(heap);
  }
  // Of the heap that the object lives in, also of one that's being constructed. There is one.
  [[nodiscard]] static HeapState* find(const Object& object) noexcept;

  [[nodiscard]] ObjectHeap& heap() noexcept { return *heap_; }
  [[nodiscard]] ObjectPools& pools() noexcept { return pools_; }
  [[nodiscard]] const ObjectPools& pools() const noexcept { return pools_; }
  [[nodiscard]] const SideTables& sides() const noexcept { return pools_.sides(); }
  [[nodiscard]] WeakTable& weak_table() noexcept { return weak_table_; }
  [[nodiscard]] CollectorHooks& hooks() noexcept { return hooks_; }
  [[nodiscard]] Gil& gil() noexcept { return gil_; }
  // Whether the heap is being destroyed: then nobody else is there, and needs the lock.
  [[nodiscard]] bool is_ending() const noexcept { return is_ending_; }
  [[nodiscard]] Type* types() const noexcept { return types_; }
  [[nodiscard]] static Type* next_type(const Type& type) noexcept { return type.next_; }
  [[nodiscard]] const base::List<LargeObject>& large_objects() const noexcept { return large_; }

  // Whether the object is in a pool, and what's known of it in the side tables.
  [[nodiscard]] bool is_pooled(const void* object) const noexcept {
    return base::address_of(object) - base_ < span_;
  }
  [[nodiscard]] bool test(SideBit bit, const Object& object) const noexcept {
    return is_pooled(&object)
               ? sides().test(bit, &object)
               : ((LargeObject::of(&object).bits >> static_cast<unsigned>(bit)) & 1U) != 0;
  }
  void set(SideBit bit, const Object& object) const noexcept {
    if (is_pooled(&object)) {
      sides().set(bit, &object);
    } else {
      LargeObject::of(&object).bits |= 1U << static_cast<unsigned>(bit);
    }
  }
  void clear(SideBit bit, const Object& object) const noexcept {
    if (is_pooled(&object)) {
      sides().clear(bit, &object);
    } else {
      LargeObject::of(&object).bits &= ~(1U << static_cast<unsigned>(bit));
    }
  }
  [[nodiscard]] std::uint32_t& scratch(const Object& object) const noexcept {
    return is_pooled(&object) ? sides().scratch(&object) : LargeObject::of(&object).scratch;
  }

  // Calls visit(Object&) for each object, types and dying ones too, none that's being constructed. Objects may
  // neither be made nor die meanwhile.
  template <typename Visit>
  void for_each_object(Visit visit) const {
    pools_.for_each_pool(
        [&](const alloc::Pool& pool) { ObjectPools::for_each_object(pool, visit); });
    for (LargeObject* large = large_.first(); large != nullptr; large = large->next) {
      if (detail::Access::type(*large->object()) != nullptr) {
        visit(*large->object());
      }
    }
  }

  // Of all large objects, in bytes.
  [[nodiscard]] std::size_t large_bytes() const noexcept { return large_bytes_; }

  // Of all blocks that hold an object, or will in a moment. Linear in the pools.
  [[nodiscard]] std::size_t held_bytes() const noexcept {
    return pools_.held_bytes() + large_bytes_;
  }

  // Null: out of memory.
  [[nodiscard]] void* allocate(Type& type, std::size_t bytes) noexcept;
  [[nodiscard]] void* allocate_sized(std::size_t bytes) noexcept;
  void free_large(void* block) noexcept;
  // Makes room for so many bytes in all, and may move the object. Null: it isn't this reference alone that leads to it, or
  // there's no memory; then nothing has changed.
  [[nodiscard]] Object* resize_large(Object& object, std::size_t bytes) noexcept;
  [[nodiscard]] Type* make_type(const TypeSpec& spec, std::uint32_t index,
                                const void* key) noexcept;
  [[nodiscard]] Type* find_type(const void* key) const noexcept;

  // The first weak reference to an object; null: out of memory.
  [[nodiscard]] detail::WeakEntry* weak_entry_of(Object& object) noexcept;
  // Clears the weak references to an object that's about to die. Callbacks wait until they are run.
  void clear_weak_references(Object& object, PendingCallbacks& callbacks) noexcept;

  // Whether code of the program's own runs because an object dies: its destructor, its finalizer, a callback. Then
  // a container that is being cleared may still seem to hold what is gone, and nobody should look at it. Linear in
  // the types.
  [[nodiscard]] bool is_anyone_dying() const noexcept;
  // The deaths that deaths_left of types doesn't tell of.
  void add_deaths(int number) noexcept { deaths_ += number; }

  // Stress: the nth request from now on that leaves the hot path fails (1: the next), and only that one. With
  // pools().hear_of_all(true) that is every request.
  void fail_the(std::size_t nth) noexcept { until_failure_ = nth; }

  void verify() const;

 private:
  struct TypeBlock;

  explicit HeapState(ObjectHeap& heap) noexcept : heap_(&heap) {}
  [[nodiscard]] bool open(const ObjectHeapOptions& options) noexcept;
  [[nodiscard]] bool fails() noexcept { return until_failure_ != 0 && --until_failure_ == 0; }
  [[nodiscard]] void* allocate_large(std::size_t bytes) noexcept;
  void end_objects() noexcept;
  void verify_edges() const;

  ObjectHeap* heap_;
  std::uintptr_t base_ = 0;
  std::size_t span_ = 0;
  ObjectPools pools_;
  Family sized_[ObjectGeometry::sized_families];
  detail::PoolFront* sized_fronts_[ObjectGeometry::sized_families] =
      {};  // those that the heap hasn't
  Family type_family_;
  detail::PoolFront* type_front_ = nullptr;
  Type* types_ = nullptr;
  Type* type_type_ = nullptr;
  base::List<LargeObject> large_;
  std::size_t large_count_ = 0;
  std::size_t large_bytes_ = 0;
  WeakTable weak_table_;
  std::size_t until_failure_ = 0;
  int deaths_ = 0;
  bool is_ending_ = false;
  bool has_outsiders_ = false;  // references that outlive the heap
  CollectorHooks hooks_;
  Gil gil_;
  HeapState* next_ = nullptr;  // of all heaps of the process
};

}  // namespace tarn::object

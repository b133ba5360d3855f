#include "object/heap_state.h"

#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.h"
#include "base/message.h"
#include "os/mutex.h"

namespace tarn::detail {

alignas(Type) std::byte no_type_storage[sizeof(Type)];

}  // namespace tarn::detail

namespace tarn::object {

// A type and the pools of its instances, in one block.
struct HeapState::TypeBlock {
  Type type;
  Family family;
};

namespace {

constinit os::Mutex all_heaps_mutex;
constinit HeapState* all_heaps = nullptr;

constexpr std::uint32_t made_at_run_time = UINT32_MAX;

detail::PoolFront* front_of_nobody() noexcept {
  return reinterpret_cast<detail::PoolFront*>(const_cast<alloc::Pool*>(&alloc::no_pool));
}

// All its memory comes first: the library is compiled without exceptions, and what a function has when one passes through
// it is lost.
std::string joined(const char* before, const char* name, const char* after) {
  std::string text;
  text.reserve(std::strlen(before) + std::strlen(name) + std::strlen(after));
  return std::move(text.append(before).append(name).append(after));
}

std::string repr_of_any(const Object& object) {
  char after[40];
  (void)std::snprintf(after, sizeof(after), " object at %p>", static_cast<const void*>(&object));
  return joined("<", object.type().name(), after);
}

std::string repr_of_type(const Object& object) {
  return joined("<type ", static_cast<const Type&>(object).name(), ">");
}

std::size_t hash_of_any(const Object& object) { return base::address_of(&object) >> 4; }

Comparison compare_any(const Object& left, const Object& right, CompareOperator comparison) {
  if (comparison == CompareOperator::equal && &left == &right) {
    return Comparison::yes;
  }
  if (comparison == CompareOperator::not_equal && &left == &right) {
    return Comparison::no;
  }
  return Comparison::not_implemented;
}

void* allocate_any(Type& type, std::size_t items) noexcept {
  HeapState& state = HeapState::of(type.heap());
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(items, type.item_size(), &bytes) ||
      __builtin_add_overflow(bytes, type.basic_size(), &bytes) || bytes > PTRDIFF_MAX) {
    return nullptr;
  }
  return type.item_size() != 0 ? state.allocate_sized(bytes) : state.allocate(type, bytes);
}

void take_over(TypeSlots& slots, const TypeSlots& base) noexcept {
  const auto inherit = [](auto& slot, auto of_base) { slot = slot != nullptr ? slot : of_base; };
  inherit(slots.allocate, base.allocate);
  inherit(slots.deallocate, base.deallocate);
  inherit(slots.clear, base.clear);
  inherit(slots.finalize, base.finalize);
  inherit(slots.destroy, base.destroy);
  inherit(slots.repr, base.repr);
  inherit(slots.hash, base.hash);
  inherit(slots.compare, base.compare);
  inherit(slots.iterate, base.iterate);
  inherit(slots.next, base.next);
}

}  // namespace

HeapState* HeapState::create(ObjectHeap& heap, const ObjectHeapOptions& options) noexcept {
  auto* const state = new (std::nothrow) HeapState(heap);
  if (state == nullptr || !state->open(options)) {
    delete state;
    return nullptr;
  }
  const os::Locked locked(all_heaps_mutex);
  state->next_ = all_heaps;
  all_heaps = state;
  return state;
}

bool HeapState::open(const ObjectHeapOptions& options) noexcept {
  {
    const os::Locked locked(all_heaps_mutex);
    if (detail::PoolFront*& pool = detail::TypeAccess::pool(detail::no_type()); pool == nullptr) {
      pool = front_of_nobody();
    }
  }
  if (!pools_.open(options.reserved_bytes)) {
    return false;
  }
  base_ = heap_->base_ = pools_.range().base();
  span_ = heap_->span_ = pools_.range().span();
  heap_->state_ = this;
  for (Type*& type : heap_->types_) {
    type = &detail::no_type();
  }
  for (std::size_t szidx = 0; szidx < ObjectGeometry::sized_families; ++szidx) {
    detail::PoolFront*& front =
        szidx < ObjectGeometry::small_classes ? heap_->sized_[szidx] : sized_fronts_[szidx];
    pools_.add_family(sized_[szidx], front, ObjectGeometry::block_size_of(szidx),
                      ObjectGeometry::alignment, nullptr);
  }
  heap_->sized_[ObjectGeometry::small_classes] = front_of_nobody();
  // Whole cache lines, so that what the hot path reads of a type is in one.
  pools_.add_family(type_family_, type_front_, base::round_up(sizeof(TypeBlock), 64),
                    ObjectGeometry::alignment, nullptr);

  // Object's type has no base, and the type of types has it as its own.
  TypeSpec spec;
  spec.name = "Object";
  spec.slots = {.allocate = &allocate_any,
                .repr = &repr_of_any,
                .hash = &hash_of_any,
                .compare = &compare_any};
  using OfObject = detail::StaticType<Object>;
  Type* const object = make_type(spec, OfObject::ensure(), &OfObject::key);
  if (object == nullptr) {
    pools_.close();
    return false;
  }
  TypeSpec of_types;
  of_types.name = "Type";
  of_types.basic_size = sizeof(Type);
  of_types.base = object;
  of_types.slots.repr = &repr_of_type;
  using OfType = detail::StaticType<Type>;
  type_type_ = make_type(of_types, OfType::ensure(), &OfType::key);
  if (type_type_ == nullptr) {
    pools_.close();
    return false;
  }
  type_family_.type = type_type_;
  detail::Access::type(*object) = type_type_;
  detail::Access::type(*type_type_) = type_type_;
  return true;
}

Type* HeapState::make_type(const TypeSpec& spec, std::uint32_t index, const void* key) noexcept {
  static_assert(sizeof(TypeBlock) <= detail::largest_pooled);
  if (spec.base != nullptr) {
    TARN_CHECK(&spec.base->heap(), ==, heap_, "a type's base is of the same heap");
    TARN_CHECK(spec.basic_size, >=, spec.base->basic_size(), "a type is no smaller than its base");
  }
  TARN_CHECK(std::has_single_bit(spec.alignment) && spec.alignment <= ObjectGeometry::alignment, ==,
             true, "a type's alignment is a power of two, 16 at most");
  std::size_t alignment =
      spec.base != nullptr ? spec.base->alignment() : ObjectGeometry::block_step;
  alignment = spec.alignment > alignment ? spec.alignment : alignment;
  const bool has_pools = spec.item_size == 0 && spec.basic_size <= detail::largest_pooled;
  if (spec.base != nullptr && !has_pools && spec.slots.deallocate == nullptr &&
      spec.base->deallocate_ != nullptr) {
    TARN_CHECK(spec.base->family_, ==, nullptr,
               "a type with items, or over 4096 bytes, doesn't free its instances as a base "
               "without these does; "
               "give it a slot `deallocate`");
  }
  void* const address = fails() ? nullptr : pools_.allocate(type_family_);
  if (address == nullptr) {
    return nullptr;
  }
  detail::ConstructionCheck check(address, sizeof(TypeBlock));
  auto* const block = ::new (address) TypeBlock();
  Type& type = block->type;
  detail::Access::count(type) = immortal_count;
  type.name_ = spec.name;
  type.basic_size_ = spec.basic_size;
  type.alignment_ = static_cast<std::uint32_t>(alignment);
  type.item_size_ = spec.item_size;
  type.base_ = spec.base;
  type.heap_ = heap_;
  type.index_ = index != 0 ? index : made_at_run_time;
  type.key_ = key;
  type.member_offsets_ = spec.member_offsets;
  type.member_count_ = spec.member_count;
  type.slots_ = spec.slots;
  type.companion_ = spec.companion;
  if (spec.base != nullptr) {
    // A type without members of its own is traversed as its base is.
    if (spec.slots.traverse == nullptr && spec.slots.traverse_rest == nullptr &&
        spec.member_count == 0) {
      type.slots_.traverse = spec.base->slots_.traverse;
      type.slots_.traverse_rest = spec.base->slots_.traverse_rest;
      type.member_offsets_ = spec.base->member_offsets_;
      type.member_count_ = spec.base->member_count_;
    }
    take_over(type.slots_, spec.base->slots_);
  }
  type.deallocate_ = type.slots_.deallocate;
  if (type.slots_.finalize != nullptr) {
    detail::TypeAccess::add_watch(type, detail::watch_finalize);
  }
  type.descriptors_of_zero_ = base::address_of(pools_.range().lookup().pool_at(nullptr));
  if (has_pools) {
    type.family_ = &block->family;
    pools_.add_family(block->family, type.pool_, type.basic_size_, type.alignment_, &type);
  } else {
    type.pool_ = front_of_nobody();
  }
  type.next_ = types_;
  types_ = &type;
  if (index != 0 && index < detail::static_type_limit) {
    heap_->types_[index] = &type;
  }
  detail::Access::type(type) = type_type_;
  return &type;
}

Type* HeapState::find_type(const void* key) const noexcept {
  for (Type* type = types_; type != nullptr; type = type->next_) {
    if (type->key_ == key) {
      return type;
    }
  }
  return nullptr;
}

HeapState* HeapState::find(const Object& object) noexcept {
  if (const Type* const type = detail::Access::type(object)) {
    return &of(type->heap());
  }
  const os::Locked locked(all_heaps_mutex);
  for (HeapState* state = all_heaps; state != nullptr; state = state->next_) {
    if (state->is_pooled(&object)) {
      return state;
    }
  }
  return LargeObject::of(&object).heap;  // other heaps' lists are theirs
}

void* HeapState::allocate(Type& type, std::size_t bytes) noexcept {
  if (hooks_.allocating != nullptr) {
    hooks_.allocating(hooks_.context, &type, bytes);
  }
  if (fails()) {
    return nullptr;
  }
  auto* const family = static_cast<Family*>(type.family_);
  return family != nullptr ? pools_.allocate(*family) : allocate_large(bytes);
}

void* HeapState::allocate_sized(std::size_t bytes) noexcept {
  if (hooks_.allocating != nullptr) {
    hooks_.allocating(hooks_.context, nullptr, bytes);
  }
  if (fails()) {
    return nullptr;
  }
  if (bytes > detail::largest_pooled) {
    return allocate_large(bytes);
  }
  return pools_.allocate(sized_[ObjectGeometry::szidx_of(bytes)]);
}

void* HeapState::allocate_large(std::size_t bytes) noexcept {
  if (bytes > PTRDIFF_MAX - sizeof(LargeObject)) {
    return nullptr;
  }
  auto* const large = static_cast<LargeObject*>(std::malloc(sizeof(LargeObject) + bytes));
  if (large == nullptr) {
    return nullptr;
  }
  *large = LargeObject{.next = nullptr,
                       .previous = nullptr,
                       .size = bytes,
                       .bits = 0,
                       .scratch = 0,
                       .heap = this,
                       .collector = 0};
  reinterpret_cast<detail::FreeBlock*>(large->object())->no_type = nullptr;
  large_.push_front(*large);
  ++large_count_;
  large_bytes_ += bytes;
  return large->object();
}

void HeapState::free_large(void* block) noexcept {
  LargeObject& large = LargeObject::of(block);
  large_.remove(large);
  --large_count_;
  large_bytes_ -= large.size;
  std::free(&large);
}

// Whoever else could know the address holds a reference, weakly or not: a collector that has found the object to be garbage,
// too. Its bits move with it.
Object* HeapState::resize_large(Object& object, std::size_t bytes) noexcept {
  if (detail::Access::count(object) != last_reference || test(SideBit::weak, object) ||
      bytes > PTRDIFF_MAX - sizeof(LargeObject) || fails()) {
    return nullptr;
  }
  LargeObject& large = LargeObject::of(&object);
  const std::size_t old_bytes = large.size;
  large_.remove(large);
  auto* const moved = static_cast<LargeObject*>(
      std::realloc(static_cast<void*>(&large), sizeof(LargeObject) + bytes));
  if (moved == nullptr) {
    large_.push_front(large);
    return nullptr;
  }
  moved->size = bytes;
  large_.push_front(*moved);
  large_bytes_ += bytes - old_bytes;
  return moved->object();
}

void HeapState::destroy() noexcept {
  end_objects();
  {
    const os::Locked locked(all_heaps_mutex);
    for (HeapState** link = &all_heaps; *link != nullptr; link = &(*link)->next_) {
      if (*link == this) {
        *link = next_;
        break;
      }
    }
  }
  if (has_outsiders_) {
    return;  // what they refer to stays
  }
  while (LargeObject* const large = large_.first()) {
    free_large(large->object());
  }
  pools_.close();
  delete this;
}

// Nobody dies of himself any longer; then all references are cleared, and then all objects end.
void HeapState::end_objects() noexcept {
  hooks_ = CollectorHooks();
  is_ending_ = true;
  for_each_object([](Object& object) {
    Count& count = detail::Access::count(object);
    count = count >= immortal_least ? 2 * immortal_count : count + immortal_count;
  });
  for_each_object([&](Object& object) {
    if (object.type().slots().clear != nullptr) {
      object.type().slots().clear(object);
    }
  });
  const auto forget_weak_references = [this] {
    weak_table_.for_each([](detail::WeakEntry& entry) { entry.target = nullptr; });
    weak_table_.close();
  };
  forget_weak_references();
  for_each_object([&](Object& object) {
    if (&object.type() != type_type_ && object.type().slots().destroy != nullptr) {
      object.type().slots().destroy(object);
    }
  });
  forget_weak_references();  // those that destructors made
  for_each_object([&](Object& object) {
    const Count count = detail::Access::count(object);
    if (count >= immortal_count && count < immortal_count + immortal_least) {
      has_outsiders_ = true;
      if constexpr (check_objects) {
        base::fail(base::Message()
                       .text("tarn: an object of type ")
                       .escaped(object.type().name())
                       .text(" still has ")
                       .number(static_cast<std::uint64_t>(count - immortal_count + 1))
                       .text(" references when its heap is destroyed; let go of them before\n"));
      }
    }
  });
}

}  // namespace tarn::object

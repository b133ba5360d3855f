// How objects come to life, and how their blocks are freed: the hot path, in full. How they die: death.h.
//
//   make        type ──► its pool ──► pop freeblock ──► header, constructor
//                                       │ empty: allocate_slow
//   last        type ──► destructor ──► pool of the address ──► push on freeblock
//   reference    │ watched: weak references, finalizer         │ the pool's state changes: settle
//                │ too deep: waits for the outermost death
#pragma once

#include <new>
#include <utility>

#include <tarn/object/heap.h>

namespace tarn {

namespace detail {

struct HeapAccess {
  [[nodiscard]] static bool covers(const ObjectHeap& heap, const void* address) noexcept {
    return reinterpret_cast<std::uintptr_t>(address) - heap.base_ < heap.span_;
  }
  [[nodiscard]] static PoolFront*& sized(ObjectHeap& heap, std::size_t szidx) noexcept {
    return heap.sized_[szidx];
  }
  [[nodiscard]] static object::HeapState& state(const ObjectHeap& heap) noexcept {
    return *heap.state_;
  }
};

// Null: out of memory.
[[nodiscard]] void* allocate_slow(Type& type) noexcept;
[[nodiscard]] void* allocate_sized_slow(ObjectHeap& heap, std::size_t bytes) noexcept;
// A block was freed, and with it the pool changes its state.
void settle(ObjectHeap& heap, PoolFront& pool) noexcept;
void free_large(ObjectHeap& heap, void* block) noexcept;
// Before a large object grows by so many bytes: a collection may run.
void announce_growth(ObjectHeap& heap, std::size_t bytes) noexcept;
// Of an object that is in no pool: its block gets so many bytes, and it may move. Runs nothing of the program's. Null: somebody
// else refers to it, or there's no memory; nothing has changed.
[[nodiscard]] Object* resize_large(ObjectHeap& heap, Object& object, std::size_t bytes) noexcept;

// Aborts unless an object that is to be aligned so may be constructed in the block.
void check_alignment(const void* block, std::size_t alignment, const char* type_name) noexcept;

// While it exists, this thread may construct an object in the block, and the members in it are remembered.
class ConstructionCheck {
 public:
  ConstructionCheck(void* block, std::size_t size) noexcept;
  ~ConstructionCheck();
  ConstructionCheck(const ConstructionCheck&) = delete;
  ConstructionCheck& operator=(const ConstructionCheck&) = delete;

  // Aborts when a member in the block was not among those that `each` shows.
  template <typename T>
  void check_list(const T& object) {
    MembersOf<T>::each_member(object, [this](const auto& member) { is_listed(&member); });
    finish(name_of_type<T>());
  }

 private:
  friend void member_begins(const void* member) noexcept;
  friend void member_ends(const void* member) noexcept;
  friend void check_construction(const Object* object) noexcept;

  void is_listed(const void* member) noexcept;
  void finish(const char* type_name) noexcept;

  const std::byte* block_;
  std::size_t size_;
  const void** members_ = nullptr;
  std::size_t count_ = 0;
  std::size_t capacity_ = 0;
  ConstructionCheck* outer_;
};

[[nodiscard, gnu::always_inline]] inline void* pop_block(PoolFront& pool) noexcept {
  FreeBlock* const block = pool.freeblock;
  if (block != nullptr) [[likely]] {
    pool.freeblock = block->next;
    ++pool.frees_until_change;
  }
  return block;
}

// Of an address in a pool.
[[nodiscard, gnu::always_inline]] inline PoolFront& pool_of(Type& type,
                                                            const void* address) noexcept {
  return *reinterpret_cast<PoolFront*>(TypeAccess::descriptors_of_zero(type) +
                                       (reinterpret_cast<std::uintptr_t>(address) >> pool_shift) *
                                           pool_descriptor_size);
}

[[gnu::always_inline]] inline void free_block(Type& type, void* address) noexcept {
  PoolFront* const pool = &pool_of(type, address);
  auto* const block = static_cast<FreeBlock*>(address);
  block->no_type = nullptr;
  block->next = pool->freeblock;
  pool->freeblock = block;
  if (--pool->frees_until_change == 0) [[unlikely]] {
    settle(type.heap(), *pool);
  }
}

template <typename T>
[[gnu::always_inline]] inline void free_block_of(Type& type, void* address) noexcept {
  if constexpr (IsSized<T> || sizeof(T) > largest_pooled) {
    if (!HeapAccess::covers(type.heap(), address)) [[unlikely]] {
      free_large(type.heap(), address);
      return;
    }
  }
  free_block(type, address);
}

// An object that doesn't come to life may be referred to weakly.
void forget_unborn(Type& type, void* block) noexcept;

// Gives the block back unless an object came to life in it.
template <typename T>
class BlockGuard {
 public:
  BlockGuard(Type& type, void* block) noexcept : type_(type), block_(block) {}
  ~BlockGuard() {
    if (block_ != nullptr) {
      forget_unborn(type_, block_);
      free_block_of<T>(type_, block_);
    }
  }
  BlockGuard(const BlockGuard&) = delete;
  BlockGuard& operator=(const BlockGuard&) = delete;
  void dismiss() noexcept { block_ = nullptr; }

 private:
  Type& type_;
  void* block_;
};

template <typename T, typename... Arguments>
[[gnu::always_inline]] inline Ref<T> construct(Type& type, void* block, std::size_t items,
                                               Arguments&&... arguments) {
  BlockGuard<T> guard(type, block);
#if TARN_CHECK_OBJECTS
  if constexpr (alignof(T) > block_step) {
    check_alignment(block, alignof(T), name_of_type<T>());
  }
  ConstructionCheck check(block, sizeof(T));
#endif
  T* const object = ::new (block) T(std::forward<Arguments>(arguments)...);
  if constexpr (IsSized<T>) {
    struct Undo {
      T* object;
      ~Undo() {
        if (object != nullptr) {
          object->~T();
        }
      }
    } undo{object};
    // The size comes last: until then nobody sees the items.
    auto* const first = reinterpret_cast<typename T::Item*>(reinterpret_cast<std::byte*>(object) +
                                                            ItemsOf<T>::offset);
    if constexpr (StartsUndefined<T>) {
      std::uninitialized_default_construct_n(first, items);
    } else {
      std::uninitialized_value_construct_n(first, items);
    }
    SizedAccess::set_size(*object, items);
    undo.object = nullptr;
  }
#if TARN_CHECK_OBJECTS
  check.check_list(*object);
#endif
  guard.dismiss();
  Access::type(*object) = &type;
  return Ref<T>(adopt, object);
}

template <typename T, typename... Arguments>
[[gnu::always_inline]] inline Ref<T> make(Type& type, Arguments&&... arguments) {
  static_assert(!IsSized<T>, "objects with items are made by make_sized");
  void* block = pop_block(*TypeAccess::pool(type));
  if (block == nullptr) [[unlikely]] {
    block = allocate_slow(type);
    if (block == nullptr) {
      throw_bad_alloc();
    }
  }
  return construct<T>(type, block, 0, std::forward<Arguments>(arguments)...);
}

template <typename T, typename... Arguments>
[[gnu::noinline]] Ref<T> make_slowly(ObjectHeap& heap, Arguments&&... arguments) {
  return make<T>(heap.type<T>(), std::forward<Arguments>(arguments)...);
}

// `type` is T's, or no_type. On this path nothing is called but the constructor, and its members find the barrier
// down; whatever else there is to do is done elsewhere.
template <typename T, typename... Arguments>
[[gnu::always_inline]] inline Ref<T> make_in(ObjectHeap& heap, Type& type,
                                             Arguments&&... arguments) {
  static_assert(!IsSized<T>, "objects with items are made by make_sized");
  PoolFront& pool = *TypeAccess::pool(type);
  if (pool.freeblock == nullptr || barrier_is_up.is_up()) [[unlikely]] {
    return make_slowly<T>(heap, std::forward<Arguments>(arguments)...);
  }
  return construct<T>(type, pop_block(pool), 0, std::forward<Arguments>(arguments)...);
}

// Throws where there are so many that they would be larger than any object.
template <typename T>
[[nodiscard]] inline std::size_t bytes_of_items(std::size_t items) {
  static_assert(IsSized<T>, "objects without items are made by make");
  if (items > (std::size_t{PTRDIFF_MAX} - ItemsOf<T>::offset) / ItemsOf<T>::size) {
    throw_bad_alloc();
  }
  return ItemsOf<T>::offset + items * ItemsOf<T>::size;
}

[[nodiscard, gnu::always_inline]] inline void* take_sized_block(ObjectHeap& heap,
                                                                std::size_t bytes) {
  constexpr std::size_t none = sized_classes - 1;
  const std::size_t szidx = (bytes - 1) / object_alignment;
  void* block = pop_block(*HeapAccess::sized(heap, szidx < none ? szidx : none));
  if (block == nullptr) [[unlikely]] {
    block = allocate_sized_slow(heap, bytes);
    if (block == nullptr) {
      throw_bad_alloc();
    }
  }
  return block;
}

template <typename T, typename... Arguments>
inline Ref<T> make_sized(ObjectHeap& heap, Type& type, std::size_t items,
                         Arguments&&... arguments) {
  void* const block = take_sized_block(heap, bytes_of_items<T>(items));
  return construct<T>(type, block, items, std::forward<Arguments>(arguments)...);
}

// What the block has beyond what was asked for is room, too.
template <typename T, typename... Arguments>
inline Ref<T> make_with_room(ObjectHeap& heap, Type& type, std::size_t room,
                             Arguments&&... arguments) {
  const std::size_t bytes = bytes_of_items<T>(room);
  void* const block = take_sized_block(heap, bytes);
  std::size_t has = (bytes + object_alignment - 1) / object_alignment * object_alignment;
  if (bytes > (sized_classes - 1) * object_alignment) {
    has = HeapAccess::covers(heap, block) ? pool_of(type, block).block_size : bytes;
  }
  Ref<T> made = construct<T>(type, block, 0, std::forward<Arguments>(arguments)...);
  SizedAccess::set_room(*made, (has - ItemsOf<T>::offset) / ItemsOf<T>::size);
  return made;
}

// Where it is so large that it is in no pool, and will be, what `member` refers to gets that room without being copied by us.
// False: it's made anew, or somebody has changed it meanwhile: a collection may run first.
template <typename T>
[[nodiscard]] inline bool resize_room(ObjectHeap& heap, Member<T>& member, std::size_t room) {
  const std::size_t bytes = bytes_of_items<T>(room);
  const auto can = [&] {
    return member && !HeapAccess::covers(heap, member.get()) && bytes > largest_pooled &&
           room >= member->size();
  };
  if (!can()) {
    return false;
  }
  if (room > member->room()) {
    announce_growth(heap, (room - member->room()) * ItemsOf<T>::size);
    if (!can()) {
      return false;
    }
  }
  Object* const moved = resize_large(heap, *member, bytes);
  if (moved == nullptr) {
    return false;
  }
  (void)member.take().release();
  member = Ref<T>(adopt, static_cast<T*>(moved));
  SizedAccess::set_room(*member, room);
  return true;
}

}  // namespace detail

template <typename T>
Type& ObjectHeap::make_static_type() {
  if (Type* const known = find_type(&detail::StaticType<T>::key)) {
    return *known;
  }
  if constexpr (std::is_same_v<T, Object> || std::is_same_v<T, Type>) {
    return made(nullptr);  // the heap made them when it was opened
  } else {
    using Base = typename detail::BaseOf<T>::type;
    const TypeSpec spec = detail::describe<T>(type<Base>());
    return made(make_type(spec, detail::StaticType<T>::ensure(), &detail::StaticType<T>::key));
  }
}

}  // namespace tarn

#include <tarn/object/death.h>

// Type: an object that describes others.
//
// A type knows the name and the size of its instances, its base, and by its slots how they are allocated, freed,
// traversed, cleared, finalized, shown, hashed, compared and iterated over. A slot that a type leaves empty is its base's. Every
// heap has types of its own, made when they are first needed and immortal until the heap goes; each has pools of
// its own, so that the free list of its pools is the free list of the type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <tarn/object/object.h>

namespace tarn {

class ObjectHeap;
template <typename T>
class Ref;

namespace object {
class HeapState;
}
namespace detail {
struct TypeAccess;
}

// Receives the references that an object owns, as ranges of pointers; null ones are among them.
class Visitor {
 public:
  using Visit = void (*)(Visitor& visitor, Object* const* first, std::size_t count);

  explicit Visitor(Visit visit) noexcept : visit_(visit) {}
  void operator()(Object* const* first, std::size_t count) { visit_(*this, first, count); }

 private:
  Visit visit_;
};

enum class CompareOperator : std::uint8_t {
  less,
  less_equal,
  equal,
  not_equal,
  greater,
  greater_equal
};
enum class Comparison : std::uint8_t { no, yes, not_implemented };

// How a type's instances are treated. Null: as the base's are.
struct TypeSlots {
  // A block for an instance with so many items, its content undefined; null: out of memory.
  void* (*allocate)(Type& type, std::size_t items) noexcept = nullptr;
  // Of an object whose last reference has gone: ends its life and frees its block, or lets it wait.
  void (*deallocate)(Object& object) noexcept = nullptr;
  // Shows the visitor every reference that the object owns.
  void (*traverse)(const Object& object, Visitor& visitor) = nullptr;
  // The same, but for those at member_offsets().
  void (*traverse_rest)(const Object& object, Visitor& visitor) = nullptr;
  // Lets go of every reference that the object owns.
  void (*clear)(Object& object) noexcept = nullptr;
  // Runs once, before the object dies; may refer to it anew, and then it lives on.
  void (*finalize)(Object& object) noexcept = nullptr;
  // Ends the object's life; its block stays.
  void (*destroy)(Object& object) noexcept = nullptr;
  std::string (*repr)(const Object& object) = nullptr;
  std::size_t (*hash)(const Object& object) = nullptr;
  Comparison (*compare)(const Object& left, const Object& right,
                        CompareOperator comparison) = nullptr;
  // An iterator over the object; of an iterator the next object, null at the end. Null: there are none.
  Ref<Object> (*iterate)(Object& object) = nullptr;
  Ref<Object> (*next)(Object& iterator) = nullptr;
};

// What a new type is to be.
struct TypeSpec {
  const char* name = nullptr;               // must outlive the heap
  std::size_t basic_size = sizeof(Object);  // bytes
  std::size_t item_size = 0;                // bytes; 0: instances have no items
  // Of an instance's address, bytes: 16 at most. It is no less than the base's.
  std::size_t alignment = alignof(void*);
  Type* base = nullptr;  // null: Object's own type
  // Where instances hold a reference each, in bytes from their start; must outlive the heap.
  const std::uint16_t* member_offsets = nullptr;
  std::size_t member_count = 0;
  Object* companion = nullptr;  // see Type::companion()
  TypeSlots slots;
};

namespace detail {

// The part of a pool's descriptor that the hot path touches (src/alloc/pool.h).
struct [[gnu::may_alias]] FreeBlock {
  FreeBlock* next;
  Type* no_type;  // null: by this a walk tells free blocks from objects
};
struct [[gnu::may_alias]] PoolFront {
  FreeBlock* freeblock;
  std::uint32_t frees_until_change;
  std::uint32_t block_size;
};
inline constexpr unsigned pool_shift = 14;
inline constexpr std::size_t pool_descriptor_size = 64;
inline constexpr std::size_t object_alignment = 16;  // the most that a type may have
// The least that one may have, and what instances' sizes are rounded up to.
inline constexpr std::size_t block_step = 8;
inline constexpr std::size_t largest_pooled = 4096;  // bytes

// Why a dying object can't simply go: bits of Type's watch.
inline constexpr std::uint32_t watch_weak = 1;      // instances were referred to weakly
inline constexpr std::uint32_t watch_finalize = 2;  // there's a finalizer
inline constexpr std::uint32_t watch_checks = 4;    // a debug check wants to see them
inline constexpr std::uint32_t watch_frozen = 8;    // instances were frozen

// See deallocate_of in make.h.
inline constexpr std::int32_t deaths_nested = 32;
inline constexpr std::int32_t watched_deaths = std::int32_t{1} << 30;

}  // namespace detail

class Type final : public Object {
 public:
  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] std::size_t basic_size() const noexcept { return basic_size_; }
  [[nodiscard]] std::size_t item_size() const noexcept { return item_size_; }
  // Of an instance's address, in bytes: 8 or 16.
  [[nodiscard]] std::size_t alignment() const noexcept { return alignment_; }
  // Null: Object's own type.
  [[nodiscard]] Type* base() const noexcept { return base_; }
  [[nodiscard]] ObjectHeap& heap() const noexcept { return *heap_; }
  [[nodiscard]] const TypeSlots& slots() const noexcept { return slots_; }
  [[nodiscard]] const std::uint16_t* member_offsets() const noexcept { return member_offsets_; }
  [[nodiscard]] std::size_t member_count() const noexcept { return member_count_; }
  // What the type's functions need to know of their surroundings; null unless somebody has set it. Not inherited.
  [[nodiscard]] void* context() const noexcept { return context_; }
  void set_context(void* context) noexcept { context_ = context; }
  // What the type's maker keeps beside it for all of its instances: immortal, of the same heap. Null: nothing. Not inherited.
  [[nodiscard]] Object* companion() const noexcept { return companion_; }

  // Whether instances may own references: otherwise no cycle runs through them.
  [[nodiscard]] bool has_references() const noexcept {
    return member_count_ != 0 || slots_.traverse_rest != nullptr;
  }

  // Itself, or a descendant. Linear in the depth of the inheritance.
  [[nodiscard]] bool is_subtype_of(const Type& other) const noexcept {
    for (const Type* type = this; type != nullptr; type = type->base_) {
      if (type == &other) {
        return true;
      }
    }
    return false;
  }

 private:
  friend struct detail::TypeAccess;
  friend class object::HeapState;

  Type() noexcept = default;

  // What every allocation and every death touches; with the header, a cache line.
  detail::PoolFront* pool_ = nullptr;       // gives the next block; never null
  std::uintptr_t descriptors_of_zero_ = 0;  // where the descriptor of address zero's pool would lie
  void (*deallocate_)(Object&) noexcept = nullptr;  // slots_.deallocate
  std::int32_t deaths_left_ = detail::deaths_nested;
  std::uint32_t index_ = 0;  // StaticType<T>::index; of a type made at run time, no other type's
  ObjectHeap* heap_ = nullptr;

  std::uint32_t watch_ = 0;
  std::uint32_t alignment_ = alignof(void*);
  const char* name_ = nullptr;
  std::size_t basic_size_ = 0;
  std::size_t item_size_ = 0;
  Type* base_ = nullptr;
  void* family_ = nullptr;  // its pools (src/object/family.h); null: instances have items
  const std::uint16_t* member_offsets_ = nullptr;
  std::size_t member_count_ = 0;
  const void* key_ = nullptr;  // StaticType<T>::key
  Type* next_ = nullptr;       // of all types of the heap
  TypeSlots slots_;
  void* context_ = nullptr;
  Object* companion_ = nullptr;
};

namespace detail {

// Stands for a type that a heap hasn't made yet: no block comes from it.
extern std::byte no_type_storage[];
[[nodiscard]] inline Type& no_type() noexcept { return *reinterpret_cast<Type*>(no_type_storage); }

// The fields of types, for the hot path in heap.h.
struct TypeAccess {
  [[nodiscard]] static PoolFront*& pool(Type& type) noexcept { return type.pool_; }
  [[nodiscard]] static std::uintptr_t& descriptors_of_zero(Type& type) noexcept {
    return type.descriptors_of_zero_;
  }
  [[nodiscard]] static auto& deallocate(Type& type) noexcept { return type.deallocate_; }
  [[nodiscard]] static std::int32_t& deaths_left(Type& type) noexcept { return type.deaths_left_; }
  [[nodiscard]] static std::uint32_t watch(const Type& type) noexcept { return type.watch_; }
  static void add_watch(Type& type, std::uint32_t why) noexcept {
    type.deaths_left_ -= type.watch_ == 0 ? watched_deaths : 0;
    type.watch_ |= why;
  }
  [[nodiscard]] static std::uint32_t index(const Type& type) noexcept { return type.index_; }
};

}  // namespace detail

}  // namespace tarn

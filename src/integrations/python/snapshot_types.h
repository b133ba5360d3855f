// Which addresses are those of types, found without calling Python: a type's type is `type`, or a type of types.
#pragma once

#include <cstdint>

#include "integrations/python/address_index.h"
#include "integrations/python/snapshot_guard.h"

namespace tarn::python {

// A PyTypeObject as CPython 3.8 to 3.14 lay it out, where they agree.
struct TypeView {
  std::uint64_t refcount;
  const TypeView* type;
  std::int64_t size;
  const char* name;
  std::int64_t basicsize;
  std::int64_t itemsize;
  void* slots_before_flags[15];
  std::uint64_t flags;
  void* doc;
  void* traverse;
  void* slots_before_base[8];
  void* base;
  void* dict;
  void* slots_before_is_gc[7];
  void* is_gc;
  void* bases;
  void* mro;
  void* cache;
  void* subclasses;

  static constexpr std::uint64_t managed_weakref = std::uint64_t{1} << 3;  // 3.12
  static constexpr std::uint64_t managed_dict = std::uint64_t{1} << 4;     // 3.11
  static constexpr std::uint64_t heap_type = std::uint64_t{1} << 9;
  static constexpr std::uint64_t ready = std::uint64_t{1} << 12;
  static constexpr std::uint64_t have_gc = std::uint64_t{1} << 14;
  static constexpr std::uint64_t unicode_subclass = std::uint64_t{1} << 28;
  static constexpr std::uint64_t dict_subclass = std::uint64_t{1} << 29;
  static constexpr std::uint64_t type_subclass = std::uint64_t{1} << 31;

  [[nodiscard]] bool is(std::uint64_t flag) const noexcept { return (flags & flag) != 0; }
};
static_assert(offsetof(TypeView, flags) == 168 && offsetof(TypeView, traverse) == 184 &&
              offsetof(TypeView, base) == 256 && offsetof(TypeView, is_gc) == 328 &&
              offsetof(TypeView, subclasses) == 360);

class SnapshotTypes {
 public:
  static constexpr std::uint32_t none = AddressIndex::none;

  explicit SnapshotTypes(const ReadableMemory& memory) noexcept : memory_(memory) {}

  // The number of the type at this address; none: there is none.
  [[nodiscard]] std::uint32_t find(std::uint64_t address) noexcept {
    if (address % 8 != 0) {
      return none;
    }
    const std::uint32_t known = index_.find(address);
    return known != none ? known : look(address, 0);
  }

  [[nodiscard]] const TypeView& operator[](std::uint32_t number) const noexcept {
    return *types_[number];
  }
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }

  // Bytes that lie before an object of the type in what was allocated for it.
  [[nodiscard]] static std::uint32_t prefix_of(const TypeView& type) noexcept;

 private:
  [[nodiscard]] std::uint32_t look(std::uint64_t address, int depth) noexcept;
  std::uint32_t add(const TypeView& type) noexcept;

  const ReadableMemory& memory_;
  AddressIndex index_;
  const TypeView** types_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace tarn::python

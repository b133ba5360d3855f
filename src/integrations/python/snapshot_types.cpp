#include "integrations/python/snapshot_types.h"

#include <cstring>

#include "integrations/python/cpython.h"
#include "integrations/python/hook.h"

namespace tarn::python {

std::uint32_t SnapshotTypes::prefix_of(const TypeView& type) noexcept {
  constexpr std::uint32_t two_words = 16;
  std::uint64_t before = 0;
  if (hook.version.minor >= 12) {
    before = TypeView::managed_dict | TypeView::managed_weakref;
  } else if (hook.version.minor == 11) {
    before = TypeView::managed_dict;
  }
  return (type.is(TypeView::have_gc) ? two_words : 0) + (type.is(before) ? two_words : 0);
}

std::uint32_t SnapshotTypes::look(std::uint64_t address, int depth) noexcept {
  constexpr int deepest = 4;  // a type of types of types
  constexpr std::int64_t largest = std::int64_t{1} << 24;
  if (depth > deepest || address % 8 != 0 || !memory_.holds(address, sizeof(TypeView))) {
    return none;
  }
  const auto& type = *reinterpret_cast<const TypeView*>(address);
  const auto above = reinterpret_cast<std::uint64_t>(type.type);
  if (above != reinterpret_cast<std::uint64_t>(&PyType_Type)) {
    std::uint32_t of_above = index_.find(above);
    if (of_above == none) {
      of_above = look(above, depth + 1);
    }
    if (of_above == none || !types_[of_above]->is(TypeView::type_subclass)) {
      return none;
    }
  }
  if (!type.is(TypeView::ready) || type.basicsize < 16 || type.basicsize > largest ||
      type.itemsize < 0 || type.itemsize > largest ||
      !memory_.holds(reinterpret_cast<std::uint64_t>(type.name), 1)) {
    return none;
  }
  return add(type);
}

std::uint32_t SnapshotTypes::add(const TypeView& type) noexcept {
  if (count_ == capacity_) {
    capacity_ = capacity_ == 0 ? 1024 : 2 * capacity_;
    auto* const larger = snapshot_array<const TypeView*>(capacity_);
    if (count_ != 0) {
      std::memcpy(larger, types_, count_ * sizeof(types_[0]));
    }
    types_ = larger;
  }
  if (!index_.insert(reinterpret_cast<std::uint64_t>(&type), count_)) {
    return index_.find(reinterpret_cast<std::uint64_t>(&type));
  }
  types_[count_] = &type;
  return count_++;
}

}  // namespace tarn::python

// The references that an object owns: those at its type's offsets without a call, the others through the slot.
#pragma once

#include <tarn/object/heap.h>

namespace tarn::object {

namespace internal {
template <typename Function>
class EdgeVisitor : public Visitor {
 public:
  explicit EdgeVisitor(Function& function) noexcept : Visitor(&each), function_(function) {}

 private:
  static void each(Visitor& visitor, Object* const* first, std::size_t count) {
    Function& function = static_cast<EdgeVisitor&>(visitor).function_;
    for (std::size_t i = 0; i < count; ++i) {
      if (first[i] != nullptr) {
        function(*first[i]);
      }
    }
  }

  Function& function_;
};
}  // namespace internal

// Calls visit(Object&) for each, once for each reference. The object isn't being constructed.
template <typename Visit>
void for_each_edge(const Object& object, Visit visit) {
  const Type& type = object.type();
  const auto* const start = reinterpret_cast<const std::byte*>(&object);
  const std::uint16_t* const offsets = type.member_offsets();
  for (std::size_t i = 0, count = type.member_count(); i < count; ++i) {
    Object* const target = *reinterpret_cast<Object* const*>(start + offsets[i]);
    if (target != nullptr) {
      visit(*target);
    }
  }
  if (type.slots().traverse_rest != nullptr) {
    internal::EdgeVisitor<Visit> visitor(visit);
    type.slots().traverse_rest(object, visitor);
  }
}

}  // namespace tarn::object

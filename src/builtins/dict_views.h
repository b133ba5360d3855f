// What dict views do as sets.
#pragma once

#include <tarn/builtins/dict_views.h>

namespace tarn::builtins {

enum class SetOperation : std::uint8_t { join, intersect, subtract, symmetric_difference };

// Keys or items, but not values.
[[nodiscard]] bool is_set_view(const Object& object) noexcept;

// One of both is such a view. TypeError where the other one can't be iterated over.
[[nodiscard]] Ref<Set> combine_views(const Object& left, const Object& right,
                                     SetOperation operation);

}  // namespace tarn::builtins

// What people mean by an object's type: a class, which they wrote or chose; what they keep such in; or a plain value.
#pragma once

#include <cstdint>
#include <string_view>

#include "sight/reading/heap_image.h"

namespace tarn::sight::reading {

enum class TypeKind : std::uint8_t { plain, container, own };

// By its name: "dict", "collections.deque" are containers; "str", "function" plain; "app.Session" somebody's own.
[[nodiscard]] TypeKind kind_of(std::string_view type);

// Up to CPython 3.10 an instance's attributes are in a dict of its own, which it alone holds: they become parts of it.
// Since 3.11 they mostly lie in the instance, and a dict that it holds is one that the program made.
void make_attributes_parts(HeapImage& image);

}  // namespace tarn::sight::reading

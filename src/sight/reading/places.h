// Where blocks were allocated, in the terms of whoever wants to change it: a line, and, if that is a library's, the
// program's own line that led to it.
#pragma once

#include <string_view>

#include "sight/reading/heap_image.h"

namespace tarn::sight::reading {

// By its path: of Python's standard library, of an installed package, or frozen.
[[nodiscard]] bool is_library(std::string_view file);

// Gives each site of the image its place.
void find_places(HeapImage& image);

// For how many blocks like it a block with a site stands.
[[nodiscard]] double weight_of(const HeapImage& image, std::uint32_t block);

}  // namespace tarn::sight::reading

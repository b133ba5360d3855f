// Why memory can't go back, for people and for programs. Pure; strings of the snapshot are escaped.
#pragma once

#include <cstdint>
#include <string>

#include "sight/reading/heap_image.h"
#include "sight/reading/why.h"
#include "tools/cli/console.h"

namespace tarn::cli {

// Ends with a newline.
[[nodiscard]] std::string why_text(const sight::reading::HeapImage& image,
                                   const sight::reading::Why& why, const Style& style);
[[nodiscard]] std::string why_json(const sight::reading::HeapImage& image,
                                   const sight::reading::Why& why);

}  // namespace tarn::cli

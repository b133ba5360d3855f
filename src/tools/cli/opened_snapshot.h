// A snapshot that a command line names, read into memory.
#pragma once

#include <string>

#include "sight/reading/heap_image.h"

namespace tarn::cli {

// FILE, FILE#N. Throws Failure, with the file's name.
[[nodiscard]] sight::reading::HeapImage open_snapshot(const std::string& word,
                                                      sight::reading::References references);

}  // namespace tarn::cli

// Finding libtarn-python.so, the library that puts a Python on Tarn, and naming it in LD_PRELOAD.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/cli/environment.h"

namespace tarn::cli {

// Where the library may be, seen from the folder that the command lies in: a build tree's lib/, or an
// installation's lib/tarn/.
[[nodiscard]] std::vector<std::filesystem::path> library_candidates(
    const std::filesystem::path& command_folder);

// TARN_LIBRARY if it is set, else the first candidate that exists; absolute. Throws Failure, which
// says where it was looked for, or why the loader couldn't take it.
[[nodiscard]] std::string find_library(const Environment& environment);

// The library first, then what LD_PRELOAD held; once only.
void preload(Environment& environment, const std::string& library);

}  // namespace tarn::cli

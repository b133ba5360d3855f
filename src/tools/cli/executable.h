// Looking into a program's file: will the dynamic loader preload a library into it?
#pragma once

#include <optional>
#include <string>

namespace tarn::cli {

// Why LD_PRELOAD will have no effect on this program, as a clause: "it is statically linked, ...".
// Nothing when it will have, or when that can't be told. Follows a script to its interpreter. Nothing for this
// command itself, either: it is static, and preloads for the program that it becomes.
[[nodiscard]] std::optional<std::string> preload_obstacle(const std::string& path);

// Whether the file is a program with Python in it, a script for one, or named like one. A program that
// loads Python later, by name, counts too; one that starts another program does not.
[[nodiscard]] bool contains_python(const std::string& path);

}  // namespace tarn::cli

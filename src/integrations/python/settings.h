// What the environment asks of the hook. Every variable is read once, before main; a malformed one is
// said in a line and has its default.
//
//   TARN_GEOMETRY    tarn (default), classic, modern
//   TARN_CHECKS      none (default), debug
//   TARN_QUIET       1: no messages
//   TARN_REPORT_DIR  a folder: the process writes there at exit what the allocator did
#pragma once

#include <tarn/heap.h>

namespace tarn::python {

struct Settings {
  Geometry geometry = Geometry::tarn;
  Checks checks = Checks::none;
  bool quiet = false;
  const char* report_folder = nullptr;  // null: no report
  // PYTHONMALLOC when it names an allocator of Python's own; null otherwise.
  const char* other_allocator = nullptr;
};

[[nodiscard]] Settings read_settings(int argument_count, char** arguments) noexcept;

// Whether PYTHONMALLOC's value names another allocator. `default` and `debug` don't: Tarn is then the
// default one, under Python's debug hooks.
[[nodiscard]] bool names_other_allocator(const char* value) noexcept;

// Whether python's command line has -E or -I, which make it ignore PYTHON* variables.
[[nodiscard]] bool ignores_environment(int argument_count, char** arguments) noexcept;

[[nodiscard]] const char* name_of(Geometry geometry) noexcept;
[[nodiscard]] const char* name_of(Checks checks) noexcept;

}  // namespace tarn::python

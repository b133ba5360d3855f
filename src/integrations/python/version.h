// Which CPython this process is, if it is one.
#pragma once

namespace tarn::python {

struct Version {
  int major = 0;
  int minor = 0;
  bool free_threaded = false;
};

// From the text that Py_GetVersion() returns. Zeroes when it isn't understood.
[[nodiscard]] Version parse_version(const char* text) noexcept;

// Null when Tarn can carry that version; else the reason, for a message.
[[nodiscard]] const char* reason_against(const Version& version) noexcept;

}  // namespace tarn::python

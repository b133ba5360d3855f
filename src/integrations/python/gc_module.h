// Python's module gc, by its public interface: what the pacer asks of it, and tells it.
//
// All with the GIL held, where Python may run. Whatever Python raises is dropped: a program may put anything into its
// module gc, and then the answers are false, 0 or nothing.
#pragma once

#include <array>
#include <cstddef>

#include "integrations/python/cpython.h"

namespace tarn::python {

// Of the generations, the youngest first.
struct GcThresholds {
  std::array<long, 3> of;
  bool operator==(const GcThresholds&) const = default;
};

class GcModule {
 public:
  [[nodiscard]] bool is_known() const noexcept { return module_ != nullptr; }

  // Imports it and puts a function into gc.callbacks; does nothing the second time.
  [[nodiscard]] bool enter_callbacks(PyMethodDef& function) noexcept;
  // Takes it out again and forgets the module. Allowed without enter_callbacks().
  void leave_callbacks() noexcept;
  // It may have been taken out by the program.
  [[nodiscard]] bool is_in_callbacks() const noexcept;

  [[nodiscard]] bool read_thresholds(GcThresholds& thresholds) const noexcept;
  [[nodiscard]] bool set_thresholds(const GcThresholds& thresholds) const noexcept;
  [[nodiscard]] bool is_enabled() const noexcept;
  // Linear in their number: so not asked for any more once the program has frozen some. Python itself has a few
  // since 3.12.
  [[nodiscard]] long frozen_objects() const noexcept;
  // This generation and those below it.
  void collect(int generation) const noexcept;

 private:
  PyObject* module_ = nullptr;
  PyObject* callback_ = nullptr;
};

}  // namespace tarn::python

// Whether the calling thread holds a GIL. May be called from any thread, at any time.
#pragma once

#include "integrations/python/cpython.h"
#include "integrations/python/hook.h"

namespace tarn::python {

// PyGILState_Check says yes to everybody once a second interpreter was made.
[[nodiscard]] inline bool has_gil() noexcept {
  if (Py_IsInitialized() == 0) {
    return false;
  }
  const PyThreadState* const current = _PyThreadState_UncheckedGet != nullptr
                                           ? _PyThreadState_UncheckedGet()
                                           : PyThreadState_GetUnchecked();
  // Before 3.12 there is one current thread state for all threads.
  return current != nullptr &&
         (hook.version.minor >= 12 || current == PyGILState_GetThisThreadState());
}

}  // namespace tarn::python

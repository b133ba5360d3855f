#include "integrations/python/interpreters.h"

#include <cstring>

#include "integrations/python/hook.h"

namespace tarn::python {

namespace {

int audit(const char* event, PyObject* /*arguments*/, void* /*data*/) noexcept {
  // Most events start with something else, so the first letters decide.
  if (event[0] == 'c' && std::strcmp(event, "cpython.PyInterpreterState_New") == 0) {
    heap::share(*hook.heap);
  }
  return 0;
}

}  // namespace

void watch_for_interpreters() noexcept {
  if (hook.version.minor < 12 || hook.heap->synchronisation == Synchronisation::locked) {
    return;
  }
  // The first allocation after initialisation may be another interpreter's; and somebody's audit hook
  // may forbid ours.
  if (PyInterpreterState_Get() != PyInterpreterState_Main() ||
      PySys_AddAuditHook(audit, nullptr) != 0) {
    PyErr_Clear();
    heap::share(*hook.heap);
  }
}

}  // namespace tarn::python

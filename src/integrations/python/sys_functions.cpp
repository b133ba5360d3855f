#include "integrations/python/sys_functions.h"

#include <cstring>

#include "base/message.h"
#include "integrations/python/at_exit.h"
#include "integrations/python/control.h"
#include "integrations/python/hook.h"
#include "integrations/python/pacer.h"
#include "integrations/python/releaser.h"
#include "integrations/python/report.h"
#include "integrations/python/snapshot_schedule.h"

namespace tarn::python {

namespace {

constinit PyCFunction original_debugmallocstats = nullptr;

PyObject* getallocatedblocks(PyObject* /*self*/, PyObject* /*arguments*/) noexcept {
  return PyLong_FromSize_t(allocated_blocks());
}

PyObject* debugmallocstats(PyObject* self, PyObject* arguments) noexcept {
  write_statistics(base::standard_error);
  // The interpreter's own free lists follow.
  return original_debugmallocstats(self, arguments);
}

// Null when sys has no such function, or it isn't the one we know.
PyMethodDef* definition_of(const char* name) noexcept {
  PyObject* const function = PySys_GetObject(name);
  if (function == nullptr) {
    return nullptr;
  }
  const PyCFunction implementation = PyCFunction_GetFunction(function);
  if (implementation == nullptr) {
    PyErr_Clear();  // it's no built-in function: somebody has replaced it
    return nullptr;
  }
  PyMethodDef* const definition = reinterpret_cast<PyCFunctionObject*>(function)->m_ml;
  const bool known = definition->ml_meth == implementation &&
                     std::strcmp(definition->ml_name, name) == 0 &&
                     definition->ml_flags == METH_NOARGS;
  return known ? definition : nullptr;
}

int install(void* /*data*/) noexcept {
  if (PyMethodDef* const definition = definition_of("getallocatedblocks")) {
    definition->ml_meth = getallocatedblocks;
  }
  if (PyMethodDef* const definition = definition_of("_debugmallocstats");
      definition != nullptr && definition->ml_meth != debugmallocstats) {
    original_debugmallocstats = definition->ml_meth;
    definition->ml_meth = debugmallocstats;
  }
  if (hook.settings.report_folder[0] != '\0' || hook.settings.snapshot_at != SnapshotAt::never) {
    static_cast<void>(be_called_at_exit());
  }
  start_pacing();
  start_releasing();
  prepare_snapshots();
  start_control();
  return 0;
}

}  // namespace

void install_sys_functions_later() noexcept {
  // Refused when its queue is full; then these two functions keep saying nothing.
  Py_AddPendingCall(install, nullptr);
}

}  // namespace tarn::python

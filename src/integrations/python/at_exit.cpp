#include "integrations/python/at_exit.h"

#include <initializer_list>

#include "integrations/python/control.h"
#include "integrations/python/cpython.h"
#include "integrations/python/hook.h"
#include "integrations/python/pacer.h"
#include "integrations/python/references.h"
#include "integrations/python/releaser.h"
#include "integrations/python/report.h"
#include "integrations/python/sites.h"
#include "integrations/python/snapshot_schedule.h"

namespace tarn::python {

namespace {

constinit bool is_registered = false;
constinit bool has_ended = false;

PyObject* at_exit(PyObject* /*self*/, PyObject* /*arguments*/) noexcept {
  has_ended = true;
  take_snapshot_at_exit();
  stop_pacing();
  stop_control();
  stop_releasing();
  if (hook.settings.report_folder[0] != '\0') {
    remember_statistics();
    write_sites_report();
  }
  return none();
}

constinit PyMethodDef at_exit_definition = {"tarn_at_exit", at_exit, METH_NOARGS, nullptr};

}  // namespace

bool be_called_at_exit() noexcept {
  if (is_registered) {
    return true;
  }
  PyObject* const module = PyImport_ImportModule("atexit");
  PyObject* const function =
      module == nullptr ? nullptr : PyCFunction_NewEx(&at_exit_definition, nullptr, nullptr);
  PyObject* const result =
      function == nullptr ? nullptr : PyObject_CallMethod(module, "register", "O", function);
  is_registered = result != nullptr;
  for (PyObject* const object : {module, function, result}) {
    let_go(object);
  }
  PyErr_Clear();
  return is_registered;
}

bool forget_exit() noexcept {
  const bool had_ended = has_ended;
  if (had_ended) {
    is_registered = false;
    has_ended = false;
  }
  return had_ended;
}

}  // namespace tarn::python

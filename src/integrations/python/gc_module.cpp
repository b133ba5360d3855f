#include "integrations/python/gc_module.h"

#include "integrations/python/references.h"

namespace tarn::python {

namespace {

// Whether what was called returned something; its exception is dropped.
bool succeeded(PyObject* result) noexcept {
  let_go(result);
  if (result == nullptr) {
    PyErr_Clear();
  }
  return result != nullptr;
}

}  // namespace

bool GcModule::enter_callbacks(PyMethodDef& function) noexcept {
  if (callback_ != nullptr) {
    return true;
  }
  module_ = PyImport_ImportModule("gc");
  PyObject* const callbacks =
      module_ == nullptr ? nullptr : PyObject_GetAttrString(module_, "callbacks");
  callback_ = callbacks == nullptr ? nullptr : PyCFunction_NewEx(&function, nullptr, nullptr);
  const bool entered = callback_ != nullptr && PyList_Append(callbacks, callback_) == 0;
  let_go(callbacks);
  PyErr_Clear();
  if (!entered) {
    leave_callbacks();
  }
  return entered;
}

void GcModule::leave_callbacks() noexcept {
  if (callback_ != nullptr) {
    PyObject* const callbacks = PyObject_GetAttrString(module_, "callbacks");
    static_cast<void>(callbacks != nullptr &&
                      succeeded(PyObject_CallMethod(callbacks, "remove", "O", callback_)));
    let_go(callbacks);
    let_go(callback_);
  }
  let_go(module_);
  module_ = callback_ = nullptr;
  PyErr_Clear();
}

bool GcModule::is_in_callbacks() const noexcept {
  PyObject* const callbacks = PyObject_GetAttrString(module_, "callbacks");
  const bool is_in = callbacks != nullptr && PySequence_Contains(callbacks, callback_) == 1;
  let_go(callbacks);
  PyErr_Clear();
  return is_in;
}

bool GcModule::read_thresholds(GcThresholds& thresholds) const noexcept {
  PyObject* const tuple = PyObject_CallMethod(module_, "get_threshold", nullptr);
  bool is_known = tuple != nullptr;
  for (std::size_t i = 0; is_known && i < thresholds.of.size(); ++i) {
    PyObject* const item = PyTuple_GetItem(tuple, static_cast<std::ptrdiff_t>(i));
    is_known = item != nullptr;
    thresholds.of[i] = is_known ? PyLong_AsLong(item) : 0;
  }
  let_go(tuple);
  PyErr_Clear();
  return is_known;
}

bool GcModule::set_thresholds(const GcThresholds& thresholds) const noexcept {
  return succeeded(PyObject_CallMethod(module_, "set_threshold", "lll", thresholds.of[0],
                                       thresholds.of[1], thresholds.of[2]));
}

bool GcModule::is_enabled() const noexcept {
  PyObject* const answer = PyObject_CallMethod(module_, "isenabled", nullptr);
  const bool enabled = answer != nullptr && PyObject_IsTrue(answer) == 1;
  let_go(answer);
  PyErr_Clear();
  return enabled;
}

long GcModule::frozen_objects() const noexcept {
  PyObject* const result = PyObject_CallMethod(module_, "get_freeze_count", nullptr);
  const long number = result == nullptr ? 0 : PyLong_AsLong(result);
  let_go(result);
  PyErr_Clear();
  return number;
}

void GcModule::collect(int generation) const noexcept {
  static_cast<void>(succeeded(PyObject_CallMethod(module_, "collect", "i", generation)));
}

}  // namespace tarn::python

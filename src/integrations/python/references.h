// Counts of references, for the few objects that are ours.
//
// Up to 3.11 the count is the object's first word and nothing else, so it's changed here: Python's own two functions are
// called by nobody else in most programs, and each lies alone in 64 KiB of its file that would be resident for it.
#pragma once

#include <cstddef>

#include "integrations/python/cpython.h"
#include "integrations/python/hook.h"

namespace tarn::python {

// The GIL is held; the objects live. Since 3.12 some objects have no count.
[[nodiscard]] inline bool counts_plainly() noexcept {
  return hook.version.major == 3 && hook.version.minor < 12 && &_Py_Dealloc != nullptr;
}

inline void hold(PyObject* object) noexcept {
  if (counts_plainly()) {
    ++*reinterpret_cast<std::ptrdiff_t*>(object);
  } else {
    Py_IncRef(object);
  }
}

// Null is allowed.
inline void let_go(PyObject* object) noexcept {
  if (object == nullptr) {
    return;
  }
  if (!counts_plainly()) {
    Py_DecRef(object);
  } else if (--*reinterpret_cast<std::ptrdiff_t*>(object) == 0) {
    _Py_Dealloc(object);
  }
}

// What a function returns that has nothing to say.
[[nodiscard]] inline PyObject* none() noexcept {
  hold(&_Py_NoneStruct);
  return &_Py_NoneStruct;
}

}  // namespace tarn::python

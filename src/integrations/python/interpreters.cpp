#include "integrations/python/interpreters.h"

#include <cstdint>
#include <cstring>

#include "base/compiler.h"
#include "base/message.h"
#include "integrations/python/gil.h"
#include "integrations/python/hook.h"

namespace tarn::python {

namespace {

constexpr const char* probe_event = "tarn.probe";
constinit bool is_watching = false;

bool is_import_of_interpreters(PyObject* arguments) noexcept {
  PyObject* const name = PyTuple_GetItem(arguments, 0);
  if (name == nullptr) {
    PyErr_Clear();
    return false;
  }
  return PyUnicode_CompareWithASCIIString(name, "_interpreters") == 0;
}

int audit(const char* event, PyObject* arguments, void* /*data*/) noexcept {
  // Most events start with something else, so the first letters decide.
  if (event[0] == 'i' && hook.version.minor >= 13 && std::strcmp(event, "import") == 0) {
    if (is_import_of_interpreters(arguments)) {
      heap::share(*hook.heap);
    }
  } else if (event[0] == 'c' && std::strcmp(event, "cpython.PyInterpreterState_New") == 0) {
    heap::share(*hook.heap);
  } else if (event[0] == 't' && std::strcmp(event, probe_event) == 0) {
    is_watching = true;
  }
  return 0;
}

// Somebody's audit hook may forbid ours, and CPython may then say that all is well: so we ask for a sign.
bool watch() noexcept {
  is_watching = false;
  if (PySys_AddAuditHook(audit, nullptr) != 0 || PySys_Audit(probe_event, nullptr) != 0) {
    PyErr_Clear();
  }
  return is_watching;
}

// The start of _PyRuntime since 3.13 (_Py_DebugOffsets), made for debuggers and profilers.
struct PublishedSizes {
  char cookie[8];
  std::uint64_t version;
  std::uint64_t free_threaded;
  std::uint64_t runtime_state[3];
  std::uint64_t interpreter_size;
};

constinit PyMemAllocatorEx raw = {};  // below our functions
constinit std::size_t interpreter_size = 0;
// Alignment, and what debug hooks add.
constexpr std::size_t most_added = 256;

// Whether it must be refused.
bool is_request_for_interpreter_without_gil(std::size_t size) noexcept {
  if (size - interpreter_size >= most_added || hook.state != State::living ||
      hook.heap->synchronisation == Synchronisation::locked || has_gil()) [[likely]] {
    return false;
  }
  base::Message()
      .text(
          "tarn: an extension makes an interpreter in a thread without the GIL, and was refused: "
          "import _interpreters before\n")
      .write_to(base::standard_error);
  return true;
}

void* raw_allocate(void* context, std::size_t size) noexcept {
  return is_request_for_interpreter_without_gil(size) ? nullptr : raw.malloc(context, size);
}

void* raw_allocate_zeroed(void* context, std::size_t count, std::size_t size) noexcept {
  // Should the product overflow, the request fails and no interpreter comes.
  return is_request_for_interpreter_without_gil(count * size) ? nullptr
                                                              : raw.calloc(context, count, size);
}

std::size_t published_interpreter_size() noexcept {
  constexpr std::size_t least = 16 * 1024;
  constexpr std::size_t most = 64 * 1024 * 1024;
  const char* const runtime = base::opaque(&_PyRuntime[0]);
  if (runtime == nullptr) {
    return 0;
  }
  PublishedSizes sizes = {};
  std::memcpy(&sizes, runtime, sizeof(sizes));
  const bool known = std::memcmp(sizes.cookie, "xdebugpy", sizeof(sizes.cookie)) == 0;
  return known && sizes.interpreter_size > least && sizes.interpreter_size < most
             ? static_cast<std::size_t>(sizes.interpreter_size)
             : 0;
}

}  // namespace

void watch_raw_domain() noexcept {
  if (hook.version.minor < 13) {
    return;
  }
  interpreter_size = published_interpreter_size();
  if (interpreter_size == 0) {
    return;
  }
  if (raw.malloc == nullptr) {
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw);
  }
  PyMemAllocatorEx functions = {raw.ctx, raw_allocate, raw_allocate_zeroed, raw.realloc, raw.free};
  PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &functions);
}

void watch_for_interpreters() noexcept {
  if (hook.version.minor < 12 || hook.heap->synchronisation == Synchronisation::locked) {
    return;
  }
  // The first allocation after initialisation may be another interpreter's.
  const bool watching = watch() && (hook.version.minor == 12 || interpreter_size != 0);
  if (hook.embedded || PyInterpreterState_Get() != PyInterpreterState_Main() || !watching) {
    heap::share(*hook.heap);
  }
}

}  // namespace tarn::python

// An embedding program may call Py_Finalize and then initialise again. From 3.12 on that resets the
// allocators to Python's own; nothing of ours is called meanwhile. So the functions with which a program
// initialises are ours too: they call Python's, and then put the heap back into its place.
//
// Blocks that Python's own allocator handed out meanwhile come back to us and are passed on.
#include <cstring>

#include <dlfcn.h>
#include <link.h>

#include "base/message.h"
#include "integrations/python/hook.h"

namespace tarn::python {

namespace {

// The shared library or program that an address lies in; null: unknown.
const void* object_of(const void* address) noexcept {
  Dl_info info = {};
  return ::dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

struct Search {
  const char* name;
  void* symbol;
};

// One loaded object: if it's a libpython, what it has of that name.
int look_into(dl_phdr_info* object, std::size_t /*size*/, void* data) noexcept {
  auto& search = *static_cast<Search*>(data);
  if (object->dlpi_name == nullptr || std::strstr(object->dlpi_name, "/libpython") == nullptr) {
    return 0;
  }
  if (void* const handle = ::dlopen(object->dlpi_name, RTLD_NOLOAD | RTLD_LAZY)) {
    search.symbol = ::dlsym(handle, search.name);
  }
  return search.symbol != nullptr ? 1 : 0;
}

// What the program would have found without us. A plugin may have brought a libpython that only it sees.
void* python_symbol(const char* name) noexcept {
  if (void* const symbol = ::dlsym(RTLD_NEXT, name)) {
    return symbol;
  }
  Search search = {name, nullptr};
  ::dl_iterate_phdr(look_into, &search);
  return search.symbol;
}

// Python's own function of that name. Python's own main program calls it too, from inside libpython:
// `caller` tells an embedding program from that.
template <typename Function>
Function* begin(const char* name, const void* caller) noexcept {
  void* const symbol = python_symbol(name);
  auto* const function = reinterpret_cast<Function*>(symbol);
  if (function == nullptr) {
    base::fail(base::Message().text("tarn: ").text(name).text(
        " was called, but this process has no Python linked; load libpython before calling it\n"));
  }
  hook.embedded =
      hook.embedded || object_of(caller) != object_of(reinterpret_cast<void*>(function));
  return function;
}

}  // namespace

}  // namespace tarn::python

// The part of PyStatus and PyConfig that matters here: one is returned in memory, the other is passed on.
struct PyStatus {
  int type;
  const char* function;
  const char* message;
  int exit_code;
};

#define TARN_SEEN_BY_PROGRAMS extern "C" [[gnu::visibility("default")]]

TARN_SEEN_BY_PROGRAMS void Py_Initialize() {
  tarn::python::begin<void()>("Py_Initialize", __builtin_return_address(0))();
  tarn::python::live_again();
}

TARN_SEEN_BY_PROGRAMS void Py_InitializeEx(int install_signal_handlers) {
  tarn::python::begin<void(int)>("Py_InitializeEx",
                                 __builtin_return_address(0))(install_signal_handlers);
  tarn::python::live_again();
}

TARN_SEEN_BY_PROGRAMS PyStatus Py_InitializeFromConfig(const void* config) {
  const PyStatus status = tarn::python::begin<PyStatus(const void*)>(
      "Py_InitializeFromConfig", __builtin_return_address(0))(config);
  tarn::python::live_again();
  return status;
}

#include "integrations/python/snapshot_names.h"

#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "integrations/python/cpython.h"
#include "integrations/python/hook.h"

namespace tarn::python {

namespace {

constexpr std::size_t longest_name = 256;

std::uint64_t address_of(const PyObject* object) noexcept {
  return reinterpret_cast<std::uint64_t>(object);
}

// Empty where it's no str.
const char* text_of(PyObject* object) noexcept {
  const char* const text = object == nullptr ? nullptr : PyUnicode_AsUTF8(object);
  if (text == nullptr) {
    PyErr_Clear();
    return "";
  }
  return text;
}

PyObject* attribute(PyObject* object, const char* name) noexcept {
  PyObject* const value = object == nullptr ? nullptr : PyObject_GetAttrString(object, name);
  if (value == nullptr) {
    PyErr_Clear();
  }
  return value;
}

PyObject* item(PyObject* dict, const char* name) noexcept {
  PyObject* const value = dict == nullptr ? nullptr : PyDict_GetItemString(dict, name);
  if (value == nullptr) {
    PyErr_Clear();
  }
  return value;
}

// Not the object's class as the program would have it: nothing of the program's may run.
bool is_of_type(PyObject* object, PyObject* type) noexcept {
  PyObject* const its_type = reinterpret_cast<PyObject* const*>(object)[1];
  return its_type == type || PyType_IsSubtype(its_type, type) != 0;
}

bool is_none(const PyObject* object) noexcept { return object == &_Py_NoneStruct; }

void copy_name(char (&target)[longest_name], const char* text, std::size_t length) noexcept {
  length = length < longest_name - 1 ? length : longest_name - 1;
  std::memcpy(target, text, length);
  target[length] = '\0';
}

void root(sight::RootKind kind, const PyObject* target, const char* name, std::uint64_t thread = 0,
          std::uint32_t frame = 0) noexcept {
  const sight::RootRecord record = {
      .target = address_of(target), .kind = kind, .frame = frame, .thread = thread};
  snapshot_stream.record(sight::RecordKind::root, record, name);
}

void write_globals(const char* module, PyObject* dict) noexcept {
  std::ptrdiff_t position = 0;
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  while (PyDict_Next(dict, &position, &key, &value) != 0) {
    const char* const name = text_of(key);
    // What a module imports it doesn't own.
    if (*name == '\0' || is_of_type(value, &PyModule_Type) ||
        std::strcmp(name, "__builtins__") == 0) {
      continue;
    }
    char whole[2 * longest_name];
    const std::size_t length = ::strnlen(module, longest_name - 2);
    const std::size_t of_name = ::strnlen(name, longest_name);
    std::memcpy(whole, module, length);
    whole[length] = '.';
    std::memcpy(whole + length + 1, name, of_name);
    whole[length + 1 + of_name] = '\0';
    root(sight::RootKind::global, value, whole);
  }
}

struct Threads {
  std::uint32_t frames = 0;
  PyObject* names = nullptr;  // borrowed: threading._active
};

const char* name_of_thread(const Threads& threads, PyObject* id) noexcept {
  if (threads.names == nullptr) {
    return "";
  }
  std::ptrdiff_t position = 0;
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  const unsigned long wanted = PyLong_AsUnsignedLong(id);
  while (PyDict_Next(threads.names, &position, &key, &value) != 0) {
    if (PyLong_AsUnsignedLong(key) == wanted) {
      return text_of(attribute(value, "_name"));
    }
    PyErr_Clear();
  }
  return "";
}

void write_locals(PyObject* frame, std::uint64_t thread, std::uint32_t number) noexcept {
  PyObject* const locals = attribute(frame, "f_locals");
  if (locals == nullptr || locals == attribute(frame, "f_globals")) {
    return;
  }
  // Since 3.13 it's a view of the frame.
  PyObject* const dict = PyDict_New();
  if (dict == nullptr || PyDict_Update(dict, locals) != 0) {
    PyErr_Clear();
    return;
  }
  std::ptrdiff_t position = 0;
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  while (PyDict_Next(dict, &position, &key, &value) != 0) {
    if (const char* const name = text_of(key);
        *name != '\0' && !is_of_type(value, &PyModule_Type)) {
      root(sight::RootKind::local, value, name, thread, number);
    }
  }
}

void write_frames(PyObject* frame, std::uint64_t thread, Threads& threads) noexcept {
  constexpr std::uint32_t most_frames = 1000;
  for (std::uint32_t position = 0; frame != nullptr && !is_none(frame) && position < most_frames;
       ++position) {
    PyObject* const code = attribute(frame, "f_code");
    PyObject* const line = attribute(frame, "f_lineno");
    PyObject* const qualified = hook.version.minor >= 11 ? attribute(code, "co_qualname") : nullptr;
    PyObject* const function = qualified != nullptr ? qualified : attribute(code, "co_name");
    const long number = line == nullptr || is_none(line) ? 0 : PyLong_AsLong(line);
    const sight::FrameRecord record = {.thread = thread,
                                       .position = position,
                                       .line = number > 0 ? static_cast<std::uint32_t>(number) : 0};
    snapshot_stream.record(sight::RecordKind::frame, record, text_of(function),
                           text_of(attribute(code, "co_filename")));
    write_locals(frame, thread, threads.frames++);
    frame = attribute(frame, "f_back");
  }
}

}  // namespace

void find_program_name(char (&name)[64]) noexcept {
  name[0] = '\0';
  PyObject* const words = PySys_GetObject("argv");
  PyObject* const first = words == nullptr ? nullptr : PyList_GetItem(words, 0);
  const char* const path = text_of(first);
  const char* const slash = std::strrchr(path, '/');
  const char* stem = slash == nullptr ? path : slash + 1;
  if (std::strcmp(stem, "__main__.py") == 0 && slash != nullptr) {
    stem = slash;  // the folder's name
    while (stem != path && stem[-1] != '/') {
      --stem;
    }
  }
  std::size_t length = 0;
  for (; stem[length] != '\0' && stem[length] != '/' && length < sizeof(name) - 1; ++length) {
    const char letter = stem[length];
    const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' ||
                          letter == '-';
    name[length] = is_plain ? letter : '_';
  }
  if (length > 3 && std::memcmp(name + length - 3, ".py", 3) == 0) {
    length -= 3;
  }
  name[length] = '\0';
  if (name[0] == '-' || name[0] == '.') {  // "-c"
    name[0] = '\0';
  }
  PyErr_Clear();
}

void write_types(SnapshotTypes& types) noexcept {
  for (std::uint32_t id = 0; id < types.count(); ++id) {
    const TypeView& type = types[id];
    const bool is_heap_type = type.is(TypeView::heap_type);
    const sight::TypeRecord record = {.address = reinterpret_cast<std::uint64_t>(&type),
                                      .basicsize = type.basicsize,
                                      .itemsize = type.itemsize,
                                      .id = id,
                                      .is_heap_type = is_heap_type ? 1U : 0U};
    // "collections.deque" of a type that C code made; else the name, and the module in the type's dict.
    static char module[longest_name];
    static char name[longest_name];
    module[0] = name[0] = '\0';
    guarded([&] {
      const char* const whole = type.name;
      const std::size_t length = ::strnlen(whole, longest_name - 1);
      const char* dot = nullptr;
      if (is_heap_type) {
        const char* const in_dict =
            type.dict == nullptr ? ""
                                 : text_of(item(static_cast<PyObject*>(type.dict), "__module__"));
        copy_name(module, in_dict, std::strlen(in_dict));
        const std::size_t of_module = std::strlen(module);
        if (of_module != 0 && std::strncmp(whole, module, of_module) == 0 &&
            whole[of_module] == '.') {
          dot = whole + of_module;
        }
      } else {
        for (std::size_t i = length; i != 0 && dot == nullptr; --i) {
          dot = whole[i - 1] == '.' ? whole + i - 1 : nullptr;
        }
        if (dot == nullptr) {
          copy_name(module, "builtins", 8);
        } else {
          copy_name(module, whole, static_cast<std::size_t>(dot - whole));
        }
      }
      const char* const last = dot == nullptr ? whole : dot + 1;
      copy_name(name, last, ::strnlen(last, longest_name - 1));
    });
    snapshot_stream.record(sight::RecordKind::type, record, name, module);
  }
}

void write_modules(const ReadableMemory& memory, SnapshotTypes& types) noexcept {
  PyObject* const modules = PyImport_GetModuleDict();
  if (modules == nullptr) {
    PyErr_Clear();
    return;
  }
  // What the program itself wrote comes first.
  for (const bool is_main : {true, false}) {
    std::ptrdiff_t position = 0;
    PyObject* key = nullptr;
    PyObject* value = nullptr;
    while (PyDict_Next(modules, &position, &key, &value) != 0) {
      const char* const name = text_of(key);
      if ((std::strcmp(name, "__main__") == 0) != is_main) {
        continue;
      }
      PyObject* const dict = is_of_type(value, &PyModule_Type) ? PyModule_GetDict(value) : nullptr;
      if (dict != nullptr) {
        write_globals(name, dict);
        root(sight::RootKind::module, dict, name);
      }
      root(sight::RootKind::module, value, name);
    }
  }
  root(sight::RootKind::interpreter, modules, "sys.modules");
  // Of static types: what they hold is held by nobody else. Since 3.12 their dicts lie elsewhere.
  for (std::uint32_t id = 0; id < types.count(); ++id) {
    if (types[id].is(TypeView::heap_type)) {
      continue;
    }
    auto* const type = reinterpret_cast<PyObject*>(const_cast<TypeView*>(&types[id]));
    if (&PyType_GetDict != nullptr && types[id].dict == nullptr) {
      snapshot_stream.begin_references(address_of(type));
      guarded([&] {
        if (PyObject* const dict = PyType_GetDict(type)) {
          snapshot_stream.reference(address_of(dict));
        }
      });
      snapshot_stream.end_references();
    }
    root(sight::RootKind::type, type, memory.holds(address_of(type), 32) ? types[id].name : "");
  }
}

bool write_threads() noexcept {
  Threads threads;
  PyObject* const modules = PyImport_GetModuleDict();
  if (PyObject* const threading = item(modules, "threading")) {
    threads.names = attribute(threading, "_active");
  }
  PyObject* const function = PySys_GetObject("_current_frames");
  PyObject* const frames = function == nullptr ? nullptr : PyObject_CallObject(function, nullptr);
  if (frames == nullptr) {
    PyErr_Clear();
    return false;
  }
  std::ptrdiff_t position = 0;
  PyObject* id = nullptr;
  PyObject* frame = nullptr;
  while (PyDict_Next(frames, &position, &id, &frame) != 0) {
    const std::uint64_t thread = PyLong_AsUnsignedLong(id);
    const sight::ThreadRecord record = {thread};
    snapshot_stream.record(sight::RecordKind::thread, record, name_of_thread(threads, id));
    write_frames(frame, thread, threads);
  }
  PyErr_Clear();
  return true;
}

}  // namespace tarn::python

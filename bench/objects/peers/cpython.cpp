// CPython's objects through its C API, in an embedded interpreter: a type of its own for each node, written as the
// manual of extension types has it. Types are static ones, whose instances needn't count references to them.
//
// The variant `off` is CPython with the automatic collection switched off; collections that a case asks for happen.

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../program.h"

namespace tarn::bench::objects {

void check(bool went_well) {
  if (!went_well) {
    PyErr_Print();
    std::exit(1);
  }
}

template <typename T>
class PyRef {
 public:
  PyRef() = default;
  PyRef(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std::shared_ptr's
  PyRef(const PyRef& other) : object_(other.object_) { Py_XINCREF(object_); }
  PyRef(PyRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  PyRef& operator=(PyRef other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~PyRef() { Py_XDECREF(object_); }

  static PyRef adopt(T* object) {
    PyRef reference;
    reference.object_ = object;
    return reference;
  }
  static PyRef share(T* object) {
    Py_XINCREF(object);
    return adopt(object);
  }
  T* release() { return std::exchange(object_, nullptr); }

  [[nodiscard]] T* get() const { return object_; }
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

// The type object of T, made of T::members.
template <typename T>
struct TypeOf {
  static PyTypeObject type;

  static int traverse(PyObject* self, visitproc visit, void* arg) {
    int result = 0;
    each_member(*static_cast<T*>(self), [&](const auto& field) {
      if (result == 0 && field) {
        result = visit(field.get(), arg);
      }
    });
    return result;
  }

  static int clear(PyObject* self) {
    each_member(*static_cast<T*>(self), [](auto& field) { field = nullptr; });
    return 0;
  }

  // With the trashcan where a chain may be long, as the manual asks of containers.
  static void deallocate(PyObject* self) {
    PyObject_GC_UnTrack(self);
    if constexpr (requires(T node) { node.next; }) {
      Py_TRASHCAN_BEGIN(self, deallocate) destroy(self);
      Py_TRASHCAN_END
    } else {
      destroy(self);
    }
  }

 private:
  static void destroy(PyObject* self) {
    static_cast<T*>(self)->~T();
    PyObject_GC_Del(self);
  }
};

// The constructor must not leave the header undefined: the compiler may then drop what CPython has put there.
template <typename T>
struct PyNode : PyObject {
  PyNode() : PyObject{_PyObject_EXTRA_INIT 1, &TypeOf<T>::type} {}
};

template <typename T>
PyTypeObject TypeOf<T>::type = [] {
  PyTypeObject filled{};
  Py_SET_REFCNT(&filled, 1);
  filled.tp_name = "bench.Node";
  filled.tp_basicsize = sizeof(T);
  filled.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
  filled.tp_traverse = &traverse;
  filled.tp_clear = &clear;
  filled.tp_dealloc = &deallocate;
  filled.tp_free = &PyObject_GC_Del;
  return filled;
}();

// A list.
template <typename T>
class ListArray {
 public:
  explicit ListArray(std::size_t count) : list_(PyList_New(static_cast<Py_ssize_t>(count))) {
    check(list_ != nullptr);
  }
  ListArray(const ListArray&) = delete;
  ListArray& operator=(const ListArray&) = delete;
  ~ListArray() { clear(); }

  void set(std::size_t index, PyRef<T> owner) {
    PyList_SET_ITEM(list_, static_cast<Py_ssize_t>(index), owner.release());
  }
  [[nodiscard]] PyRef<T> copy(std::size_t index) const { return PyRef<T>::share(at(index)); }
  [[nodiscard]] T* borrow(std::size_t index) const { return at(index); }
  [[nodiscard]] T* at(std::size_t index) const {
    return static_cast<T*>(PyList_GET_ITEM(list_, static_cast<Py_ssize_t>(index)));
  }
  void clear() { Py_CLEAR(list_); }

 private:
  PyObject* list_;
};

struct PyJson {
  using Value = PyRef<PyObject>;

  static Value null() { return Value::share(Py_None); }
  static Value boolean(bool value) { return Value::share(value ? Py_True : Py_False); }
  static Value number(double value) { return made(PyFloat_FromDouble(value)); }
  static Value string(std::string_view text) {
    return made(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
  }
  static Value array() { return made(PyList_New(0)); }
  static Value object() { return made(PyDict_New()); }

  static void append(const Value& array, const Value& value) {
    check(PyList_Append(array.get(), value.get()) == 0);
  }
  static void put(const Value& object, const char* key, const Value& value) {
    check(PyDict_SetItem(object.get(), interned(key), value.get()) == 0);
  }

  static double sum(const Value& value) { return sum_of(value.get()); }

 private:
  static Value made(PyObject* object) {
    check(object != nullptr);
    return Value::adopt(object);
  }

  // As extensions keep their attributes' names: made once, known by the address of the literal.
  static PyObject* interned(const char* key) {
    static std::vector<std::pair<const char*, PyObject*>> known;
    for (const auto& [literal, text] : known) {
      if (literal == key) {
        return text;
      }
    }
    known.emplace_back(key, PyUnicode_InternFromString(key));
    return known.back().second;
  }

  static double sum_of(PyObject* value) {
    double sum = 0;
    if (PyBool_Check(value)) {
      sum = value == Py_True ? 1 : 0;
    } else if (PyFloat_Check(value)) {
      sum = PyFloat_AS_DOUBLE(value);
    } else if (PyUnicode_Check(value)) {
      sum = static_cast<double>(PyUnicode_GET_LENGTH(value));
    } else if (PyList_Check(value)) {
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value); ++i) {
        sum += sum_of(PyList_GET_ITEM(value, i));
      }
    } else if (PyDict_Check(value)) {
      PyObject* key = nullptr;
      PyObject* one = nullptr;
      for (Py_ssize_t place = 0; PyDict_Next(value, &place, &key, &one) != 0;) {
        sum += sum_of(one);
      }
    }
    return sum;
  }
};

struct CPython {
  template <typename T>
  using Base = PyNode<T>;
  template <typename T>
  using Owner = PyRef<T>;
  template <typename T>
  using Field = PyRef<T>;
  template <typename T>
  using Back = PyRef<T>;
  template <typename T>
  using Borrowed = T*;
  template <typename T>
  using Array = ListArray<T>;
  using Doubles = std::vector<double>;
  using Json = PyJson;

  static constexpr bool collects = true;
  static constexpr bool frees_at_once = true;

  static bool start(std::string_view variant) {
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    check(PyStatus_Exception(Py_InitializeFromConfig(&config)) == 0);
    PyConfig_Clear(&config);
    if (variant == "off") {
      PyGC_Disable();
    }
    check(PyType_Ready(&TypeOf<Tree<CPython>>::type) == 0 &&
          PyType_Ready(&TypeOf<BenchNode<CPython>>::type) == 0 &&
          PyType_Ready(&TypeOf<Vertex<CPython>>::type) == 0 &&
          PyType_Ready(&TypeOf<Link<CPython>>::type) == 0);
    module_gc() = PyImport_ImportModule("gc");
    check(module_gc() != nullptr);
    return variant.empty() || variant == "off";
  }

  // gc.collect(): PyGC_Collect does nothing while the collector is switched off.
  static void collect() {
    PyObject* const found = PyObject_CallMethod(module_gc(), "collect", nullptr);
    check(found != nullptr);
    Py_DECREF(found);
  }

  template <typename T, typename... Arguments>
  static PyRef<T> make(Arguments&&... arguments) {
    T* const block = PyObject_GC_New(T, &TypeOf<T>::type);
    check(block != nullptr);
    T* const node = new (block) T(std::forward<Arguments>(arguments)...);
    PyObject_GC_Track(node);
    return PyRef<T>::adopt(node);
  }
  template <typename T>
  static T* get(const PyRef<T>& reference) {
    return reference.get();
  }
  template <typename T>
  static T* get(T* reference) {
    return reference;
  }
  template <typename T>
  static void set_back(T& node, const PyRef<T>& target) {
    node.previous = target;
  }

 private:
  static PyObject*& module_gc() {
    static PyObject* module = nullptr;
    return module;
  }
};

}  // namespace tarn::bench::objects

int main(int count, char** words) {
  return tarn::bench::objects::run_program<tarn::bench::objects::CPython>(count, words);
}

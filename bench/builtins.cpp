// Python's built-in types, Tarn's beside CPython's own by its C API, in one process. Both are asked from C++: what an
// interpreter would add is in neither.
//
//   bench-builtins [--benchmark_filter=list]

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <tarn/builtins.h>
#include <tarn/gc.h>

namespace {

using benchmark::State;

struct Tarn {
  tarn::ObjectHeap heap;
  tarn::Builtins all{heap};
  tarn::Collector collector{heap};
};
Tarn& tarn_side() {
  static auto* const side = new Tarn;
  return *side;
}

PyObject* check(PyObject* object) {
  if (object == nullptr) {
    PyErr_Print();
    std::exit(1);
  }
  return object;
}

std::string name_of(std::int64_t i) { return "attribute_" + std::to_string(i); }

void tarn_add_ints(State& state) {
  Tarn& t = tarn_side();
  for (auto _ : state) {
    tarn::Ref<tarn::Object> sum = t.all.integer(0);
    for (int i = 0; i < 1000; ++i) {
      sum = tarn::add(*sum, *t.all.integer(i * 1000));
    }
    benchmark::DoNotOptimize(sum.get());
  }
}
void cpython_add_ints(State& state) {
  for (auto _ : state) {
    PyObject* sum = PyLong_FromLong(0);
    for (int i = 0; i < 1000; ++i) {
      PyObject* const term = PyLong_FromLong(i * 1000);
      PyObject* const next = PyNumber_Add(sum, term);
      Py_DECREF(term);
      Py_DECREF(sum);
      sum = next;
    }
    benchmark::DoNotOptimize(sum);
    Py_DECREF(sum);
  }
}

void tarn_multiply_large(State& state) {
  Tarn& t = tarn_side();
  const auto left = tarn::power(*t.all.integer(3), *t.all.integer(state.range(0)));
  const auto right = tarn::power(*t.all.integer(7), *t.all.integer(state.range(0) / 2));
  for (auto _ : state) {
    benchmark::DoNotOptimize(tarn::multiply(*left, *right).get());
  }
}
void cpython_multiply_large(State& state) {
  const auto power = [](long base, long exponent) {
    return check(PyNumber_Power(PyLong_FromLong(base), PyLong_FromLong(exponent), Py_None));
  };
  PyObject* const left = power(3, state.range(0));
  PyObject* const right = power(7, state.range(0) / 2);
  for (auto _ : state) {
    PyObject* const product = PyNumber_Multiply(left, right);
    benchmark::DoNotOptimize(product);
    Py_DECREF(product);
  }
}

void tarn_list_append(State& state) {
  Tarn& t = tarn_side();
  for (auto _ : state) {
    const auto list = t.all.list();
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      list->append(t.all.none());
    }
    benchmark::DoNotOptimize(list.get());
  }
}
void cpython_list_append(State& state) {
  for (auto _ : state) {
    PyObject* const list = PyList_New(0);
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      PyList_Append(list, Py_None);
    }
    benchmark::DoNotOptimize(list);
    Py_DECREF(list);
  }
}

void tarn_sort(State& state) {
  Tarn& t = tarn_side();
  for (auto _ : state) {
    const auto list = t.all.list();
    for (std::int64_t i = 0; i < 1000; ++i) {
      list->append(t.all.integer(i * 7919 % 10'007));
    }
    list->sort();
    benchmark::DoNotOptimize(list.get());
  }
}
void cpython_sort(State& state) {
  for (auto _ : state) {
    PyObject* const list = PyList_New(0);
    for (long i = 0; i < 1000; ++i) {
      PyObject* const number = PyLong_FromLong(i * 7919 % 10'007);
      PyList_Append(list, number);
      Py_DECREF(number);
    }
    PyList_Sort(list);
    Py_DECREF(list);
  }
}

void tarn_dict_of_ints(State& state) {
  Tarn& t = tarn_side();
  for (auto _ : state) {
    const auto dict = t.all.dict();
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      dict->set(t.all.integer(i * 1000), t.all.none());
    }
    benchmark::DoNotOptimize(dict.get());
  }
}
void cpython_dict_of_ints(State& state) {
  for (auto _ : state) {
    PyObject* const dict = PyDict_New();
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      PyObject* const key = PyLong_FromLong(i * 1000);
      PyDict_SetItem(dict, key, Py_None);
      Py_DECREF(key);
    }
    benchmark::DoNotOptimize(dict);
    Py_DECREF(dict);
  }
}

// Of names that are there: what attributes are.
void tarn_dict_of_names(State& state) {
  Tarn& t = tarn_side();
  std::vector<tarn::Ref<tarn::Str>> names;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    names.push_back(t.all.intern(name_of(i)));
  }
  for (auto _ : state) {
    const auto dict = t.all.dict();
    for (const auto& name : names) {
      dict->set(name, t.all.none());
    }
    for (const auto& name : names) {
      benchmark::DoNotOptimize(dict->get(*name).get());
    }
  }
}
void cpython_dict_of_names(State& state) {
  std::vector<PyObject*> names;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    names.push_back(PyUnicode_InternFromString(name_of(i).c_str()));
  }
  for (auto _ : state) {
    PyObject* const dict = PyDict_New();
    for (PyObject* const name : names) {
      PyDict_SetItem(dict, name, Py_None);
    }
    for (PyObject* const name : names) {
      benchmark::DoNotOptimize(PyDict_GetItemWithError(dict, name));
    }
    Py_DECREF(dict);
  }
}

std::vector<std::string> attribute_names(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) {
    names.push_back(name_of(i));
  }
  return names;
}

// An instance of a class, its attributes set one after the other. Of `count` of them.
class TarnInstances {
 public:
  explicit TarnInstances(std::int64_t count) {
    for (const std::string& name : attribute_names(count)) {
      names.push_back(side.all.intern(name));
    }
  }
  tarn::Ref<tarn::Instance> make() {
    tarn::Ref<tarn::Instance> made = side.all.instance(type);
    for (const auto& name : names) {
      made->set_attribute(*name, side.all.none());
    }
    return made;
  }
  // What one takes, in bytes.
  double bytes() {
    std::vector<tarn::Ref<tarn::Instance>> kept;
    kept.push_back(make());
    const std::size_t before = side.heap.statistics().bytes;
    for (int i = 0; i < 10'000; ++i) {
      kept.push_back(make());
    }
    return static_cast<double>(side.heap.statistics().bytes - before) / 10'000;
  }

  Tarn& side = tarn_side();
  tarn::Type& type = side.all.define_class("Instance");
  std::vector<tarn::Ref<tarn::Str>> names;
};

class CPythonInstances {
 public:
  explicit CPythonInstances(std::int64_t count) {
    for (const std::string& name : attribute_names(count)) {
      names.push_back(check(PyUnicode_InternFromString(name.c_str())));
    }
    type = check(
        PyObject_CallFunction(reinterpret_cast<PyObject*>(&PyType_Type), "s(){}", "Instance"));
    for (int i = 0; i < 100; ++i) {  // CPython learns how many attributes they have
      Py_DECREF(make());
    }
  }
  PyObject* make() const {
    PyObject* const made = check(PyObject_CallNoArgs(type));
    for (PyObject* const name : names) {
      PyObject_SetAttr(made, name, Py_None);
    }
    return made;
  }
  double bytes() const {
    PyObject* const tracemalloc = check(PyImport_ImportModule("tracemalloc"));
    const auto traced = [tracemalloc] {
      PyObject* const pair = check(PyObject_CallMethod(tracemalloc, "get_traced_memory", nullptr));
      const double bytes = PyFloat_AsDouble(PyTuple_GetItem(pair, 0));
      Py_DECREF(pair);
      return bytes;
    };
    Py_XDECREF(check(PyObject_CallMethod(tracemalloc, "start", nullptr)));
    std::vector<PyObject*> kept;
    const double before = traced();
    for (int i = 0; i < 10'000; ++i) {
      kept.push_back(make());
    }
    const double bytes = (traced() - before) / 10'000;
    Py_XDECREF(check(PyObject_CallMethod(tracemalloc, "stop", nullptr)));
    for (PyObject* const instance : kept) {
      Py_DECREF(instance);
    }
    Py_DECREF(tracemalloc);
    return bytes;
  }

  PyObject* type;
  std::vector<PyObject*> names;
};

void tarn_instance(State& state) {
  TarnInstances instances(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(instances.make().get());
  }
  state.counters["bytes"] = instances.bytes();
}
void cpython_instance(State& state) {
  const CPythonInstances instances(state.range(0));
  for (auto _ : state) {
    PyObject* const made = instances.make();
    benchmark::DoNotOptimize(made);
    Py_DECREF(made);
  }
  state.counters["bytes"] = instances.bytes();
}

// Each attribute of an instance once.
void tarn_get_attributes(State& state) {
  TarnInstances instances(state.range(0));
  const auto instance = instances.make();
  for (auto _ : state) {
    for (const auto& name : instances.names) {
      benchmark::DoNotOptimize(instance->find_attribute(*name).get());
    }
  }
}
void cpython_get_attributes(State& state) {
  const CPythonInstances instances(state.range(0));
  PyObject* const instance = instances.make();
  for (auto _ : state) {
    for (PyObject* const name : instances.names) {
      PyObject* const value = PyObject_GetAttr(instance, name);
      benchmark::DoNotOptimize(value);
      Py_DECREF(value);
    }
  }
  Py_DECREF(instance);
}

void tarn_set_attributes(State& state) {
  TarnInstances instances(state.range(0));
  const auto instance = instances.make();
  for (auto _ : state) {
    for (const auto& name : instances.names) {
      instance->set_attribute(*name, instances.side.all.none());
    }
  }
}
void cpython_set_attributes(State& state) {
  const CPythonInstances instances(state.range(0));
  PyObject* const instance = instances.make();
  for (auto _ : state) {
    for (PyObject* const name : instances.names) {
      PyObject_SetAttr(instance, name, Py_None);
    }
  }
  Py_DECREF(instance);
}

void tarn_tuple_hash(State& state) {
  Tarn& t = tarn_side();
  const tarn::Ref<tarn::Object> one = t.all.integer(12345);
  const tarn::Ref<tarn::Object> two = t.all.string("text");
  for (auto _ : state) {
    benchmark::DoNotOptimize(tarn::hash(*t.all.tuple({one, two, one})));
  }
}
void cpython_tuple_hash(State& state) {
  PyObject* const one = PyLong_FromLong(12345);
  PyObject* const two = PyUnicode_FromString("text");
  for (auto _ : state) {
    PyObject* const tuple = PyTuple_Pack(3, one, two, one);
    benchmark::DoNotOptimize(PyObject_Hash(tuple));
    Py_DECREF(tuple);
  }
}

void tarn_str_join(State& state) {
  Tarn& t = tarn_side();
  const auto left = t.all.string("the left part of a text");
  const auto right = t.all.string("and the right one");
  for (auto _ : state) {
    benchmark::DoNotOptimize(tarn::hash(*left->join(*right)));
  }
}
void cpython_str_join(State& state) {
  PyObject* const left = PyUnicode_FromString("the left part of a text");
  PyObject* const right = PyUnicode_FromString("and the right one");
  for (auto _ : state) {
    PyObject* const joined = PyUnicode_Concat(left, right);
    benchmark::DoNotOptimize(PyObject_Hash(joined));
    Py_DECREF(joined);
  }
}

void tarn_repr(State& state) {
  Tarn& t = tarn_side();
  const auto list = t.all.list();
  for (int i = 0; i < 100; ++i) {
    list->append(t.all.tuple({t.all.floating(i / 7.0), t.all.integer(i), t.all.string("text")}));
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(t.all.string(tarn::repr(*list)).get());
  }
}
void cpython_repr(State& state) {
  PyObject* const list = PyList_New(0);
  for (int i = 0; i < 100; ++i) {
    PyList_Append(list, check(Py_BuildValue("(dis)", i / 7.0, i, "text")));
  }
  for (auto _ : state) {
    PyObject* const shown = PyObject_Repr(list);
    benchmark::DoNotOptimize(shown);
    Py_DECREF(shown);
  }
}

#define BENCH_BOTH(name)  \
  BENCHMARK(tarn_##name); \
  BENCHMARK(cpython_##name)
BENCH_BOTH(add_ints);
BENCHMARK(tarn_multiply_large)->Arg(100)->Arg(2000)->Arg(50'000);
BENCHMARK(cpython_multiply_large)->Arg(100)->Arg(2000)->Arg(50'000);
BENCHMARK(tarn_list_append)->Arg(4)->Arg(1000)->Arg(1'000'000);
BENCHMARK(cpython_list_append)->Arg(4)->Arg(1000)->Arg(1'000'000);
BENCH_BOTH(sort);
BENCHMARK(tarn_dict_of_ints)->Arg(1000)->Arg(100'000);
BENCHMARK(cpython_dict_of_ints)->Arg(1000)->Arg(100'000);
BENCHMARK(tarn_dict_of_names)->Arg(4)->Arg(20)->Arg(1000);
BENCHMARK(cpython_dict_of_names)->Arg(4)->Arg(20)->Arg(1000);
BENCHMARK(tarn_instance)->Arg(0)->Arg(4)->Arg(8)->Arg(20);
BENCHMARK(cpython_instance)->Arg(0)->Arg(4)->Arg(8)->Arg(20);
BENCHMARK(tarn_get_attributes)->Arg(4)->Arg(20);
BENCHMARK(cpython_get_attributes)->Arg(4)->Arg(20);
BENCHMARK(tarn_set_attributes)->Arg(4)->Arg(20);
BENCHMARK(cpython_set_attributes)->Arg(4)->Arg(20);
BENCH_BOTH(tuple_hash);
BENCH_BOTH(str_join);
BENCH_BOTH(repr);

}  // namespace

int main(int argc, char** argv) {
  Py_InitializeEx(0);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

// The part of CPython's public C API that the hook calls, declared here so that one library serves all
// versions. Every function is weak: in a process that isn't Python it's null, and the hook does nothing.
// The structures have been the same from 3.8 to 3.14 in builds with a GIL.
#pragma once

#include <cstddef>

extern "C" {

struct PyObject;
struct PyInterpreterState;
struct PyThreadState;

enum PyMemAllocatorDomain { PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ };

struct PyMemAllocatorEx {
  void* ctx;
  void* (*malloc)(void* ctx, std::size_t size);
  void* (*calloc)(void* ctx, std::size_t count, std::size_t size);
  void* (*realloc)(void* ctx, void* block, std::size_t size);
  void (*free)(void* ctx, void* block);
};

struct PyObjectArenaAllocator {
  void* ctx;
  void* (*alloc)(void* ctx, std::size_t size);
  void (*free)(void* ctx, void* block, std::size_t size);
};

using PyCFunction = PyObject* (*)(PyObject* self, PyObject* arguments);

struct PyMethodDef {
  const char* ml_name;
  PyCFunction ml_meth;
  int ml_flags;
  const char* ml_doc;
};
inline constexpr int METH_VARARGS = 0x0001;
inline constexpr int METH_NOARGS = 0x0004;

struct PyCFunctionObject {
  std::size_t ob_refcnt;
  void* ob_type;
  PyMethodDef* m_ml;
};

using Py_AuditHookFunction = int (*)(const char* event, PyObject* arguments, void* data);

#define TARN_FROM_CPYTHON [[gnu::weak]] extern

TARN_FROM_CPYTHON const char* Py_GetVersion();
TARN_FROM_CPYTHON int Py_IsInitialized();
TARN_FROM_CPYTHON void PyMem_GetAllocator(PyMemAllocatorDomain, PyMemAllocatorEx*);
TARN_FROM_CPYTHON void PyMem_SetAllocator(PyMemAllocatorDomain, PyMemAllocatorEx*);
TARN_FROM_CPYTHON void PyMem_SetupDebugHooks();
TARN_FROM_CPYTHON void PyObject_GetArenaAllocator(PyObjectArenaAllocator*);
TARN_FROM_CPYTHON void PyObject_SetArenaAllocator(PyObjectArenaAllocator*);

// All below need the GIL, but for Py_AddPendingCall.
TARN_FROM_CPYTHON int Py_AddPendingCall(int (*function)(void*), void* data);
TARN_FROM_CPYTHON int PyGILState_Check();
TARN_FROM_CPYTHON PyThreadState* PyGILState_GetThisThreadState();
TARN_FROM_CPYTHON PyThreadState* _PyThreadState_UncheckedGet();  // up to 3.13, perhaps later
TARN_FROM_CPYTHON PyThreadState* PyThreadState_GetUnchecked();   // 3.13
TARN_FROM_CPYTHON PyObject* PyTuple_GetItem(PyObject*, std::ptrdiff_t index);  // borrowed
TARN_FROM_CPYTHON int PyUnicode_CompareWithASCIIString(PyObject*, const char*);
TARN_FROM_CPYTHON const char* PyUnicode_AsUTF8(PyObject*);  // the object's; null: it's no str
TARN_FROM_CPYTHON int PyGILState_Ensure();                  // may be called without the GIL
TARN_FROM_CPYTHON void PyGILState_Release(int);
TARN_FROM_CPYTHON PyThreadState* PyEval_SaveThread();
TARN_FROM_CPYTHON void PyEval_RestoreThread(PyThreadState*);  // may be called without the GIL
TARN_FROM_CPYTHON int PySys_AddAuditHook(Py_AuditHookFunction, void* data);
TARN_FROM_CPYTHON int PySys_Audit(const char* event, const char* format, ...);
TARN_FROM_CPYTHON PyInterpreterState* PyInterpreterState_Get();  // 3.9
TARN_FROM_CPYTHON PyInterpreterState* PyInterpreterState_Main();
TARN_FROM_CPYTHON PyObject* PySys_GetObject(const char* name);  // borrowed
TARN_FROM_CPYTHON PyCFunction PyCFunction_GetFunction(PyObject*);
TARN_FROM_CPYTHON PyObject* PyCFunction_NewEx(PyMethodDef*, PyObject* self, PyObject* module);
TARN_FROM_CPYTHON PyObject* PyLong_FromSize_t(std::size_t);
TARN_FROM_CPYTHON long PyLong_AsLong(PyObject*);
TARN_FROM_CPYTHON PyObject* PyImport_ImportModule(const char*);
TARN_FROM_CPYTHON PyObject* PyObject_CallMethod(PyObject*, const char*, const char*, ...);
TARN_FROM_CPYTHON PyObject* PyObject_GetAttrString(PyObject*, const char*);
TARN_FROM_CPYTHON PyObject* PyObject_Call(PyObject*, PyObject* arguments, PyObject* names);
TARN_FROM_CPYTHON PyObject* PyTuple_New(std::ptrdiff_t);
TARN_FROM_CPYTHON PyObject* PyDict_New();
TARN_FROM_CPYTHON PyObject* PyDict_GetItemString(PyObject*, const char*);  // borrowed
TARN_FROM_CPYTHON int PyObject_IsTrue(PyObject*);
TARN_FROM_CPYTHON int PyList_Append(PyObject*, PyObject*);
TARN_FROM_CPYTHON int PySequence_Contains(PyObject*, PyObject*);
TARN_FROM_CPYTHON int PyDict_SetItemString(PyObject*, const char*, PyObject*);
TARN_FROM_CPYTHON void PyErr_Clear();
TARN_FROM_CPYTHON void _Py_PyAtExit(void (*function)(PyObject* module), PyObject* module);  // 3.8
TARN_FROM_CPYTHON void Py_IncRef(PyObject*);
TARN_FROM_CPYTHON void Py_DecRef(PyObject*);
TARN_FROM_CPYTHON void _Py_Dealloc(PyObject*);  // in all versions
// Without allocating, and only up to 3.10 with a frame object. A line below zero: there is none.
TARN_FROM_CPYTHON int PyCode_Addr2Line(void* code, int offset);
TARN_FROM_CPYTHON int PyFrame_GetLineNumber(void* frame);
TARN_FROM_CPYTHON PyObject _Py_NoneStruct;
TARN_FROM_CPYTHON PyObject PyType_Type;
TARN_FROM_CPYTHON PyObject PyModule_Type;
TARN_FROM_CPYTHON int PyType_IsSubtype(PyObject*, PyObject*);
TARN_FROM_CPYTHON PyObject* PyType_GetDict(PyObject*);    // 3.12
TARN_FROM_CPYTHON PyObject* PyImport_GetModuleDict();     // borrowed
TARN_FROM_CPYTHON PyObject* PyModule_GetDict(PyObject*);  // borrowed
TARN_FROM_CPYTHON int PyDict_Next(PyObject*, std::ptrdiff_t* position, PyObject** key,
                                  PyObject** value);  // borrowed
TARN_FROM_CPYTHON int PyDict_Update(PyObject*, PyObject* mapping);
TARN_FROM_CPYTHON PyObject* PyObject_CallObject(PyObject*, PyObject* arguments);
TARN_FROM_CPYTHON PyObject* PyList_GetItem(PyObject*, std::ptrdiff_t index);  // borrowed
TARN_FROM_CPYTHON unsigned long PyLong_AsUnsignedLong(PyObject*);
TARN_FROM_CPYTHON char PyCode_Type[];
TARN_FROM_CPYTHON PyObject PyBool_Type;
TARN_FROM_CPYTHON PyObject PyBytes_Type;
TARN_FROM_CPYTHON PyObject PyFloat_Type;
TARN_FROM_CPYTHON PyObject PyLong_Type;
TARN_FROM_CPYTHON PyObject PyUnicode_Type;
TARN_FROM_CPYTHON PyObject _Py_TrueStruct;
// Without allocating, of their exact types.
TARN_FROM_CPYTHON char* PyBytes_AsString(PyObject*);
TARN_FROM_CPYTHON std::ptrdiff_t PyBytes_Size(PyObject*);
TARN_FROM_CPYTHON std::ptrdiff_t PyUnicode_GetLength(PyObject*);
TARN_FROM_CPYTHON unsigned int PyUnicode_ReadChar(PyObject*, std::ptrdiff_t index);

// Of its content only the start is known, and only since 3.13: see interpreters.cpp.
TARN_FROM_CPYTHON char _PyRuntime[];

// Only debug builds (--with-pydebug, --with-trace-refs) have it.
TARN_FROM_CPYTHON void _Py_NegativeRefcount(const char* file, int line, PyObject*);

#undef TARN_FROM_CPYTHON

}  // extern "C"

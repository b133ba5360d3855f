#include "peers.h"

#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <tarn/heap.h>

#include "heap/instance.h"

namespace tarn::bench {

namespace {

// One shared library. Its own symbols come first for itself (RTLD_DEEPBIND) and none is seen by the
// rest of the process (RTLD_LOCAL), so four allocators that all define malloc live side by side.
class Library {
 public:
  Library(const char* file, const char* package)
      : handle_(dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)) {
    if (handle_ == nullptr) {
      std::fprintf(stderr, "bench: %s; install the package %s to compare with it\n", dlerror(),
                   package);
    }
  }

  [[nodiscard]] bool loaded() const { return handle_ != nullptr; }

  template <typename Function>
  void find(const char* name, Function*& function) const {
    function = reinterpret_cast<Function*>(dlsym(handle_, name));
    if (function == nullptr) {
      std::fprintf(stderr, "bench: no symbol %s: %s\n", name, dlerror());
      std::exit(1);
    }
  }

  // A symbol that stands for something else than the peer would be a comparison with itself.
  [[nodiscard]] static std::string file_of(const void* function) {
    Dl_info info;
    char path[PATH_MAX];
    if (dladdr(function, &info) == 0 || realpath(info.dli_fname, path) == nullptr) {
      return "unknown";
    }
    const char* const name = std::strrchr(path, '/');
    return name == nullptr ? path : name + 1;
  }

 private:
  void* handle_;
};

template <typename Function>
std::string file_of(Function* function) {
  return Library::file_of(reinterpret_cast<const void*>(function));
}

void add_tarn(std::vector<Peer>& peers) {
  // The face as the hook gives it to CPython: domain obj, the lock is the caller's.
  const heap::Instance* const instance = heap::create(HeapOptions());
  if (instance == nullptr) {
    std::fputs("bench: no address space for Tarn's heap\n", stderr);
    std::exit(1);
  }
  const heap::Face& face = instance->face(Domain::obj);
  peers.push_back({"tarn",
                   ContextCalls{face.domain, face.functions->allocate, face.functions->reallocate,
                                face.functions->free},
                   "face of the obj domain"});

  // The public class, one call further away.
  static Heap heap;
  peers.push_back(
      {"tarn::Heap",
       ContextCalls{&heap,
                    [](void* context, std::size_t size) {
                      return static_cast<Heap*>(context)->allocate(size);
                    },
                    [](void* context, void* block, std::size_t size) {
                      return static_cast<Heap*>(context)->reallocate(block, size);
                    },
                    [](void* context, void* block) { static_cast<Heap*>(context)->free(block); }},
       "public class"});
}

void add_pymalloc(std::vector<Peer>& peers) {
  // CPython's PyMemAllocatorEx, the same since 3.5.
  struct PythonAllocator {
    void* context;
    void* (*allocate)(void*, std::size_t);
    void* (*allocate_zeroed)(void*, std::size_t, std::size_t);
    void* (*reallocate)(void*, void*, std::size_t);
    void (*free)(void*, void*);
  };
  constexpr int domain_obj = 2;

  const Library python("libpython3.11.so.1.0", "libpython3.11");
  if (!python.loaded()) {
    return;
  }
  unsetenv("PYTHONMALLOC");
  unsetenv("PYTHONDEVMODE");
  void (*initialize)(int) = nullptr;
  void (*get_allocator)(int, PythonAllocator*) = nullptr;
  python.find("Py_InitializeEx", initialize);
  python.find("PyMem_GetAllocator", get_allocator);
  initialize(0);  // this thread holds the GIL from here to the end
  PythonAllocator allocator = {};
  get_allocator(domain_obj, &allocator);
  peers.push_back(
      {"pymalloc",
       ContextCalls{allocator.context, allocator.allocate, allocator.reallocate, allocator.free},
       file_of(allocator.allocate)});
}

void add_plain(std::vector<Peer>& peers, const char* name, const Library& library,
               const char* allocate, const char* reallocate, const char* free) {
  if (!library.loaded()) {
    return;
  }
  PlainCalls calls = {};
  library.find(allocate, calls.allocate_);
  library.find(reallocate, calls.reallocate_);
  library.find(free, calls.free_);
  peers.push_back({name, calls, file_of(calls.allocate_)});
}

void add_mimalloc_heap(std::vector<Peer>& peers, const Library& mimalloc) {
  if (!mimalloc.loaded()) {
    return;
  }
  SmallHeapCalls calls = {};
  void* (*default_heap)() = nullptr;
  mimalloc.find("mi_heap_get_default", default_heap);
  mimalloc.find("mi_heap_malloc_small", calls.allocate_);
  mimalloc.find("mi_heap_realloc", calls.reallocate_);
  mimalloc.find("mi_free", calls.free_);
  calls.heap = default_heap();
  peers.push_back({"mi heap", calls, file_of(calls.allocate_)});
}

}  // namespace

FixedCalls fixed_calls(boost::pool<>& pool) {
  return {&pool, [](boost::pool<>* from) { return from->malloc(); },
          [](boost::pool<>* to, void* block) { to->free(block); }};
}

std::vector<Peer> load_peers() {
  std::vector<Peer> peers;
  add_tarn(peers);
  add_pymalloc(peers);
  peers.push_back(
      {"glibc", PlainCalls{std::malloc, std::realloc, std::free}, file_of(std::malloc)});
  const Library mimalloc("libmimalloc.so.2", "libmimalloc2.0");
  add_plain(peers, "mimalloc", mimalloc, "mi_malloc", "mi_realloc", "mi_free");
  add_mimalloc_heap(peers, mimalloc);
  add_plain(peers, "jemalloc", Library("libjemalloc.so.2", "libjemalloc2"), "malloc", "realloc",
            "free");
  add_plain(peers, "tcmalloc", Library("libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
            "tc_malloc", "tc_realloc", "tc_free");
  static std::pmr::unsynchronized_pool_resource unsynchronized;
  static std::pmr::synchronized_pool_resource synchronized;
  peers.push_back(
      {"pmr", ResourceCalls{&unsynchronized}, "std::pmr::unsynchronized_pool_resource"});
  peers.push_back(
      {"pmr sync", ResourceCalls{&synchronized}, "std::pmr::synchronized_pool_resource"});
  peers.push_back({"boost", FixedPool{}, "boost::pool"});
  return peers;
}

void make_room_for_peers(char** arguments) {
  constexpr const char* variable = "GLIBC_TUNABLES";
  constexpr const char* setting = "glibc.rtld.optional_static_tls";
  const char* const before = std::getenv(variable);
  if (before != nullptr && std::strstr(before, setting) != nullptr) {
    return;
  }
  std::string tunables = before == nullptr ? "" : std::string(before) + ":";
  tunables += std::string(setting) + "=16384";
  setenv(variable, tunables.c_str(), 1);
  execv("/proc/self/exe", arguments);
  std::perror(
      "bench: can't start anew with more room for thread-local data; jemalloc may be missing");
}

}  // namespace tarn::bench

// Counts which sizes a Python program asks its object allocator for. Preloaded into CPython:
//
//   TARN_REQUEST_SIZES=FILE LD_PRELOAD=<build>/lib/request-sizes.so python3 program.py
//
// appends a line "requests <requests of each 16 bytes to 512> <more>" to FILE when the process ends.
// Requests are calls of malloc and calloc in the mem and obj domains; `size_mix.h` is made from them.
// Linked with nothing of Python: the two functions are weak, and in another process it does nothing.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

// CPython's PyMemAllocatorEx, PYMEM_DOMAIN_MEM and PYMEM_DOMAIN_OBJ: the same since 3.5.
struct PythonAllocator {
  void* context;
  void* (*allocate)(void*, std::size_t);
  void* (*allocate_zeroed)(void*, std::size_t, std::size_t);
  void* (*reallocate)(void*, void*, std::size_t);
  void (*free)(void*, void*);
};
constexpr std::array domains = {1, 2};

std::array<PythonAllocator, 2> originals;
std::array<std::uint64_t, 33> requests;  // the last: over 512 bytes

void count(std::size_t size) {
  const std::size_t szidx = size == 0 ? 0 : (size - 1) / 16;
  ++requests[szidx < 32 ? szidx : 32];
}

void* allocate(void* original, std::size_t size) {
  count(size);
  const auto& next = *static_cast<const PythonAllocator*>(original);
  return next.allocate(next.context, size);
}

void* allocate_zeroed(void* original, std::size_t many, std::size_t size) {
  count(many * size);
  const auto& next = *static_cast<const PythonAllocator*>(original);
  return next.allocate_zeroed(next.context, many, size);
}

void* reallocate(void* original, void* block, std::size_t size) {
  const auto& next = *static_cast<const PythonAllocator*>(original);
  return next.reallocate(next.context, block, size);
}

void release(void* original, void* block) {
  const auto& next = *static_cast<const PythonAllocator*>(original);
  next.free(next.context, block);
}

}  // namespace

extern "C" {
[[gnu::weak]] void PyMem_GetAllocator(int domain, PythonAllocator* allocator);
[[gnu::weak]] void PyMem_SetAllocator(int domain, PythonAllocator* allocator);
}

namespace {

[[gnu::constructor]] void start() {
  if (PyMem_GetAllocator == nullptr || PyMem_SetAllocator == nullptr) {
    return;
  }
  for (std::size_t i = 0; i < domains.size(); ++i) {
    PyMem_GetAllocator(domains[i], &originals[i]);
    PythonAllocator counting = {&originals[i], allocate, allocate_zeroed, reallocate, release};
    PyMem_SetAllocator(domains[i], &counting);
  }
}

[[gnu::destructor]] void finish() {
  const char* const path = std::getenv("TARN_REQUEST_SIZES");
  std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "a");
  if (file == nullptr || originals[0].allocate == nullptr) {
    return;
  }
  std::fputs("requests", file);
  for (const std::uint64_t number : requests) {
    std::fprintf(file, " %llu", static_cast<unsigned long long>(number));
  }
  std::fputc('\n', file);
  std::fclose(file);
}

}  // namespace

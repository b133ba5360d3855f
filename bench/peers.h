// The allocators that are compared. Each is called through pointers known only at run time, so that none
// is inlined and all pay the same one indirect call; each in the form in which it is quickest to call,
// so that none pays for an adapter.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <string>
#include <variant>
#include <vector>

#include <boost/pool/pool.hpp>

namespace tarn::bench {

// f(context, size): Tarn's and pymalloc's functions as CPython calls them.
struct ContextCalls {
  static constexpr bool can_reallocate = true;
  void* context;
  void* (*allocate_)(void* context, std::size_t size);
  void* (*reallocate_)(void* context, void* block, std::size_t size);
  void (*free_)(void* context, void* block);

  [[nodiscard]] void* allocate(std::size_t size) const { return allocate_(context, size); }
  [[nodiscard]] void* reallocate(void* block, std::size_t /*old_size*/, std::size_t size) const {
    return reallocate_(context, block, size);
  }
  void free(void* block, std::size_t /*size*/) const { free_(context, block); }
};

// f(size): malloc and its kin.
struct PlainCalls {
  static constexpr bool can_reallocate = true;
  void* (*allocate_)(std::size_t size);
  void* (*reallocate_)(void* block, std::size_t size);
  void (*free_)(void* block);

  [[nodiscard]] void* allocate(std::size_t size) const { return allocate_(size); }
  [[nodiscard]] void* reallocate(void* block, std::size_t /*old_size*/, std::size_t size) const {
    return reallocate_(block, size);
  }
  void free(void* block, std::size_t /*size*/) const { free_(block); }
};

// mimalloc's fast path for callers that hold a heap and ask for little: mi_heap_malloc_small and mi_free.
struct SmallHeapCalls {
  static constexpr bool can_reallocate = true;
  void* heap;
  void* (*allocate_)(void* heap, std::size_t size);
  void* (*reallocate_)(void* heap, void* block, std::size_t size);
  void (*free_)(void* block);

  [[nodiscard]] void* allocate(std::size_t size) const { return allocate_(heap, size); }
  [[nodiscard]] void* reallocate(void* block, std::size_t /*old_size*/, std::size_t size) const {
    return reallocate_(heap, block, size);
  }
  void free(void* block, std::size_t /*size*/) const { free_(block); }
};

// Virtual calls, with the size given back at the end.
struct ResourceCalls {
  static constexpr bool can_reallocate = false;
  std::pmr::memory_resource* resource;

  [[nodiscard]] void* allocate(std::size_t size) const { return resource->allocate(size, 16); }
  void free(void* block, std::size_t size) const { resource->deallocate(block, size, 16); }
};

// One size only. boost::pool is a template, and is compiled into the functions that are called.
struct FixedCalls {
  static constexpr bool can_reallocate = false;
  boost::pool<>* pool;
  void* (*allocate_)(boost::pool<>* pool);
  void (*free_)(boost::pool<>* pool, void* block);

  [[nodiscard]] void* allocate(std::size_t /*size*/) const { return allocate_(pool); }
  void free(void* block, std::size_t /*size*/) const { free_(pool, block); }
};

// Stands for FixedCalls over a pool of the size that the workload asks for.
struct FixedPool {};

struct Peer {
  std::string name;
  std::variant<ContextCalls, PlainCalls, SmallHeapCalls, ResourceCalls, FixedPool> calls;
  std::string version;  // or the file that it was loaded from
};

[[nodiscard]] FixedCalls fixed_calls(boost::pool<>& pool);

// All peers, Tarn first. A shared library that isn't there is reported on standard error and left out.
[[nodiscard]] std::vector<Peer> load_peers();

// jemalloc's thread-local data doesn't fit in what glibc leaves free for libraries loaded later. Starts
// this program anew with more of it, unless that has happened; must be called first in main.
void make_room_for_peers(char** arguments);

}  // namespace tarn::bench

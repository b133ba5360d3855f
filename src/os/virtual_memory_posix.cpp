#include <atomic>
#include <cerrno>
#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::os {

namespace {

// A hook into malloc must not change what the caller sees in errno.
class KeepErrno {
 public:
  KeepErrno() noexcept : value_(errno) {}
  ~KeepErrno() { errno = value_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  int value_;
};

void* map_pages(void* address, std::size_t size, int protection, int more_flags) noexcept {
  void* const mapped =
      ::mmap(address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);
  return mapped == MAP_FAILED ? nullptr : mapped;
}

// Maps more than asked for and cuts off both ends, since mmap aligns to pages only.
void* map_aligned(std::size_t size, std::size_t alignment, int protection,
                  int more_flags) noexcept {
  TARN_DEBUG_CHECK(size % page_size(), ==, 0U, "sizes are whole pages");
  if (void* const lucky = map_pages(nullptr, size, protection, more_flags); lucky == nullptr) {
    return nullptr;
  } else if (base::address_of(lucky) % alignment == 0) {
    return lucky;
  } else {
    ::munmap(lucky, size);
  }
  const std::size_t padded = size + alignment;
  if (padded < size) {
    return nullptr;
  }
  auto* const start = static_cast<std::byte*>(map_pages(nullptr, padded, protection, more_flags));
  if (start == nullptr) {
    return nullptr;
  }
  const std::size_t before =
      base::round_up(base::address_of(start), alignment) - base::address_of(start);
  if (before != 0) {
    ::munmap(start, before);
  }
  if (const std::size_t after = alignment - before; after != 0) {
    ::munmap(start + before + size, after);
  }
  return start + before;
}

}  // namespace

std::size_t page_size() noexcept {
  // Asked once; two threads that ask at the same time store the same answer.
  static constinit std::atomic<std::size_t> known{0};
  std::size_t size = known.load(std::memory_order_relaxed);
  if (size == 0) {
    size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    known.store(size, std::memory_order_relaxed);
  }
  return size;
}

void* reserve(std::size_t size, std::size_t alignment) noexcept {
  const KeepErrno keep;
  return map_aligned(size, alignment, PROT_NONE, MAP_NORESERVE);
}

bool commit(void* address, std::size_t size) noexcept {
  const KeepErrno keep;
  return ::mprotect(address, size, PROT_READ | PROT_WRITE) == 0;
}

void decommit(void* address, std::size_t size) noexcept {
  const KeepErrno keep;
  // A fresh mapping over the old one drops the pages and the commit charge in one call.
  if (map_pages(address, size, PROT_NONE, MAP_FIXED | MAP_NORESERVE) == nullptr) {
    // The system may refuse for want of a mapping (vm.max_map_count); the pages can still go.
    ::madvise(address, size, MADV_DONTNEED);
  }
}

bool discard(void* address, std::size_t size) noexcept {
  const KeepErrno keep;
  return ::madvise(address, size, MADV_DONTNEED) == 0;
}

void release(void* address, std::size_t size) noexcept {
  const KeepErrno keep;
  if (::munmap(address, size) != 0) {
    // The system may have no mapping to give for what remains around it (vm.max_map_count); the pages can
    // still go.
    ::madvise(address, size, MADV_DONTNEED);
  }
}

void* map(std::size_t size, std::size_t alignment) noexcept {
  const KeepErrno keep;
  return map_aligned(size, alignment, PROT_READ | PROT_WRITE, 0);
}

void* remap(void* address, std::size_t size, std::size_t new_size) noexcept {
#ifdef MREMAP_MAYMOVE
  const KeepErrno keep;
  void* const moved = ::mremap(address, size, new_size, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : moved;
#else
  static_cast<void>(address);
  static_cast<void>(size);
  static_cast<void>(new_size);
  return nullptr;
#endif
}

void prefer_large_pages(void* address, std::size_t size) noexcept {
#ifdef MADV_HUGEPAGE
  const KeepErrno keep;
  ::madvise(address, size, MADV_HUGEPAGE);
#else
  static_cast<void>(address);
  static_cast<void>(size);
#endif
}

void populate(void* address, std::size_t size) noexcept {
#ifdef MADV_POPULATE_WRITE
  const KeepErrno keep;
  ::madvise(address, size, MADV_POPULATE_WRITE);
#else
  static_cast<void>(address);
  static_cast<void>(size);
#endif
}

}  // namespace tarn::os

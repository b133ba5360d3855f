// The contract with the operating system: addresses and memory. Platforms differ here and nowhere else.
//
//   reserve ──► reserved ──commit──► committed ──decommit──► reserved ──release──► gone
//
// reserved    addresses that are ours; touching them faults; they cost no memory
// committed   readable and writable; zero on first touch; the system supplies a page when touched
//
// All sizes and addresses are multiples of page_size(). Every function may be called from any thread.
// errno is left as it was.
#pragma once

#include <cstddef>

namespace tarn::os {

[[nodiscard]] std::size_t page_size() noexcept;

// `alignment` is a power of two and at least page_size(). Null: the system refuses.
[[nodiscard]] void* reserve(std::size_t size, std::size_t alignment) noexcept;

// False: out of memory (or over a limit); the range is still reserved.
[[nodiscard]] bool commit(void* address, std::size_t size) noexcept;

// The pages go back to the system at once; their content is lost.
void decommit(void* address, std::size_t size) noexcept;

// The pages go back to the system at once; the range stays committed, and is zero at the next touch. False:
// the system refuses (locked memory), and nothing has changed.
bool discard(void* address, std::size_t size) noexcept;

// The pages go back to the system at once, and the addresses, but where it has no mapping left for what
// remains around them.
void release(void* address, std::size_t size) noexcept;

// reserve and commit in one. Null: the system refuses.
[[nodiscard]] void* map(std::size_t size, std::size_t alignment) noexcept;

// Makes a mapping from map() larger or smaller, or moves it, with its pages: nothing is copied. It may be a
// part of one. Null: refused, and nothing has changed.
[[nodiscard]] void* remap(void* address, std::size_t size, std::size_t new_size) noexcept;

// The range is going to be written to wholly: large pages may back it where the system has them on request. A
// hint.
void prefer_large_pages(void* address, std::size_t size) noexcept;

// Supplies all pages of a committed range now, in one call in place of a fault for each. It's a hint:
// where the system has no such call, or no memory, the pages come by faults.
void populate(void* address, std::size_t size) noexcept;

}  // namespace tarn::os

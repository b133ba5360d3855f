// What of a process's memory is resident: in memory, and mapped. Any thread, no allocation; errno is left as
// it was.
#pragma once

#include <cstddef>

namespace tarn::os {

// For each page of the range, a byte that isn't zero where it's resident. False: the system doesn't tell.
[[nodiscard]] bool find_resident(const void* address, std::size_t size,
                                 unsigned char* pages) noexcept;

// Bytes of the range that are resident; zero where the system doesn't tell.
[[nodiscard]] std::size_t resident_bytes(const void* address, std::size_t size) noexcept;

// Of this process, exactly: the system walks its page tables, a few milliseconds for a GiB. Zero: the system
// doesn't tell.
[[nodiscard]] std::size_t resident_bytes_of_process() noexcept;

}  // namespace tarn::os

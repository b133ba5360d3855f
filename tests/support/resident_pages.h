// Which pages of a range the system has supplied memory for.
#pragma once

#include <cstddef>

namespace tarn::test {

// `address` and `size` are whole pages of a mapping.
[[nodiscard]] std::size_t resident_bytes(const void* address, std::size_t size);

// Of the whole pages within, mapped or not; a page that isn't mapped isn't resident.
[[nodiscard]] std::size_t resident_bytes_within(const void* address, std::size_t size);

// Of the whole process, from /proc/self/statm.
[[nodiscard]] std::size_t resident_bytes_of_process();

}  // namespace tarn::test

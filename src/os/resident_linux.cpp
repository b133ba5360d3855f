#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/resident.h"
#include "os/virtual_memory.h"

namespace tarn::os {

bool find_resident(const void* address, std::size_t size, unsigned char* pages) noexcept {
  const int before = errno;
  if (::mincore(const_cast<void*>(address), size, pages) != 0) {
    errno = before;
    return false;
  }
  for (std::size_t i = 0; i < size / page_size(); ++i) {
    pages[i] &= 1U;  // the other bits are reserved
  }
  return true;
}

std::size_t resident_bytes(const void* address, std::size_t size) noexcept {
  constexpr std::size_t most_pages = 1024;
  unsigned char pages[most_pages];
  const std::size_t step = most_pages * page_size();
  const auto* at = static_cast<const char*>(address);
  std::size_t count = 0;
  while (size != 0) {
    const std::size_t part = size < step ? size : step;
    if (find_resident(at, part, pages)) {
      for (std::size_t i = 0; i < part / page_size(); ++i) {
        count += pages[i];
      }
    }
    at += part;
    size -= part;
  }
  return count * page_size();
}

std::size_t resident_bytes_of_process() noexcept {
  const int before = errno;
  // The file's first lines are enough, in one read.
  char text[512];
  const int file = ::open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  const ssize_t size = file < 0 ? -1 : ::read(file, text, sizeof(text) - 1);
  if (file >= 0) {
    ::close(file);
  }
  errno = before;
  if (size <= 0) {
    return 0;
  }
  text[size] = '\0';
  constexpr char key[] = "\nRss:";
  const char* const found = std::strstr(text, key);
  return found == nullptr ? 0 : std::strtoull(found + sizeof(key) - 1, nullptr, 10) * 1024;
}

}  // namespace tarn::os

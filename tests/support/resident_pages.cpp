#include "support/resident_pages.h"

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <vector>

#include <sys/mman.h>

#include "os/virtual_memory.h"

namespace tarn::test {

std::size_t resident_bytes(const void* address, std::size_t size) {
  std::vector<unsigned char> pages(size / os::page_size());
  if (::mincore(const_cast<void*>(address), size, pages.data()) != 0) {
    throw std::runtime_error("mincore refuses: not a mapping of ours");
  }
  std::size_t resident = 0;
  for (const unsigned char page : pages) {
    resident += (page & 1U) != 0 ? os::page_size() : 0;
  }
  return resident;
}

std::size_t resident_bytes_within(const void* address, std::size_t size) {
  const std::size_t page = os::page_size();
  const auto start = reinterpret_cast<std::uintptr_t>(address);
  std::size_t resident = 0;
  for (std::uintptr_t at = (start + page - 1) / page * page; at + page <= start + size;
       at += page) {
    unsigned char state = 0;
    const bool is_mapped = ::mincore(reinterpret_cast<void*>(at), page, &state) == 0;
    resident += is_mapped && (state & 1U) != 0 ? page : 0;
  }
  return resident;
}

std::size_t resident_bytes_of_process() {
  std::ifstream file("/proc/self/statm");
  std::size_t whole = 0;
  std::size_t resident = 0;
  file >> whole >> resident;
  if (!file) {
    throw std::runtime_error("/proc/self/statm can't be read");
  }
  return resident * os::page_size();
}

}  // namespace tarn::test

#include "tools/cli/memory_map.h"

#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tarn::cli {
namespace {

const std::string two_mappings =
    "55d0c000-55d0e000 r--p 00000000 08:01 1234                       /usr/bin/python3.11\n"
    "Size:                  8 kB\n"
    "Rss:                   4 kB\n"
    "Pss:                   2 kB\n"
    "VmFlags: rd mr mw me sd \n"
    "7ffd1c000000-7ffd1c021000 rw-p 00000000 00:00 0 \n"
    "Size:                132 kB\n"
    "Rss:                 100 kB\n";

std::string problem_of(const std::string& text) {
  try {
    static_cast<void>(read_memory_map(text));
  } catch (const BadMap& bad) {
    return bad.what();
  }
  return "none";
}

TEST(MemoryMap, ReadsAddressesNamesAndWhatIsResident) {
  const std::vector<Mapping> mappings = read_memory_map(two_mappings);
  ASSERT_EQ(mappings.size(), 2U);
  EXPECT_EQ(mappings[0].start, 0x55d0c000U);
  EXPECT_EQ(mappings[0].end, 0x55d0e000U);
  EXPECT_EQ(mappings[0].resident, 4096U);
  EXPECT_EQ(mappings[0].name, "/usr/bin/python3.11");
  EXPECT_EQ(mappings[1].resident, 100U * 1024);
  EXPECT_EQ(mappings[1].name, "");
}

TEST(MemoryMap, ANameMayHaveBlanksAndMayLookLikeAFigure) {
  const std::vector<Mapping> mappings = read_memory_map(
      "1000-2000 r--p 00000000 08:01 1234   /tmp/my file (deleted)\nRss: 4 kB\n"
      "3000-4000 r--p 00000000 08:01 1234   /tmp/Rss: 9 kB\nRss: 0 kB\n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]\nRss: 0 kB\n");
  ASSERT_EQ(mappings.size(), 3U);
  EXPECT_EQ(mappings[0].name, "/tmp/my file (deleted)");
  EXPECT_EQ(mappings[1].name, "/tmp/Rss: 9 kB");
  EXPECT_EQ(mappings[1].resident, 0U);
  EXPECT_EQ(mappings[2].start, 0xffffffffff600000U);
}

TEST(MemoryMap, OfNothingIsEmpty) {
  EXPECT_TRUE(read_memory_map("").empty());
  EXPECT_TRUE(read_memory_map("\n\n").empty());
}

TEST(MemoryMap, RefusesWhatNoKernelWrites) {
  EXPECT_EQ(problem_of("Rss: 4 kB\n"), "smaps: 'Rss: 4 kB' isn't understood");
  EXPECT_EQ(problem_of("1000 r--p\n"), "smaps: '1000 r--p' isn't understood");
  for (const char* const header :
       {"2000-1000 r--p 0 0 0", "1000-", "1000-xyz", "fffffffffffffffff-1 r--p", "deadbeef"}) {
    EXPECT_NE(problem_of(std::string(header) + "\n"), "none") << header;
  }
  for (const char* const size : {"", "x", "-4 kB", "99999999999999999999 kB", "137438953472 kB"}) {
    EXPECT_NE(problem_of("1000-2000 r--p 0 0 0\nRss: " + std::string(size) + "\n"), "none") << size;
  }
  EXPECT_EQ(problem_of("1000-\x1b[2J\n"), "smaps: '1000-\\x1b[2J' isn't understood");
  EXPECT_LT(problem_of("1000-" + std::string(10'000, 'x')).size(), 100U);
}

TEST(MemoryMap, CountsResidentPagesOfThisProcess) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const memory =
      ::mmap(nullptr, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ::madvise(memory, 64 * page, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < 10; ++i) {
    static_cast<volatile char*>(memory)[3 * i * page] = 1;
  }
  const auto start = reinterpret_cast<std::uintptr_t>(memory);
  EXPECT_EQ(resident_between(::getpid(), start, start + 64 * page), 10 * page);
  EXPECT_EQ(resident_between(::getpid(), start + page, start + 3 * page), 0U);
  EXPECT_EQ(resident_between(::getpid(), start, start), 0U);
  ::munmap(memory, 64 * page);
  EXPECT_EQ(resident_between(::getpid(), start, start + 64 * page), 0U);
}

}  // namespace
}  // namespace tarn::cli

#include "os/virtual_memory.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/child_process.h"
#include "support/resident_pages.h"
#include "support/sanitizers.h"

namespace tarn::os {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

bool is_all_zero(const void* address, std::size_t size) {
  const auto* const bytes = static_cast<const unsigned char*>(address);
  return std::all_of(bytes, bytes + size, [](unsigned char byte) { return byte == 0; });
}

// Whether a child process can read the address without being ended by the system.
bool is_readable(const void* address) {
  const test::ChildResult result = test::run_in_child([&] {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer has a handler of its own
    static_cast<void>(*static_cast<const volatile unsigned char*>(address));
  });
  return result.exited && result.exit_code == 0;
}

TEST(PageSize, IsAPowerOfTwoOfAtLeast4096Bytes) {
  EXPECT_GE(page_size(), 4096U);
  EXPECT_EQ(page_size() & (page_size() - 1), 0U);
}

TEST(ReservedMemory, IsAlignedAsAsked) {
  for (std::size_t alignment = page_size(); alignment <= 64 * mebibyte; alignment *= 2) {
    void* const address = reserve(mebibyte, alignment);
    ASSERT_NE(address, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % alignment, 0U) << alignment;
    release(address, mebibyte);
  }
}

TEST(ReservedMemory, FaultsUntilItIsCommitted) {
  void* const address = reserve(mebibyte, page_size());
  ASSERT_NE(address, nullptr);
  EXPECT_FALSE(is_readable(address));
  ASSERT_TRUE(commit(address, page_size()));
  EXPECT_TRUE(is_readable(address));
  EXPECT_FALSE(is_readable(static_cast<std::byte*>(address) + page_size()));
  release(address, mebibyte);
}

TEST(ReservedMemory, IsRefusedWhenThereAreNoSuchAddresses) {
  EXPECT_EQ(reserve(std::size_t{1} << 60, page_size()), nullptr);
  EXPECT_EQ(reserve(SIZE_MAX & ~(page_size() - 1), std::size_t{1} << 40), nullptr);
}

TEST(CommittedMemory, IsZeroAndSuppliedWhenTouched) {
  void* const address = reserve(mebibyte, page_size());
  ASSERT_NE(address, nullptr);
  ASSERT_TRUE(commit(address, mebibyte));
  EXPECT_EQ(test::resident_bytes(address, mebibyte), 0U);
  static_cast<volatile char*>(address)[0] = 1;
  EXPECT_EQ(test::resident_bytes(address, mebibyte), page_size());
  EXPECT_TRUE(is_all_zero(static_cast<char*>(address) + 1, mebibyte - 1));
  release(address, mebibyte);
}

TEST(DecommittedMemory, GivesItsPagesBackAtOnceAndIsZeroWhenCommittedAgain) {
  auto* const address = static_cast<char*>(reserve(mebibyte, page_size()));
  ASSERT_NE(address, nullptr);
  ASSERT_TRUE(commit(address, mebibyte));
  std::fill(address, address + mebibyte, 'x');
  EXPECT_EQ(test::resident_bytes(address, mebibyte), mebibyte);
  decommit(address, mebibyte);
  EXPECT_EQ(test::resident_bytes(address, mebibyte), 0U);
  EXPECT_FALSE(is_readable(address));
  ASSERT_TRUE(commit(address, mebibyte));
  EXPECT_TRUE(is_all_zero(address, mebibyte));
  release(address, mebibyte);
}

TEST(ReleasedMemory, IsNoLongerOurs) {
  void* const address = map(mebibyte, mebibyte);
  ASSERT_NE(address, nullptr);
  release(address, mebibyte);
  EXPECT_THROW(static_cast<void>(test::resident_bytes(address, mebibyte)), std::runtime_error);
}

TEST(MappedMemory, IsAlignedZeroAndWritable) {
  for (std::size_t alignment = page_size(); alignment <= 4 * mebibyte; alignment *= 2) {
    auto* const address = static_cast<char*>(map(mebibyte, alignment));
    ASSERT_NE(address, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % alignment, 0U);
    EXPECT_TRUE(is_all_zero(address, mebibyte));
    address[mebibyte - 1] = 'x';
    release(address, mebibyte);
  }
}

TEST(PopulatedMemory, KeepsItsContents) {
  auto* const address = static_cast<char*>(map(mebibyte, page_size()));
  ASSERT_NE(address, nullptr);
  address[5] = 'x';
  populate(address, mebibyte);
  EXPECT_EQ(address[5], 'x');
  EXPECT_TRUE(is_all_zero(address + 6, mebibyte - 6));
  release(address, mebibyte);
}

TEST(EveryFunction, LeavesErrnoAsItWas) {
  errno = 77;
  EXPECT_EQ(reserve(std::size_t{1} << 60, page_size()), nullptr);
  EXPECT_EQ(map(std::size_t{1} << 60, page_size()), nullptr);
  EXPECT_FALSE(commit(nullptr, page_size()));
  void* const address = reserve(mebibyte, page_size());
  decommit(address, mebibyte);
  populate(address, mebibyte);  // not committed: the system refuses
  release(address, mebibyte);
  EXPECT_EQ(errno, 77);
}

TEST(Memory, IsRefusedOverTheLimitOfAddresses) {
  if (!test::addresses_can_be_limited) {
    GTEST_SKIP() << test::why_addresses_cannot_be_limited;
  }
  const test::ChildResult result = test::run_in_child([] {
    const rlimit limit = {std::size_t{1} << 30, std::size_t{1} << 30};
    ::setrlimit(RLIMIT_AS, &limit);
    ::_exit(reserve(std::size_t{1} << 31, page_size()) == nullptr &&
                    map(std::size_t{1} << 31, page_size()) == nullptr
                ? 0
                : 3);
  });
  EXPECT_TRUE(result.exited);
  EXPECT_EQ(result.exit_code, 0);
}

}  // namespace
}  // namespace tarn::os

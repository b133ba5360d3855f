// What of a heap is resident and what it holds, against the walk of all blocks and what the system says of
// each page.

#include "heap/residency.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include <tarn/heap.h>

#include "heap/instance.h"
#include "os/resident.h"
#include "support/combinations.h"

namespace tarn::test {
namespace {

const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

class Residencies : public testing::TestWithParam<Combination> {
 protected:
  Residencies() : heap_(heap::create(GetParam().options())) {}
  ~Residencies() override { heap_->operations->destroy(*heap_); }

  std::byte* allocate(std::size_t size, Domain domain = Domain::obj) {
    const heap::Face& face = heap_->face(domain);
    auto* const block = static_cast<std::byte*>(face.functions->allocate(face.domain, size));
    std::memset(block, 0x5a, size);
    return block;
  }
  void free(void* block, Domain domain = Domain::obj) {
    const heap::Face& face = heap_->face(domain);
    face.functions->free(face.domain, block);
  }
  const heap::Residency& residency() {
    heap_->operations->collect_residency(*heap_, *residency_);
    return *residency_;
  }
  [[nodiscard]] static std::size_t live_of(const heap::Residency& residency) {
    std::size_t live = 0;
    for (const std::size_t of_domain : residency.live) {
      live += of_domain;
    }
    return live;
  }

  heap::Instance* heap_;
  std::unique_ptr<heap::Residency> residency_ = std::make_unique<heap::Residency>();
};
INSTANTIATE_TEST_SUITE_P(OfOneThread, Residencies,
                         testing::ValuesIn(combinations_with(Checks::none)), NameOfCombination());

// The same sums, made the slow way: block by block, page by page.
class SlowSums final : public HeapVisitor {
 public:
  void arena(const ArenaView& arena) override {
    for (std::size_t at = 0; at < arena.size; at += page) {
      const auto* const address = static_cast<const std::byte*>(arena.address) + at;
      unsigned char is_resident = 0;
      if (os::find_resident(address, page, &is_resident) && is_resident != 0) {
        resident_.insert(reinterpret_cast<std::uintptr_t>(address));
      }
    }
  }
  void pool(const PoolView& pool) override { pool_ = pool; }
  void block(const BlockView& block) override {
    const auto start = reinterpret_cast<std::uintptr_t>(block.address);
    const std::uintptr_t end = start + block.size;
    for (std::uintptr_t at = start; at < end;) {
      const std::uintptr_t of_page = at / page * page;
      const std::uintptr_t part_end = std::min<std::uintptr_t>(of_page + page, end);
      if (resident_.contains(of_page)) {
        (block.state == BlockState::allocated ? live[pool_.domain]
         : block.state == BlockState::free    ? free
                                              : untouched) += part_end - at;
        if (block.state == BlockState::allocated) {
          live_pages.insert(of_page);
        }
      }
      at = part_end;
    }
  }
  [[nodiscard]] std::size_t resident() const { return resident_.size() * page; }

  std::map<Domain, std::size_t> live;
  std::size_t free = 0;
  std::size_t untouched = 0;
  std::set<std::uintptr_t> live_pages;

 private:
  std::set<std::uintptr_t> resident_;
  PoolView pool_ = {};
};

TEST_P(Residencies, AddsUpAndAgreesWithEachBlockAndPage) {
  std::minstd_rand random(11);
  std::vector<std::pair<std::byte*, Domain>> live;
  for (int i = 0; i < 30'000; ++i) {
    const Domain domain = all_domains[random() % 3];
    live.emplace_back(allocate(1 + random() % 512, domain), domain);
  }
  for (int round = 0; round < 3; ++round) {
    std::shuffle(live.begin(), live.end(), random);
    for (std::size_t left = live.size() / 6; live.size() > left;) {
      free(live.back().first, live.back().second);
      live.pop_back();
    }
    for (const bool released : {false, true}) {
      if (released) {
        static_cast<void>(heap::release(*heap_));
      }
      const heap::Residency& found = residency();
      SlowSums sums;
      heap_->operations->walk(*heap_, sums);
      EXPECT_EQ(found.pools, sums.resident());
      for (const Domain domain : all_domains) {
        EXPECT_EQ(found.live[static_cast<std::size_t>(domain)], sums.live[domain]);
      }
      EXPECT_EQ(found.free, sums.free);
      EXPECT_EQ(found.live_pages, sums.live_pages.size() * page);
      // In the walk what is behind a pool's last block belongs to no block.
      EXPECT_GE(found.untouched, sums.untouched);
      EXPECT_EQ(found.pools, live_of(found) + found.free + found.untouched + found.empty);
      if (released) {
        EXPECT_EQ(found.pools, found.live_pages) << "what is resident holds a live block";
      }
    }
  }
  for (const auto& [block, domain] : live) {
    free(block, domain);
  }
}

TEST_P(Residencies, CountsWhatIsFreedAsFreeAndWhatWentBackNotAtAll) {
  const std::size_t live_before = live_of(residency());
  std::vector<std::byte*> blocks;
  for (int i = 0; i < 20'000; ++i) {
    blocks.push_back(allocate(64));
  }
  EXPECT_EQ(live_of(residency()) - live_before, 20'000U * 64);
  EXPECT_EQ(residency().free, 0U);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i % 256 == 0) {
      ++kept;
    } else {
      free(blocks[i]);
    }
  }
  EXPECT_EQ(live_of(residency()) - live_before, kept * 64);
  EXPECT_GT(residency().free + residency().empty, 19'000U * 64);
  static_cast<void>(heap::release(*heap_));
  EXPECT_EQ(live_of(residency()) - live_before, kept * 64);
  EXPECT_EQ(residency().pools, residency().live_pages);
  EXPECT_EQ(residency().empty, 0U);
}

TEST_P(Residencies, ItsRangesHoldEveryBlockAndItsDescriptors) {
  std::vector<std::byte*> blocks;
  for (int i = 0; i < 40'000; ++i) {
    blocks.push_back(allocate(200));
  }
  residency();  // a first look at the page map's root has pages of zeroes mapped, which cost no memory
  const heap::Residency& found = residency();
  const auto in_range = [&](const std::byte* address) {
    for (std::size_t i = 0; i < found.range_count; ++i) {
      if (address >= found.ranges[i].start &&
          address < found.ranges[i].start + found.ranges[i].size) {
        return true;
      }
    }
    return false;
  };
  for (const std::byte* const block : blocks) {
    ASSERT_TRUE(in_range(block));
  }
  EXPECT_TRUE(in_range(reinterpret_cast<const std::byte*>(heap_)));
  EXPECT_EQ(found.ranges_left_out, 0U);
  EXPECT_GT(found.descriptors, 0U);
  std::size_t resident = 0;
  for (std::size_t i = 0; i < found.range_count; ++i) {
    resident += os::resident_bytes(found.ranges[i].start, found.ranges[i].size);
  }
  EXPECT_EQ(resident, found.pools + found.descriptors);
}

// A block's link is overwritten, as a program's use after free would: looking goes on, and the sums hold.
TEST_P(Residencies, FollowsADamagedListUpToTheDamage) {
  std::vector<std::byte*> blocks;
  for (int i = 0; i < 60; ++i) {
    blocks.push_back(allocate(48));
  }
  for (int i = 0; i < 40; ++i) {
    free(blocks[i]);
  }
  const std::size_t live = live_of(residency());
  std::byte original[sizeof(void*)];
  std::memcpy(original, blocks[20], sizeof(original));
  for (const std::uintptr_t nonsense :
       {std::uintptr_t{0x5a5a5a5a5a5a5a5a}, std::uintptr_t{1},
        reinterpret_cast<std::uintptr_t>(blocks[30]) + 8,             // between two blocks
        reinterpret_cast<std::uintptr_t>(blocks[20]),                 // a loop
        reinterpret_cast<std::uintptr_t>(blocks[39]) + 1'000'000}) {  // another pool, or none
    std::memcpy(blocks[20], &nonsense, sizeof(nonsense));
    const heap::Residency& found = residency();
    EXPECT_EQ(found.pools, live_of(found) + found.free + found.untouched + found.empty);
    EXPECT_GT(live_of(found), live) << "what is behind the damage is taken for allocated";
  }
  std::memcpy(blocks[20], original, sizeof(original));
  EXPECT_EQ(live_of(residency()), live);
  heap_->operations->verify(*heap_);
}

TEST(Residency, JoinsNeighbouringRangesOnBothSidesAndCountsThoseThatDoNotFit) {
  auto residency = std::make_unique<heap::Residency>();
  residency->clear();
  auto* const base = reinterpret_cast<const std::byte*>(std::uintptr_t{1} << 30);
  residency->add_range(base + 4096, 4096);
  residency->add_range(base + 8192, 4096);  // behind
  residency->add_range(base, 4096);         // before
  residency->add_range(base, 0);
  ASSERT_EQ(residency->range_count, 1U);
  EXPECT_EQ(residency->ranges[0].start, base);
  EXPECT_EQ(residency->ranges[0].size, 3U * 4096);
  for (std::size_t i = 1; i < heap::Residency::most_ranges + 5; ++i) {
    residency->add_range(base + i * 65536, 4096);
  }
  EXPECT_EQ(residency->range_count, heap::Residency::most_ranges);
  EXPECT_EQ(residency->ranges_left_out, 5U);
  residency->clear();
  EXPECT_EQ(residency->range_count + residency->ranges_left_out, 0U);
}

}  // namespace
}  // namespace tarn::test

#include "sight/reading/holding.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "sight/heap_maker.h"
#include "sight/reading/bad_snapshot.h"

namespace tarn::sight::reading {
namespace {

std::set<std::uint32_t> gone(const std::vector<bool>& freed) {
  std::set<std::uint32_t> blocks;
  for (std::uint32_t i = 0; i < freed.size(); ++i) {
    if (freed[i]) {
      blocks.insert(i);
    }
  }
  return blocks;
}

std::vector<bool> marks(const HeapImage& image, const std::set<std::uint32_t>& blocks) {
  std::vector<bool> marked(image.blocks.size(), false);
  for (const std::uint32_t block : blocks) {
    marked[block] = true;
  }
  return marked;
}

using Blocks = std::set<std::uint32_t>;

TEST(Holding, WhatTwoHoldGoesWhenBothDo) {
  HeapMaker maker(true);
  const std::uint32_t list = maker.object();
  maker.root("local", list);
  const std::uint32_t left = maker.object(list);
  const std::uint32_t right = maker.object(list);
  const std::uint32_t shared = maker.object(left, 2);
  maker.refer(list, left);
  maker.refer(list, right);
  maker.refer(left, shared);
  maker.refer(right, shared);
  const Holding holding(maker.image());
  EXPECT_EQ(gone(holding.freed_with(marks(maker.image(), {left})).least), Blocks{left});
  EXPECT_EQ(gone(holding.freed_with(marks(maker.image(), {left, right})).least),
            (Blocks{left, right, shared}));
  EXPECT_EQ(holding.parent(holding.node_of_block(shared)), holding.node_of_block(list));
}

TEST(Holding, ACycleGoesWithWhatHeldIt) {
  HeapMaker maker(true);
  const std::uint32_t parent = maker.object(no_index, 2);
  maker.root("local", parent);
  const std::uint32_t child = maker.object(parent);
  const std::uint32_t table = maker.part(child);
  maker.refer(parent, child);
  maker.refer(child, parent);
  const Holding holding(maker.image());
  EXPECT_EQ(gone(holding.freed_with(marks(maker.image(), {parent})).least),
            (Blocks{parent, child, table}));
}

TEST(Holding, WhatIsCountedMoreOftenThanReferredToStays) {
  HeapMaker maker(true);
  const std::uint32_t list = maker.object();
  maker.root("local", list);
  const std::uint32_t item = maker.object(list, 2);  // C code has the other reference
  const std::uint32_t below = maker.object(item);
  maker.refer(list, item);
  maker.refer(item, below);
  const Holding holding(maker.image());
  EXPECT_EQ(gone(holding.freed_with(marks(maker.image(), {list})).least), Blocks{list});
  EXPECT_EQ(holding.parent(holding.node_of_block(item)), 0U);
}

TEST(Holding, AnImmortalObjectStays) {
  HeapMaker maker(true);
  const std::uint32_t list = maker.object();
  maker.root("local", list);
  const std::uint32_t item = maker.object(list);
  maker.image().blocks[item].is_immortal = true;
  maker.refer(list, item);
  const Holding holding(maker.image());
  EXPECT_EQ(gone(holding.freed_with(marks(maker.image(), {list})).least), Blocks{list});
}

// A module's dict holds its globals, and each function of the module holds that dict.
TEST(Holding, DeletingAGlobalFreesItThoughTheModulesDictIsHeldByOthers) {
  HeapMaker maker(true);
  maker.image().types = {"thing", "dict"};
  const std::uint32_t module_dict = maker.object(no_index, 2);
  maker.image().blocks[module_dict].type = 1;
  maker.root("module", module_dict);
  const std::uint32_t global = maker.object(no_index, 1);
  maker.root("global", global);
  const std::uint32_t held = maker.object(global);
  maker.refer(module_dict, global);
  maker.refer(global, held);
  const Holding holding(maker.image());
  EXPECT_TRUE(holding.is_root(holding.parent(holding.node_of_block(global))));
  EXPECT_EQ(gone(holding.freed_with(marks(maker.image(), {global})).least), (Blocks{global, held}));
}

TEST(Holding, WithoutReferencesThereIsAtLeastAndAtMost) {
  HeapMaker maker(false);
  const std::uint32_t list = maker.object();
  maker.root("local", list);
  const std::uint32_t once = maker.object(list);
  const std::uint32_t twice = maker.object(list, 2);
  const std::uint32_t part = maker.part(twice);
  const Holding holding(maker.image());
  const Holding::Freed freed = holding.freed_with(marks(maker.image(), {list}));
  EXPECT_FALSE(holding.is_exact());
  EXPECT_EQ(gone(freed.least), (Blocks{list, once}));
  EXPECT_EQ(gone(freed.most), (Blocks{list, once, twice, part}));
}

TEST(Holding, OfHoldersThatGoRoundIsRefused) {
  HeapMaker maker(false);
  const std::uint32_t first = maker.object();
  const std::uint32_t second = maker.object(first);
  maker.image().blocks[first].holder = second;
  EXPECT_THROW(Holding{maker.image()}, BadSnapshot);
}

// Against a program that counts references, with a collector of cycles: drop the marked objects, count down, and
// then free what no living object can reach.
TEST(Holding, OfRandomHeapsIsWhatCountingReferencesFrees) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    HeapMaker maker(true);
    const auto count = static_cast<std::uint32_t>(1 + random() % 12);
    std::vector<std::uint32_t> references(count, 0);
    std::vector<Edge> edges;
    for (std::uint32_t i = 0; i < count; ++i) {
      maker.object(no_index, 0);
    }
    const auto all = static_cast<std::uint32_t>(random() % (3 * count));
    for (std::uint32_t i = 0; i < all; ++i) {
      edges.emplace_back(random() % count, random() % count);
      ++references[edges.back().second];
    }
    std::set<std::uint32_t> held_outside;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t extra = random() % 4 == 0 || references[i] == 0 ? 1 : 0;
      if (extra != 0) {
        held_outside.insert(i);
      }
      maker.image().blocks[i].refcount = references[i] + extra;
    }
    for (const Edge& edge : edges) {
      maker.refer(edge.first, edge.second);
    }
    std::set<std::uint32_t> marked;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (random() % 4 == 0) {
        marked.insert(i);
      }
    }
    const Holding holding(maker.image());
    std::set<std::uint32_t> alive;
    std::vector<std::uint32_t> from;
    const auto reach = [&](std::uint32_t block) {
      if (!marked.contains(block) && alive.insert(block).second) {
        from.push_back(block);
      }
      while (!from.empty()) {
        const std::uint32_t at = from.back();
        from.pop_back();
        for (const Edge& edge : edges) {
          if (edge.first == at && !marked.contains(edge.second) &&
              alive.insert(edge.second).second) {
            from.push_back(edge.second);
          }
        }
      }
    };
    for (const std::uint32_t block : held_outside) {
      reach(block);
    }
    const std::set<std::uint32_t> went =
        gone(holding.freed_with(marks(maker.image(), marked)).least);
    for (std::uint32_t i = 0; i < count; ++i) {
      // A cycle that nothing holds hangs from node 0: what isn't reached from outside may be said to stay.
      if (alive.contains(i)) {
        ASSERT_FALSE(went.contains(i)) << "round " << round << ", block " << i;
      }
      if (marked.contains(i)) {
        ASSERT_TRUE(went.contains(i)) << "round " << round << ", block " << i;
      }
    }
    // And with all reachable from outside, it's exact.
    const std::set<std::uint32_t> marked_before = std::exchange(marked, {});
    alive.clear();
    for (const std::uint32_t block : held_outside) {
      reach(block);
    }
    if (alive.size() == count) {
      marked = marked_before;
      alive.clear();
      for (const std::uint32_t block : held_outside) {
        reach(block);
      }
      ASSERT_EQ(went.size() + alive.size(), count) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace tarn::sight::reading

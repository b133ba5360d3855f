#include "sight/holders.h"

#include <gtest/gtest.h>

#include <random>

#include "sight/sample_stream.h"
#include "sight/stream_reader.h"

namespace tarn::sight {
namespace {

Capture sample() {
  StreamReader reader;
  reader.take(sample_stream());
  Capture capture = reader.finish();
  find_holders(capture);
  return capture;
}

const Block& block_at(const Capture& capture, std::uint64_t address) {
  return capture.blocks[capture.find(address)];
}

TEST(Holders, TheShortestWayFromANameWins) {
  const Capture capture = sample();
  const Block& session = block_at(capture, sample_block(1));
  EXPECT_EQ(capture.roots[session.root].name, "app.cache");
  EXPECT_EQ(session.depth, 1U);
  EXPECT_EQ(capture.blocks[session.holder].address, sample_block(0));
  EXPECT_EQ(block_at(capture, sample_block(0)).holder, no_block);
  // A local variable names it itself.
  EXPECT_EQ(capture.roots[block_at(capture, sample_block(2)).root].name, "name");
}

TEST(Holders, WhatAnObjectPointsToIsItsPart) {
  const Capture capture = sample();
  const Block& table = block_at(capture, sample_mem_pool);
  EXPECT_EQ(table.content, Content::part);
  EXPECT_EQ(capture.blocks[table.owner].address, sample_block(0));
  EXPECT_EQ(block_at(capture, sample_block(3)).content, Content::unknown);
  EXPECT_EQ(block_at(capture, sample_large).content, Content::unknown);
}

TEST(Holders, WhatIsCountedMoreOftenThanFoundIsHeldByUnknown) {
  const Capture capture = sample();
  const Block& block = block_at(capture, sample_block(6));
  EXPECT_EQ(capture.roots[block.root].kind, "unknown");
  EXPECT_EQ(capture.roots[block.root].name, "dict");
}

TEST(Holders, ACycleThatNobodyReachesIsGarbage) {
  const Capture capture = sample();
  for (const unsigned index : {4U, 5U}) {
    EXPECT_EQ(capture.roots[block_at(capture, sample_block(index)).root].kind, "garbage");
  }
}

// Every chain ends at its root, however the references go.
TEST(Holders, ChainsOfRandomGraphsEndAtTheirRoots) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    StreamBuilder stream;
    stream.add(RecordKind::facts, FactsRecord{1, 1, 4096});
    stream.add(RecordKind::arena,
               ArenaRecord{sample_arena, 0x100000, 64, 0, 0, HeapName::python, 0});
    PoolRecord pool = sample_pool_record();
    pool.free_blocks = 0;
    stream.add(RecordKind::pool, pool, sample_marks(sample_blocks, sample_blocks, {}));
    for (unsigned i = 0; i < sample_blocks; ++i) {
      stream.object(sample_block(i), random() % 4, 0, random() % 16 == 0 ? object_flags::spare : 0);
      std::vector<std::uint64_t> words = {sample_object(i), random() % 4};
      for (std::uint64_t left = words[1]; left != 0; --left) {
        words.push_back(sample_object(static_cast<unsigned>(random() % sample_blocks)));
      }
      stream.words(RecordKind::references, words);
    }
    stream.add(RecordKind::type, TypeRecord{sample_type, 48, 0, 0, 0}, std::string("dict") + '\0');
    for (int i = 0; i < 5; ++i) {
      stream.add(RecordKind::root,
                 RootRecord{sample_object(static_cast<unsigned>(random() % sample_blocks)),
                            RootKind::global, 0, 0},
                 "name");
    }
    stream.add(RecordKind::end, EndRecord{});
    StreamReader reader;
    reader.take(stream.bytes());
    Capture capture = reader.finish();
    find_holders(capture);
    for (const Block& block : capture.blocks) {
      if (block.content != Content::object) {
        continue;
      }
      ASSERT_NE(block.root, no_root);
      const Block* at = &block;
      for (std::uint32_t depth = block.depth; depth != 0; --depth) {
        ASSERT_NE(at->holder, no_block);
        ASSERT_EQ(at->depth, depth);
        at = &capture.blocks[at->holder];
        ASSERT_EQ(at->root, block.root);
      }
      ASSERT_EQ(at->holder, no_block);
      ASSERT_EQ(&capture.blocks[capture.roots[block.root].block], at);
    }
  }
}

}  // namespace
}  // namespace tarn::sight

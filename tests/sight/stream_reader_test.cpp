#include "sight/stream_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "sight/holders.h"
#include "sight/sample_stream.h"

namespace tarn::sight {
namespace {

Capture read(std::string_view bytes) {
  StreamReader reader;
  reader.take(bytes);
  return reader.finish();
}

std::string refusal(std::string_view bytes) {
  try {
    static_cast<void>(read(bytes));
  } catch (const BadStream& bad) {
    return bad.what();
  }
  return "";
}

// The sample with one record in place of its own of that kind, or before its end.
std::string with(const StreamBuilder& records) {
  std::string bytes = sample_stream();
  const std::size_t end = sizeof(RecordHead) + sizeof(EndRecord);
  return bytes.insert(bytes.size() - end, records.bytes().substr(sizeof(stream_magic)));
}

TEST(StreamReader, ReadsWhatAProcessWrites) {
  const Capture capture = read(sample_stream());
  ASSERT_EQ(capture.blocks.size(), 11U);  // 8 and 1 in pools, a large one, one outside
  EXPECT_EQ(capture.blocks[0].place, Place::outside);
  EXPECT_EQ(capture.blocks[1].address, sample_block(0));
  EXPECT_EQ(capture.blocks[8].state, Taken::free);
  EXPECT_EQ(capture.blocks[10].size, 0x10000U);
  EXPECT_EQ(capture.pools[0].allocated, 7U);
  EXPECT_EQ(capture.pools[0].untouched, sample_blocks - 8);
  EXPECT_EQ(capture.pools[0].freeblock, sample_block(7));
  EXPECT_EQ(capture.pools[0].live_pages, 1U);
  EXPECT_EQ(capture.arenas[0].usable_order, 0U);
  EXPECT_EQ(capture.program, "app");
  EXPECT_EQ(capture.types[1].name, "Session");
  EXPECT_EQ(capture.targets.size(), 5U);
  ASSERT_EQ(capture.values.size(), 1U);
  EXPECT_EQ(capture.blocks[capture.values[0].block].address, sample_block(2));
  EXPECT_EQ(capture.values[0].text, "'it\\'s \u00e9'");
}

TEST(StreamReader, ReadsThoseOfTheVersionBefore) {
  std::string bytes = sample_stream();
  bytes.replace(0, sizeof(stream_magic_before), stream_magic_before, sizeof(stream_magic_before));
  EXPECT_EQ(read(bytes).blocks.size(), 11U);
}

TEST(StreamReader, ReadsWhereBlocksWereAllocated) {
  const Capture capture = read(sample_stream());
  EXPECT_EQ(capture.sampling_rate, sample_rate);
  ASSERT_EQ(capture.sites.size(), 2U);
  EXPECT_EQ(capture.sites[1].id, 7U);
  EXPECT_THAT(capture.sites[1].lines, testing::ElementsAre(0U, 1U));
  EXPECT_EQ(capture.lines[0].function, "login");
  EXPECT_EQ(capture.lines[1].line, 90U);
  const auto site_of = [&](unsigned block) {
    return capture.blocks[capture.find(sample_block(block))].site;
  };
  EXPECT_EQ(site_of(1), 1U);
  EXPECT_EQ(site_of(2), 0U);
  EXPECT_EQ(site_of(3), no_site);
  EXPECT_EQ(site_of(4), 1U);
  ASSERT_EQ(capture.samples.size(), 3U);
  // 1 / (1 - exp(-48 / 4096))
  EXPECT_EQ(capture.samples[0].block, capture.find(sample_block(1)));
  EXPECT_NEAR(capture.samples[0].weight, 85.834, 0.001);
}

TEST(StreamReader, ReadsStreamsWithoutSites) {
  const Capture capture = read(sample_stream(Recorded::nothing));
  EXPECT_EQ(capture.sampling_rate, 0U);
  EXPECT_TRUE(capture.sites.empty() && capture.lines.empty() && capture.samples.empty());
  EXPECT_EQ(capture.blocks[1].site, no_site);
}

TEST(StreamReader, SaysWhatSitesCantBe) {
  using Kind = RecordKind;
  // Of a stream with sites, further records.
  const auto recorded = [](std::uint64_t block, std::uint32_t site) {
    return StreamBuilder().add(Kind::recorded, RecordedRecord{block, 8, site, 0});
  };
  const auto site = [](std::uint32_t id, std::uint32_t lines, std::vector<std::uint32_t> stack) {
    return StreamBuilder().add(
        Kind::site, SiteRecord{id, lines},
        {reinterpret_cast<const char*>(stack.data()), stack.size() * sizeof(stack[0])});
  };
  EXPECT_EQ(refusal(with(recorded(sample_block(0), 7))), "");
  EXPECT_EQ(refusal(with(recorded(sample_block(0), 8))), "a recorded block has two sites, or none");
  EXPECT_EQ(refusal(with(recorded(sample_block(1), 7))), "a recorded block has two sites, or none");
  const std::uint64_t not_allocated[] = {sample_block(7), sample_block(9), sample_block(0) + 8,
                                         sample_type, 1};
  for (const std::uint64_t block : not_allocated) {
    EXPECT_EQ(refusal(with(recorded(block, 7))), "a recorded block isn't allocated") << block;
  }
  EXPECT_EQ(refusal(with(site(8, 1, {1}))), "");
  EXPECT_EQ(refusal(with(site(8, 1, {2}))), "a site has a line that isn't there");
  EXPECT_EQ(refusal(with(site(8, 2, {1}))), "a site's numbers can't be");
  EXPECT_EQ(refusal(with(site(7, 1, {1}))), "a site's numbers can't be");
  EXPECT_EQ(refusal(with(site(8, 257, std::vector<std::uint32_t>(257)))),
            "a site's numbers can't be");
  EXPECT_EQ(refusal(with(StreamBuilder().add(Kind::sampling, SamplingRecord{1}))),
            "its sampling can't be");
  EXPECT_EQ(refusal(with(StreamBuilder().add(Kind::line, LineRecord{UINT32_MAX, 0},
                                             std::string("f\0g", 3)))),
            "a line's number can't be");
  EXPECT_EQ(refusal(with(StreamBuilder().add(Kind::line, LineRecord{1, 0}, "f"))),
            "a record of names has no second one");
  EXPECT_EQ(refusal(with(StreamBuilder().text(Kind::recorded, "abc"))),
            "a record of recorded blocks ends in the middle");
  StreamBuilder bare;
  bare.add(Kind::facts, FactsRecord{1, 1, 4096});
  bare.add(Kind::recorded, RecordedRecord{sample_block(0), 8, 0, 0});
  EXPECT_EQ(refusal(bare.bytes()), "recorded blocks without their sampling");
}

TEST(StreamReader, TakesTheBytesInPartsOfAnySize) {
  const std::string bytes = sample_stream();
  for (const std::size_t size : {1U, 7U, 1000U}) {
    StreamReader reader;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      EXPECT_FALSE(reader.is_complete());
      reader.take(std::string_view(bytes).substr(at, size));
    }
    EXPECT_TRUE(reader.is_complete());
    EXPECT_EQ(reader.finish().blocks.size(), 11U);
  }
}

TEST(StreamReader, TakesNoTextOfAnObjectThatCouldDoHarm) {
  const auto value = [](std::uint64_t block, std::string_view text) {
    return refusal(with(StreamBuilder().add(RecordKind::value, ValueRecord{block}, text)));
  };
  const std::string longest(most_value_characters - 1, 'x');
  EXPECT_EQ(value(sample_block(1), longest + "\u2026"), "");
  constexpr const char* unprintable = "a value is too long, or isn't printable";
  EXPECT_EQ(value(sample_block(1), longest + "xx"), unprintable);
  for (const std::string_view text :
       {"\n", "\x1b[2J", "\x7f", "\xff", "\xc3", "\u202e", "\xed\xa0\x80", "\xc2\x85"}) {
    EXPECT_EQ(value(sample_block(1), text), unprintable) << text;
  }
  EXPECT_EQ(value(sample_block(1), std::string_view("\0", 1)), unprintable);
  constexpr const char* nobodys = "a value is no object's, or an object has two";
  EXPECT_EQ(value(sample_block(2), "twice"), nobodys);
  EXPECT_EQ(value(sample_block(7), "of a free block"), nobodys);
  EXPECT_EQ(value(sample_mem_pool, "of a table"), nobodys);
  EXPECT_EQ(value(sample_block(1) + 8, "inside"), nobodys);
  EXPECT_EQ(value(1, "nowhere"), nobodys);
  EXPECT_EQ(refusal(with(StreamBuilder().text(RecordKind::value, "abc"))),
            "a record of a value is too short");
}

TEST(StreamReader, SaysWhatCantBe) {
  using Kind = RecordKind;
  EXPECT_EQ(refusal("GET / HTTP/1.1"),
            "it is no stream of a snapshot, or one of another version of Tarn");
  EXPECT_EQ(refusal(sample_stream() + "more"), "it goes on behind its end");
  EXPECT_EQ(refusal(StreamBuilder().text(Kind::report, "").bytes()),
            "it doesn't begin with its facts");
  EXPECT_EQ(refusal(with(StreamBuilder().text(static_cast<Kind>(99), ""))),
            "a record of a kind that isn't known: 99");
  EXPECT_EQ(refusal(with(StreamBuilder().text(Kind::objects, "abc"))),
            "a record of objects ends in the middle");
  EXPECT_EQ(refusal(with(StreamBuilder().words(Kind::references, {1, 5, 2}))),
            "a record of references ends in the middle");
  EXPECT_EQ(refusal(with(StreamBuilder().object(sample_block(9), 1, 0, 0))),
            "an object lies in no allocated block");
  EXPECT_EQ(refusal(with(StreamBuilder().object(sample_block(7), 1, 0, 0))),
            "an object lies in no allocated block");
  EXPECT_EQ(refusal(with(StreamBuilder().object(sample_block(0), 1, 0, 0))),
            "an object's numbers don't fit its block");
  EXPECT_EQ(refusal(with(StreamBuilder().object(sample_block(3), 1, 77, 0))),
            "an object's numbers don't fit its block");
  EXPECT_EQ(
      refusal(with(StreamBuilder().object(sample_mem_pool + 64, 1, 0, object_flags::outside, 0))),
      "blocks overlap");
  EXPECT_EQ(refusal(with(StreamBuilder().add(Kind::large,
                                             LargeRecord{sample_large + 4096, 4096, 0, {}, 0, 0}))),
            "two large blocks overlap");
  EXPECT_EQ(
      refusal(with(StreamBuilder().add(Kind::large, LargeRecord{sample_arena, 4096, 0, {}, 0, 0}))),
      "blocks overlap");
  PoolRecord pool = sample_pool_record();
  pool.address = sample_arena + 0x8000;
  EXPECT_EQ(
      refusal(with(StreamBuilder().add(Kind::pool, pool, sample_marks(1, sample_blocks, {0, 0})))),
      "a pool has too many or too few blocks");
  EXPECT_EQ(
      refusal(with(StreamBuilder().add(Kind::pool, pool, sample_marks(1, sample_blocks, {300})))),
      "a pool's chain of free blocks can't be");
  pool.free_blocks = 2;
  EXPECT_EQ(
      refusal(with(StreamBuilder().add(Kind::pool, pool, sample_marks(1, sample_blocks, {5, 5})))),
      "a pool's chain of free blocks can't be");
  pool.blocks = 256;  // the last would end behind the pool
  EXPECT_EQ(refusal(with(StreamBuilder().add(Kind::pool, pool, sample_marks(1, 256, {5, 6})))),
            "a pool's numbers can't be");
  pool.blocks = 300;
  EXPECT_EQ(refusal(with(StreamBuilder().add(Kind::pool, pool, sample_marks(1, 300, {5, 6})))),
            "a pool's numbers can't be");
  pool = sample_pool_record();
  pool.address = sample_arena + 0x100000;
  EXPECT_EQ(
      refusal(with(StreamBuilder().add(Kind::pool, pool, sample_marks(1, sample_blocks, {5})))),
      "a pool lies in no arena");
  EXPECT_EQ(refusal(with(StreamBuilder().words(Kind::usable, {sample_arena}))),
            "a usable arena isn't there, or twice");
}

TEST(StreamReader, SaysThatAStreamBreaksOffWhereverItDoes) {
  const std::string bytes = sample_stream();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(refusal(std::string_view(bytes).substr(0, size)), "it breaks off");
  }
}

TEST(StreamReader, ReadsOrRefusesWhateverIsDamaged) {
  const std::string bytes = sample_stream();
  std::mt19937_64 random(7);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = bytes;
    for (std::uint64_t left = 1 + random() % 3; left != 0; --left) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    try {
      Capture capture = read(damaged);
      find_holders(capture);
    } catch (const BadStream& bad) {
      ++refused;
      EXPECT_THAT(bad.what(), testing::Not(testing::HasSubstr("\n")));
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace tarn::sight

#include "sight/reading/rows.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sight/reading/bad_snapshot.h"

namespace tarn::sight::reading {
namespace {

Cell number(std::int64_t value) { return {.kind = Cell::Kind::integer, .integer = value}; }
Cell text(std::string_view value) { return {.kind = Cell::Kind::text, .text = value}; }
const Cell null;

std::vector<Cell> sample_block() {
  return {number(0x7f0000000000),
          number(64),
          number(0),
          number(2),
          number(1),
          number(3),
          number(1),
          null,
          null,
          number(7),
          null};
}

template <class Read>
std::string refusal(Read read) {
  try {
    static_cast<void>(read());
  } catch (const BadSnapshot& bad) {
    return bad.what();
  }
  return "accepted";
}

TEST(Rows, ABlockIsReadColumnByColumn) {
  const std::vector<Cell> cells = sample_block();
  const BlockRow block = read_block(cells);
  EXPECT_EQ(block.address, 0x7f0000000000U);
  EXPECT_EQ(block.size, 64U);
  EXPECT_EQ(block.content, Content::object);
  EXPECT_EQ(block.type, 3U);
  EXPECT_EQ(block.root, 7U);
  EXPECT_FALSE(block.holder.has_value());
}

TEST(Rows, ABlocksColumnsAreChecked) {
  const auto with = [](std::size_t column, Cell cell) {
    std::vector<Cell> cells = sample_block();
    cells[column] = cell;
    return refusal([&] { return read_block(cells); });
  };
  EXPECT_EQ(with(0, number(-1)), "table block: address is out of range");
  EXPECT_EQ(with(0, text("here")), "table block: address is not a number");
  EXPECT_EQ(with(0, null), "table block: address is not a number");
  EXPECT_EQ(with(1, number(0)), "table block: size is out of range");
  EXPECT_EQ(with(1, number(std::int64_t{1} << 57)), "table block: size is out of range");
  EXPECT_EQ(with(2, number(3)), "table block: place is out of range");
  EXPECT_EQ(with(4, number(4)), "table block: content is out of range");
  EXPECT_EQ(with(6, number(-5)), "table block: refcount is out of range");
  EXPECT_EQ(refusal([] { return read_block(std::vector<Cell>{number(1)}); }),
            "table block: size is missing");
}

TEST(Rows, APoolIsWholePages) {
  const auto read = [](std::int64_t address, std::int64_t size, std::int64_t pages) {
    const std::vector<Cell> cells = {number(address), number(size), number(pages)};
    return refusal([&] { return read_pool(cells, 4096); });
  };
  EXPECT_EQ(read(0x4000, 0x4000, 15), "accepted");
  EXPECT_EQ(read(0x4000, 64 * 0x1000, -1), "accepted");
  EXPECT_EQ(read(0x4001, 0x4000, 15), "table pool: address is not a page's");
  EXPECT_EQ(read(0x4000, 0x4001, 15), "table pool: size is not whole pages");
  EXPECT_EQ(read(0x4000, 65 * 0x1000, 15), "table pool: size is out of range");
  EXPECT_EQ(read(0x4000, 0x4000, 16), "table pool: resident_pages has more pages than the pool");
}

TEST(Rows, APageSizeIsAPowerOfTwo) {
  const auto read = [](std::int64_t size) {
    const std::vector<Cell> cells = {number(1), number(1),    number(1), text(""),
                                     text(""),  number(size), number(0), number(0)};
    return refusal([&] { return read_facts(cells); });
  };
  EXPECT_EQ(read(4096), "accepted");
  for (const std::int64_t size : {0, 1, 512, 4095, 12288}) {
    EXPECT_EQ(read(size), "table snapshot: page_size is out of range");
  }
}

TEST(Rows, ANameThatIsTooLongIsRefused) {
  const std::string name(text_limit + 1, 'a');
  const std::vector<Cell> cells = {number(1), text(""), text(name)};
  EXPECT_EQ(refusal([&] { return read_type(cells); }), "table type: name is too long");
}

}  // namespace
}  // namespace tarn::sight::reading

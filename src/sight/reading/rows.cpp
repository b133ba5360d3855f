#include "sight/reading/rows.h"

#include <bit>
#include <cmath>

#include "sight/reading/bad_snapshot.h"

namespace tarn::sight::reading {
namespace {

// Reads a row's cells from left to right; what isn't as it should be is said with the table's and the column's
// name.
class Reader {
 public:
  Reader(const char* table, Row row) : table_(table), row_(row) {}

  std::uint64_t number(const char* column, std::uint64_t most) {
    const Cell cell = next(column);
    return check_number(column, cell, most);
  }

  std::optional<std::uint64_t> number_or_null(const char* column, std::uint64_t most) {
    const Cell cell = next(column);
    if (cell.kind == Cell::Kind::null) {
      return std::nullopt;
    }
    return check_number(column, cell, most);
  }

  std::int64_t signed_number(const char* column, std::uint64_t most) {
    const Cell cell = next(column);
    if (cell.kind != Cell::Kind::integer) {
      refuse(column, "is not a number");
    }
    const auto limit = static_cast<std::int64_t>(most);
    if (cell.integer < -limit || cell.integer > limit) {
      refuse(column, "is out of range");
    }
    return cell.integer;
  }

  std::uint64_t bits(const char* column) {
    const Cell cell = next(column);
    if (cell.kind != Cell::Kind::integer) {
      refuse(column, "is not a number");
    }
    return static_cast<std::uint64_t>(cell.integer);
  }

  double real(const char* column) {
    const Cell cell = next(column);
    const double value = cell.kind == Cell::Kind::real      ? cell.real
                         : cell.kind == Cell::Kind::integer ? static_cast<double>(cell.integer)
                                                            : NAN;
    if (!(value >= 0 && value <= static_cast<double>(count_limit))) {
      refuse(column, "is out of range");
    }
    return value;
  }

  std::string text(const char* column) {
    const Cell cell = next(column);
    if (cell.kind != Cell::Kind::text) {
      refuse(column, "is not text");
    }
    if (cell.text.size() > text_limit) {
      refuse(column, "is too long");
    }
    return std::string(cell.text);
  }

  [[noreturn]] void refuse(const char* column, const char* problem) const {
    throw BadSnapshot(std::string("table ") + table_ + ": " + column + ' ' + problem);
  }

 private:
  Cell next(const char* column) {
    if (position_ >= row_.size()) {
      refuse(column, "is missing");
    }
    return row_[position_++];
  }

  std::uint64_t check_number(const char* column, const Cell& cell, std::uint64_t most) const {
    if (cell.kind != Cell::Kind::integer) {
      refuse(column, "is not a number");
    }
    if (cell.integer < 0 || static_cast<std::uint64_t>(cell.integer) > most) {
      refuse(column, "is out of range");
    }
    return static_cast<std::uint64_t>(cell.integer);
  }

  const char* table_;
  Row row_;
  std::size_t position_ = 0;
};

void expect_stretch(const Reader& reader, std::uint64_t address, std::uint64_t size) {
  if (size == 0 || size > address_limit - address) {
    reader.refuse("size", "is out of range");
  }
}

}  // namespace

FactsRow read_facts(Row row) {
  Reader reader("snapshot", row);
  FactsRow facts;
  facts.id = reader.number("id", count_limit);
  facts.taken_at = reader.real("taken_at");
  facts.pid = reader.number("pid", INT32_MAX);
  facts.program = reader.text("program");
  facts.python = reader.text("python");
  facts.page_size = reader.number("page_size", std::uint64_t{1} << 24);
  if (facts.page_size < 1024 || !std::has_single_bit(facts.page_size)) {
    reader.refuse("page_size", "is out of range");
  }
  facts.resident = reader.number("resident", address_limit);
  facts.has_references = reader.number("has_references", 1) == 1;
  return facts;
}

LedgerRow read_ledger(Row row) {
  Reader reader("ledger", row);
  LedgerRow line;
  line.key = reader.text("key");
  line.name = reader.text("name");
  line.bytes = reader.signed_number("bytes", address_limit);
  return line;
}

MappingRow read_mapping(Row row) {
  Reader reader("mapping", row);
  MappingRow mapping;
  mapping.owner = reader.text("owner");
  mapping.name = reader.text("name");
  mapping.resident = reader.number("resident", address_limit);
  return mapping;
}

PoolRow read_pool(Row row, std::uint64_t page_size) {
  Reader reader("pool", row);
  PoolRow pool;
  pool.address = reader.number("address", address_limit);
  pool.size = reader.number("size", pages_of_a_pool * page_size);
  expect_stretch(reader, pool.address, pool.size);
  if (pool.address % page_size != 0) {
    reader.refuse("address", "is not a page's");
  }
  if (pool.size % page_size != 0) {
    reader.refuse("size", "is not whole pages");
  }
  pool.resident_pages = reader.bits("resident_pages");
  const std::uint64_t pages = pool.size / page_size;
  if (pages < pages_of_a_pool && (pool.resident_pages >> pages) != 0) {
    reader.refuse("resident_pages", "has more pages than the pool");
  }
  return pool;
}

LargeRow read_large(Row row) {
  Reader reader("large", row);
  LargeRow large;
  large.address = reader.number("address", address_limit);
  large.size = reader.number("size", address_limit);
  expect_stretch(reader, large.address, large.size);
  large.resident = reader.number("resident", large.size);
  return large;
}

BlockRow read_block(Row row) {
  Reader reader("block", row);
  BlockRow block;
  block.address = reader.number("address", address_limit);
  block.size = reader.number("size", address_limit);
  expect_stretch(reader, block.address, block.size);
  block.place =
      static_cast<Place>(reader.number("place", static_cast<std::uint64_t>(Place::outside)));
  if (const auto domain = reader.number_or_null("domain", 2)) {
    block.domain = static_cast<std::uint8_t>(*domain);
  }
  block.content = static_cast<Content>(
      reader.number_or_null("content", static_cast<std::uint64_t>(Content::spare)).value_or(0));
  block.type = reader.number_or_null("type", count_limit);
  block.refcount = reader.number_or_null("refcount", INT64_MAX);
  block.owner = reader.number_or_null("owner", address_limit);
  block.holder = reader.number_or_null("holder", address_limit);
  block.root = reader.number_or_null("root", count_limit);
  block.site = reader.number_or_null("site", count_limit);
  return block;
}

TypeRow read_type(Row row) {
  Reader reader("type", row);
  TypeRow type;
  type.id = reader.number("id", count_limit);
  type.module = reader.text("module");
  type.name = reader.text("name");
  return type;
}

RootRow read_root(Row row) {
  Reader reader("root", row);
  RootRow root;
  root.id = reader.number("id", count_limit);
  root.block = reader.number("block", address_limit);
  root.kind = reader.text("kind");
  root.name = reader.text("name");
  root.frame = reader.number_or_null("frame", count_limit);
  return root;
}

FrameRow read_frame(Row row) {
  Reader reader("frame", row);
  FrameRow frame;
  frame.id = reader.number("id", count_limit);
  frame.function = reader.text("function");
  frame.file = reader.text("file");
  frame.line = reader.number("line", INT32_MAX);
  return frame;
}

SiteRow read_site(Row row) {
  Reader reader("site", row);
  SiteRow site;
  site.id = reader.number("id", count_limit);
  site.rate = reader.number("rate", address_limit);
  if (site.rate == 0) {
    reader.refuse("rate", "is out of range");
  }
  return site;
}

SampleRow read_sample(Row row) {
  Reader reader("sample", row);
  SampleRow sample;
  sample.block = reader.number("block", address_limit);
  sample.weight = reader.real("weight");
  if (sample.weight < 1) {
    reader.refuse("weight", "is out of range");
  }
  return sample;
}

SiteFrameRow read_site_frame(Row row) {
  Reader reader("site_frame", row);
  SiteFrameRow place;
  place.site = reader.number("site", count_limit);
  place.position = reader.number("position", count_limit);
  place.frame = reader.number("frame", count_limit);
  return place;
}

ReferenceRow read_reference(Row row) {
  Reader reader("reference", row);
  ReferenceRow reference;
  reference.source = reader.number("source", address_limit);
  reference.target = reader.number("target", address_limit);
  return reference;
}

}  // namespace tarn::sight::reading

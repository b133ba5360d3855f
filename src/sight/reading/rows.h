// The rows of a snapshot file as values that can be relied on. The file may have been made by anyone, so each
// cell is hostile until it was checked here:
//
//   an address and an end of a stretch of addresses is at most address_limit
//   an amount of bytes is at most address_limit, so that some hundred can be added up
//   a count is at most 2^53, so that it survives any reader of JSON
//   an enumeration has one of its values, a name is text of at most text_limit bytes
//
// Pure: whoever has cells (SQLite, a fuzzer) may ask.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sight/schema.h"

namespace tarn::sight::reading {

inline constexpr std::uint64_t address_limit = std::uint64_t{1}
                                               << 57;  // what five levels of page tables reach
inline constexpr std::uint64_t count_limit = std::uint64_t{1} << 53;
inline constexpr std::size_t text_limit = 64 * 1024;
inline constexpr std::uint64_t pages_of_a_pool = 64;  // as many as pool.resident_pages has bits

struct Cell {
  enum class Kind : std::uint8_t { null, integer, real, text, blob };
  Kind kind = Kind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text{};
};

using Row = std::span<const Cell>;

struct FactsRow {
  std::uint64_t id = 0;
  double taken_at = 0;
  std::uint64_t pid = 0;
  std::string program;
  std::string python;
  std::uint64_t page_size = 0;  // a power of two
  std::uint64_t resident = 0;
  bool has_references = false;
};

struct LedgerRow {
  std::string key;
  std::string name;
  std::int64_t bytes = 0;
};

struct MappingRow {
  std::string owner;
  std::string name;
  std::uint64_t resident = 0;
};

struct PoolRow {
  std::uint64_t address = 0;  // of a page
  std::uint64_t size = 0;     // whole pages, at most pages_of_a_pool
  std::uint64_t resident_pages = 0;
};

struct LargeRow {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint64_t resident = 0;  // at most size
};

struct BlockRow {
  std::uint64_t address = 0;
  std::uint64_t size = 0;  // at least 1
  Place place = Place::pool;
  std::optional<std::uint8_t> domain;
  Content content = Content::unknown;
  std::optional<std::uint64_t> type;
  std::optional<std::uint64_t> refcount;  // none: immortal, if it's an object
  std::optional<std::uint64_t> owner;
  std::optional<std::uint64_t> holder;
  std::optional<std::uint64_t> root;
  std::optional<std::uint64_t> site;
};

struct TypeRow {
  std::uint64_t id = 0;
  std::string module;
  std::string name;
};

struct RootRow {
  std::uint64_t id = 0;
  std::uint64_t block = 0;
  std::string kind;
  std::string name;
  std::optional<std::uint64_t> frame;
};

struct FrameRow {
  std::uint64_t id = 0;
  std::string function;
  std::string file;
  std::uint64_t line = 0;
};

struct SiteRow {
  std::uint64_t id = 0;
  std::uint64_t rate = 1;  // at least 1
};

struct SampleRow {
  std::uint64_t block = 0;
  double weight = 1;  // from 1 to count_limit
};

struct SiteFrameRow {
  std::uint64_t site = 0;
  std::uint64_t position = 0;
  std::uint64_t frame = 0;
};

struct ReferenceRow {
  std::uint64_t source = 0;
  std::uint64_t target = 0;
};

// The columns in the order in which each `read_` takes them. Each throws BadSnapshot.
inline constexpr const char* facts_columns =
    "id, taken_at, pid, program, python, page_size, resident, has_references";
inline constexpr const char* ledger_columns = "key, name, bytes";
inline constexpr const char* mapping_columns = "owner, name, resident";
inline constexpr const char* pool_columns = "address, size, resident_pages";
inline constexpr const char* large_columns = "address, size, resident";
inline constexpr const char* block_columns =
    "address, size, place, domain, content, type, refcount, owner, holder, root, site";
inline constexpr const char* type_columns = "id, module, name";
inline constexpr const char* root_columns = "id, block, kind, name, frame";
inline constexpr const char* frame_columns = "id, function, file, line";
inline constexpr const char* site_columns = "id, rate";
inline constexpr const char* sample_columns = "block, weight";
inline constexpr const char* site_frame_columns = "site, position, frame";
inline constexpr const char* reference_columns = "source, target";

[[nodiscard]] FactsRow read_facts(Row row);
[[nodiscard]] LedgerRow read_ledger(Row row);
[[nodiscard]] MappingRow read_mapping(Row row);
[[nodiscard]] PoolRow read_pool(Row row, std::uint64_t page_size);
[[nodiscard]] LargeRow read_large(Row row);
[[nodiscard]] BlockRow read_block(Row row);
[[nodiscard]] TypeRow read_type(Row row);
[[nodiscard]] RootRow read_root(Row row);
[[nodiscard]] FrameRow read_frame(Row row);
[[nodiscard]] SiteRow read_site(Row row);
[[nodiscard]] SampleRow read_sample(Row row);
[[nodiscard]] SiteFrameRow read_site_frame(Row row);
[[nodiscard]] ReferenceRow read_reference(Row row);

}  // namespace tarn::sight::reading

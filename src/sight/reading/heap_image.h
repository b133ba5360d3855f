// One snapshot in memory: what why and diff compute with. Blocks are in order of addresses, so that the blocks in
// a page are neighbours; everything refers to everything by its index.
//
//   Extent    │ page │ page │ page │      resident memory that goes back whole: a page of a pool that has a live
//              ▲──▲──▲    ▲─┴─▲           block in it, or a large block
//   blocks     0  1  2 …  7   8
//
// 40 bytes a block, 16 an extent and, if the references are asked for, 8 for each.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "sight/reading/graph.h"
#include "sight/reading/rows.h"
#include "sight/reading/snapshot_reader.h"

namespace tarn::sight::reading {

// An allocated block, or an object outside of Tarn. Indices may be no_index.
struct Block {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint32_t type = no_index;    // of a part: its owner's
  std::uint32_t holder = no_index;  // of a part: its owner
  std::uint32_t root = no_index;
  std::uint32_t site = no_index;
  std::uint32_t refcount = 0;  // saturated; 0: none
  Place place = Place::pool;
  Content content = Content::unknown;
  std::uint8_t domain = 0;
  bool is_immortal = false;
};

struct Root {
  std::uint32_t block = no_index;
  std::uint32_t frame = no_index;
  std::string kind;
  std::string name;
};

// A stack that allocated.
struct Site {
  std::vector<std::uint32_t>
      frames;  // the innermost first; empty: no line of Python was being executed
  std::uint32_t place = no_index;
  bool has_no_room = false;  // it isn't known: the recorder's tables were full
};

// Sites that are one to people: of the same line, and the same line of the program's own (places.h).
struct AllocationPlace {
  std::uint32_t frame = no_index;  // none: no line, or not known
  std::uint32_t own = no_index;    // if `frame` is a library's, the program's own that led there
  bool has_no_room = false;
};

struct Extent {
  std::uint64_t bytes = 0;
  std::uint32_t first = 0;  // blocks that are in it: [first, last)
  std::uint32_t last = 0;
};

struct HeapImage {
  FactsRow facts;
  std::vector<LedgerRow> ledger;
  std::vector<MappingRow> others;  // resident memory that isn't Tarn's by name, the largest first
  std::vector<Block> blocks;
  std::vector<Extent> extents;
  std::vector<std::string> types;  // "app.Session"; of builtins the name alone
  std::vector<Root> roots;
  std::vector<FrameRow> frames;
  std::vector<Site> sites;
  std::vector<AllocationPlace> places;
  std::uint64_t sites_rate =
      0;  // one block in so many bytes has a site; 1: all; 0: none was recorded
  std::vector<float>
      weights;  // per block, for how many with a site it stands; empty: each for itself
  std::vector<Edge> references;  // from block to block

  std::uint64_t live = 0;         // bytes of allocated blocks that are resident
  std::uint64_t live_pages = 0;   // of the pools' resident pages with an allocated block
  std::uint64_t empty_pages = 0;  // … without one: they go when asked
  std::uint64_t large = 0;        // resident bytes of large blocks

  [[nodiscard]] std::uint64_t pinned() const { return live_pages > live ? live_pages - live : 0; }
};

enum class References : bool { none, all };

// Reads snapshot `id` of the file. Throws BadSnapshot.
[[nodiscard]] HeapImage load_heap_image(const SnapshotReader& file, std::uint64_t id,
                                        References references);

// "dict"; "unknown" where there is no type.
[[nodiscard]] std::string type_name(const HeapImage& image, std::uint32_t type);

}  // namespace tarn::sight::reading

// What a snapshot holds, in memory: as it was read from a stream, checked, with each block's place in the heap; and what
// was found out from that: whose part it is, and who holds it (holders.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "sight/schema.h"
#include "sight/stream_format.h"

namespace tarn::sight {

inline constexpr std::uint32_t no_block = UINT32_MAX;
inline constexpr std::uint32_t no_root = UINT32_MAX;
inline constexpr std::uint32_t no_type = UINT32_MAX;
inline constexpr std::uint32_t no_site = UINT32_MAX;
inline constexpr std::uint64_t not_usable = UINT64_MAX;

struct Arena : ArenaRecord {
  std::uint64_t usable_order = not_usable;
};

struct Pool : PoolRecord {
  std::size_t first_slot = 0;   // of Capture::slots, a block each
  std::uint64_t freeblock = 0;  // address; 0: none
  std::uint64_t live_pages = 0;
  std::uint32_t allocated = 0;
  std::uint32_t untouched = 0;
};

struct Block {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint64_t pool = 0;       // its address; of place pool
  std::uint64_t next_free = 0;  // of a free one; 0: none
  std::uint64_t refcount = 0;
  std::uint32_t prefix = 0;
  std::uint32_t type = no_type;
  std::uint32_t flags = 0;         // object_flags
  std::uint32_t owner = no_block;  // indices of blocks
  std::uint32_t holder = no_block;
  std::uint32_t root = no_root;  // an index of roots
  std::uint32_t depth = 0;
  std::uint32_t site = no_site;  // an index of sites
  Place place = Place::pool;
  Taken state = Taken::allocated;
  Content content = Content::unknown;
  std::uint8_t domain = 0;

  [[nodiscard]] std::uint64_t object() const { return address + prefix; }
  [[nodiscard]] bool is_candidate() const { return type != no_type; }
};

struct Type : TypeRecord {
  std::string module;
  std::string name;
};

struct Root {
  std::string kind;
  std::string name;
  std::uint32_t block = no_block;
  std::uint32_t frame = 0;
  std::uint64_t thread = 0;
  bool is_local = false;
};

struct Thread {
  std::uint64_t id = 0;
  std::string name;
};

struct Frame : FrameRecord {
  std::string function;
  std::string file;
};

struct Line {
  std::uint32_t line = 0;
  std::string function;
  std::string file;
};

struct Site {
  std::uint32_t id = 0;
  std::vector<std::uint32_t> lines;  // indices of lines, the innermost first
};

// A recorded block. Its weight is that of blocks as large as it was counted.
struct Sample {
  std::uint32_t block = no_block;
  double weight = 1;
};

// A short text of an object.
struct Value {
  std::uint32_t block = no_block;
  std::string text;
};

// References of one block, [first, last) of Capture::targets.
struct References {
  std::uint32_t source = no_block;
  std::size_t first = 0;
  std::size_t last = 0;
};

struct Part {
  std::uint32_t source = no_block;
  std::uint32_t target = no_block;
};

struct Capture {
  FactsRecord facts = {};
  EndRecord end = {};
  std::string report;
  std::string mappings;
  std::string program;
  std::vector<Arena> arenas;  // these four in order of addresses
  std::vector<Pool> pools;
  std::vector<LargeRecord> large;
  std::vector<Block> blocks;
  std::vector<std::uint32_t> slots;  // of all pools' blocks: which of `blocks`
  std::vector<Type> types;
  std::vector<Root> roots;
  std::vector<Thread> threads;
  std::vector<Frame> frames;
  std::vector<References> references;  // in order of sources
  std::vector<std::uint32_t> targets;
  std::vector<Part> parts;
  std::uint64_t sampling_rate = 0;  // 0: where blocks were allocated wasn't recorded
  std::vector<Line> lines;
  std::vector<Site> sites;      // in order of ids
  std::vector<Sample> samples;  // of weights over 1, each block once
  std::vector<Value> values;    // each block once

  // The block that holds an address; no_block: none that is allocated or free.
  [[nodiscard]] std::uint32_t find(std::uint64_t address) const;

  std::unordered_map<std::uint64_t, std::uint32_t> pool_of_page;  // of addresses >> page_shift
  static constexpr unsigned page_shift = 12;
};

}  // namespace tarn::sight

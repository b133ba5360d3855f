// What a process writes while a snapshot of it is taken, and what the command reads: a stream of records. Both
// sides are on one machine, so words are as the machine has them. The reader takes nothing for granted
// (stream_reader.h).
//
//   ┌───────────┬──────────────┬─────────┬──────────────┬─────────┬─────
//   │ magic (8) │ kind │ size  │ payload │ kind │ size  │ payload │ …      the last record is `end`
//   └───────────┴──────────────┴─────────┴──────────────┴─────────┴─────
//
// Order: facts, report, mappings; arenas, each followed by its pools; large blocks; references, objects and parts;
// where blocks were allocated, if that's recorded: sampling, lines, sites, recorded blocks; values; types, roots, threads,
// program; end.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn::sight {

inline constexpr char stream_magic[8] = {'t', 'a', 'r', 'n', 's', 'n', 'p', '2'};
// In these every pool's first block lies at its start; all else is the same.
inline constexpr char stream_magic_before[8] = {'t', 'a', 'r', 'n', 's', 'n', 'p', '1'};
inline constexpr std::uint32_t most_record_bytes = std::uint32_t{1} << 24;

enum class RecordKind : std::uint32_t {
  facts = 1,
  report,    // text: what `tarn ledger` is told
  mappings,  // text: a part of /proc/PID/smaps
  arena,
  pool,  // PoolRecord, a byte for each block (BlockMark), a uint16 for each on freeblock, in its order
  usable,  // addresses of arenas in the order of usable_arenas
  large,
  objects,     // ObjectRecord, many
  references,  // words: source, count, targets; many
  parts,       // words: source, target; many
  type,        // TypeRecord, name, NUL, module
  root,        // RootRecord, name
  thread,      // ThreadRecord, name
  frame,       // FrameRecord, function, NUL, file
  program,     // text: for a file's name
  end,
  sampling,  // SamplingRecord, once
  line,      // LineRecord, function, NUL, file; numbered from 0 in the order in which they come
  site,      // SiteRecord, a uint32 for each of its lines, the innermost first
  recorded,  // RecordedRecord, many
  value,     // ValueRecord, text: what repr says of a simple object, if that's asked for
};

struct RecordHead {
  RecordKind kind;
  std::uint32_t size;  // of the payload, in bytes
};

struct FactsRecord {
  std::uint64_t taken_at;  // microseconds since 1970
  std::uint64_t pid;
  std::uint64_t page_size;
};

enum class HeapName : std::uint32_t { python = 0, raw = 1 };

struct ArenaRecord {
  std::uint64_t address;
  std::uint64_t size;
  std::uint64_t pools;
  std::uint64_t nfreepools;
  std::uint64_t resident;
  HeapName heap;
  std::uint32_t reserved;
};

enum class BlockMark : std::uint8_t { untouched = 0, allocated = 1, free = 2 };

struct PoolRecord {
  std::uint64_t address;
  std::uint64_t arena;
  std::uint64_t resident_pages;
  std::uint32_t size;
  std::uint32_t block_size;
  std::uint32_t blocks;
  std::uint32_t untouched_at;
  std::uint32_t szidx;
  std::uint8_t state;   // PoolState
  std::uint8_t domain;  // Domain
  std::uint16_t free_blocks;
};

struct LargeRecord {
  std::uint64_t address;
  std::uint64_t size;
  std::uint64_t resident;
  HeapName heap;
  std::uint16_t domain;
  std::uint16_t is_mapping;
};

namespace object_flags {
inline constexpr std::uint32_t tracked = 1;  // the collector looks at it
inline constexpr std::uint32_t linked =
    2;  // and its neighbours in the collector's list know it: it's an object
inline constexpr std::uint32_t spare = 4;     // dead, on its type's free list
inline constexpr std::uint32_t immortal = 8;  // its count means nothing
inline constexpr std::uint32_t outside =
    16;  // in no block of Tarn's; `block` is then its own address
}  // namespace object_flags

struct ObjectRecord {
  std::uint64_t block;
  std::uint64_t refcount;
  std::uint32_t prefix;
  std::uint32_t type;  // TypeRecord::id
  std::uint32_t flags;
  std::uint32_t reserved;
};

struct TypeRecord {
  std::uint64_t address;
  std::int64_t basicsize;
  std::int64_t itemsize;
  std::uint32_t id;  // from 0, without a gap
  std::uint32_t is_heap_type;
};

enum class RootKind : std::uint32_t { global = 0, local, module, type, interpreter };

struct RootRecord {
  std::uint64_t target;  // an object's address
  RootKind kind;
  std::uint32_t frame;  // of a local: the number of frame records before that frame's
  std::uint64_t thread;
};

struct ThreadRecord {
  std::uint64_t id;
};

struct FrameRecord {
  std::uint64_t thread;
  std::uint32_t position;  // 0 the innermost
  std::uint32_t line;
};

struct SamplingRecord {
  std::uint64_t rate;  // one block in so many bytes was recorded; 1: all
};

struct LineRecord {
  std::uint32_t line;
  std::uint32_t reserved;
};

struct SiteRecord {
  std::uint32_t
      id;  // ascending; 0: without a Python stack, 1: there was no room for it, neither has lines
  std::uint32_t lines;
};

struct RecordedRecord {
  std::uint64_t block;
  std::uint64_t counted;  // bytes by which it was: the more, the likelier it was to be recorded
  std::uint32_t site;     // SiteRecord::id
  std::uint32_t reserved;
};

inline constexpr std::size_t most_value_characters = 40;

struct ValueRecord {
  std::uint64_t block;  // as in ObjectRecord
};

namespace end_flags {
inline constexpr std::uint64_t threads_missing = 1;  // they couldn't be looked at
}

struct EndRecord {
  std::uint64_t pause;    // nanoseconds
  std::uint64_t capture;  // nanoseconds
  std::uint64_t unreadable;
  std::uint64_t flags;
};

}  // namespace tarn::sight

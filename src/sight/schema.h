// The schema of a snapshot file, as docs/snapshot.md explains it. Whatever reads snapshots (the map, why, diff,
// people with SQL) rests on these tables: a change that takes away or renames raises schema_version, and a
// reader refuses what is newer than it knows.
#pragma once

#include <cstdint>

namespace tarn::sight {

inline constexpr std::int32_t application_id = 0x5461726e;  // "Tarn", in the file's header
inline constexpr std::int32_t schema_version = 1;           // PRAGMA user_version

// The codes of block.place, block.state, block.content and block.domain.
enum class Place : std::uint8_t { pool = 0, large = 1, outside = 2 };
enum class Taken : std::uint8_t { allocated = 1, free = 2 };
enum class Content : std::uint8_t { unknown = 0, object = 1, part = 2, spare = 3 };

inline constexpr const char* schema = R"sql(
CREATE TABLE snapshot (
  id              INTEGER PRIMARY KEY,  -- 1, 2, … in the order in which they were taken
  taken_at        REAL NOT NULL,        -- seconds since 1970, UTC
  reason          TEXT NOT NULL,        -- command, exit, peak, every, signal, call
  pid             INTEGER NOT NULL,
  program         TEXT NOT NULL,        -- as its command line has it
  python          TEXT NOT NULL,        -- 3.11.2
  tarn            TEXT NOT NULL,
  geometry        TEXT NOT NULL,        -- tarn, classic, modern
  address_map     TEXT NOT NULL,        -- range, page_map
  checks          TEXT NOT NULL,        -- none, debug
  page_size       INTEGER NOT NULL,
  resident        INTEGER NOT NULL,     -- RSS, as the kernel sums it up
  pause_ns        INTEGER NOT NULL,     -- so long the program stood still
  capture_ns      INTEGER NOT NULL,     -- so long its copy took, while the program ran on
  unreadable      INTEGER NOT NULL,     -- objects whose references could not be followed
  has_references  INTEGER NOT NULL      -- 1: table reference is filled
);

-- The process's addresses, by owner. A mapping that has several owners has a row for each part.
CREATE TABLE mapping (
  snapshot     INTEGER NOT NULL,
  start        INTEGER NOT NULL,
  size         INTEGER NOT NULL,
  resident     INTEGER NOT NULL,
  permissions  TEXT NOT NULL,  -- rw-p
  owner        TEXT NOT NULL,  -- arenas, large, descriptors: Tarn's; reserved: can't be touched; heap, anonymous,
                               -- file, stack, kernel
  name         TEXT NOT NULL,  -- as the kernel has it; empty: anonymous memory
  PRIMARY KEY (snapshot, start)
) WITHOUT ROWID;

-- Where the resident memory is: adds up to snapshot.resident. The lines of tarn ledger.
CREATE TABLE ledger (
  snapshot  INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  key       TEXT NOT NULL,
  name      TEXT NOT NULL,
  bytes     INTEGER NOT NULL,
  PRIMARY KEY (snapshot, position)
) WITHOUT ROWID;

CREATE TABLE arena (
  snapshot      INTEGER NOT NULL,
  address       INTEGER NOT NULL,
  size          INTEGER NOT NULL,
  heap          TEXT NOT NULL,     -- python; raw: the raw domain's own heap
  tier          TEXT NOT NULL,     -- small, medium
  pools         INTEGER NOT NULL,
  nfreepools    INTEGER NOT NULL,  -- empty and untouched pools
  usable_order  INTEGER,           -- place in usable_arenas of its heap and tier, from 0; null: not linked
  resident      INTEGER NOT NULL,
  PRIMARY KEY (snapshot, address)
) WITHOUT ROWID;

CREATE TABLE pool (
  snapshot        INTEGER NOT NULL,
  address         INTEGER NOT NULL,
  arena           INTEGER NOT NULL,
  size            INTEGER NOT NULL,
  state           TEXT NOT NULL,     -- untouched, empty, used, full
  -- Null for untouched and empty pools:
  domain          TEXT,              -- raw, mem, obj
  szidx           INTEGER,
  block_size      INTEGER,
  blocks          INTEGER,
  allocated       INTEGER,
  untouched       INTEGER,           -- blocks never handed out, or whose page went back
  untouched_at    INTEGER,           -- offset of the first block never handed out; the first of all is at address
                                     -- + untouched_at % block_size
  freeblock       INTEGER,           -- address of the first free block; null: none
  resident        INTEGER NOT NULL,
  resident_pages  INTEGER NOT NULL,  -- bit i: page i is resident (pages of snapshot.page_size, 64 at most)
  live_pages      INTEGER NOT NULL,  -- bit i: page i holds a part of an allocated block
  PRIMARY KEY (snapshot, address)
) WITHOUT ROWID;

CREATE TABLE large (
  snapshot  INTEGER NOT NULL,
  address   INTEGER NOT NULL,
  size      INTEGER NOT NULL,  -- in whole pages
  heap      TEXT NOT NULL,
  kind      TEXT NOT NULL,     -- span: pages of a shared range; mapping: one of its own
  resident  INTEGER NOT NULL,
  PRIMARY KEY (snapshot, address)
) WITHOUT ROWID;

-- Every block that is allocated or free. A block of a used or full pool without a row is untouched.
CREATE TABLE block (
  snapshot   INTEGER NOT NULL,
  address    INTEGER NOT NULL,
  size       INTEGER NOT NULL,  -- of its size class, or in whole pages
  place      INTEGER NOT NULL,  -- 0 pool, 1 large, 2 outside of Tarn: the C library's, or static
  pool       INTEGER,           -- of place 0
  domain     INTEGER,           -- 0 raw, 1 mem, 2 obj; null: outside
  state      INTEGER NOT NULL,  -- 1 allocated, 2 free
  next_free  INTEGER,           -- of a free one: the next in its pool's chain
  -- Of an allocated one:
  content    INTEGER,           -- 0 unknown, 1 an object, 2 a part of one, 3 spare: on a type's free list
  prefix     INTEGER,           -- bytes before the object: its id is address + prefix
  type       INTEGER,           -- type.id
  refcount   INTEGER,           -- null: immortal
  tracked    INTEGER,           -- 1: the cycle collector looks at it
  owner      INTEGER,           -- of a part: the block of the object it belongs to
  holder     INTEGER,           -- the block from which it is reached, on a shortest way; null: from the root
  root       INTEGER,           -- root.id: where that way starts; null: nothing is known to hold it
  depth      INTEGER,           -- steps on it: 0 for what the root itself names
  site       INTEGER,           -- site.id: where it was allocated, if that was recorded
  PRIMARY KEY (snapshot, address)
) WITHOUT ROWID;

CREATE TABLE type (
  snapshot   INTEGER NOT NULL,
  id         INTEGER NOT NULL,
  address    INTEGER NOT NULL,
  module     TEXT NOT NULL,     -- builtins; empty: unknown
  name       TEXT NOT NULL,
  basicsize  INTEGER NOT NULL,
  itemsize   INTEGER NOT NULL,
  PRIMARY KEY (snapshot, id)
) WITHOUT ROWID;

-- What holds objects without being held. A row for each name: a block may have several.
CREATE TABLE root (
  snapshot  INTEGER NOT NULL,
  id        INTEGER NOT NULL,
  block     INTEGER NOT NULL,
  kind      TEXT NOT NULL,  -- global, local, module, type, interpreter, unknown, garbage
  name      TEXT NOT NULL,  -- sessions.cache; cache; sessions; …
  frame     INTEGER,        -- of a local: frame.id
  thread    INTEGER,        -- of a local: thread.id
  PRIMARY KEY (snapshot, id)
) WITHOUT ROWID;

CREATE TABLE thread (
  snapshot  INTEGER NOT NULL,
  id        INTEGER NOT NULL,  -- threading.get_ident()
  name      TEXT NOT NULL,     -- empty: unknown
  PRIMARY KEY (snapshot, id)
) WITHOUT ROWID;

-- A line of Python that is being executed, or that allocated.
CREATE TABLE frame (
  snapshot  INTEGER NOT NULL,
  id        INTEGER NOT NULL,
  function  TEXT NOT NULL,
  file      TEXT NOT NULL,
  line      INTEGER NOT NULL,
  PRIMARY KEY (snapshot, id)
) WITHOUT ROWID;

-- The stack of each thread, 0 the innermost.
CREATE TABLE thread_frame (
  snapshot  INTEGER NOT NULL,
  thread    INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  frame     INTEGER NOT NULL,
  PRIMARY KEY (snapshot, thread, position)
) WITHOUT ROWID;

-- Allocation sites of live blocks, if they were recorded: a stack each. Two have none: 0 is where no line of Python
-- was being executed, 1 where there was no room for the stack.
CREATE TABLE site (
  snapshot  INTEGER NOT NULL,
  id        INTEGER NOT NULL,
  rate      INTEGER NOT NULL,  -- one block in so many bytes was recorded; 1: all
  PRIMARY KEY (snapshot, id)
) WITHOUT ROWID;

CREATE TABLE site_frame (
  snapshot  INTEGER NOT NULL,
  site      INTEGER NOT NULL,
  position  INTEGER NOT NULL,  -- 0 the innermost
  frame     INTEGER NOT NULL,
  PRIMARY KEY (snapshot, site, position)
) WITHOUT ROWID;

-- For how many blocks like it each one with a site stands. Without a row: for itself, all were recorded.
CREATE TABLE sample (
  snapshot  INTEGER NOT NULL,
  block     INTEGER NOT NULL,  -- block.address
  weight    REAL NOT NULL,     -- at least 1; sums over samples are right on average
  PRIMARY KEY (snapshot, block)
) WITHOUT ROWID;

-- Short texts of simple objects, if asked for (--values): what repr says of them.
CREATE TABLE value (
  snapshot  INTEGER NOT NULL,
  block     INTEGER NOT NULL,  -- block.address
  text      TEXT NOT NULL,     -- 40 characters at most; what is longer ends in …
  PRIMARY KEY (snapshot, block)
) WITHOUT ROWID;

-- Every reference from an object to another, if asked for (--references).
CREATE TABLE reference (
  snapshot  INTEGER NOT NULL,
  source    INTEGER NOT NULL,  -- block.address
  target    INTEGER NOT NULL
);

-- Objects by names instead of numbers.
CREATE VIEW object AS
SELECT block.snapshot, block.address + block.prefix AS id, block.address AS block, block.size, block.pool, block.place,
       type.module, type.name AS type, block.refcount, block.tracked, block.holder, block.depth,
       root.kind AS root_kind, root.name AS root, block.site
FROM block
JOIN type ON type.snapshot = block.snapshot AND type.id = block.type
LEFT JOIN root ON root.snapshot = block.snapshot AND root.id = block.root
WHERE block.content = 1;

-- Each site by the line that allocated: the innermost of its stack; null where there is none.
CREATE VIEW allocated_at AS
SELECT site.snapshot, site.id AS site, site.rate, frame.function, frame.file, frame.line
FROM site
LEFT JOIN site_frame ON site_frame.snapshot = site.snapshot AND site_frame.site = site.id AND site_frame.position = 0
LEFT JOIN frame ON frame.snapshot = site_frame.snapshot AND frame.id = site_frame.frame;

-- Bytes of an object together with its parts: a dict with its table.
CREATE VIEW object_size AS
SELECT snapshot, coalesce(owner, address) AS block, count(*) AS blocks, sum(size) AS bytes
FROM block
WHERE state = 1 AND content IN (1, 2) AND place <> 2
GROUP BY snapshot, coalesce(owner, address);
)sql";

}  // namespace tarn::sight

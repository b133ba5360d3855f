// Tarn's heap: arenas, pools and blocks over the operating system's virtual memory.
//
//   tarn::Heap heap;
//   void* block = heap.allocate(64);
//   heap.free(block);
//
// Sizes are bytes. Nothing here throws: a request that can't be met is a null pointer, as with
// PyMem_Malloc. Requests up to `small_request_max` come from pools; with Tarn's own geometry and without
// checks, requests up to 32 KiB from pools of a second tier. With Tarn's own geometry larger ones are whole
// pages of the heap's own. What is left goes to the general-purpose allocator below (the C library's, unless
// HeapOptions names another).
//
// Thread rules. With Synchronisation::caller (the default) one thread at a time may be inside the
// heap: the lock is the caller's, as the GIL is CPython's. With Synchronisation::locked every
// function may be called from any thread at any time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn {

// Arena size / pool size / alignment / largest small request.
enum class Geometry : std::uint8_t {
  tarn,     // what measurement picked for Python programs
  classic,  // 256 KiB / 4 KiB / 8 / 512: the note's, CPython's up to 3.7
  modern,   // 1 MiB / 16 KiB / 16 / 512: CPython's since 3.10
};

// Whom a block is for. The heap keeps the pools of each domain apart.
enum class Domain : std::uint8_t {
  raw,  // general memory, no lock held in CPython
  mem,  // Python's internal buffers
  obj,  // objects
};
inline constexpr std::size_t domain_count = 3;

enum class Synchronisation : std::uint8_t { caller, locked };

// `debug` puts guard bytes around every block and fills free memory with a pattern. A double free, a
// foreign free, a write past either end or after free, and a block freed in another domain than its
// own are reported on standard error with block, pool and arena; then the process aborts.
enum class Checks : std::uint8_t { none, debug };

// How the heap tells its own addresses. `automatic` tries a reserved range of addresses first and
// falls back to a page map where the whole reservation is refused (RLIMIT_AS, containers). `range`
// takes what part of it the system grants.
enum class AddressMap : std::uint8_t { automatic, range, page_map };

// The allocator that requests go to which no pool serves, and that pointers which are not the
// heap's are handed back to. The functions follow the C library's contracts.
struct GeneralAllocator {
  void* context;
  void* (*allocate)(void* context, std::size_t size);
  void* (*allocate_zeroed)(void* context, std::size_t count, std::size_t size);
  void* (*reallocate)(void* context, void* block, std::size_t size);
  void (*free)(void* context, void* block);
  // May be null: allocate_aligned then fails for what the pools can't serve.
  void* (*allocate_aligned)(void* context, std::size_t alignment, std::size_t size);
  // It served the program before this heap, so blocks that this heap never handed out come to free and
  // reallocate. They are passed on; otherwise Checks::debug reports them.
  bool served_before;
  // The size of a block of this allocator's, at least what was asked for. May be null: such blocks count as
  // nothing where allocated bytes are counted.
  std::size_t (*size_of)(void* context, const void* block) = nullptr;
};

// malloc, calloc, realloc, free and aligned_alloc of the C library. Context is unused.
[[nodiscard]] const GeneralAllocator& c_library_allocator() noexcept;

// When pages without an allocated block go back to the operating system. `on_request`: whole arenas at once
// (but for one), pages by release(). `at_once`: each page as soon as it holds no allocated block, which is
// slow, and meant for tests.
enum class Release : std::uint8_t { on_request, at_once };

// Who serves requests over 32 KiB. `own`: the heap, with Geometry::tarn, as long as the system grants it
// memory; the general allocator otherwise.
enum class Large : std::uint8_t { own, general };

// `automatic`: blocks of 4 MiB and more that are asked for at once, not grown, and not zeroed, are backed by
// the system's large pages (where transparent huge pages are on `madvise`): they are about to be written to.
enum class LargePages : std::uint8_t { off, automatic };

struct HeapOptions {
  Geometry geometry = Geometry::tarn;
  Synchronisation synchronisation = Synchronisation::caller;
  Checks checks = Checks::none;
  AddressMap address_map = AddressMap::automatic;
  Release release = Release::on_request;
  Large large = Large::own;
  LargePages large_pages = LargePages::off;
  // Addresses to reserve, in bytes, rounded up to whole arenas. It is address space, not memory:
  // nothing is committed before it is needed. When it is used up, small requests go to the general
  // allocator too.
  std::size_t reserved_bytes = std::size_t{1} << 38;
  // A class that is hardly asked for gets no pool: the first requests of it go to the general allocator. For
  // programs that should be small while they do little; walk() and owns() don't see those blocks.
  bool pools_on_demand = false;
  // Objects begin with two words that link them with one another, as CPython's do (PyGC_Head). In the obj domain
  // small blocks of a multiple of 64 bytes then lie so that these words end a cache line, together with the end of
  // the object before, and what is linked begins the next: who follows the links finds the next ones in
  // the cache. Such blocks are aligned to 16 bytes and no more: requests of theirs that are to be go to the general
  // allocator.
  bool objects_are_linked = false;
  // Must outlive the heap. Null: c_library_allocator().
  const GeneralAllocator* general = nullptr;

  // With Checks::debug: asked at every call; false is reported as a call without the lock. Null: not
  // asked; two threads inside at the same time are found all the same.
  bool (*lock_is_held)() = nullptr;
};

enum class BlockState : std::uint8_t {
  untouched,  // never handed out since its pool got its size class
  allocated,
  free,  // handed out once, given back
};
enum class PoolState : std::uint8_t {
  untouched,  // never given a size class since its arena was mapped
  empty,      // no block allocated; any size class may have it
  used,       // some blocks allocated, some not
  full,       // every block allocated
};

struct ArenaView {
  const void* address;
  std::size_t size;
  std::size_t pools;
  std::size_t nfreepools;  // empty and untouched pools
  bool usable;             // linked in usable_arenas
};

struct PoolView {
  const void* address;
  std::size_t size;
  PoolState state;
  // The rest means nothing for untouched and empty pools.
  Domain domain;
  std::size_t szidx;
  std::size_t block_size;
  std::size_t blocks;
  std::size_t allocated;
  std::size_t untouched;
  const void* freeblock;
  const void* first_untouched;  // behind the last block ever handed out
  const void* first_block;      // less than 64 bytes behind `address`
};

struct BlockView {
  const void* address;
  std::size_t size;
  BlockState state;
};

// A block over 32 KiB of the heap's own.
struct LargeBlockView {
  const void* address;
  std::size_t size;  // in whole pages
  Domain domain;
  bool is_mapping;  // a mapping of its own, else pages of a range that such blocks share
};

// Receives each tier of the heap in order of addresses: an arena, each of its pools, each block of a used or full
// pool; behind a tier's arenas those of its usable_arenas, in their order; then each large block, in no order. Must
// not call the heap.
class HeapVisitor {
 public:
  virtual void arena(const ArenaView&) {}
  virtual void pool(const PoolView&) {}
  virtual void block(const BlockView&) {}
  virtual void usable_arena(const void* /*address*/) {}
  virtual void large_block(const LargeBlockView&) {}

 protected:
  ~HeapVisitor() = default;
};

inline constexpr std::size_t size_class_limit = 64;  // no geometry has more

struct SizeClassStatistics {
  std::size_t block_size;
  std::size_t pools_used;
  std::size_t pools_full;
  std::size_t blocks_allocated;
  std::size_t blocks_free;
  std::size_t blocks_untouched;
};

// A second tier of pools, for requests over `small_request_max`. Its size classes follow the small ones in
// HeapStatistics::classes.
struct TierStatistics {
  std::size_t arena_size;
  std::size_t pool_size;
  std::size_t request_max;
  std::size_t arenas_now;
  std::size_t arenas_peak;
  std::size_t arenas_mapped;
  std::size_t arenas_released;
  std::size_t pools_used;
  std::size_t pools_full;
  std::size_t pools_empty;
  std::size_t pools_untouched;
  std::size_t pools_peak;
};

// Blocks over 32 KiB of the heap's own; bytes are whole pages.
struct LargeStatistics {
  std::size_t blocks;
  std::size_t bytes;
  std::size_t mappings;       // those of the blocks that are mappings of their own
  std::size_t mapping_bytes;  // in them
  std::size_t kept_bytes;     // freed, and kept for the next ones for a while
  std::size_t resized;        // ever: by reallocate, without being copied
};

struct HeapStatistics {
  Geometry geometry;
  AddressMap address_map;  // range or page_map
  Synchronisation synchronisation;
  Checks checks;
  std::size_t arena_size;
  std::size_t pool_size;
  std::size_t alignment;
  std::size_t small_request_max;

  std::size_t arenas_now;
  std::size_t arenas_peak;
  std::size_t arenas_mapped;    // ever taken from the operating system
  std::size_t arenas_released;  // ever given back
  std::size_t pools_used;
  std::size_t pools_full;
  std::size_t pools_empty;
  std::size_t pools_untouched;
  std::size_t pools_peak;  // most pools used or full at one time
  std::size_t
      large_now;  // live blocks that no pool holds: the heap's own, and the general allocator's
  std::size_t large_requests;  // ever

  TierStatistics medium;  // zeroes: there's no such tier
  LargeStatistics large;  // the same

  std::size_t size_classes;  // of both tiers
  SizeClassStatistics classes[domain_count][size_class_limit];
};

namespace heap {
struct Instance;  // one geometry, one address map, with or without checks
}

// A heap of its own arenas. Destroying it gives every arena back, whatever is still allocated;
// blocks of the general allocator are the caller's to free first.
class Heap {
 public:
  // Aborts with a message when the system grants no addresses (with AddressMap::range: not even 16 MiB for
  // each tier).
  explicit Heap(const HeapOptions& options = {}) noexcept;
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // A zero size gives a block of its own, as PyMem_Malloc does. Null: out of memory, or `size` is
  // over PTRDIFF_MAX. Blocks are aligned to the geometry's alignment.
  [[nodiscard]] void* allocate(std::size_t size, Domain domain = Domain::obj) noexcept;

  // `count * size` zero bytes; null when the product overflows.
  [[nodiscard]] void* allocate_zeroed(std::size_t count, std::size_t size,
                                      Domain domain = Domain::obj) noexcept;

  // In place when the block's size class still fits and not more than a quarter would be wasted
  // (CPython's rule); else moves. On failure null, and `block` stays as it was. A null `block` is an
  // allocation; size zero shrinks to the smallest block, and does not free.
  [[nodiscard]] void* reallocate(void* block, std::size_t size,
                                 Domain domain = Domain::obj) noexcept;

  // Null is allowed. Constant time, but for the rare block that empties an arena.
  void free(void* block, Domain domain = Domain::obj) noexcept;

  // As free; `size` is what was asked for, and is checked by a heap with Checks::debug.
  void free_sized(void* block, std::size_t size, Domain domain = Domain::obj) noexcept;

  // `alignment` is a power of two; otherwise null. Freed by free() like any other block; when
  // reallocate() moves the block, the new one has the geometry's alignment only.
  [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t size,
                                       Domain domain = Domain::obj) noexcept;

  // Whether the address lies in one of this heap's arenas. Large blocks lie in none.
  [[nodiscard]] bool owns(const void* address) const noexcept;

  // Checks every invariant of every structure; aborts with a message at the first that is broken.
  // Time linear in the number of blocks.
  void verify() const noexcept;

  void walk(HeapVisitor& visitor) const noexcept;

  [[nodiscard]] HeapStatistics statistics() const noexcept;

  // Gives back to the operating system every page without an allocated block, now: whole arenas, and the
  // pages of pools that still hold blocks elsewhere. Returns the bytes of addresses given back, of which
  // not all need have been resident. A heap with Checks::debug gives back whole arenas only. Linear in the
  // number of pools, and of the free blocks in them.
  std::size_t release() noexcept;

  // Gives back every arena that holds no allocated block, also the one that is otherwise kept
  // against thrashing. Returns the bytes unmapped.
  std::size_t release_empty_arenas() noexcept;

 private:
  heap::Instance* instance_;
};

}  // namespace tarn

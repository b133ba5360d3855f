// Blocks over 32 KiB: which of the two kinds they are, and how much of what was freed is kept for how long.
//
//   request   32 KiB to 1 MiB ──► pages of a range that such blocks share (alloc/span_set.h)
//             larger          ──► a mapping of its own (alloc/mappings.h)
//
// Fresh pages cost a fault each, 2 to 4 µs here, so freed ones are kept and reused. Bounds on that:
//
//   bytes   most_kept in all, with somebody who gives back what has grown old; less without. What is freed
//           beyond goes back at once, and so does a block of largest_kept or more, as the C library's does.
//   time    as pages of pools: begin_return, discard, finish_return
//   peak    where fresh pages make live and kept together more than they ever were, kept ones go, but for a
//           slack of a sixteenth, and ever less so; all go where pools have taken as much fresh memory as is
//           kept, and nothing of it was used meanwhile
//   limits  where the system refuses memory, kept mappings go and the request is tried again (make_room)
//
// Not synchronised: the lock is the heap's.
#pragma once

#include <cstddef>

#include <tarn/heap.h>

#include "alloc/mappings.h"
#include "alloc/span_set.h"
#include "heap/page_return.h"
#include "heap/residency.h"

namespace tarn::heap {

class LargeBlocks {
 public:
  static constexpr std::size_t most_below = std::size_t{32} * 1024;

  // Where no range of so many addresses is granted, or none is asked for, there are only mappings.
  void open(std::size_t reserved_bytes, LargePages large_pages) noexcept;
  void close() noexcept;
  // See alloc::SpanSet. Mappings reserve nothing.
  std::size_t give_up_unused() noexcept { return spans_.give_up_unused(); }
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }

  // Null: no memory, or no block of that size is served here.
  [[nodiscard]] void* allocate(Domain domain, std::size_t size) noexcept;
  [[nodiscard]] void* allocate_zeroed(Domain domain, std::size_t size) noexcept;
  // Of a block from here; null: no memory here, and the block is as it was.
  [[nodiscard]] void* reallocate(Domain domain, void* block, std::size_t size) noexcept;
  // False: the block isn't from here.
  [[nodiscard]] bool free(void* block) noexcept;
  // Zero: not from here.
  [[nodiscard]] std::size_t size_of(const void* block) const noexcept;

  void watch(const Watcher& watcher) noexcept;
  void stop_watching() noexcept { is_watched_ = false; }
  void begin_return(ReturnBatch& batch, const ReturnRequest& request) noexcept;
  void finish_return(ReturnBatch& batch) noexcept;
  [[nodiscard]] std::size_t disturbances() const noexcept { return disturbances_; }
  [[nodiscard]] bool has_disturbed() const noexcept { return is_disturbed_ && kept_bytes() != 0; }
  void forget_disturbed() noexcept { is_disturbed_ = false; }
  void return_at_once(bool on) noexcept { return_at_once_ = on; }
  // So many bytes of freed blocks, or what there is. Returns how many.
  std::size_t give_back(std::size_t bytes) noexcept;

  // The pools take so many bytes of fresh memory.
  void pools_grow(std::size_t bytes) noexcept;

  // The system has refused so many bytes: what is kept goes, and what the peer has drained. False: nothing did.
  bool make_room(std::size_t bytes) noexcept;
  // Whether the address lies in a block that was freed, or in one that lives in the shared range.
  [[nodiscard]] bool covers(const void* address) const noexcept {
    return spans_.covers(address) || mappings_.is_kept(address);
  }

  // Asked for as much of its drained memory before this needs fresh memory.
  struct Peer {
    std::size_t (*give_back_empty)(void* context, std::size_t bytes) = nullptr;
    void* context = nullptr;
  };
  void set_peer(const Peer& peer) noexcept { peer_ = peer; }

  void verify() const noexcept;
  void walk(HeapVisitor& visitor) const noexcept;
  void collect_residency(Residency& residency) const noexcept;
  [[nodiscard]] LargeStatistics statistics() const noexcept;

 private:
  static constexpr std::size_t least_mapping = std::size_t{1} << 20;
  static constexpr std::size_t least_of_large_pages = std::size_t{4} << 20;
  static constexpr std::size_t largest_kept = std::size_t{32} << 20;
  static constexpr std::size_t most_kept = std::size_t{256} << 20;
  static constexpr std::size_t most_kept_unwatched = std::size_t{64} << 20;

  [[nodiscard]] bool may_keep(std::size_t bytes) const noexcept;
  void note(std::size_t bytes) noexcept;
  // After fresh memory was taken, and before it's written to: so much is given back.
  void make_way() noexcept;
  enum class Use : unsigned char { whole, growing };
  [[nodiscard]] void* allocate_for(Use use, Domain domain, std::size_t size) noexcept;
  [[nodiscard]] void* move(Domain domain, void* block, std::size_t old_size,
                           std::size_t size) noexcept;
  [[nodiscard]] std::size_t live_bytes() const noexcept {
    return spans_.counters().live_bytes + mappings_.live_bytes();
  }
  [[nodiscard]] std::size_t kept_bytes() const noexcept {
    return spans_.counters().dirty_bytes + mappings_.kept_bytes();
  }

  alloc::SpanSet spans_;
  alloc::Mappings mappings_;
  Peer peer_;
  Watcher watcher_;
  std::size_t peak_ = 0;  // of live and kept bytes
  std::size_t peak_live_ = 0;
  std::size_t owed_by_peer_ = 0;
  std::size_t unused_for_ = 0;  // bytes that pools have grown by since something kept was used
  std::size_t disturbances_ = 0;
  std::size_t unsaid_bytes_ = 0;  // freed since the watcher was called, or pages were looked for
  std::size_t tell_at_bytes_ = 0;
  bool is_open_ = false;
  bool has_large_pages_ = false;
  bool is_watched_ = false;
  bool is_disturbed_ = false;
  bool return_at_once_ = false;
};

}  // namespace tarn::heap

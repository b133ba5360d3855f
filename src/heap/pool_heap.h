// The heap of one geometry and one address map: the arenas, the three domains over them, and every
// step that is off the hot path. Not synchronised: the lock is the caller's.
//
//   H1  every used pool that isn't away is in the usedpools of its domain and size class; no other pool is
//   H2  a kept pool is alone in its list
//   H3  P1 to P5 for every pool
#pragma once

#include <cstddef>

#include <tarn/heap.h>

#include "alloc/arena_set.h"
#include "alloc/reserved_range.h"
#include "heap/allocation_meter.h"
#include "heap/domain_heap.h"
#include "heap/large_requests.h"
#include "heap/page_return.h"
#include "heap/pulse.h"
#include "heap/residency.h"

namespace tarn::heap {

// What happens to a pool's memory when it gets a size class: nothing. The debug heap has another.
struct NoFill {
  static void untouched(std::byte* /*first*/, std::byte* /*end*/) noexcept {}
  static constexpr bool lets_pages_go = true;
  static constexpr bool watches_freed = false;
};

// `Below` has the functions of LargeRequests.
template <typename Geometry, typename Map, typename Fill, typename Below>
class PoolHeap {
  using Pool = alloc::Pool;
  using Arena = alloc::Arena;

 public:
  using DomainType = DomainHeap<Geometry, Map, Fill, Below>;

  // False when the addresses can't be had.
  [[nodiscard]] bool open(const HeapOptions& options) noexcept;
  void close() noexcept { arenas_.close(); }

  [[nodiscard]] DomainType& domain(Domain domain) noexcept {
    return domains_[static_cast<std::size_t>(domain)];
  }

  // Each mapped arena, in order of addresses.
  template <typename Visit>
  void for_each_arena(Visit visit) const noexcept {
    arenas_.map().for_each(visit);
  }

  [[nodiscard]] bool owns(const void* address) const noexcept {
    return arenas_.map().find_arena(address) != nullptr;
  }

  [[nodiscard]] const Arena* find_arena(const void* address) const noexcept {
    return arenas_.map().find_arena(address);
  }

  // The pool of any address at all; null when it's in no mapped arena.
  [[nodiscard]] const Pool* find_pool(const void* address) const noexcept;

  // Of the block at the address; zeroes: no pool has it.
  [[nodiscard]] [[gnu::cold]] Surroundings surroundings_of(const void* address) const noexcept;

  [[gnu::cold]] void verify() const noexcept;
  [[gnu::cold]] void walk(HeapVisitor& visitor) const noexcept;
  [[gnu::cold]] void collect_statistics(HeapStatistics& statistics) const noexcept;
  // Adds to what is there. See residency.h.
  [[gnu::cold]] void collect_residency(Residency& residency) const noexcept;
  // Adds to what is there, as the tier `index`. See pulse.h.
  [[gnu::cold]] void take_pulse(Pulse& pulse, std::size_t index = 0) const noexcept;
  [[gnu::cold]] std::size_t release_empty_arenas() noexcept;

  // See page_return.h. Every batch begun is finished, before the heap is closed.
  void watch(const Watcher& watcher) noexcept;
  void stop_watching() noexcept;
  void begin_return(ReturnBatch& batch, const ReturnRequest& request,
                    std::size_t tier = 0) noexcept;
  static void discard(ReturnBatch& batch) noexcept;
  static void unmap(const ReturnBatch& batch, std::size_t tier) noexcept;
  void finish_return(ReturnBatch& batch, std::size_t tier = 0) noexcept;
  // Counts whatever came back so far; stands still while the program doesn't free.
  [[nodiscard]] std::size_t disturbances() const noexcept { return disturbances_; }
  [[nodiscard]] bool has_disturbed() const noexcept { return arenas_.has_disturbed(); }
  // What a forked child inherits is its parent's to give back.
  void forget_disturbed() noexcept { arenas_.forget_disturbed(); }
  // A stress mode: every page goes as soon as it can.
  void return_at_once(bool on) noexcept { return_at_once_ = on; }

  // From now on what is allocated is counted there. The meter outlives the heap.
  void meter_with(AllocationMeter& meter) noexcept { meter_ = &meter; }
  // Counts what the meter is behind by, but for pools that are away. Linear in the number of pools.
  [[gnu::cold]] void recount() noexcept;

  // Moves all state to `target`, which is then the heap, and sends every later call of this one's
  // domains to `faces`. No other thread may be inside.
  [[gnu::cold]] void redirect_to(PoolHeap& target, const Face (&faces)[domain_count]) noexcept;

  // Before an arena is mapped, the peer gives back as many bytes of empty arenas and pools: what one tier
  // has drained must not add to what another one needs.
  struct Peer {
    std::size_t (*give_back_empty)(void* pools, std::size_t bytes) = nullptr;
    void* pools = nullptr;
  };
  void set_peer(const Peer& peer) noexcept { peer_ = peer; }
  // Up to so many bytes, or a little more. Returns how many.
  std::size_t give_back_empty(std::size_t bytes) noexcept;

  // Gives the addresses back that were reserved and never used. Returns how many bytes.
  [[gnu::cold]] std::size_t give_up_unused() noexcept;

  // Moves all state to `target`, for a heap that is only reached through another that moves.
  [[gnu::cold]] void move_to(PoolHeap& target) noexcept;

  // What is below: to be opened before the heap is used.
  [[nodiscard]] Below& below() noexcept { return below_; }
  [[nodiscard]] const Below& below() const noexcept { return below_; }

  // The pool that would serve the class next; never null, see alloc::no_pool.
  [[nodiscard]] const Pool* first_used_pool(Domain domain, std::size_t szidx) noexcept {
    return this->domain(domain).usedpools_.first(szidx);
  }

  // The block's state, also in a pool whose freeblock list was damaged: it is followed up to the damage.
  [[nodiscard]] static BlockState state_of(const Pool& pool, const std::byte* block) noexcept;

  // Calls `visit(block, state)` for each block of a used or full pool, in order of addresses.
  template <typename Visit>
  static void for_each_block(const Pool& pool, Visit visit) noexcept;

 private:
  static void sample_arena(const Arena& arena, Pulse& pulse, std::size_t index,
                           Pulse::Group& group) noexcept;
  template <typename, typename, typename, typename>
  friend class DomainHeap;

  // A pool takes a page at least, and a class's first block would have it for itself. Python at its start
  // asks dozens of times for one or two blocks of nearly every class, in the mem domain above all. The larger the
  // blocks, the fewer of them: they add up to some MiB at most. Objects, which walk() should see, have pools from the
  // first on, but for those of half a page and more.
  [[nodiscard]] static constexpr std::uint8_t requests_before_pool(
      Domain domain, std::size_t block_size) noexcept {
    if (domain == Domain::obj && block_size < 1792) {
      return 0;
    }
    return block_size <= 512 ? 255 : block_size <= 4096 ? 64 : 32;
  }

  // Where in a pool the first block lies. Not at the start if objects are linked and there is room for it, or at
  // least 64 blocks, of which one is lost.
  [[nodiscard]] std::size_t first_block_at(Domain domain, std::size_t block_size) const noexcept {
    constexpr std::size_t line = Pool::cache_line;
    constexpr std::size_t links = 2 * sizeof(void*);
    constexpr std::size_t largest = 512;
    if (!objects_are_linked_ || domain != Domain::obj || block_size % line != 0 ||
        block_size > largest) {
      return 0;
    }
    const std::size_t rest = Geometry::pool_size % block_size;
    return rest >= line - links || Geometry::pool_size / block_size >= 64 ? line - links : 0;
  }

  // The next used pool's block, else one of an empty pool; null: neither can be had, or the class has no pool
  // yet.
  [[nodiscard]] void* refill(DomainType& domain, std::size_t szidx) noexcept;
  [[nodiscard]] Pool* make_used(DomainType& domain, std::size_t szidx) noexcept;

  // free() counted down to zero: the pool's next change has come.
  [[gnu::noinline]] void settle(Pool& pool) noexcept;
  [[gnu::noinline]] void become_empty(Pool& pool) noexcept;
  [[nodiscard]] static alloc::Block* take_block(Pool& pool) noexcept;
  // Links a used pool where it belongs, its next change a step below.
  void circulate(Pool& pool, std::size_t allocated) noexcept;

  void note(Pool& pool) noexcept;
  // The pool has so many allocated blocks now.
  void meter(Pool& pool, std::size_t allocated) noexcept;
  [[nodiscard]] bool begin_return_of(Arena& arena, ReturnBatch& batch, ReturnBatch::Tier& tier,
                                     unsigned least_age) noexcept;
  [[nodiscard]] bool give_up_empty(Pool& pool, ReturnBatch& batch) noexcept;
  void give_up_pages(Pool& pool, ReturnBatch& batch, ReturnBatch::Tier& tier) noexcept;
  void come_back(Pool& pool) noexcept;
  void return_now(Pool& pool) noexcept;
  void disturb_all() noexcept;

  [[nodiscard]] static bool may_keep(const Pool& pool) noexcept;
  void stop_keeping(Pool& pool) noexcept;
  // Of all kept pools, those of the arena; null: of any.
  [[gnu::noinline]] void stop_keeping_all(const Arena* arena) noexcept;
  void drain_if_idle(const Arena& arena) noexcept;

  [[gnu::cold]] void verify_pool(const Pool& pool) const noexcept;

  [[nodiscard]] alloc::UsedPools<Geometry::size_classes>& usedpools_of(const Pool& pool) noexcept {
    return domain(pool.domain).usedpools_;
  }

  alloc::ArenaSet<Geometry, Map> arenas_;
  DomainType domains_[domain_count];
  Below below_;

  std::uint8_t requests_before_pool_[domain_count][Geometry::size_classes] = {};

  Peer peer_;
  AllocationMeter* meter_ = nullptr;
  Watcher watcher_;
  std::size_t disturbances_ = 0;
  std::size_t tell_at_ = 0;
  std::size_t most_bytes_ = 0;  // of the batch that is begun
  std::uint8_t now_ = 1;
  bool is_watched_ = false;
  bool return_at_once_ = false;
  bool objects_are_linked_ = false;
};

}  // namespace tarn::heap

#include "heap/page_return.inl"
#include "heap/pool_heap_inspect.inl"
#include "heap/pool_heap_slow.inl"
#include "heap/pulse.inl"
#include "heap/residency.inl"

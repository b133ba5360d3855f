// Large blocks: runs of whole pages out of one reserved range of addresses.
//
//   base_                                          high_water_        capacity_     descriptors_
//     │ live │ dirty │ live │live│ clean │ live │ … │  (not committed)  │  Span Span Span …      │
//
//   state    means                                                   who links it
//     live     a block                                               nobody
//     dirty    free; its pages may be resident, with any content     its bin
//     clean    free; its pages are not resident: zero when touched   its bin
//     away     free; its pages are on their way to the system        nobody
//
//   live ──free──► dirty ──take_old──► away ──come_back──► clean ──allocate──► live
//                    └──────────────allocate────────────────────────────────────▲
//
// Each page of the range has a descriptor; those of a span's first and last page say what it is, the others
// nothing. All committed pages are one mapping of the kernel's, however many blocks there are: pages go
// back by MADV_DONTNEED, so the limit on mappings (vm.max_map_count) is no limit on blocks.
//
//   S1  spans follow each other without a gap up to high_water_
//   S2  the descriptors of a span's first and last page agree in state and pages
//   S3  no two neighbours are both dirty, or both clean
//   S4  a dirty or clean span is in the bin of its size, and no other span is in one
//   S5  no page within a span says that it's live: a block that is freed twice is found
#pragma once

#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

#include "base/bits.h"

namespace tarn::alloc {

enum class SpanState : std::uint8_t { none, live, dirty, clean, away };

struct Span {
  std::uint32_t pages;
  SpanState state;
  Domain domain;           // of a live one
  std::uint16_t freed_at;  // of a dirty one: SpanSet::now(), averaged over its pages
  std::uint32_t next;      // of its bin
  std::uint32_t previous;
};
static_assert(sizeof(Span) == 16, "four to a cache line");

class SpanSet {
 public:
  struct Block {
    std::byte* address = nullptr;
    bool is_zero = false;
  };

  SpanSet() noexcept;

  // The unit of all sizes here.
  [[nodiscard]] static std::size_t page() noexcept;

  // Reserves so many bytes of addresses, or none. False: refused; every request then fails.
  [[nodiscard]] bool open(std::size_t bytes) noexcept;
  void close() noexcept;
  // As an address map's: the addresses behind the last span are others' from now on.
  std::size_t give_up_unused() noexcept;

  // Whether the address lies in the range; then it was handed out here.
  [[nodiscard]] bool covers(const void* address) const noexcept {
    return base::address_of(address) - base_ < span_;
  }

  // A dirty span that fits, of the smallest that do; null: there's none.
  [[nodiscard]] std::byte* allocate_dirty(std::size_t bytes, Domain domain) noexcept;
  // From a clean span, else from addresses not used so far. Null: no memory, or the range is used up. Zero.
  [[nodiscard]] std::byte* allocate_clean(std::size_t bytes, Domain domain) noexcept;
  // What becomes of the pages that a block no longer needs: dirty, or they go back to the system at once.
  enum class Rest : std::uint8_t { kept, discarded };
  // In place. False: what is behind isn't free, or not enough of it; nothing has changed.
  [[nodiscard]] bool resize(void* address, std::size_t bytes, Rest rest = Rest::kept) noexcept;
  // Whether a live block starts at the address, which lies in the range.
  [[nodiscard]] bool is_block(const void* address) const noexcept;
  void free(void* address) noexcept;
  // Its pages go back to the system at once.
  void free_and_discard(void* address) noexcept;

  // Of a live block.
  [[nodiscard]] std::size_t size_of(const void* address) const noexcept {
    return std::size_t{spans_[index_of(address)].pages} << shift_;
  }
  [[nodiscard]] Domain domain_of(const void* address) const noexcept {
    return spans_[index_of(address)].domain;
  }

  // A tick has passed.
  void tick() noexcept { now_ = static_cast<std::uint16_t>(now_ + ticks_unit); }

  // Takes dirty spans that have been so for `least_age` ticks, and calls `take(address, bytes)` with each:
  // it returns how many of the bytes are wanted (from the end; whole pages), zero to stop. They are away
  // until come_back. Returns whether all were seen.
  template <typename Take>
  bool take_old(unsigned least_age, Take take) noexcept {
    for (std::uint32_t bin = bins; bin-- != 0;) {
      std::uint32_t index = lists_[dirty_list].heads[bin];
      while (index != none) {
        const std::uint32_t next = spans_[index].next;
        if (age_of(spans_[index]) >= least_age) {
          const std::size_t wanted =
              take(address_of(index), std::size_t{spans_[index].pages} << shift_);
          if (wanted == 0) {
            return false;
          }
          send_away(index, static_cast<std::uint32_t>(wanted >> shift_));
        }
        index = next;
      }
    }
    return true;
  }
  // `are_gone`: the pages have gone back to the system; otherwise the span is dirty again.
  void come_back(void* address, bool are_gone) noexcept;

  // Discards pages of dirty spans, the largest first, until so many bytes are clean. Returns how many were.
  std::size_t discard_dirty(std::size_t bytes) noexcept;
  // Gives the addresses behind the last span that isn't clean back to the system, if they are many.
  void trim() noexcept;

  // Each span in order of addresses: visit(address, bytes, state, domain).
  template <typename Visit>
  void for_each(Visit visit) const noexcept {
    for (std::uint32_t index = 0; index < high_water_; index += spans_[index].pages) {
      const Span& span = spans_[index];
      visit(address_of(index), std::size_t{span.pages} << shift_, span.state, span.domain);
    }
  }

  struct Counters {
    std::size_t live = 0;        // blocks
    std::size_t live_bytes = 0;  // in their pages
    std::size_t dirty_bytes = 0;
    std::size_t away_bytes = 0;
  };
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  // Where spans lie and lay, and their descriptors.
  [[nodiscard]] const std::byte* start() const noexcept {
    return reinterpret_cast<const std::byte*>(base_);
  }
  [[nodiscard]] std::size_t committed_bytes() const noexcept {
    return std::size_t{high_water_} << shift_;
  }
  [[nodiscard]] const std::byte* descriptors() const noexcept {
    return reinterpret_cast<const std::byte*>(spans_);
  }
  [[nodiscard]] std::size_t descriptor_bytes() const noexcept;

  // Checks S1 to S5 and the counters.
  void verify() const noexcept;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr unsigned ticks_unit = 16;
  // Exact up to 15 pages, then eight bins per doubling.
  static constexpr std::uint32_t bins = 16 + (32 - 4) * 8;
  static constexpr std::size_t words = (bins + 63) / 64;
  static constexpr int dirty_list = 0;
  static constexpr int clean_list = 1;

  struct List {
    std::uint32_t heads[bins];
    std::uint64_t has[words];
  };

  [[nodiscard]] static std::uint32_t bin_of(std::uint32_t pages) noexcept;
  [[nodiscard]] static int list_of(SpanState state) noexcept {
    return state == SpanState::dirty ? dirty_list : clean_list;
  }
  [[nodiscard]] std::uint32_t index_of(const void* address) const noexcept {
    return static_cast<std::uint32_t>((base::address_of(address) - base_) >> shift_);
  }
  [[nodiscard]] std::byte* address_of(std::uint32_t index) const noexcept {
    return reinterpret_cast<std::byte*>(base_ + (std::size_t{index} << shift_));
  }
  [[nodiscard]] unsigned age_of(const Span& span) const noexcept {
    return static_cast<std::uint16_t>(now_ - span.freed_at) / ticks_unit;
  }
  // Zero: more than there can be.
  [[nodiscard]] std::uint32_t pages_of(std::size_t bytes) const noexcept;

  void set(std::uint32_t first, std::uint32_t pages, SpanState state) noexcept;
  // Two spans become one: so that a block which was freed before isn't taken for one that lives.
  void erase_border(std::uint32_t at) noexcept;
  void link(std::uint32_t first) noexcept;
  void unlink(std::uint32_t first) noexcept;
  // A span linked nowhere becomes free and is joined with its neighbours. Returns where it starts then.
  std::uint32_t put(std::uint32_t first, std::uint32_t pages, SpanState state,
                    std::uint16_t freed_at) noexcept;
  [[nodiscard]] std::uint32_t find(int which, std::uint32_t pages) const noexcept;
  std::byte* take(std::uint32_t first, std::uint32_t pages, Domain domain) noexcept;
  void send_away(std::uint32_t first, std::uint32_t pages) noexcept;
  // So many pages more, or a few more still, are clean behind the last span. False: no memory or addresses.
  [[nodiscard]] bool grow(std::uint32_t pages) noexcept;
  // A live span that is counted as one no longer.
  std::uint32_t end_life(const void* address) noexcept;

  std::uintptr_t base_ = 0;
  std::size_t span_ = 0;  // bytes of the range; zero: not open
  unsigned shift_ = 12;
  std::uint16_t now_ = 0;
  Span* spans_ = nullptr;
  std::uint32_t high_water_ = 0;  // pages
  std::uint32_t capacity_ = 0;
  bool is_cut_ = false;  // range and descriptors are no longer one
  Counters counters_;
  List lists_[2] = {};
};

}  // namespace tarn::alloc

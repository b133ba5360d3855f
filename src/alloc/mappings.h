// The largest blocks: each is a mapping of its own, so that one which grows or shrinks moves by its page
// tables and is never copied. Freed ones are kept for a while, as many as the caller allows: fresh pages
// cost a fault each.
//
//   allocate ──► a kept mapping, or a part of one ──► else one that is too small, made larger
//                                                 ──► else a fresh one
//   free     ──► kept, joined with its neighbours there ──take_old──► the caller's to discard, unmap
//
// Live ones are found in a table by their address (open addressing, linear probing, at most half full).
//
//   M1  the table's entries are live blocks; their sizes add up to live_bytes
//   M2  kept mappings don't overlap, nor do neighbours in the list touch; they add up to kept_bytes
#pragma once

#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

namespace tarn::alloc {

class Mappings {
 public:
  struct Entry {
    std::byte* address;
    std::size_t bytes;
    Domain domain;
    std::uint32_t freed_at;  // of a kept one, as SpanSet counts
  };

  // Rounded up to whole pages. `is_zero`: nothing was ever written there. Null: the system refuses.
  [[nodiscard]] void* allocate(std::size_t bytes, Domain domain, bool& is_zero,
                               bool is_dense = false) noexcept;
  // Only a fresh one. `is_dense`: large pages may back it.
  [[nodiscard]] void* allocate_fresh(std::size_t bytes, Domain domain,
                                     bool is_dense = false) noexcept;
  // Null: the address is no live block of these.
  [[nodiscard]] const Entry* find(const void* address) const noexcept;
  // Whether it lies in a kept one.
  [[nodiscard]] bool is_kept(const void* address) const noexcept;
  // May move. Null: the system refuses; the block is as it was.
  [[nodiscard]] void* resize(void* address, std::size_t bytes) noexcept;
  // The live block's pages go back at once, or it's kept.
  void free(void* address, bool keep) noexcept;

  void tick() noexcept { now_ += ticks_unit; }
  // As SpanSet's, but what is taken isn't known here any longer.
  template <typename Take>
  bool take_old(unsigned least_age, Take take) noexcept {
    for (std::size_t i = kept_count_; i-- != 0;) {
      if ((now_ - kept_[i].freed_at) / ticks_unit < least_age) {
        continue;
      }
      const std::size_t wanted = take(kept_[i].address, kept_[i].bytes);
      if (wanted == 0) {
        return false;
      }
      kept_[i].bytes -= wanted;
      kept_bytes_ -= wanted;
      if (kept_[i].bytes == 0) {
        kept_[i] = kept_[--kept_count_];
      }
    }
    return true;
  }
  // Unmaps kept ones until so many bytes are gone. Returns how many were.
  std::size_t unmap_kept(std::size_t bytes) noexcept;

  [[nodiscard]] std::size_t live() const noexcept { return live_; }
  [[nodiscard]] std::size_t live_bytes() const noexcept { return live_bytes_; }
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }
  // Blocks that moved without being copied, or grew or shrank in place.
  [[nodiscard]] std::size_t resized() const noexcept { return resized_; }

  template <typename Visit>
  void for_each_live(Visit visit) const noexcept {
    for (std::size_t i = 0; i < capacity_; ++i) {
      if (slots_[i].address != nullptr) {
        visit(slots_[i]);
      }
    }
  }
  template <typename Visit>
  void for_each_kept(Visit visit) const noexcept {
    for (std::size_t i = 0; i < kept_count_; ++i) {
      visit(kept_[i]);
    }
  }

  // Checks M1 and M2.
  void verify() const noexcept;
  // Unmaps everything, live blocks too.
  void close() noexcept;

 private:
  static constexpr std::size_t most_kept = 128;
  static constexpr unsigned ticks_unit = 16;

  [[nodiscard]] std::size_t home_of(const void* address) const noexcept;
  [[nodiscard]] std::size_t slot_of(const void* address) const noexcept;
  [[nodiscard]] bool make_room() noexcept;
  void insert(std::byte* address, std::size_t bytes, Domain domain) noexcept;
  Entry remove(const void* address) noexcept;
  void keep(std::byte* address, std::size_t bytes) noexcept;
  void drop_kept(std::size_t i) noexcept;
  [[nodiscard]] std::byte* take_kept(std::size_t bytes) noexcept;

  Entry* slots_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two, or zero
  std::size_t live_ = 0;
  std::size_t live_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
  std::size_t kept_count_ = 0;
  std::size_t resized_ = 0;
  std::uint32_t now_ = 0;
  Entry kept_[most_kept] = {};
};

}  // namespace tarn::alloc

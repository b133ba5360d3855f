// A block of the debug heap, inside a block of the pool heap:
//
//   ┌──────────┬────────┬───────────────┬──────────────────┬─────────────────┬───────────┐
//   │ size (8) │ domain │ guard (7)     │ the caller's     │ guard (8)       │ the rest  │
//   │          │  (1)   │ FD FD FD …    │ size bytes       │ FD FD FD …      │           │
//   └──────────┴────────┴───────────────┴──────────────────┴─────────────────┴───────────┘
//   ▲ the pool's block                  ▲ what the caller holds
//
// Fill patterns: CB untouched, CD allocated and not yet written, DD freed. A freed block is DD from its
// ninth byte to its end; the first eight hold the link of freeblock.
//
// An over-aligned block always comes from the general allocator. Its domain letter is a capital, and the
// eight bytes before the header hold the distance from the memory's start to the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <tarn/heap.h>

#include "base/bits.h"

namespace tarn::heap {

inline constexpr unsigned char untouched_fill = 0xCB;
inline constexpr unsigned char allocated_fill = 0xCD;
inline constexpr unsigned char freed_fill = 0xDD;
inline constexpr unsigned char guard_fill = 0xFD;

// The first byte that isn't `fill`; null when all are.
[[nodiscard]] inline const unsigned char* first_other(const void* start, std::size_t size,
                                                      unsigned char fill) noexcept {
  const auto* const bytes = static_cast<const unsigned char*>(start);
  for (std::size_t i = 0; i < size; ++i) {
    if (bytes[i] != fill) {
      return bytes + i;
    }
  }
  return nullptr;
}

class DebugBlock {
 public:
  static constexpr std::size_t header_size = 16;
  static constexpr std::size_t guard_size = 8;
  static constexpr std::size_t overhead = header_size + guard_size;

  // What the caller holds ──► the block around it.
  [[nodiscard]] static DebugBlock* around(const void* data) noexcept {
    return reinterpret_cast<DebugBlock*>(base::address_of(data) - header_size);
  }

  // Turns the memory at `start` into a block; returns what the caller gets, filled with CD.
  static void* make(void* start, std::size_t size, Domain domain) noexcept {
    return fill(start, size, letter_of(domain));
  }

  // As make; the data lies `prefix` bytes (32 at least) behind `start`.
  static void* make_aligned(std::byte* start, std::size_t prefix, std::size_t size,
                            Domain domain) noexcept {
    std::byte* const block = start + prefix - header_size;
    std::memcpy(block - sizeof(prefix), &prefix, sizeof(prefix));
    return fill(block, size, letter_of(domain) & capital_mask);
  }

  [[nodiscard]] bool is_aligned() const noexcept { return (domain_ & 0x20U) == 0; }

  // The memory's start, of an over-aligned block.
  [[nodiscard]] std::byte* start_of_aligned() noexcept {
    std::size_t prefix = 0;
    std::memcpy(&prefix, reinterpret_cast<std::byte*>(this) - sizeof(prefix), sizeof(prefix));
    return data() - prefix;
  }

  [[nodiscard]] std::byte* data() noexcept {
    return reinterpret_cast<std::byte*>(this) + header_size;
  }
  [[nodiscard]] const std::byte* data() const noexcept {
    return reinterpret_cast<const std::byte*>(this) + header_size;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] unsigned char domain_letter() const noexcept {
    return static_cast<unsigned char>(domain_ | 0x20U);
  }

  [[nodiscard]] bool has_domain_letter() const noexcept {
    return domain_letter() == 'r' || domain_letter() == 'm' || domain_letter() == 'o';
  }

  // The first damaged byte of the guard before, or after, the data; null: whole.
  [[nodiscard]] const unsigned char* damage_before() const noexcept {
    return first_other(guard_, sizeof(guard_), guard_fill);
  }
  [[nodiscard]] const unsigned char* damage_after() const noexcept {
    return first_other(data() + size_, guard_size, guard_fill);
  }

  // Before it goes back to its pool.
  void fill_freed(std::size_t whole_size) noexcept {
    std::memset(static_cast<void*>(this), freed_fill, whole_size);
  }

  [[nodiscard]] static unsigned char letter_of(Domain domain) noexcept {
    constexpr unsigned char letters[] = {'r', 'm', 'o'};
    return letters[static_cast<std::size_t>(domain)];
  }

 private:
  static constexpr unsigned char capital_mask = 0xDF;

  static void* fill(void* header, std::size_t size, unsigned letter) noexcept {
    auto* const block = static_cast<DebugBlock*>(header);
    block->size_ = size;
    block->domain_ = static_cast<unsigned char>(letter);
    std::memset(block->guard_, guard_fill, sizeof(block->guard_));
    std::memset(block->data(), allocated_fill, size);
    std::memset(block->data() + size, guard_fill, guard_size);
    return block->data();
  }

  std::uint64_t size_;
  unsigned char domain_;
  unsigned char guard_[7];
};
static_assert(sizeof(DebugBlock) == DebugBlock::header_size);

// The policy with which a pool heap marks the blocks of a pool that gets a size class.
struct FillUntouched {
  // A page that comes back from the system has lost its pattern.
  static constexpr bool lets_pages_go = false;
  // A write to a freed block is found when it's handed out again.
  static constexpr bool watches_freed = true;
  static void untouched(std::byte* first, std::byte* end) noexcept {
    std::memset(first, untouched_fill, static_cast<std::size_t>(end - first));
  }
};

}  // namespace tarn::heap

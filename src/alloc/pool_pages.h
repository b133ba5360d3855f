// The operating system's pages of a pool: which hold no allocated block and can go back, and how their
// blocks are carved anew.
//
//   pages     │ 0             │ 1             │ 2             │ 3             │
//   blocks    │alloc│free │alloc│free │free │free │free │alloc│untouched …      │
//                               │◄─── no allocated block ───►│
//   Page 1 holds a part of an allocated block. So does page 2: none goes. Were the last block free too,
//   page 2 and what is carved of page 3 would go, and `untouched` would come down to the last allocated
//   block's end.
//
// A page that went back keeps its addresses. Its blocks, and those that reach into it, are untouched
// again: they leave freeblock, and are carved anew, page by page, when the pool has no other block left.
//
//   G1  returned: no allocated or free block reaches into such a page
//   G2  returned pages lie wholly before `untouched`; the memory behind it was never touched, or went back,
//       or `touched` has its page
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "alloc/pool.h"
#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::alloc {

template <typename Geometry>
class PoolPages {
 public:
  using Mask = std::uint16_t;
  static constexpr std::size_t most_pages = 16;

  // Where the system's pages are too small or too large for a mask, a "page" is what is as near.
  [[nodiscard]] static std::size_t page_size() noexcept {
    const std::size_t least = Geometry::pool_size / most_pages;
    const std::size_t system = os::page_size();
    const std::size_t page = system < least ? least : system;
    return page < Geometry::pool_size ? page : Geometry::pool_size;
  }

  // Whether a block of the carved part is untouched again.
  [[nodiscard]] static bool is_returned(const Pool& pool, std::size_t index) noexcept {
    return pool.returned != 0 && (Layout(pool, page_size()).pages_of(index) & pool.returned) != 0;
  }

  [[nodiscard]] static std::size_t returned_blocks(const Pool& pool) noexcept {
    std::size_t count = 0;
    for (std::size_t index = 0; pool.returned != 0 && index < pool.carved(); ++index) {
      count += is_returned(pool, index) ? 1U : 0U;
    }
    return count;
  }

  // Takes out of circulation every page without an allocated block. Returns those whose content is not
  // needed any longer; nothing is given to the system yet.
  [[nodiscard]] static Mask give_up(Pool& pool) noexcept {
    // A page of several pools never goes but with its arena. A page's worth of blocks must be free.
    const std::size_t page = page_size();
    const Layout layout(pool, page);
    const std::size_t allocated = allocated_of(pool);
    if (os::page_size() > Geometry::pool_size ||
        (pool.blocks - allocated + 1) * pool.block_size < page) {
      return 0;
    }
    const std::size_t carved_before = pool.carved();
    std::size_t carved = 0;
    Mask live = 0;
    // Of a pool without an allocated block nothing stays, and its blocks needn't be read.
    if (allocated != 0) {
      carved = carved_before;
      const FreeBits is_free(pool);
      while (carved != 0 &&
             (is_free[carved - 1] || (layout.pages_of(carved - 1) & pool.returned) != 0)) {
        --carved;
      }
      for (std::size_t index = 0; index < carved; ++index) {
        if (!is_free[index]) {
          const Mask pages = layout.pages_of(index);
          live |= (pages & pool.returned) == 0 ? pages : 0;
        }
      }
    }
    const std::size_t end = layout.end_of(carved);
    const std::size_t end_before = layout.end_of(carved_before);
    const Mask inner = below(end / page);
    const Mask behind = static_cast<Mask>((below((end_before + page - 1) / page) | pool.touched) &
                                          ~below((end + page - 1) / page));
    const Mask gone = ((inner & ~live) | behind) & ~pool.returned;
    pool.returned = (pool.returned | gone) & inner;
    pool.touched &= static_cast<Mask>(~gone);
    pool.untouched = pool.start() + carved * pool.block_size;
    pool.untouched_blocks = static_cast<std::uint16_t>(pool.blocks - carved);
    if (carved == 0) {
      pool.freeblock = nullptr;
    } else {
      keep_free_blocks(pool, carved, layout);
    }
    return gone;
  }

  // Before an empty pool's blocks are untouched again, all of them, for whatever class: the pages that they
  // may have left resident.
  static void remember_touched(Pool& pool) noexcept {
    const std::size_t page = page_size();
    const std::size_t end = Layout(pool, page).end_of(pool.carved());
    pool.touched |= static_cast<Mask>(below((end + page - 1) / page) & ~pool.returned);
  }

  // The blocks of a returned page, the first there is, are free blocks again. The pool has such a page,
  // and no free block.
  static void carve_again(Pool& pool) noexcept {
    const std::size_t page = page_size();
    const std::size_t size = pool.block_size;
    const Layout layout(pool, page);
    const auto first = static_cast<std::size_t>(std::countr_zero(pool.returned));
    const std::size_t from = layout.index_at(first * page);
    const Mask wanted = layout.pages_of(from) & pool.returned;
    const auto end_page = static_cast<std::size_t>(std::bit_width(wanted));
    pool.returned &= static_cast<Mask>(~wanted);
    const std::size_t last = layout.index_at(end_page * page - 1);
    std::size_t index = last < pool.carved() ? last + 1 : pool.carved();
    std::byte* const start = pool.start();
    while (index-- > from) {
      if ((layout.pages_of(index) & pool.returned) == 0) {
        auto* const block = reinterpret_cast<Block*>(start + index * size);
        block->next = pool.freeblock;
        pool.freeblock = block;
      }
    }
  }

 private:
  [[nodiscard]] static std::size_t allocated_of(const Pool& pool) noexcept {
    return pool.state == PoolState::empty ? 0 : pool.allocated();
  }

  // Which block of a pool, without a division for each: those take half of the time that it takes to look at a pool.
  class Index {
   public:
    explicit Index(const Pool& pool) noexcept
        : start_(pool.start()), reciprocal_((std::uint64_t{1} << 32) / pool.block_size + 1) {}
    // Exact: the reciprocal is too large by at most one, so the product by less than 2^16 of 2^32, and a block's
    // offset is a multiple of its size.
    [[nodiscard]] std::size_t of(const void* block) const noexcept {
      const auto offset = static_cast<std::uint64_t>(static_cast<const std::byte*>(block) - start_);
      return static_cast<std::size_t>((offset * reciprocal_) >> 32);
    }

   private:
    static_assert(Geometry::pool_size <= std::size_t{1} << 16);
    const std::byte* start_;
    std::uint64_t reciprocal_;
  };

  // One bit for each block on freeblock.
  class FreeBits {
   public:
    explicit FreeBits(const Pool& pool) noexcept {
      const Index index_in_pool(pool);
      for (const Block* block = pool.freeblock; block != nullptr; block = block->next) {
        const std::size_t index = index_in_pool.of(block);
        words_[index / 64] |= std::uint64_t{1} << (index % 64);
      }
    }
    [[nodiscard]] bool operator[](std::size_t index) const noexcept {
      return ((words_[index / 64] >> (index % 64)) & 1U) != 0;
    }

   private:
    std::uint64_t words_[(Geometry::most_blocks_in_pool + 63) / 64] = {};
  };

  // The first `count` pages.
  [[nodiscard]] static Mask below(std::size_t count) noexcept {
    return static_cast<Mask>((std::uint32_t{1} << count) - 1);
  }

  // Where a pool's blocks lie: offsets in bytes from where its memory begins.
  class Layout {
   public:
    Layout(const Pool& pool, std::size_t page) noexcept
        : first_(pool.first_at()),
          size_(pool.block_size),
          page_(page),
          shift_(base::shift_of(page)) {}

    // Behind so many blocks; of none, the whole pool's start.
    [[nodiscard]] std::size_t end_of(std::size_t blocks) const noexcept {
      return blocks == 0 ? 0 : first_ + blocks * size_;
    }

    // The block that the byte belongs to; the first, if it lies before that.
    [[nodiscard]] std::size_t index_at(std::size_t offset) const noexcept {
      return offset < first_ ? 0 : (offset - first_) / size_;
    }

    // The pages that a block reaches into.
    [[nodiscard]] Mask pages_of(std::size_t index) const noexcept {
      const std::size_t start = first_ + index * size_;
      return static_cast<Mask>(below((start + size_ + page_ - 1) >> shift_) &
                               ~below(start >> shift_));
    }

   private:
    std::size_t first_;
    std::size_t size_;
    std::size_t page_;
    unsigned shift_;
  };

  // Of the free blocks, those before block `carved` and outside of returned pages, in the order they had.
  static void keep_free_blocks(Pool& pool, std::size_t carved, const Layout& layout) noexcept {
    const Index index_in_pool(pool);
    Block** link = &pool.freeblock;
    for (Block* block = pool.freeblock; block != nullptr; block = block->next) {
      const std::size_t index = index_in_pool.of(block);
      if (index < carved && (layout.pages_of(index) & pool.returned) == 0) {
        *link = block;
        link = &block->next;
      }
    }
    *link = nullptr;
  }
};

}  // namespace tarn::alloc

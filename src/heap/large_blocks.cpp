#include "heap/large_blocks.h"

#include <cstring>

#include "os/virtual_memory.h"

namespace tarn::heap {

namespace {

// The watcher counts eighths of a pool.
constexpr std::size_t bytes_of_disturbance = 2048;
// Zeroing kept pages is quicker than faulting fresh ones, if they are written at all; of a very large block
// that isn't sure.
constexpr std::size_t largest_zeroed = std::size_t{8} << 20;
constexpr std::size_t least_slack = std::size_t{256} << 10;
constexpr std::size_t peer_step = std::size_t{1} << 20;

}  // namespace

void LargeBlocks::open(std::size_t reserved_bytes, LargePages large_pages) noexcept {
  is_open_ = true;
  has_large_pages_ = large_pages == LargePages::automatic;
  if (reserved_bytes != 0) {
    static_cast<void>(spans_.open(reserved_bytes));
  }
}

void LargeBlocks::close() noexcept {
  spans_.close();
  mappings_.close();
  *this = LargeBlocks();
}

void* LargeBlocks::allocate(Domain domain, std::size_t size) noexcept {
  return allocate_for(Use::whole, domain, size);
}

// A block that grows isn't dense: its user has asked for more than it writes to.
void* LargeBlocks::allocate_for(Use use, Domain domain, std::size_t size) noexcept {
  void* block = nullptr;
  if (size < least_mapping) {
    block = spans_.allocate_dirty(size, domain);
    if (block != nullptr) {
      unused_for_ = 0;
      return block;
    }
    block = spans_.allocate_clean(size, domain);
  } else {
    bool is_zero = false;
    block =
        mappings_.allocate(size, domain, is_zero,
                           use == Use::whole && has_large_pages_ && size >= least_of_large_pages);
    unused_for_ = is_zero ? unused_for_ : 0;
  }
  make_way();
  return block;
}

void* LargeBlocks::allocate_zeroed(Domain domain, std::size_t size) noexcept {
  void* block = nullptr;
  if (size < least_mapping) {
    block = spans_.allocate_dirty(size, domain);
    if (block != nullptr) {
      unused_for_ = 0;
      return std::memset(block, 0, size);
    }
    block = spans_.allocate_clean(size, domain);
  } else if (size <= largest_zeroed) {
    bool is_zero = false;
    block = mappings_.allocate(size, domain, is_zero);
    if (block != nullptr && !is_zero) {
      unused_for_ = 0;
      std::memset(block, 0, size);
    }
  } else {
    block = mappings_.allocate_fresh(size, domain);
  }
  make_way();
  return block;
}

void* LargeBlocks::move(Domain domain, void* block, std::size_t old_size,
                        std::size_t size) noexcept {
  void* const moved = allocate_for(Use::growing, domain, size);
  if (moved != nullptr) {
    std::memcpy(moved, block, old_size < size ? old_size : size);
    static_cast<void>(free(block));
  }
  return moved;
}

void* LargeBlocks::reallocate(Domain domain, void* block, std::size_t size) noexcept {
  if (spans_.covers(block)) {
    const std::size_t old_size = spans_.size_of(block);
    if (size < least_mapping) {
      const bool keep = size >= old_size || may_keep(old_size - size);
      if (spans_.resize(block, size,
                        keep ? alloc::SpanSet::Rest::kept : alloc::SpanSet::Rest::discarded)) {
        if (size < old_size && keep) {
          note(old_size - size);
        }
        make_way();
        return block;
      }
    }
    void* const moved = move(domain, block, old_size, size);
    return moved == nullptr && size <= old_size ? block : moved;
  }
  const std::size_t old_size = mappings_.find(block)->bytes;
  // Half the limit, so that one that changes around it doesn't go to and fro.
  if (size >= least_mapping / 2) {
    if (void* const resized = mappings_.resize(block, size)) {
      make_way();
      return resized;
    }
  }
  void* const moved = move(domain, block, old_size, size);
  return moved == nullptr && size <= old_size ? block : moved;
}

bool LargeBlocks::free(void* block) noexcept {
  if (spans_.covers(block)) {
    const std::size_t bytes = spans_.size_of(block);
    if (may_keep(bytes)) {
      spans_.free(block);
      note(bytes);
    } else {
      spans_.free_and_discard(block);
    }
    return true;
  }
  const alloc::Mappings::Entry* const entry = mappings_.find(block);
  if (entry == nullptr) {
    return false;
  }
  const std::size_t bytes = entry->bytes;
  const bool keep = may_keep(bytes);
  mappings_.free(block, keep);
  if (keep) {
    note(bytes);
  }
  return true;
}

std::size_t LargeBlocks::size_of(const void* block) const noexcept {
  if (spans_.covers(block)) {
    return spans_.size_of(block);
  }
  const alloc::Mappings::Entry* const entry = mappings_.find(block);
  return entry == nullptr ? 0 : entry->bytes;
}

bool LargeBlocks::may_keep(std::size_t bytes) const noexcept {
  return !return_at_once_ && bytes < largest_kept &&
         kept_bytes() + bytes <= (is_watched_ ? most_kept : most_kept_unwatched);
}

void LargeBlocks::note(std::size_t bytes) noexcept {
  is_disturbed_ = true;
  ++disturbances_;
  unsaid_bytes_ += bytes;
  if (is_watched_ && unsaid_bytes_ >= tell_at_bytes_) {
    unsaid_bytes_ = 0;
    tell_at_bytes_ = watcher_.again * bytes_of_disturbance;  // if nothing comes of it
    watcher_.disturbed(watcher_.context);
  }
}

void LargeBlocks::make_way() noexcept {
  const std::size_t kept = kept_bytes();
  const std::size_t live = live_bytes();
  if (live + kept <= peak_) {
    return;
  }
  peak_live_ = live > peak_live_ ? live : peak_live_;
  const std::size_t over = live + kept - peak_;
  const std::size_t slack = least_slack > peak_live_ / 16 ? least_slack : peak_live_ / 16;
  const std::size_t given = kept > slack ? give_back(over < kept - slack ? over : kept - slack) : 0;
  // Not forever: a program whose sizes never fit into what it freed would pay at each request.
  peak_ += given / 8;
  if (given >= over) {
    return;
  }
  peak_ += over - given;
  owed_by_peer_ += over - given;
  if (owed_by_peer_ >= peer_step && peer_.give_back_empty != nullptr) {
    peer_.give_back_empty(peer_.context, owed_by_peer_);
    owed_by_peer_ = 0;
  }
}

void LargeBlocks::pools_grow(std::size_t bytes) noexcept {
  const std::size_t kept = kept_bytes();
  if (kept == 0) {
    unused_for_ = 0;
    return;
  }
  unused_for_ += bytes;
  if (unused_for_ >= kept) {
    give_back(kept);
    unused_for_ = 0;
  }
}

bool LargeBlocks::make_room(std::size_t bytes) noexcept {
  std::size_t given = mappings_.unmap_kept(SIZE_MAX);
  if (peer_.give_back_empty != nullptr) {
    given += peer_.give_back_empty(peer_.context, bytes);
  }
  return given != 0;
}

std::size_t LargeBlocks::give_back(std::size_t bytes) noexcept {
  const std::size_t done = spans_.discard_dirty(bytes);
  return done < bytes ? done + mappings_.unmap_kept(bytes - done) : done;
}

void LargeBlocks::watch(const Watcher& watcher) noexcept {
  watcher_ = watcher;
  is_watched_ = true;
  unsaid_bytes_ = 0;
  tell_at_bytes_ = watcher.after * bytes_of_disturbance;
}

void LargeBlocks::begin_return(ReturnBatch& batch, const ReturnRequest& request) noexcept {
  if (request.tick) {
    spans_.tick();
    mappings_.tick();
  }
  unsaid_bytes_ = 0;
  tell_at_bytes_ = watcher_.again * bytes_of_disturbance;
  is_disturbed_ |= request.all;  // for the batches that follow, too
  if (!is_disturbed_) {
    return;
  }
  const auto take = [&](std::byte* address, std::size_t bytes) -> std::size_t {
    if (batch.bytes >= request.most_bytes) {
      return 0;
    }
    if (batch.large_count == ReturnBatch::most_large ||
        batch.range_count == ReturnBatch::most_ranges) {
      batch.is_unfinished = true;
      return 0;
    }
    const std::size_t most = base::round_up(
        request.most_bytes - batch.bytes < bytes ? request.most_bytes - batch.bytes : bytes,
        alloc::SpanSet::page());
    const std::size_t wanted = most < bytes ? most : bytes;
    std::byte* const start = address + bytes - wanted;
    batch.large[batch.large_count++] = {start, wanted};
    batch.add(start, wanted);
    return wanted;
  };
  static_cast<void>(spans_.take_old(request.least_age, take) &&
                    mappings_.take_old(request.least_age, take));
}

void LargeBlocks::finish_return(ReturnBatch& batch) noexcept {
  for (std::size_t i = 0; i < batch.large_count; ++i) {
    const ReturnBatch::Range& range = batch.large[i];
    if (spans_.covers(range.start)) {
      spans_.come_back(range.start, batch.is_discarded);
    } else {
      os::release(range.start, range.size);  // no longer resident: quick
    }
  }
  if (batch.large_count != 0) {
    spans_.trim();
    if (!batch.is_discarded) {
      forget_disturbed();  // the system doesn't want them
    }
    batch.large_count = 0;
  }
}

void LargeBlocks::verify() const noexcept {
  spans_.verify();
  mappings_.verify();
}

void LargeBlocks::walk(HeapVisitor& visitor) const noexcept {
  spans_.for_each(
      [&](const std::byte* address, std::size_t bytes, alloc::SpanState state, Domain domain) {
        if (state == alloc::SpanState::live) {
          visitor.large_block(
              {.address = address, .size = bytes, .domain = domain, .is_mapping = false});
        }
      });
  mappings_.for_each_live([&](const alloc::Mappings::Entry& entry) {
    visitor.large_block({.address = entry.address,
                         .size = entry.bytes,
                         .domain = entry.domain,
                         .is_mapping = true});
  });
}

void LargeBlocks::collect_residency(Residency& residency) const noexcept {
  residency.add_range(spans_.start(), spans_.committed_bytes());
  residency.add_descriptors(spans_.descriptors(), spans_.descriptor_bytes());
  spans_.for_each(
      [&](const std::byte* address, std::size_t bytes, alloc::SpanState state, Domain /*domain*/) {
        const std::size_t resident = os::resident_bytes(address, bytes);
        (state == alloc::SpanState::live ? residency.large : residency.large_kept) += resident;
      });
  mappings_.for_each_kept([&](const alloc::Mappings::Entry& entry) {
    residency.add_range(entry.address, entry.bytes);
    residency.large_kept += os::resident_bytes(entry.address, entry.bytes);
  });
  mappings_.for_each_live([&](const alloc::Mappings::Entry& entry) {
    residency.add_range(entry.address, entry.bytes);
    residency.large += os::resident_bytes(entry.address, entry.bytes);
  });
}

LargeStatistics LargeBlocks::statistics() const noexcept {
  return {.blocks = spans_.counters().live + mappings_.live(),
          .bytes = live_bytes(),
          .mappings = mappings_.live(),
          .mapping_bytes = mappings_.live_bytes(),
          .kept_bytes = kept_bytes(),
          .resized = mappings_.resized()};
}

}  // namespace tarn::heap

// Records where sampled blocks were allocated: the observer of sampled heaps (heap/sampling.h), the stacks that it
// has seen, and the blocks of them that live.
//
// Everything is under one mutex, which also holds across a fork. The stack is asked for under it, by a function
// of the caller's that must not allocate from a sampled heap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heap/sampling.h"
#include "os/mutex.h"
#include "sites/poisson.h"
#include "sites/recorded_blocks.h"
#include "sites/site_table.h"

namespace tarn::sites {

struct RecorderOptions {
  std::uint64_t rate = std::uint64_t{512} * 1024;  // bytes; 1: every block
  std::uint64_t seed = 0;
  std::size_t most_frames = 64;
  // Adds the calling thread's stack to the table, the innermost frame first: nothing, if it has none.
  void (*walk_stack)(SiteTable& table, Domain domain) = nullptr;
};

class Recorder {
 public:
  constexpr Recorder() noexcept = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // False: the system has no addresses for the tables.
  [[nodiscard]] bool open(const RecorderOptions& options) noexcept;
  void close() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return pages_ != nullptr; }

  // What sampled heaps are given. Lives as long as the recorder.
  [[nodiscard]] const heap::SampleObserver& observer() const noexcept { return observer_; }

  [[nodiscard]] std::uint64_t rate() const noexcept { return sampler_.rate(); }
  [[nodiscard]] std::size_t most_frames() const noexcept { return options_.most_frames; }

  // All below look at the tables: under the mutex. A copy of the process that was made while it was held needs none.
  [[nodiscard]] os::Mutex& mutex() noexcept { return mutex_; }

  // Null: the block at the address wasn't recorded.
  [[nodiscard]] const RecordedBlocks::Entry* find(const void* block) const noexcept;
  [[nodiscard]] const RecordedBlocks& blocks() const noexcept { return blocks_; }
  [[nodiscard]] const SiteTable& table() const noexcept { return table_; }
  [[nodiscard]] double weight(const RecordedBlocks::Entry& entry) const noexcept {
    return sampler_.weight(entry.counted);
  }
  [[nodiscard]] std::uint64_t samples() const noexcept { return samples_; }
  // Blocks that would have been recorded, had there been room.
  [[nodiscard]] std::uint64_t not_followed() const noexcept { return not_followed_; }

  void verify() noexcept;

 private:
  [[nodiscard]] std::int64_t next_gap() noexcept;
  void allocated(const void* block, std::size_t size, std::size_t counted, Domain domain) noexcept;
  void grown(const void* block, std::size_t size, std::size_t growth, Domain domain,
             bool record) noexcept;
  [[nodiscard]] bool take_out(const void* block, heap::RecordedBlock& record) noexcept;
  void put_in(const void* block, const heap::RecordedBlock& record) noexcept;

  [[nodiscard]] std::uint32_t site_here(Domain domain) noexcept;
  void follow(const RecordedBlocks::Entry& entry) noexcept;

  os::ForkSafeMutex mutex_;
  RecorderOptions options_;
  PoissonSampler sampler_{1, 0};
  SiteTable table_;
  RecordedBlocks blocks_;
  heap::RecordedPages* pages_ = nullptr;
  std::uint64_t samples_ = 0;
  std::uint64_t not_followed_ = 0;
  heap::SampleObserver observer_ = {};
};

}  // namespace tarn::sites

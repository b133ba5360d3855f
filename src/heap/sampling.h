// Blocks that are recorded: one in so many bytes of what a domain hands out. A heap that is sampled has other
// functions in its faces; one that isn't has not an instruction more.
//
// The domain counts down the bytes that it hands out, and grows by; the request that brings the count to zero is
// told to an observer, who says when the next one is due. Whether a block that comes back was recorded is known
// by its page: a byte for each (and for others, 256 MiB away) counts the recorded blocks that start there.
//
//   S1  a recorded block's page has a count over zero, from before its address is the caller's until it's taken out
//   S2  a block is taken out before its address can be handed out again: before the heap's free, and before its
//       reallocate, after which it's put back in
//
// Any thread may call a sampled domain that may call the domain below. The bytes of two threads that are inside at
// once may count once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

#include "base/bits.h"
#include "heap/functions.h"
#include "heap/instance.h"

namespace tarn::heap {

// Per page, how many recorded blocks start there. What has reached `most` stays there.
class RecordedPages {
 public:
  [[nodiscard]] bool has(const void* address) const noexcept {
    return counts_[index_of(address)].load(std::memory_order_relaxed) != 0;
  }
  // Both by one thread at a time.
  void add(const void* address) noexcept {
    std::atomic<std::uint8_t>& count = counts_[index_of(address)];
    if (const std::uint8_t now = count.load(std::memory_order_relaxed); now != most) {
      count.store(static_cast<std::uint8_t>(now + 1), std::memory_order_relaxed);
    }
  }
  void remove(const void* address) noexcept {
    std::atomic<std::uint8_t>& count = counts_[index_of(address)];
    if (const std::uint8_t now = count.load(std::memory_order_relaxed); now != most) {
      count.store(static_cast<std::uint8_t>(now - 1), std::memory_order_relaxed);
    }
  }

 private:
  static constexpr std::size_t pages = std::size_t{64} * 1024;
  static constexpr unsigned page_bits = 12;
  static constexpr std::uint8_t most = 255;

  [[nodiscard]] static std::size_t index_of(const void* address) noexcept {
    return (base::address_of(address) >> page_bits) % pages;
  }

  std::atomic<std::uint8_t> counts_[pages] = {};
};

// What is known of a recorded block.
struct RecordedBlock {
  std::size_t size;  // of its size class, in whole pages, or as asked for
  std::size_t
      counted;  // bytes by which it was counted: the more, the likelier it was to be recorded
  std::uint32_t site;
  Domain domain;
};

struct SampleObserver {
  void* context;
  RecordedPages* pages;
  // Bytes until the next one is due.
  std::int64_t (*next_gap)(void* context);
  // Was handed out, and is due.
  void (*allocated)(void* context, const void* block, std::size_t size, std::size_t counted,
                    Domain domain);
  // Has grown by so many bytes, and is due: as one that isn't recorded yet, which is then put in; or, with
  // `record`, as one that was taken out, which isn't put in.
  void (*grown)(void* context, const void* block, std::size_t size, std::size_t growth,
                Domain domain, bool record);
  // Takes it out, if it is recorded.
  bool (*take_out)(void* context, const void* block, RecordedBlock& record);
  void (*put_in)(void* context, const void* block, const RecordedBlock& record);
};

// The memory of a heap's sampled domains.
struct SampledDomains {
  struct alignas(64) Slot {
    std::byte bytes[128];
  };
  Slot slots[domain_count];
};

// From now on the heap's faces are sampled. Before anybody uses it. Both others outlive the heap.
void sample(Instance& instance, SampledDomains& memory, const SampleObserver& observer) noexcept;

}  // namespace tarn::heap

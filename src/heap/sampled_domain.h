// A domain whose blocks are sampled: see sampling.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heap/functions.h"
#include "heap/instance.h"
#include "heap/sampling.h"

namespace tarn::heap {

// The domain below, known by its type: its hot path is part of the sampled one's.
template <typename Domain>
struct DirectDomain {
  Domain* domain;
  [[nodiscard]] Domain* operator->() const noexcept { return domain; }
};

// … known by its functions.
struct DomainOfFace {
  Face face;
  [[nodiscard]] const DomainOfFace* operator->() const noexcept { return this; }

  [[nodiscard]] void* allocate(std::size_t size) const noexcept {
    return face.functions->allocate(face.domain, size);
  }
  [[nodiscard]] void* allocate_zeroed(std::size_t count, std::size_t size) const noexcept {
    return face.functions->allocate_zeroed(face.domain, count, size);
  }
  [[nodiscard]] void* reallocate(void* block, std::size_t size) const noexcept {
    return face.functions->reallocate(face.domain, block, size);
  }
  void free(void* block) const noexcept { face.functions->free(face.domain, block); }
  void free_sized(void* block, std::size_t size) const noexcept {
    face.functions->free_sized(face.domain, block, size);
  }
  [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t size) const noexcept {
    return face.functions->allocate_aligned(face.domain, alignment, size);
  }
};

template <typename Below>
class alignas(64) SampledDomain {
 public:
  SampledDomain(Below below, Domain domain, Instance& instance,
                const SampleObserver& observer) noexcept
      : left_(observer.next_gap(observer.context)),
        below_(below),
        pages_(observer.pages),
        observer_(&observer),
        instance_(&instance),
        domain_(domain) {}

  [[nodiscard]] void* allocate(std::size_t size) noexcept {
    if (count(size) <= 0) [[unlikely]] {
      return allocate_recorded(size);
    }
    return below_->allocate(size);
  }
  [[nodiscard]] void* allocate_zeroed(std::size_t number, std::size_t size) noexcept {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(number, size, &bytes)) {
      return nullptr;
    }
    if (count(bytes) <= 0) [[unlikely]] {
      return record(below_->allocate_zeroed(number, size), bytes);
    }
    return below_->allocate_zeroed(number, size);
  }
  [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t size) noexcept {
    void* const block = below_->allocate_aligned(alignment, size);
    return count(size) <= 0 ? record(block, size) : block;
  }

  void free(void* block) noexcept {
    if (pages_->has(block)) [[unlikely]] {
      free_recorded(block);
      return;
    }
    below_->free(block);
  }
  void free_sized(void* block, std::size_t size) noexcept {
    if (pages_->has(block)) [[unlikely]] {
      forget(block);
    }
    below_->free_sized(block, size);
  }

  // A block is counted by what it grows by, so that one of any size is as likely to be recorded whether it had
  // that size from the first or came to it by steps.
  [[nodiscard]] void* reallocate(void* block, std::size_t size) noexcept {
    if (block == nullptr) {
      return allocate(size);
    }
    if (pages_->has(block)) [[unlikely]] {
      RecordedBlock record;
      if (observer_->take_out(observer_->context, block, record)) {
        return reallocate_recorded(block, size, record);
      }
    }
    const std::size_t before = size_at(block);
    void* const moved = below_->reallocate(block, size);
    if (moved == nullptr) {
      return nullptr;
    }
    const std::size_t now = size_at(moved);
    if (now > before && count(now - before) <= 0) [[unlikely]] {
      left_.store(observer_->next_gap(observer_->context), std::memory_order_relaxed);
      observer_->grown(observer_->context, moved, now, now - before, domain_, true);
    }
    return moved;
  }

 private:
  // Loaded and stored, not exchanged: with two threads inside, a lost count is no harm, and a lock prefix
  // would be one.
  [[nodiscard, gnu::always_inline]] std::int64_t count(std::size_t bytes) noexcept {
    const std::int64_t left =
        left_.load(std::memory_order_relaxed) - static_cast<std::int64_t>(bytes);
    left_.store(left, std::memory_order_relaxed);
    return left;
  }

  // Zero: the general allocator's, who doesn't tell.
  [[nodiscard]] std::size_t size_at(const void* block) const noexcept {
    return instance_->operations->size_at(*instance_, block);
  }

  [[nodiscard, gnu::noinline]] void* record(void* block, std::size_t size) noexcept {
    left_.store(observer_->next_gap(observer_->context), std::memory_order_relaxed);
    if (block != nullptr) {
      const std::size_t whole = size_at(block);
      observer_->allocated(observer_->context, block, whole == 0 ? size : whole, size, domain_);
    }
    return block;
  }

  void forget(const void* block) noexcept {
    RecordedBlock record;
    static_cast<void>(observer_->take_out(observer_->context, block, record));
  }

  // Whole, so that the hot path ends in a jump to them and saves no register.
  [[nodiscard, gnu::noinline]] void* allocate_recorded(std::size_t size) noexcept {
    return record(below_->allocate(size), size);
  }
  [[gnu::noinline]] void free_recorded(void* block) noexcept {
    forget(block);
    below_->free(block);
  }

  [[nodiscard, gnu::noinline]] void* reallocate_recorded(void* block, std::size_t size,
                                                         RecordedBlock record) noexcept {
    void* const moved = below_->reallocate(block, size);
    if (moved == nullptr) {
      observer_->put_in(observer_->context, block, record);
      return nullptr;
    }
    const std::size_t whole = size_at(moved);
    const std::size_t now = whole == 0 ? size : whole;
    if (now > record.size) {
      const std::size_t growth = now - record.size;
      record.counted += growth;
      if (count(growth) <= 0) {
        left_.store(observer_->next_gap(observer_->context), std::memory_order_relaxed);
        observer_->grown(observer_->context, moved, now, growth, domain_, false);
      }
    }
    record.size = now;
    observer_->put_in(observer_->context, moved, record);
    return moved;
  }

  std::atomic<std::int64_t> left_;  // bytes until a block is due; zero or less: it is
  Below below_;
  const RecordedPages* pages_;
  const SampleObserver* observer_;
  Instance* instance_;
  Domain domain_;
};

// In `slot`, over `face`.
template <typename Below>
[[nodiscard]] Face make_sampled(SampledDomains::Slot& slot, Below below, Domain domain,
                                Instance& instance, const SampleObserver& observer) noexcept {
  using Sampled = SampledDomain<Below>;
  static_assert(sizeof(Sampled) <= sizeof(slot.bytes));
  return {&functions_of<Sampled>, new (slot.bytes) Sampled(below, domain, instance, observer)};
}

// The face of a heap of Tarn's own geometry by range. Functions null: it is another's.
[[nodiscard]] Face sample_tarn(const Face& face, SampledDomains::Slot& slot, Domain domain,
                               Instance& instance, const SampleObserver& observer) noexcept;

}  // namespace tarn::heap

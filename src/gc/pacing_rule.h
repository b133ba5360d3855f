// When to collect: the arithmetic alone, with a heap's figures for input. It's the rule of CPython's pacing
// (src/integrations/python) for a heap with two generations.
//
// What is promised. H is the heap (bytes of pools taken and of large objects), L what of it would be left without
// garbage; s is the last full collection, after which H = L. limit(x) is the larger of `garbage_floor` bytes and
// `garbage_percent` percent of x. At each look, after what the rule wanted has been done:
//
//   R1  H < H(s) + limit(H(s)): cycles that nobody collects never make the heap larger by more
//   R2  less than limit(H) << patience was allocated since s: no garbage waits for longer
//   R3  a full collection is linear in the heap and comes after allowance bytes of growth, or R2's of allocation; a
//       young one is linear in the objects made since the last, plus two bits for each block of the heap
//
// So garbage H - L < limit(L(s)) + max(0, L(s) - L): while the live heap hasn't shrunk, it's less than the larger of
// the floor and the percentage of it. What the program has dropped since s may be garbage on top: who doesn't
// trace can't know, but the heap is no larger for it (R1), and not for longer than R2 says.
//
// Proof. R1: a full collection is wanted when H - base >= allowance; base <= H(s), allowance <= limit(base) <=
// limit(H(s)). R2 is the rule itself. Both hold between two looks up to what is allocated meanwhile: a page or a
// pool of blocks for each type, or one large object; and what is allocated while an object dies, since nobody looks
// then.
//
// Within these bounds what was found decides how often: little, and the next one comes later; much, and it comes
// sooner. A young one comes only when half of what was allocated is still there, net of what has died by its count since:
// where everything dies so, there's nothing for it to find. To know that costs a line of memory for each pool, so it's
// asked only when a young one would be due, and again only when as much was allocated as is missing.
#pragma once

#include <algorithm>
#include <cstddef>

#include <tarn/gc.h>

namespace tarn::gc {

class PacingRule {
 public:
  enum class Want : unsigned char { nothing, young, full };

  // In bytes.
  struct Heap {
    std::size_t taken = 0;
    std::size_t allocated = 0;  // ever
  };

  static constexpr unsigned first_patience = 4;
  static constexpr unsigned most_patience = 6;

  explicit PacingRule(const CollectorThresholds& thresholds) noexcept { set(thresholds); }

  void set(const CollectorThresholds& thresholds) noexcept {
    thresholds_ = thresholds;
    young_ = thresholds.least_young_bytes;
    allowance_ = thresholds.garbage_floor;
  }
  [[nodiscard]] const CollectorThresholds& thresholds() const noexcept { return thresholds_; }

  [[nodiscard]] std::size_t limit(std::size_t heap) const noexcept {
    return std::max(thresholds_.garbage_floor, heap / 100 * thresholds_.garbage_percent);
  }

  // As after a full collection.
  void begin(const Heap& heap) noexcept {
    base_ = heap.taken;
    full_at_ = young_at_ = heap.allocated;
    least_held_ = heap.taken;
  }

  // Whether it's worthwhile to look.
  [[nodiscard]] bool is_due(std::size_t allocated) const noexcept {
    // Two bits for each block of the heap are looked at, too.
    return allocated - young_at_ >= std::max(young_, base_ / 32);
  }
  [[nodiscard]] Want look(const Heap& heap) noexcept {
    follow(heap);
    if (must_be_full(heap)) {
      return Want::full;
    }
    return is_due(heap.allocated) ? Want::young : Want::nothing;
  }
  // When a young one is due: whether it's worthwhile, with so many bytes in blocks that hold something. If not, it's
  // as if one had found little.
  [[nodiscard]] bool is_worthwhile(const Heap& heap, std::size_t held) noexcept {
    least_held_ = std::min(least_held_, held);
    const std::size_t wanted = std::max(young_, base_ / 32);
    const std::size_t grown = held - least_held_;
    if (grown >= wanted / 2) {
      return true;
    }
    if (grown < wanted / 8) {
      young_ = std::min(2 * young_, most_young(heap));
    }
    young_at_ = heap.allocated - grown;
    return false;
  }
  // Whether R1 or R2 ask for a full collection.
  [[nodiscard]] bool must_be_full(const Heap& heap) const noexcept {
    const std::size_t growth = heap.taken > base_ ? heap.taken - base_ : 0;
    return growth >= allowance() || heap.allocated - full_at_ >= limit(heap.taken) << patience_;
  }

  // `held` as above, after it.
  void collected(const Collection& collection, const Heap& before, const Heap& after,
                 std::size_t held) noexcept {
    least_held_ = held;
    const bool is_little = collection.unreachable <= collection.examined / 64;
    const bool is_much = collection.unreachable > collection.examined / 8;
    young_at_ = after.allocated;
    if (collection.generation == Generation::young) {
      if (is_little) {
        young_ = std::min(2 * young_, most_young(after));
      } else if (is_much) {
        young_ = std::max(young_ / 2, thresholds_.least_young_bytes);
      }
      follow(after);
      return;
    }
    const bool has_grown = before.taken >= base_ + allowance() / 2;
    if (is_little) {
      allowance_ = has_grown ? std::min(2 * allowance_, limit(before.taken)) : allowance_;
      patience_ = std::min(patience_ + 1, most_patience);
    } else if (is_much) {
      allowance_ = has_grown ? std::max(allowance_ / 2, thresholds_.garbage_floor / 4) : allowance_;
      patience_ = 0;
    }
    is_wary_ = !is_little;
    begin(after);
    least_held_ = held;
  }

  [[nodiscard]] std::size_t allowance() const noexcept {
    return std::min(allowance_, limit(base_));
  }
  [[nodiscard]] std::size_t young_bytes() const noexcept { return young_; }

 private:
  // A young collection looks at some bits of each block of the heap: the larger the heap, the seldomer it comes, or it
  // would cost more than what it's for. (R1 and R2 don't rest on young ones.)
  [[nodiscard]] std::size_t most_young(const Heap& heap) const noexcept {
    return std::max(thresholds_.most_young_bytes, heap.taken / 4);
  }

  // Where cycles die, what the heap has fallen to since is where growth counts from.
  void follow(const Heap& heap) noexcept {
    if (is_wary_) {
      base_ = std::min(base_, heap.taken);
    }
  }

  CollectorThresholds thresholds_;
  std::size_t base_ = 0;
  std::size_t full_at_ = 0;
  std::size_t young_at_ = 0;
  std::size_t young_ = 0;
  std::size_t least_held_ = 0;  // since the last collection
  std::size_t allowance_ = 0;
  unsigned patience_ = first_patience;
  bool is_wary_ = false;
};

}  // namespace tarn::gc

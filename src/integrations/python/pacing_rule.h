// When to collect cycles: the arithmetic alone. It knows no Python; pacer.h gives it figures and does what it says.
//
// What is promised. H is the heap (bytes in allocated blocks), L the part of it that is live, G = H - L the
// garbage that only the collector can free; s is the last full collection, after which G = 0. limit(x) is the
// larger of 16 MiB and x/4. At each look, after what the rule wanted has been done:
//
//   R1  H < H(s) + limit(H(s)): cycles that nobody collects never make the heap larger by more than the larger of
//       16 MiB and a quarter
//   R2  less than limit(H) << patience was handed out since s: no garbage waits for longer, though the heap stands
//       still because other things are freed; patience is zero while full collections find much
//
// It follows that G < limit(L(s)) + max(0, L(s) - L). As long as the live heap hasn't shrunk, garbage is at most the
// larger of 16 MiB and a quarter of it. What the program has dropped since s can be garbage on top of that, or make
// room for as much: nobody who doesn't trace the heap can know. Then R1 says that the heap is no larger for it,
// and R2 for how long.
//
// The rule. `base` is H(s); after a full collection that found something, the least H since.
//
//   collect when  H - base >= allowance, which is at most limit(base)           R1
//            or   handed out since s >= limit(H) << patience                     R2
//
// Proof. R1: base <= H(s), and limit grows with its argument, so H < base + limit(base) <= H(s) + limit(H(s)). With
// H(s) = L(s) it is G = H - L < L(s) + limit(L(s)) - L. R2 is the rule itself.
// Both hold between two looks up to what is handed out meanwhile (look_after bytes, or one request), and up
// to the moment at which Python can collect: in the middle of a call it can't.
//
// What the last collections freed chooses, within these bounds, how often it's done: where it found nothing, the
// next is later, up to the bound; where it found much, earlier, so that a program whose cycles die doesn't hold
// more of them than with CPython's own thresholds: those let some 85,000 containers gather, 8 to 13 MiB
// (least_allowance, first_allowance). R2's bound backs off too: a program without cycles pays for one full collection in
// limit(H) << most_patience bytes.
//
// Before a full collection, which traverses the whole heap, the middle generation is tried, which traverses what is new
// since it was last collected. A trial comes when the heap has grown by `trial` since: sooner after one that paid, rarely
// after one in vain. Each promotes what lives, so that what dies later is left to full collections.
//
// CPython's young generations are paced by the number of containers: the youngest from 700 to most_young, a number whose
// traversal stays in the cache; the middle one from 7,700 to most_middle, which is as good as never. Once the youngest
// has been collected in vain most_vain times in a row it isn't any more (young_off), until another collection finds
// that cycles die after all: the trials are what is left to see it, so garbage still is within R1.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tarn::python {

class PacingRule {
 public:
  enum class Want : std::uint8_t { nothing, middle, full };
  enum class Generation : std::uint8_t { young, middle, full };

  // In bytes.
  struct Heap {
    std::size_t allocated = 0;
    std::size_t handed_out = 0;  // ever
  };

  // Containers, as CPython counts them: allocated less freed.
  struct Thresholds {
    std::size_t young;
    std::size_t middle_after;  // collections of the youngest
    bool operator==(const Thresholds&) const = default;
  };

  static constexpr std::size_t mebibyte = std::size_t{1} << 20;
  static constexpr std::size_t least_limit = 16 * mebibyte;
  static constexpr std::size_t look_after = mebibyte / 4;
  static constexpr std::size_t first_allowance = 13 * mebibyte;
  static constexpr std::size_t least_allowance = 8 * mebibyte;
  static constexpr std::size_t first_trial = 4 * mebibyte;
  static constexpr std::size_t least_trial = 2 * mebibyte;
  static constexpr std::size_t most_trial = 64 * mebibyte;
  static constexpr unsigned first_patience = 4;
  static constexpr unsigned most_patience = 8;
  static constexpr std::size_t least_young = 700;
  static constexpr std::size_t most_young = 1'000;
  static constexpr std::size_t young_off = std::size_t{1} << 30;
  static constexpr unsigned most_vain = 12;
  static constexpr std::size_t least_middle = 7'700;
  // Until the middle one was collected for the first time, as by CPython: a start has made nearly so many collections
  // of the youngest, and finds nothing.
  static constexpr std::size_t first_middle_after = 10;
  static constexpr std::size_t most_middle = std::size_t{1} << 22;

  [[nodiscard]] static constexpr std::size_t limit(std::size_t heap) noexcept {
    return std::max(least_limit, heap / 4);
  }

  // As after a full collection: what is garbage by now isn't known.
  void begin(const Heap& heap) noexcept {
    base_ = middle_base_ = heap.allocated;
    handed_out_ = heap.handed_out;
    is_prepared_ = false;
  }

  // What is to be done now. To be asked whenever look_after bytes were handed out, and after doing it.
  [[nodiscard]] Want look(const Heap& heap) noexcept {
    follow(heap);
    if (heap.handed_out - handed_out_ >= turnover_bound(heap)) {
      // The middle first, so that a full one counts as useful only for what it alone could find.
      return is_prepared_ ? Want::full : Want::middle;
    }
    if (trial_ < allowance() && growth(middle_base_, heap) >= trial_) {
      return Want::middle;
    }
    return growth(base_, heap) >= allowance() ? Want::full : Want::nothing;
  }

  // A collection has ended, whoever began it. `containers`: how many it freed.
  void collected(Generation generation, const Heap& before, const Heap& after,
                 std::size_t containers) noexcept {
    const std::size_t freed =
        before.allocated > after.allocated ? before.allocated - after.allocated : 0;
    switch (generation) {
      case Generation::young:
        collected_young(containers);
        break;
      case Generation::middle:
        collected_middle(before, freed);
        middle_base_ = after.allocated;
        is_prepared_ = after.handed_out - handed_out_ >= turnover_bound(after);
        break;
      case Generation::full:
        collected_all(before.allocated, freed);
        begin(after);
        return;
    }
    follow(after);
  }

  [[nodiscard]] Thresholds thresholds() const noexcept {
    return {
        may_leave_young_ && vain_ >= most_vain ? young_off : young_,
        std::clamp<std::size_t>(middle_ / young_, least_middle_after_, most_middle / least_young)};
  }

  // The youngest is never left alone: somebody allocates who can't be counted on to try and collect in time.
  void keep_young() noexcept { may_leave_young_ = false; }

  [[nodiscard]] std::size_t base() const noexcept { return base_; }
  [[nodiscard]] std::size_t allowance() const noexcept {
    return std::min(allowance_, limit(base_));
  }
  [[nodiscard]] std::size_t turnover_bound(const Heap& heap) const noexcept {
    return limit(heap.allocated) << patience_;
  }

 private:
  [[nodiscard]] static constexpr bool is_little(std::size_t freed, std::size_t heap) noexcept {
    return freed <= heap / 64;
  }
  [[nodiscard]] static constexpr bool is_much(std::size_t freed, std::size_t heap) noexcept {
    return freed > heap / 16;
  }

  void follow(const Heap& heap) noexcept {
    if (is_wary_) {
      base_ = std::min(base_, heap.allocated);
    }
  }

  void collected_young(std::size_t containers) noexcept {
    if (is_little(containers, young_)) {
      vain_ = std::min(vain_ + 1, most_vain);
      young_ = most_young;
    } else {
      watch_young();
    }
  }
  void watch_young() noexcept {
    vain_ = 0;
    young_ = least_young;
  }

  void collected_middle(const Heap& heap, std::size_t freed) noexcept {
    least_middle_after_ = 2;
    if (is_little(freed, heap.allocated)) {
      middle_ = std::min(4 * middle_, most_middle);
    } else if (freed > heap.allocated / 32) {
      middle_ = std::max(middle_ / 4, least_middle);
    }
    const std::size_t grown = growth(middle_base_, heap);
    if (grown < least_trial) {
      return;  // it tells too little
    }
    if (freed >= grown / 4) {
      trial_ = std::max(trial_ / 2, least_trial);
      watch_young();
    } else if (grown >= trial_) {
      trial_ = std::min(4 * trial_, most_trial);
    }
  }

  void collected_all(std::size_t heap, std::size_t freed) noexcept {
    if (is_little(freed, heap)) {
      allowance_ = has_grown(heap) ? std::min(2 * allowance_, limit(heap)) : allowance_;
      patience_ = std::min(patience_ + 1, most_patience);
    } else if (is_much(freed, heap)) {
      allowance_ = has_grown(heap) ? std::max(allowance_ / 2, least_allowance) : allowance_;
      trial_ = std::max(trial_ / 2, least_trial);  // perhaps it pays now
      watch_young();
      patience_ = 0;
    }
    is_wary_ = !is_little(freed, heap);
  }

  // Whether it was growth that led to a collection at this size.
  [[nodiscard]] bool has_grown(std::size_t heap) const noexcept {
    return heap >= base_ + allowance() / 2;
  }

  [[nodiscard]] static constexpr std::size_t growth(std::size_t from, const Heap& heap) noexcept {
    return heap.allocated > from ? heap.allocated - from : 0;
  }

  std::size_t base_ = 0;
  std::size_t middle_base_ = 0;  // at the last collection of the middle
  std::size_t handed_out_ = 0;   // at the last full collection
  std::size_t allowance_ = first_allowance;
  std::size_t trial_ = first_trial;
  std::size_t young_ = least_young;
  std::size_t middle_ = least_middle;
  std::size_t least_middle_after_ = first_middle_after;
  unsigned vain_ = 0;  // collections of the youngest in a row that found little
  unsigned patience_ = first_patience;
  bool may_leave_young_ = true;
  bool is_wary_ = false;      // the last full collection found something
  bool is_prepared_ = false;  // for a full collection, by one of the middle
};

}  // namespace tarn::python

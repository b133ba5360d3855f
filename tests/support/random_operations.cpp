#include "support/random_operations.h"

namespace tarn::test {

void RandomOperations::choose_phase() {
  if (model_.live() >= most_live_) {
    phase_ = Phase::drain;
  } else if (model_.live() <= most_live_ / 16) {
    phase_ = Phase::growth;
  } else {
    phase_ = static_cast<Phase>(random_.below(3));
  }
  steps_left_ = 1 + random_.below(most_live_);
  common_size_ = random_.below(2) == 0 ? 0 : 1 + random_.below(512);
}

// Mostly small, as Python has it; sometimes one of the sizes at which something changes.
std::size_t RandomOperations::some_size() {
  constexpr std::size_t edges[] = {0, 1, 7, 8, 9, 16, 17, 487, 488, 489, 511, 512, 513, 520};
  if (common_size_ != 0 && random_.below(8) != 0) {
    return common_size_;
  }
  const std::size_t kind = random_.below(100);
  if (kind < 70) {
    return random_.below(129);
  }
  if (kind < 88) {
    return random_.below(513);
  }
  if (kind < 95) {
    return edges[random_.below(sizeof(edges) / sizeof(edges[0]))];
  }
  return random_.below(kind < 99 ? 2048 : 40000);
}

Domain RandomOperations::some_domain() {
  constexpr Domain by_use[] = {Domain::obj, Domain::obj, Domain::mem, Domain::raw};
  return by_use[random_.below(4)];
}

void RandomOperations::step() {
  if (steps_left_ == 0 || (phase_ == Phase::growth && model_.live() >= most_live_) ||
      (phase_ == Phase::drain && model_.live() == 0)) {
    choose_phase();
  }
  --steps_left_;
  constexpr std::size_t percent_taken[] = {70, 48, 25};
  const std::size_t kind = random_.below(1000);
  if (kind < 2) {
    model_.release_empty_arenas();
  } else if (kind < 4) {
    model_.release();
  } else if (kind < 120) {
    model_.reallocate(random_.next(), some_size());
  } else if (random_.below(100) < percent_taken[static_cast<std::size_t>(phase_)]) {
    const std::size_t how = random_.below(20);
    if (how == 0) {
      model_.allocate_aligned(std::size_t{1} << random_.below(13), some_size(), some_domain());
    } else if (how < 4) {
      model_.allocate_zeroed(1 + random_.below(4), some_size(), some_domain());
    } else {
      model_.allocate(some_size(), some_domain());
    }
  } else if (random_.below(8) == 0) {
    model_.free_sized(random_.next());
  } else {
    model_.free(random_.next());
  }
}

}  // namespace tarn::test

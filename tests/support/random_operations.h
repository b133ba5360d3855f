// Random operations on a heap and its model, in phases: the heap grows, stays, drains, and grows again.
#pragma once

#include <cstddef>

#include "support/heap_model.h"
#include "support/seed.h"

namespace tarn::test {

class RandomOperations {
 public:
  // `most_live`: about as many live blocks as there are when a phase of growth ends.
  RandomOperations(HeapModel& model, Random& random, std::size_t most_live)
      : model_(model), random_(random), most_live_(most_live) {}

  void step();

 private:
  enum class Phase { growth, steady, drain };

  void choose_phase();
  [[nodiscard]] std::size_t some_size();
  [[nodiscard]] Domain some_domain();

  HeapModel& model_;
  Random& random_;
  std::size_t most_live_;
  Phase phase_ = Phase::growth;
  std::size_t steps_left_ = 0;
  // Some phases use few sizes: pools fill up and run empty only when many blocks are alike.
  std::size_t common_size_ = 0;
};

}  // namespace tarn::test

// An array of owners for the peers whose owner looks after itself wherever it lies.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tarn::bench::objects {

template <typename Owner>
class Owners {
 public:
  explicit Owners(std::size_t count) : owners_(count) {}

  void set(std::size_t index, Owner owner) { owners_[index] = std::move(owner); }
  [[nodiscard]] const Owner& copy(std::size_t index) const { return owners_[index]; }
  [[nodiscard]] const Owner& borrow(std::size_t index) const { return owners_[index]; }
  [[nodiscard]] auto* at(std::size_t index) const { return &*owners_[index]; }
  void clear() { owners_ = {}; }

 private:
  std::vector<Owner> owners_;
};

}  // namespace tarn::bench::objects

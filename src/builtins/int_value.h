// An int's magnitude as limbs, whether it's a word or not.
#pragma once

#include <tarn/builtins/int.h>

#include "builtins/natural.h"

namespace tarn::builtins {

class Magnitude {
 public:
  explicit Magnitude(const Int& value) noexcept : is_negative_(value.word() < 0) {
    if (value.is_word()) {
      word_ = is_negative_ ? Limb{0} - static_cast<Limb>(value.word())
                           : static_cast<Limb>(value.word());
      limbs_ = LimbSpan(&word_, word_ != 0 ? 1 : 0);
    } else {
      limbs_ = value.items();
    }
  }
  Magnitude(const Magnitude&) = delete;
  Magnitude& operator=(const Magnitude&) = delete;

  [[nodiscard]] bool is_negative() const noexcept { return is_negative_; }
  [[nodiscard]] LimbSpan limbs() const noexcept { return limbs_; }

 private:
  bool is_negative_;
  Limb word_ = 0;
  LimbSpan limbs_;
};

// -1, 0, 1.
[[nodiscard]] int compare_ints(const Int& left, const Int& right) noexcept;
// Exactly. The double is no NaN.
[[nodiscard]] int compare_with_double(const Int& left, double right) noexcept;

}  // namespace tarn::builtins

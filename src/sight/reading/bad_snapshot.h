// A snapshot file that can't be used: damaged, not a snapshot, or made to harm. The text is printable ASCII, one
// line, without a byte of the file in it.
#pragma once

#include <stdexcept>

namespace tarn::sight::reading {

class BadSnapshot : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace tarn::sight::reading

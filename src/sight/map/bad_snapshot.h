// A file that isn't what a snapshot should be: where it is wrong, and how. Names from the file aren't in it.
#pragma once

#include <stdexcept>
#include <string>

namespace tarn::sight {

class BadSnapshot : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace tarn::sight

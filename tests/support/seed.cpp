#include "support/seed.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace tarn::test {

std::uint64_t seed_or(std::uint64_t usual) {
  // Read before there is a second thread.
  const char* const text = std::getenv("TARN_TEST_SEED");  // NOLINT(concurrency-mt-unsafe)
  if (text == nullptr || *text == '\0') {
    return usual;
  }
  std::size_t used = 0;
  const std::string whole = text;
  std::uint64_t seed = 0;
  try {
    seed = std::stoull(whole, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used != whole.size()) {
    throw std::runtime_error("TARN_TEST_SEED is '" + whole + "', which is no number");
  }
  return seed;
}

}  // namespace tarn::test
